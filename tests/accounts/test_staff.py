"""The staff admin: our own sign-in page, staff alone, and a second factor where the data is real."""

from __future__ import annotations

from typing import Any

import pytest
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from django.core.management import call_command
from django.test import Client
from django.urls import reverse

from accounts.models import User
from accounts.tenancy import system_scope
from tests.worlds import World

PASSWORD = "a long pass phrase of nine"
ADMIN = "/admin/"


@pytest.fixture
def staff(db: None) -> User:
    return User.objects.create_superuser("support@steward.example", PASSWORD)


@pytest.fixture
def strict(settings: Any) -> None:
    settings.STAFF_MFA_REQUIRED = True


def test_a_stranger_is_sent_to_the_one_sign_in_page(client: Client) -> None:
    first = client.get(ADMIN)
    second = client.get(first.headers["Location"])
    assert second.headers["Location"] == "/accounts/login/?next=%2Fadmin%2F"


def test_the_admin_has_no_password_form(client: Client, staff: User) -> None:
    response = client.post("/admin/login/", {"username": staff.email, "password": PASSWORD})
    assert response.status_code == 302
    assert "_auth_user_id" not in client.session


def test_a_member_stays_outside(client: Client, alder: World) -> None:
    client.force_login(alder.owner)
    assert client.get(client.get(ADMIN).headers["Location"]).status_code == 403


def test_staff_without_a_second_factor_are_sent_to_set_one_up(
    client: Client, staff: User, strict: None
) -> None:
    client.force_login(staff)
    way_in = client.get(client.get(ADMIN).headers["Location"])
    assert way_in.headers["Location"].startswith(reverse("mfa_activate_totp"))
    proof = client.get(way_in.headers["Location"])
    assert client.get(proof.headers["Location"]).status_code == 200


def test_staff_with_a_second_factor_come_in(client: Client, staff: User, strict: None) -> None:
    TOTP.activate(staff, generate_totp_secret())
    client.force_login(staff)
    assert client.get(ADMIN).status_code == 200


def test_staff_sign_in_and_land_in_the_admin(client: Client, staff: User) -> None:
    response = client.post(reverse("account_login"), {"login": staff.email, "password": PASSWORD})
    assert response.headers["Location"] == reverse("admin:index")
    assert client.get(ADMIN).status_code == 200


@pytest.mark.parametrize(
    "name", ["mfa_index", "account_email", "account_change_password", "usersessions_list"]
)
def test_staff_reach_their_own_sign_in_pages(client: Client, staff: User, name: str) -> None:
    client.force_login(staff)
    assert client.get(reverse(name)).status_code == 200


def test_createsuperuser_makes_staff_who_can_sign_in(
    client: Client, db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DJANGO_SUPERUSER_PASSWORD", PASSWORD)
    call_command("createsuperuser", email="boss@steward.example", interactive=False, verbosity=0)
    with system_scope("look"):
        boss = User.objects.get(email="boss@steward.example")
    assert (boss.is_staff, boss.organization_id) == (True, None)
    client.post(reverse("account_login"), {"login": boss.email, "password": PASSWORD})
    assert client.session["_auth_user_id"] == str(boss.pk)
