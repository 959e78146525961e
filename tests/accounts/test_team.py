"""Who may change whom: roles, removal, leaving and handing ownership over, all through the pages."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import AuditEvent, User
from accounts.tenancy import system_scope
from tests.worlds import World, make_user
from workflows.models import Workflow

PASSWORD = "a long pass phrase of nine"


@pytest.fixture
def partner(alder: World) -> User:
    """A second owner of Alder."""
    with system_scope("make a second owner"):
        return make_user(alder.organization, "partner@alder.example", role="OWNER", name="Partner of Alder")


def role_of(person: User) -> str | None:
    with system_scope("look"):
        return User.objects.filter(pk=person.pk).values_list("role", flat=True).first()


def with_password(person: User) -> User:
    with system_scope("set a password"):
        person.set_password(PASSWORD)
        person.save()
    return person


def last_event(world: World) -> AuditEvent:
    with world.scope():
        return AuditEvent.objects.order_by("-id").first()


# who changes, whom, to which role, and whether that may be
RULES = [
    ("owner", "admin", "MEMBER", True),
    ("owner", "member", "ADMIN", True),
    ("owner", "partner", "ADMIN", True),
    ("owner", "viewer", "OWNER", False),  # ownership is handed over, with the password
    ("admin", "member", "ADMIN", True),
    ("admin", "viewer", "MEMBER", True),
    ("admin", "admin", "VIEWER", True),
    ("admin", "owner", "MEMBER", False),
    ("admin", "member", "OWNER", False),
    ("admin", "admin", "OWNER", False),
    ("member", "viewer", "ADMIN", False),
    ("member", "member", "ADMIN", False),
    ("viewer", "member", "VIEWER", False),
]


@pytest.mark.parametrize(("actor", "target", "role", "is_allowed"), RULES)
def test_who_may_give_which_role(
    client: Client, alder: World, partner: User, actor: str, target: str, role: str, is_allowed: bool
) -> None:
    person = partner if target == "partner" else getattr(alder, target)
    before = person.role
    client.force_login(getattr(alder, actor))
    response = client.post(reverse("accounts:member", args=[person.pk]), {"role": role})
    assert response.status_code == (302 if is_allowed else 403 if actor in {"member", "viewer"} else 422)
    assert role_of(person) == (role if is_allowed else before)
    if is_allowed:
        event = last_event(alder)
        assert (event.action, event.before, event.after) == (
            "member.role_changed",
            {"role": before},
            {"role": role},
        )


@pytest.mark.parametrize(
    ("actor", "target", "is_allowed"),
    [
        ("owner", "admin", True),
        ("owner", "partner", True),
        ("admin", "member", True),
        ("admin", "owner", False),
        ("member", "viewer", False),
    ],
)
def test_who_may_remove_whom(
    client: Client, alder: World, partner: User, actor: str, target: str, is_allowed: bool
) -> None:
    person = partner if target == "partner" else getattr(alder, target)
    client.force_login(getattr(alder, actor))
    client.post(reverse("accounts:removal", args=[person.pk]))
    assert (role_of(person) is None) is is_allowed


def test_the_last_owner_cannot_be_demoted(client: Client, alder: World) -> None:
    client.force_login(alder.owner)
    response = client.post(reverse("accounts:member", args=[alder.owner.pk]), {"role": "ADMIN"})
    assert response.status_code == 422
    assert "last owner" in response.content.decode()
    assert role_of(alder.owner) == "OWNER"


def test_one_of_two_owners_can_be_demoted(client: Client, alder: World, partner: User) -> None:
    client.force_login(alder.owner)
    client.post(reverse("accounts:member", args=[alder.owner.pk]), {"role": "ADMIN"})
    assert role_of(alder.owner) == "ADMIN"


def test_a_changed_role_can_be_taken_back(client: Client, alder: World) -> None:
    client.force_login(alder.owner)
    response = client.post(reverse("accounts:member", args=[alder.member.pk]), {"role": "ADMIN"}, follow=True)
    undo = f"{reverse('accounts:role', args=[alder.member.pk])}?role=MEMBER"
    assert undo in response.content.decode()
    client.post(undo)
    assert role_of(alder.member) == "MEMBER"


def test_a_removed_member_is_signed_out_and_their_workflows_stay(client: Client, alder: World) -> None:
    with alder.scope():
        Workflow.objects.filter(pk=alder.workflow.pk).update(created_by=alder.admin)
    theirs = Client()
    theirs.force_login(alder.admin)
    assert theirs.get(reverse("accounts:settings")).status_code == 200
    client.force_login(alder.owner)
    client.post(reverse("accounts:removal", args=[alder.admin.pk]))
    assert theirs.get(reverse("accounts:settings")).status_code == 302
    with alder.scope():
        workflow = Workflow.objects.get(pk=alder.workflow.pk)
    assert (workflow.status, workflow.created_by_id) == ("ACTIVE", None)
    event = last_event(alder)
    assert (event.action, event.before["email"]) == ("member.removed", "admin@alder.example")


def test_a_member_leaves_with_their_password(client: Client, alder: World) -> None:
    client.force_login(with_password(alder.member))
    assert client.post(reverse("accounts:leave"), {"password": "wrong"}).status_code == 422
    assert role_of(alder.member) == "MEMBER"
    assert client.post(reverse("accounts:leave"), {"password": PASSWORD}).status_code == 200
    assert role_of(alder.member) is None
    assert client.get(reverse("accounts:settings")).status_code == 302
    assert last_event(alder).action == "member.left"


def test_the_last_owner_cannot_leave(client: Client, alder: World) -> None:
    client.force_login(with_password(alder.owner))
    response = client.post(reverse("accounts:leave"), {"password": PASSWORD})
    assert "last owner" in response.content.decode()
    assert role_of(alder.owner) == "OWNER"


@pytest.mark.parametrize(("stays", "left_with"), [("", "ADMIN"), ("on", "OWNER")])
def test_ownership_is_handed_over_with_the_password(
    client: Client, alder: World, stays: str, left_with: str
) -> None:
    client.force_login(with_password(alder.owner))
    data = {"heir": str(alder.member.pk), "stays_owner": stays, "password": PASSWORD}
    assert client.post(reverse("accounts:ownership"), data | {"password": "wrong"}).status_code == 422
    assert role_of(alder.member) == "MEMBER"
    assert client.post(reverse("accounts:ownership"), data).status_code == 302
    assert (role_of(alder.member), role_of(alder.owner)) == ("OWNER", left_with)
    assert last_event(alder).action == "organization.ownership_transferred"


def test_ownership_stays_within_the_organization(client: Client, alder: World, birch: World) -> None:
    client.force_login(with_password(alder.owner))
    data = {"heir": str(birch.member.pk), "password": PASSWORD}
    assert client.post(reverse("accounts:ownership"), data).status_code == 422
    assert role_of(birch.member) == "MEMBER"


def test_the_list_shows_our_people_only(client: Client, alder: World, birch: World) -> None:
    client.force_login(alder.viewer)
    page = client.get(reverse("accounts:team")).content.decode()
    assert "member@alder.example" in page
    assert "birch.example" not in page
    assert reverse("accounts:member", args=[alder.member.pk]) not in page


def test_the_list_asks_the_same_number_of_questions_for_many_people(
    client: Client, alder: World, django_assert_max_num_queries: Any
) -> None:
    with system_scope("make people"):
        for number in range(20):
            make_user(alder.organization, f"p{number}@alder.example")
    client.force_login(alder.owner)
    client.get(reverse("accounts:team"))
    with django_assert_max_num_queries(24):  # nine of them open and close scopes
        client.get(reverse("accounts:team"))
