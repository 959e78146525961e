"""The demo: works without any key, can be seeded again, and never exists on a real installation."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest
from django.contrib.auth import authenticate
from django.core.management import CommandError, call_command

from accounts.models import Organization
from accounts.tenancy import system_scope
from workflows.models import Execution, Trigger, Workflow


def test_the_demo_is_made_once_however_often_it_is_seeded(db: None, settings: object, tmp_path: Path) -> None:
    settings.DEBUG, settings.DATA_FOLDER = True, tmp_path  # type: ignore[attr-defined]
    call_command("seed_demo", verbosity=0)
    call_command("seed_demo", verbosity=0)
    with system_scope("look"):
        assert Organization.objects.count() == 1
        assert Workflow.objects.filter(status="ACTIVE").count() == 3
        assert Execution.objects.filter(status="PENDING").count() == 7
        token = Trigger.objects.get(kind="WEBHOOK").token
    demo = json.loads((tmp_path / "demo.json").read_text())
    assert demo["webhook_url"].endswith(f"/hooks/{token}/")
    assert stat.S_IMODE((tmp_path / "demo.json").stat().st_mode) == 0o600
    user = authenticate(email=demo["email"], password=demo["password"])
    assert user is not None
    assert user.role == "OWNER"


def test_without_debug_there_is_no_well_known_password(db: None, settings: object) -> None:
    settings.DEBUG = False  # type: ignore[attr-defined]
    with pytest.raises(CommandError, match="DEBUG"):
        call_command("seed_demo", verbosity=0)
    with system_scope("look"):
        assert not Organization.objects.exists()
