"""Credentials at rest: bound to their row, rotated without a stop, refused with a wrong key, and seen nowhere."""

from __future__ import annotations

import base64
import json
import logging
import os
from io import StringIO
from typing import Any

import pytest
from django.core.checks import run_checks
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse

from accounts.tenancy import system_scope
from integrations import credentials
from integrations.framework.crypto import DecryptionFailed, KeyRing
from integrations.models import EncryptionCanary, Integration
from tests.integrations.standin import API_KEY, CLIENT_SECRET, SIGNING_SECRET, Service
from tests.worlds import World


def key(name: str) -> str:
    return f"{name}:{base64.b64encode(os.urandom(32)).decode()}"


def make(world: World, name: str = "Team") -> Integration:
    with world.scope():
        row = Integration(organization=world.organization, provider="SLACK", name=name)
        credentials.write(row, {"auth": "oauth2", "access_token": "canary-token"})
        credentials.write_webhook_state(row, {"secret": "canary-hook"})
        row.save()
    return row


def errors() -> list[str]:
    return [
        message.id for message in run_checks(databases=["default"]) if message.id.startswith("integrations.")
    ]


def test_what_is_stored_is_not_what_was_given_and_opens_again(alder: World) -> None:
    row = make(alder)
    assert "canary" not in row.credentials + row.webhook_state
    assert credentials.read(row)["access_token"] == "canary-token"
    assert credentials.read_webhook_state(row) == {"secret": "canary-hook"}


def test_a_value_copied_to_another_row_or_organization_does_not_open(alder: World, birch: World) -> None:
    ours, theirs, other = make(alder), make(birch), make(alder, "Other")
    for thief in (theirs, other):
        thief.credentials = ours.credentials
        with pytest.raises(DecryptionFailed):
            credentials.read(thief)


@pytest.mark.parametrize("setting", ["", "no-colon", "1:not-base64!", "1:c2hvcnQ="])
def test_a_missing_or_malformed_key_is_refused_at_the_start(db: None, settings: Any, setting: str) -> None:
    settings.ENCRYPTION_KEY = setting
    found = [message for message in run_checks() if message.id == "integrations.E001"]
    assert len(found) == 1
    assert "ENCRYPTION_KEY" in found[0].msg
    assert not setting or setting.rpartition(":")[2] not in found[0].msg


def test_a_wrong_key_is_told_from_the_right_one(alder: World, settings: Any) -> None:
    make(alder)
    assert errors() == []
    right, name = settings.ENCRYPTION_KEY, settings.ENCRYPTION_KEY.partition(":")[0]
    settings.ENCRYPTION_KEY = key(name)
    assert errors() == ["integrations.E002"]
    settings.ENCRYPTION_KEY = key("new")
    assert errors() == ["integrations.E002"]
    settings.ENCRYPTION_KEY = f"{key('new')},{right}"
    assert errors() == []


def test_rotation_makes_the_old_key_unnecessary(alder: World, birch: World, settings: Any) -> None:
    rows = [make(alder, f"Team {number}") for number in range(5)] + [make(birch)]
    new = key("new")
    settings.ENCRYPTION_KEY = f"{new},{settings.ENCRYPTION_KEY}"
    words = StringIO()
    call_command("rotate_encryption_key", batch=2, stdout=words)
    assert "integrations: 6 encrypted anew" in words.getvalue()
    settings.ENCRYPTION_KEY = new
    assert errors() == []
    with system_scope("read them all"):
        for row in Integration.objects.filter(pk__in=[row.pk for row in rows]):
            assert credentials.read(row)["access_token"] == "canary-token"
            assert credentials.read_webhook_state(row) == {"secret": "canary-hook"}
    words = StringIO()
    call_command("rotate_encryption_key", stdout=words)
    assert "integrations: 0 encrypted anew" in words.getvalue()


def test_a_rotation_that_was_stopped_goes_on_where_it_was(
    alder: World, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(4):
        make(alder, f"Team {number}")
    settings.ENCRYPTION_KEY = f"{key('new')},{settings.ENCRYPTION_KEY}"
    real, done = credentials.rotate, []

    def stopping(row: Integration) -> bool:
        if len(done) == 3:
            raise KeyboardInterrupt
        done.append(row.pk)
        return real(row)

    monkeypatch.setattr(credentials, "rotate", stopping)
    with pytest.raises(KeyboardInterrupt):
        call_command("rotate_encryption_key", batch=2, stdout=StringIO())
    monkeypatch.setattr(credentials, "rotate", real)
    words = StringIO()
    call_command("rotate_encryption_key", batch=2, stdout=words)
    assert "integrations: 2 encrypted anew" in words.getvalue()


def test_a_row_that_no_key_opens_is_named_and_the_old_key_stays_wanted(alder: World, settings: Any) -> None:
    good, bad = make(alder), make(alder, "Broken")
    with alder.scope():
        Integration.objects.filter(pk=bad.pk).update(credentials=good.credentials)
    settings.ENCRYPTION_KEY = f"{key('new')},{settings.ENCRYPTION_KEY}"
    with pytest.raises(CommandError, match=str(bad.pk)):
        call_command("rotate_encryption_key", stdout=StringIO())
    assert EncryptionCanary.objects.count() == 2


def test_other_apps_values_are_rotated_with_ours(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    left = [5]

    def some(ring: KeyRing, most: int) -> int:
        done = min(most, left[0])
        left[0] -= done
        return done

    monkeypatch.setattr(credentials, "_others", {"triggers": some})
    words = StringIO()
    call_command("rotate_encryption_key", batch=2, stdout=words)
    assert "triggers: 5 encrypted anew" in words.getvalue()


def test_secrets_appear_in_no_page_message_log_or_row(
    client: Client,
    service: Service,
    alder: World,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """Plants secrets of every kind, does everything that handles them, and searches all that was written."""
    caplog.set_level(logging.DEBUG)
    client.force_login(alder.owner)
    seen: list[str] = []

    def get(path: str, *, follow: bool = True, **options: Any) -> Any:
        answer = client.get(path, follow=follow, **options)
        seen.append(answer.content.decode())
        return answer

    def post(path: str, data: Any = None, **options: Any) -> Any:
        answer = client.post(path, data or {}, follow=True, **options)
        seen.append(answer.content.decode())
        return answer

    connect = reverse("integrations:connect", args=["notion"])
    post(f"{connect}?way=api_key", {"api_key": "canary-refused-key"})
    post(f"{connect}?way=api_key", {"api_key": API_KEY, "connection_name": "Keyed"})
    with alder.scope():
        row = Integration.objects.get()
        Integration.objects.update(webhook_token=None)
    pages = ("integration", "reconnect", "disconnect")
    for name in pages:
        get(reverse(f"integrations:{name}", args=[row.pk]))
    post(reverse("integrations:test", args=[row.pk]))
    post(reverse("integrations:webhook-secret", args=[row.pk]), {"secret": "canary-pasted-secret"})
    get(reverse("integrations:options", args=["notion", row.pk, "add_card", "board"]))
    hook = reverse("integrations:inbound", args=["notion"])
    client.post(hook, **service.delivery({"id": "e1", "type": "card.added"}))
    client.post(hook, **service.delivery({"id": "e2"}, secret="canary-other"))
    # The service repeats the token it refuses: its words reach the page without it.
    with alder.scope():
        broken = Integration.objects.get()
        credentials.write(broken, {"auth": "api_key", "api_key": "canary-withdrawn-key"})
        broken.save()
    post(reverse("integrations:test", args=[row.pk]))
    for name in pages:
        get(reverse(f"integrations:{name}", args=[row.pk]))
    get(reverse("integrations:gallery"))
    with system_scope("search what was stored"):
        from accounts.models import AuditEvent
        from integrations.models import InboundDelivery

        seen += [json.dumps(list(AuditEvent.objects.values()), default=str)]
        seen += [json.dumps(list(Integration.objects.values()), default=str)]
        seen += [json.dumps(list(InboundDelivery.objects.values("headers", "url")), default=str)]
    from procrastinate.contrib.django.models import ProcrastinateJob

    seen += [json.dumps(list(ProcrastinateJob.objects.values("args")), default=str)]
    seen += [record.getMessage() + str(record.exc_text or "") for record in caplog.records]
    seen += list(capfd.readouterr())
    everything = "\n".join(seen)
    assert len(seen) > 20
    assert "Keyed" in everything
    for secret in (API_KEY, CLIENT_SECRET, SIGNING_SECRET, "canary-"):
        assert secret not in everything
