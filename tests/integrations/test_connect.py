"""Connecting, using, breaking and mending an account, against a local server that stands in for the service."""

from __future__ import annotations

import re
from datetime import timedelta
from html import unescape
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.core import mail
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from procrastinate.contrib.django.models import ProcrastinateJob

from accounts.models import AuditEvent, Organization
from integrations import credentials, health, tasks
from integrations.models import Integration
from tests.integrations.standin import API_KEY, Service
from tests.worlds import World

pytestmark = pytest.mark.usefixtures("service")
CONNECT = "/integrations/services/notion/connect/"


@pytest.fixture
def owner(client: Client, alder: World) -> Client:
    client.force_login(alder.owner)
    return client


@pytest.fixture
def healed(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What the registered hook was told."""
    told: list[Any] = []
    monkeypatch.setattr(
        health, "_on_healed", [lambda organization_id, key: told.append((organization_id, key))]
    )
    return told


def address_of(page: Any) -> str:
    """Return where a page sends the person."""
    found = re.search(r'http-equiv="refresh" content="0;url=([^"]+)"', page.content.decode())
    assert found, page.content.decode()
    return unescape(found[1])


def sign_in(client: Client, service: Service, path: str = CONNECT, **data: str) -> Any:
    """Go through the service's sign-in and return the answer of our callback."""
    sent_to = address_of(client.post(f"{path}?way=oauth2", data))
    asked = {name: values[0] for name, values in parse_qs(urlsplit(sent_to).query).items()}
    code = f"code-{len(service.challenges)}"
    service.challenges[code] = asked["code_challenge"]
    return client.get(reverse("integrations:oauth-callback"), {"code": code, "state": asked["state"]})


def only(world: World) -> Integration:
    with world.scope():
        row: Integration = Integration.objects.get()
        return row


def opened(world: World) -> dict[str, Any]:
    return credentials.read(only(world))


def test_an_account_lives_from_signing_in_to_being_mended(
    owner: Client, service: Service, alder: World, healed: list[Any]
) -> None:
    answer = sign_in(owner, service)
    row = only(alder)
    assert answer.headers["Location"] == reverse("integrations:integration", args=[row.pk])
    assert (row.status, row.name, row.account_label) == ("ACTIVE", "Alder Bakery", "Alder Bakery")
    assert row.settings == {"account_id": "acc-1"}
    assert row.expires_at is not None
    assert row.expires_at > timezone.now() + timedelta(minutes=55)

    used = health.credentials_for_use(alder.organization.pk, row.pk)
    assert used.credentials["access_token"] == "canary-access-1"
    assert service.count("refresh_token") == 0

    with alder.scope():
        Integration.objects.update(expires_at=timezone.now() + timedelta(minutes=2))
    used = health.credentials_for_use(alder.organization.pk, row.pk)
    assert used.credentials["access_token"] == "canary-access-2"
    assert only(alder).expires_at > timezone.now() + timedelta(minutes=55)

    service.revoke_everything()
    with alder.scope():
        Integration.objects.update(expires_at=timezone.now() - timedelta(minutes=2))
    with pytest.raises(health.NotUsable) as refused:
        health.credentials_for_use(alder.organization.pk, row.pk)
    assert refused.value.integration_id == row.pk
    broken = only(alder)
    assert broken.status == "EXPIRED"
    assert broken.status_reason == "Standin no longer accepts this connection. Reconnect it."
    assert (
        "Standin no longer accepts"
        in owner.get(reverse("integrations:integration", args=[row.pk])).content.decode()
    )
    assert healed == []

    sign_in(owner, service, reverse("integrations:reconnect", args=[row.pk]))
    mended = only(alder)
    assert (mended.status, mended.status_reason, mended.name) == ("ACTIVE", "", "Alder Bakery")
    assert healed == [(alder.organization.pk, row.pk)]
    assert (
        health.credentials_for_use(alder.organization.pk, row.pk).credentials["access_token"]
        == "canary-access-3"
    )
    with alder.scope():
        actions = list(AuditEvent.objects.order_by("id").values_list("action", flat=True))
    assert actions == ["integration.connected", "integration.broken", "integration.reconnected"]


def test_a_state_is_good_once_and_in_its_own_session(owner: Client, service: Service, alder: World) -> None:
    sent_to = address_of(owner.post(f"{CONNECT}?way=oauth2"))
    asked = {name: values[0] for name, values in parse_qs(urlsplit(sent_to).query).items()}
    service.challenges["code-a"] = service.challenges["code-b"] = asked["code_challenge"]
    callback = reverse("integrations:oauth-callback")
    stranger = Client()
    stranger.force_login(alder.admin)
    stranger.get(callback, {"code": "code-a", "state": asked["state"]})
    owner.get(callback, {"code": "code-a", "state": asked["state"] + "x"})
    with alder.scope():
        assert Integration.objects.count() == 0
    owner.get(callback, {"code": "code-a", "state": asked["state"]})
    owner.get(callback, {"code": "code-b", "state": asked["state"]})
    with alder.scope():
        assert Integration.objects.count() == 1
    assert service.count("authorization_code") == 1


def test_a_refused_sign_in_says_so_and_connects_nothing(
    owner: Client, service: Service, alder: World
) -> None:
    sent_to = address_of(owner.post(f"{CONNECT}?way=oauth2"))
    state = parse_qs(urlsplit(sent_to).query)["state"][0]
    answer = owner.get(
        reverse("integrations:oauth-callback"), {"error": "access_denied", "state": state}, follow=True
    )
    assert "cancelled or refused" in answer.content.decode()
    assert service.count("authorization_code") == 0


def test_the_flow_that_is_kept_shows_no_verifier(owner: Client) -> None:
    owner.post(f"{CONNECT}?way=oauth2")
    (kept,) = owner.session["oauth_flows"].values()
    assert re.fullmatch(r"[\w-]+(:[0-9a-f]+){3}", kept)


def test_missing_settings_are_named_before_anybody_signs_in(owner: Client, settings: Any) -> None:
    settings.OAUTH_APPS = {}
    page = owner.get(CONNECT).content.decode()
    for words in (
        "OAUTH_NOTION_CLIENT_ID",
        "OAUTH_NOTION_CLIENT_SECRET",
        "/integrations/oauth/callback/",
        "cards",
    ):
        assert words in page
    assert "http-equiv" not in owner.post(f"{CONNECT}?way=oauth2").content.decode()


def test_a_key_is_tried_before_it_is_kept(owner: Client, alder: World) -> None:
    wrong = owner.post(f"{CONNECT}?way=api_key", {"api_key": "canary-wrong-key", "connection_name": "Ovens"})
    assert wrong.status_code == 422
    assert "Standin did not accept this" in wrong.content.decode()
    assert "canary-wrong-key" not in wrong.content.decode()
    right = owner.post(f"{CONNECT}?way=api_key", {"api_key": API_KEY, "connection_name": "Ovens"})
    assert right.status_code == 302
    assert opened(alder) == {"auth": "api_key", "api_key": API_KEY}


def test_a_service_that_is_away_is_not_taken_for_a_wrong_key(owner: Client, service: Service) -> None:
    service.is_down = True
    page = owner.post(f"{CONNECT}?way=api_key", {"api_key": API_KEY})
    assert page.status_code == 422
    assert "Try again in a moment" in page.content.decode()


def test_several_accounts_of_a_service_have_names_of_their_own(owner: Client, alder: World) -> None:
    key = {"api_key": API_KEY}
    owner.post(f"{CONNECT}?way=api_key", key)
    owner.post(f"{CONNECT}?way=api_key", key)
    with alder.scope():
        assert set(Integration.objects.values_list("name", flat=True)) == {"Alder Bakery", "Alder Bakery 2"}
    taken = owner.post(f"{CONNECT}?way=api_key", {**key, "connection_name": "Alder Bakery"})
    assert taken.status_code == 422
    assert "already has this name" in taken.content.decode()


def test_the_plan_limits_how_many(owner: Client, alder: World) -> None:
    with alder.scope():
        alder.organization.plan = Organization.Plan.STARTER
        alder.organization.save(update_fields=["plan"])
        for number in range(3):
            Integration.objects.create(provider="SLACK", name=f"Team {number}")
    refused = owner.post(f"{CONNECT}?way=api_key", {"api_key": API_KEY})
    assert refused.status_code == 422
    assert "allows 3 integrations" in refused.content.decode()
    with alder.scope():
        off = Integration.objects.first()
    owner.post(reverse("integrations:disable", args=[off.pk]))
    assert owner.post(f"{CONNECT}?way=api_key", {"api_key": API_KEY}).status_code == 302
    answer = owner.post(reverse("integrations:enable", args=[off.pk]), follow=True)
    assert "allows 3 integrations" in answer.content.decode()


def test_reconnecting_with_another_account_warns(owner: Client, service: Service, alder: World) -> None:
    sign_in(owner, service)
    service.account_id, service.account = "acc-2", "Birch Bikes"
    sign_in(owner, service, reverse("integrations:reconnect", args=[only(alder).pk]))
    page = owner.get(reverse("integrations:gallery")).content.decode()
    assert "another account than before" in page
    assert only(alder).settings["account_id"] == "acc-2"


def test_disconnecting_forgets_here_and_there(owner: Client, service: Service, alder: World) -> None:
    sign_in(owner, service)
    assert service.refresh == {"canary-refresh-1"}
    page = reverse("integrations:disconnect", args=[only(alder).pk])
    assert owner.get(page).status_code == 200
    assert service.refresh
    owner.post(page)
    assert service.refresh == set()
    with alder.scope():
        assert Integration.objects.count() == 0


def test_the_managers_are_told_once_for_each_break(
    owner: Client, service: Service, alder: World, settings: Any, django_capture_on_commit_callbacks: Any
) -> None:
    settings.MAIL_BY_WORKER = False
    sign_in(owner, service)
    row = only(alder)
    ids = {"organization_id": str(alder.organization.pk), "integration_id": str(row.pk)}

    def break_it() -> None:
        service.revoke_everything()
        for _ in range(3):
            with pytest.raises(health.ReconnectError):
                health.check(alder.organization.pk, row.pk)

    break_it()
    with django_capture_on_commit_callbacks(execute=True):
        tasks.tell_of_break(**ids)
        tasks.tell_of_break(**ids)
    jobs = ProcrastinateJob.objects.filter(task_name="integrations.tell_of_break")
    assert jobs.count() == 1
    assert sorted(message.to[0] for message in mail.outbox) == ["admin@alder.example", "owner@alder.example"]
    assert "“Alder Bakery” has to be reconnected" in mail.outbox[0].subject
    assert f"/integrations/{row.pk}/" in mail.outbox[0].body

    sign_in(owner, service, reverse("integrations:reconnect", args=[row.pk]))
    break_it()
    with django_capture_on_commit_callbacks(execute=True):
        tasks.tell_of_break(**ids)
    assert len(mail.outbox) == 4


def test_members_see_names_and_nothing_to_change(
    client: Client, owner: Client, service: Service, alder: World
) -> None:
    sign_in(owner, service)
    row = only(alder)
    client.force_login(alder.member)
    page = client.get(reverse("integrations:gallery")).content.decode()
    assert "Alder Bakery" in page
    assert str(row.pk) not in page
    assert client.get(reverse("integrations:integration", args=[row.pk])).status_code == 403
