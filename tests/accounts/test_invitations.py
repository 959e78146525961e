"""Invitations: sent, accepted, expired, taken back, and never a way around the rules."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.core import mail
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import AuditEvent, Invitation, Organization, User
from accounts.tenancy import system_scope
from tests.accounts.mailbox import latest, link_in
from tests.worlds import World

PASSWORD = "a long pass phrase of nine"
GUEST = "guest@new.example"
ANSWER = {"name": "Gustav Guest", "password": PASSWORD}


def invite(client: Client, email: str = GUEST, role: str = "MEMBER") -> Any:
    return client.post(reverse("accounts:invite"), {"email": email, "role": role})


@pytest.fixture
def owners(client: Client, alder: World) -> Client:
    """The browser of Alder's owner."""
    client.force_login(alder.owner)
    return client


@pytest.fixture
def link(owners: Client) -> str:
    """The link of an invitation that was just sent."""
    invite(owners)
    return link_in(latest(GUEST))


def the_invitation() -> Invitation:
    with system_scope("look"):
        return Invitation.objects.order_by("-id").first()


def guest() -> User | None:
    with system_scope("look"):
        return User.objects.filter(email=GUEST).first()


def change(**fields: Any) -> None:
    with system_scope("change"):
        Invitation.objects.update(**fields)


def test_an_invited_person_joins_with_name_and_password(link: str, alder: World) -> None:
    theirs = Client()
    page = theirs.get(link)
    assert page.status_code == 200
    assert page.headers["Referrer-Policy"] == "same-origin"
    assert "Alder" in page.content.decode()
    response = theirs.post(link, ANSWER)
    assert (response.status_code, response.headers["Location"]) == (302, "/")
    user = guest()
    assert user is not None
    assert (user.organization_id, user.role, user.name) == (alder.organization.pk, "MEMBER", "Gustav Guest")
    assert theirs.session["_auth_user_id"] == str(user.pk)
    assert EmailAddress.objects.get(user_id=user.pk).verified
    with alder.scope():
        actions = list(AuditEvent.objects.order_by("id").values_list("action", flat=True))
    assert actions == ["invitation.sent", "invitation.accepted"]


def test_only_the_hash_of_the_link_is_stored(link: str) -> None:
    token = link.strip("/").split("/")[-1]
    assert token not in the_invitation().token_hash
    assert len(the_invitation().token_hash) == 64


def test_a_link_works_once(link: str) -> None:
    Client().post(link, ANSWER)
    second = Client().post(link, ANSWER | {"name": "Somebody Else"})
    assert second.status_code == 410
    assert guest().name == "Gustav Guest"


CLOSED = [
    ({"expires_at": timezone.now() - timedelta(seconds=1)}, 410, "expired"),
    ({"revoked_at": timezone.now()}, 410, "taken back"),
    ({"accepted_at": timezone.now()}, 410, "already"),
    ({"token_hash": "0" * 64}, 404, "not valid"),
]


@pytest.mark.parametrize(("fields", "status", "words"), CLOSED, ids=[words for _, _, words in CLOSED])
def test_a_closed_link_says_why_and_makes_nobody_a_member(
    link: str, fields: dict[str, Any], status: int, words: str
) -> None:
    change(**fields)
    for response in (Client().get(link), Client().post(link, ANSWER)):
        assert response.status_code == status
        assert words in response.content.decode()
    assert guest() is None


def test_a_link_lasts_seven_days(link: str) -> None:
    assert (
        timedelta(days=6, hours=23)
        < the_invitation().expires_at - timezone.now()
        < timedelta(days=7, minutes=1)
    )


def test_a_weak_password_is_refused(link: str) -> None:
    assert Client().post(link, ANSWER | {"password": "password12"}).status_code == 422
    assert guest() is None


def test_an_address_of_another_organization_is_told_at_the_link_not_to_the_inviter(
    owners: Client, birch: World
) -> None:
    assert invite(owners, birch.member.email).status_code == 302
    page = Client().get(link_in(latest(birch.member.email)))
    assert page.status_code == 410
    assert "another organization" in page.content.decode()
    with system_scope("look"):
        assert User.objects.get(pk=birch.member.pk).organization_id == birch.organization.pk


def test_a_member_is_not_invited_again(owners: Client, alder: World) -> None:
    response = invite(owners, "MEMBER@alder.example")
    assert (response.status_code, mail.outbox) == (422, [])
    assert "already" in response.content.decode()


@pytest.mark.parametrize("role", ["OWNER", "BOSS", ""])
def test_nobody_is_invited_as_an_owner(owners: Client, role: str) -> None:
    assert invite(owners, role=role).status_code == 422
    assert the_invitation() is None


def test_a_second_invitation_replaces_the_first(link: str, owners: Client) -> None:
    invite(owners, GUEST.upper(), role="ADMIN")
    with system_scope("count"):
        assert Invitation.objects.count() == 1
    assert Client().get(link).status_code == 404
    assert Client().get(link_in(mail.outbox[-1])).status_code == 200


def test_sending_again_renews_the_link(link: str, owners: Client) -> None:
    change(expires_at=timezone.now() - timedelta(days=1))
    owners.post(reverse("accounts:invitation-resend", args=[the_invitation().pk]))
    assert Client().get(link).status_code == 404
    assert Client().get(link_in(mail.outbox[-1])).status_code == 200


def test_a_revoked_link_can_be_restored(link: str, owners: Client) -> None:
    page = owners.post(reverse("accounts:invitation-revoke", args=[the_invitation().pk]), follow=True)
    undo = reverse("accounts:invitation-restore", args=[the_invitation().pk])
    assert undo in page.content.decode()
    assert Client().get(link).status_code == 410
    owners.post(undo)
    assert Client().get(link).status_code == 200


def take_every_place(world: World, *, left: int) -> None:
    """Put the organization on a plan of three people (Starter), with as many places left as asked."""
    with system_scope("fill the plan"):
        Organization.objects.filter(pk=world.organization.pk).update(plan="STARTER")
        spare = User.objects.filter(organization=world.organization).exclude(pk=world.owner.pk)
        for person in list(spare)[: 1 + left]:
            person.delete()


def test_a_full_plan_invites_nobody(owners: Client, alder: World) -> None:
    take_every_place(alder, left=0)
    response = invite(owners)
    assert response.status_code == 422
    assert "Starter" in response.content.decode()
    assert (the_invitation(), mail.outbox) == (None, [])


def test_an_open_invitation_takes_a_place(owners: Client, alder: World) -> None:
    take_every_place(alder, left=1)
    assert invite(owners).status_code == 302
    assert invite(owners, "second@new.example").status_code == 422
    assert invite(owners).status_code == 302  # the same address again needs no other place


def test_a_plan_that_filled_up_meanwhile_is_said_at_the_link(link: str, alder: World) -> None:
    take_every_place(alder, left=0)
    response = Client().post(link, ANSWER)
    assert response.status_code == 422
    assert "no place left" in response.content.decode()
    assert guest() is None
    assert the_invitation().accepted_at is None


def test_many_invitations_at_once_are_slowed_down(owners: Client, alder: World) -> None:
    with system_scope("a plan without bounds"):
        Organization.objects.filter(pk=alder.organization.pk).update(plan="ENTERPRISE")
    answers = [invite(owners, f"p{number}@new.example").status_code for number in range(31)]
    assert answers == [302] * 30 + [422]


def test_a_signed_in_person_who_accepts_becomes_the_new_member(link: str, birch: World) -> None:
    theirs = Client()
    theirs.force_login(birch.owner)
    assert theirs.get(link).status_code == 200
    theirs.post(link, ANSWER)
    assert theirs.session["_auth_user_id"] == str(guest().pk)
