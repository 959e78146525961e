"""Signing up: an organization on trial, its owner, a verified address, and nothing told about other people."""

from __future__ import annotations

import re
import threading
from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.core.cache import cache
from django.db import connections
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts import adapters
from accounts.models import AuditEvent, Organization, User
from accounts.tenancy import system_scope
from tests.accounts.mailbox import code_in, latest
from tests.worlds import World

PASSWORD = "a long pass phrase of nine"
CEDAR = {
    "name": "Cem Cedar",
    "organization_name": "Cedar Carpentry",
    "email": "cem@cedar.example",
    "password1": PASSWORD,
}


def sign_up(client: Client, **changes: str) -> Any:
    return client.post(reverse("account_signup"), CEDAR | changes)


def test_sign_up_makes_an_organization_on_trial_and_its_owner(client: Client) -> None:
    response = sign_up(client)
    assert response.headers["Location"] == reverse("account_email_verification_sent")
    with system_scope("look"):
        user = User.objects.select_related("organization").get(email="cem@cedar.example")
        assert (user.role, user.name, user.organization.name) == ("OWNER", "Cem Cedar", "Cedar Carpentry")
        assert user.organization.trial_ends_at - timezone.now() > timedelta(days=13, hours=23)
        assert user.password.startswith("argon2")
        assert AuditEvent.objects.get(organization=user.organization).action == "organization.created"


def test_the_mailed_code_verifies_the_address_and_signs_in(client: Client) -> None:
    sign_up(client)
    page = client.get(reverse("account_email_verification_sent"))
    assert page.status_code == 200
    response = client.post(
        reverse("account_email_verification_sent"), {"code": code_in(latest("cem@cedar.example"))}
    )
    assert response.status_code == 302
    with system_scope("look"):
        user = User.objects.get(email="cem@cedar.example")
    assert client.session["_auth_user_id"] == str(user.pk)
    assert user.last_login_at is not None


def test_a_wrong_code_signs_nobody_in(client: Client) -> None:
    sign_up(client)
    response = client.post(reverse("account_email_verification_sent"), {"code": "WRONG1"})
    assert response.status_code == 200
    assert "_auth_user_id" not in client.session


def test_nobody_signs_in_before_the_address_is_verified(client: Client) -> None:
    sign_up(client)
    client.logout()
    client.post(reverse("account_login"), {"login": CEDAR["email"], "password": PASSWORD})
    assert "_auth_user_id" not in client.session


def test_a_known_address_gets_the_same_answer_and_a_mail_that_explains(client: Client, alder: World) -> None:
    unknown = sign_up(Client())
    known = sign_up(client, email="OWNER@alder.example")
    assert (known.status_code, known.headers["Location"]) == (
        unknown.status_code,
        unknown.headers["Location"],
    )
    assert "already" not in client.get(known.headers["Location"]).content.decode()
    assert mail.outbox[-1].to[0].lower() == "owner@alder.example"
    assert "already" in mail.outbox[-1].body
    with system_scope("count"):
        assert User.objects.filter(email__iexact="owner@alder.example").count() == 1
        assert (
            not Organization.objects.filter(name="Cedar Carpentry")
            .exclude(users__email=CEDAR["email"])
            .exists()
        )


def test_a_failure_leaves_neither_organization_nor_person(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*args: Any, **kwargs: Any) -> None:
        raise RuntimeError("the disk is full")

    monkeypatch.setattr("allauth.account.forms.setup_user_email", fail)
    client.raise_request_exception = False
    assert sign_up(client).status_code == 500
    with system_scope("count"):
        assert not Organization.objects.exists()
        assert not User.objects.exists()
    assert mail.outbox == []


@pytest.mark.parametrize("field", ["name", "organization_name", "email", "password1"])
def test_sign_up_asks_for_everything(client: Client, field: str) -> None:
    response = sign_up(client, **{field: ""})
    assert response.status_code == 200
    assert response.context["form"].errors.keys() == {field}


def test_a_password_of_the_common_ones_is_refused(client: Client) -> None:
    assert "password1" in sign_up(client, password1="password12").context["form"].errors


def shown(client: Client) -> str:
    """Return the text of the page that asks for the code, without what differs for every visitor."""
    page = client.get(reverse("account_email_verification_sent")).content.decode()
    return re.sub(r'nonce="[^"]*"|value="[^"]*"|[\w.]+@[\w.]+|X-CSRFToken[^}]*', "", page)


def test_the_page_that_asks_for_the_code_tells_nothing_about_the_address(
    client: Client, alder: World
) -> None:
    theirs = Client()
    sign_up(theirs)
    sign_up(client, email="owner@alder.example")
    assert shown(client) == shown(theirs)


def test_a_code_can_be_sent_again(client: Client) -> None:
    sign_up(client)
    first = code_in(latest(CEDAR["email"]))
    cache.clear()  # a new code may be asked for after ten seconds
    client.post(reverse("account_email_verification_sent"), {"action": "resend"})
    second = code_in(latest(CEDAR["email"]))
    assert first != second
    client.post(reverse("account_email_verification_sent"), {"code": second})
    assert "_auth_user_id" in client.session


def test_two_who_sign_up_with_one_address_at_once_make_one_account(
    committed_db: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = threading.Barrier(2)
    answers: list[int] = []
    found = adapters.found_organization

    def found_together(*args: Any, **kwargs: Any) -> None:
        gate.wait(timeout=20)  # both have seen that the address is free
        found(*args, **kwargs)

    monkeypatch.setattr(adapters, "found_organization", found_together)

    def go(number: int) -> None:
        try:
            # Two addresses of the net: the count of tries per address would let them in one after the other.
            client = Client(raise_request_exception=False, REMOTE_ADDR=f"192.0.2.{number}")
            answers.append(sign_up(client).status_code)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=go, args=[number]) for number in (1, 2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    # The second has to wait before another code is mailed to the address; nobody sees an error of ours.
    assert sorted(answers) in ([302, 302], [302, 429])
    with system_scope("look"):
        assert User.objects.filter(email="cem@cedar.example").count() == 1
        assert Organization.objects.filter(name="Cedar Carpentry").count() == 1
