"""A web server under measurement, and the webhook addresses that it serves."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from typing import Any

import psutil

from accounts.tenancy import organization_scope, system_scope
from tests.bench import stage as on
from tests.bench.companies import SET_STEP, make_company
from workflows.models import Trigger, Workflow
from workflows.publishing import publish

PORT = 8106
BODY = json.dumps({"name": "Ada", "padding": "x" * 900}).encode()


def make_hook(name: str, definition: dict[str, Any] = SET_STEP, **trigger: Any) -> str:
    """Make an organization whose workflow is started by a webhook; return the path of its address."""
    organization, workflow, _version = make_company(name, definition)
    with organization_scope(organization.pk):
        Workflow.objects.filter(pk=workflow.pk).update(
            triggers=[{"type": "webhook", "id": "hook", **trigger}]
        )
        workflow.refresh_from_db()
        publish(workflow, None)
    with system_scope("benchmark"):
        return f"/hooks/{Trigger.objects.get(workflow=workflow, key='hook').token}/"


def serve(stage: on.Stage) -> psutil.Process:
    """Start gunicorn as in production and return when it answers."""
    process = stage.start(
        "-m", "gunicorn", "-c", "config/gunicorn.py", "config.wsgi:application", PORT=str(PORT)
    )
    on.wait_until(_answers, "the web server")
    return process


def _answers() -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{PORT}/health/live", timeout=2) as answer:
            return answer.status == 200
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False
