"""Settings of a person and of the organization, keys for the API, and ending one's sessions."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts import api_keys
from accounts.models import ApiKey, AuditEvent, Organization, User
from accounts.notifications import Notification, wants
from accounts.sessions import browser_name
from accounts.tenancy import system_scope
from tests.worlds import World


def person(world: World) -> User:
    with system_scope("look"):
        return User.objects.select_related("organization").get(pk=world.owner.pk)


@pytest.fixture
def owners(client: Client, alder: World) -> Client:
    client.force_login(alder.owner)
    return client


def test_a_person_chooses_name_zone_language_and_notifications(owners: Client, alder: World) -> None:
    data = {
        "name": "Ada Alder",
        "timezone": "Europe/Berlin",
        "language": "de",
        "notifications": ["approval_asked"],
    }
    assert owners.post(reverse("accounts:settings"), data).status_code == 302
    changed = person(alder)
    assert (changed.name, changed.timezone, changed.language) == ("Ada Alder", "Europe/Berlin", "de")
    assert wants(changed, Notification.APPROVAL_ASKED)
    assert not wants(changed, Notification.RUN_FAILED)
    assert owners.get(reverse("accounts:settings")).headers["Content-Language"] == "de"


def test_a_person_wants_everything_until_they_say_no(alder: World) -> None:
    assert all(wants(alder.owner, notification) for notification in Notification)


@pytest.mark.parametrize(
    "wrong", [{"timezone": "Mars/Olympus"}, {"language": "xx"}, {"notifications": ["spam"]}]
)
def test_a_wrong_choice_is_refused(owners: Client, alder: World, wrong: dict[str, Any]) -> None:
    assert owners.post(reverse("accounts:settings"), {"name": "New Name"} | wrong).status_code == 422
    assert person(alder).name == "Owner of Alder"


ORGANIZATION = {"name": "Alder & Daughters", "timezone": "Europe/Paris"}


def test_a_change_of_the_organization_is_an_event_with_what_was(owners: Client, alder: World) -> None:
    data = ORGANIZATION | {"completed_retention_days": "30"}
    assert owners.post(reverse("accounts:organization"), data).status_code == 302
    assert person(alder).organization.completed_retention_days == 30
    with alder.scope():
        event = AuditEvent.objects.get()
    assert event.before == {"name": "Alder", "timezone": "UTC", "completed_retention_days": None}
    assert event.after == ORGANIZATION | {"completed_retention_days": 30}


# plan, field, the most days it allows
LONGEST = [
    ("STARTER", "log_retention_days", 90),
    ("STARTER", "completed_retention_days", 90),
    ("STARTER", "failed_retention_days", 180),
    ("PROFESSIONAL", "completed_retention_days", 180),
    ("ENTERPRISE", "completed_retention_days", 730),
]


@pytest.mark.parametrize(("plan", "field", "days"), LONGEST)
def test_history_is_kept_within_the_plan(
    owners: Client, alder: World, plan: str, field: str, days: int
) -> None:
    with system_scope("choose a plan"):
        Organization.objects.filter(pk=alder.organization.pk).update(plan=plan)
    url = reverse("accounts:organization")
    assert owners.post(url, ORGANIZATION | {field: str(days + 1)}).status_code == 422
    assert owners.post(url, ORGANIZATION | {field: "0"}).status_code == 422
    assert owners.post(url, ORGANIZATION | {field: str(days)}).status_code == 302
    assert getattr(person(alder).organization, field) == days


def make_key(client: Client, **changes: Any) -> Any:
    data = {"name": "Website", "scopes": ["executions:write", "executions:read"], "lifetime": "30"}
    return client.post(reverse("accounts:key-create"), data | changes)


def test_a_key_is_shown_once_and_works(owners: Client, alder: World) -> None:
    response = make_key(owners)
    secret = response.context["secret"]
    assert secret in response.content.decode()
    assert "no-store" in response.headers["Cache-Control"]
    assert secret not in owners.get(reverse("accounts:keys")).content.decode()
    key = api_keys.authenticate(secret)
    assert key is not None
    assert (key.organization_id, key.scopes) == (
        alder.organization.pk,
        ["executions:write", "executions:read"],
    )
    assert timedelta(days=29) < key.expires_at - timezone.now() < timedelta(days=31)
    with alder.scope():
        assert ApiKey.objects.get().last_used_at is not None
        event = AuditEvent.objects.get()
    assert event.action == "key.created"
    assert secret not in str(event.after)


@pytest.mark.parametrize(
    "fields", [{"revoked_at": timezone.now()}, {"expires_at": timezone.now() - timedelta(1)}]
)
def test_a_key_that_ended_opens_nothing(owners: Client, alder: World, fields: dict[str, Any]) -> None:
    secret = make_key(owners).context["secret"]
    with alder.scope():
        ApiKey.objects.update(**fields)
    assert api_keys.authenticate(secret) is None


@pytest.mark.parametrize("secret", ["", "stw_", "stw_wrong", "Bearer x"])
def test_a_wrong_key_opens_nothing(db: None, secret: str) -> None:
    assert api_keys.authenticate(secret) is None


def test_a_revoked_key_stops_at_once(owners: Client, alder: World) -> None:
    response = make_key(owners)
    owners.post(reverse("accounts:key-revoke", args=[response.context["key"].pk]))
    assert api_keys.authenticate(response.context["secret"]) is None
    with alder.scope():
        assert AuditEvent.objects.order_by("-id").first().action == "key.revoked"


@pytest.mark.parametrize(
    "wrong", [{"name": ""}, {"scopes": []}, {"scopes": ["everything"]}, {"lifetime": "9999"}]
)
def test_a_key_needs_a_name_and_known_scopes(owners: Client, alder: World, wrong: dict[str, Any]) -> None:
    assert make_key(owners, **wrong).status_code == 422
    with alder.scope():
        assert not ApiKey.objects.exists()


def test_signing_out_everywhere_else_leaves_this_session(owners: Client, alder: World) -> None:
    other = Client()
    other.force_login(alder.owner)
    for browser in (other, owners):
        assert browser.get(reverse("accounts:settings")).status_code == 200
    owners.post(reverse("accounts:sessions-end"))
    assert owners.get(reverse("accounts:settings")).status_code == 200
    assert other.get(reverse("accounts:settings")).status_code == 302


@pytest.mark.parametrize(
    ("user_agent", "name"),
    [
        ("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", "Firefox on Linux"),
        (
            "Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0 Safari/537.36 Edg/142.0",
            "Edge on Windows",
        ),
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1 Version/18.0 Safari/604.1",
            "Safari on iPhone",
        ),
        ("curl/8.9", "curl/8.9"),
        ("", "Unknown browser"),
    ],
)
def test_browsers_are_called_what_people_call_them(user_agent: str, name: str) -> None:
    assert browser_name(user_agent) == name
