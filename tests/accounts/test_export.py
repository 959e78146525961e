"""The export: everything the organization owns, nothing of another one, and no secret."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from accounts.export import HIDDEN, without_secrets
from accounts.models import ApiKey, AuditEvent
from accounts.owned import owned_models
from accounts.tenancy import system_scope
from integrations.models import Integration
from tests.worlds import World, make_execution


@pytest.fixture
def exported(client: Client, alder: World, birch: World) -> dict[str, Any]:
    with system_scope("furnish"):
        make_execution(alder, input={"customer": "Kestrel Kiosk"})
        _key, secret = ApiKey.issue(organization=alder.organization, name="Website", scopes=[])
        Integration.objects.create(
            organization=alder.organization,
            provider="SLACK",
            name="Alder's Slack",
            credentials="iv:tag:ciphertext",
        )
        alder.owner.set_password("a long pass phrase of nine")
        alder.owner.save()
    client.force_login(alder.owner)
    response = client.get(reverse("accounts:organization-export"))
    assert 'filename="steward-alder-' in response.headers["Content-Disposition"]
    text = b"".join(response.streaming_content).decode()  # type: ignore[attr-defined]
    assert "birch" not in text.lower()
    assert "argon2" not in text
    assert "ciphertext" not in text
    assert secret not in text
    return json.loads(text)


def test_every_owned_table_is_in_it(exported: dict[str, Any]) -> None:
    assert set(exported["rows"]) == {model._meta.label for model in owned_models()}
    assert exported["organization"]["name"] == "Alder"
    assert len(exported["rows"]["accounts.User"]) == 4
    assert exported["rows"]["workflows.Execution"][0]["input"] == {"customer": "Kestrel Kiosk"}


def test_secret_columns_are_left_out(exported: dict[str, Any]) -> None:
    assert "credentials" not in exported["rows"]["integrations.Integration"][0]
    assert "secret_hash" not in exported["rows"]["accounts.ApiKey"][0]
    assert "password" not in exported["rows"]["accounts.User"][0]


def test_an_export_is_an_event(exported: dict[str, Any], alder: World) -> None:
    with alder.scope():
        assert AuditEvent.objects.get().action == "organization.exported"


def test_more_rows_than_a_batch_are_all_there(
    client: Client, alder: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("accounts.export.BATCH", 3)
    client.force_login(alder.owner)
    response = client.get(reverse("accounts:organization-export"))
    rows = json.loads(b"".join(response.streaming_content))["rows"]  # type: ignore[attr-defined]
    assert {row["email"] for row in rows["accounts.User"]} == {
        f"{role}@alder.example" for role in ("owner", "admin", "member", "viewer")
    }


def test_secrets_inside_json_are_hidden() -> None:
    value = {"auth": {"Password": "hush", "user": "pia"}, "list": [{"token": "t"}], "secret": ""}
    assert without_secrets(value) == {
        "auth": {"Password": HIDDEN, "user": "pia"},
        "list": [{"token": HIDDEN}],
        "secret": "",
    }
