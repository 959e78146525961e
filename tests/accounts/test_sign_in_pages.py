"""Every page of signing in answers, for strangers, members and staff, and the flows behind them work."""

from __future__ import annotations

from typing import Any

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import (
    TOTP,
    format_hotp_value,
    generate_totp_secret,
    hotp_value,
    yield_hotp_counters_from_time,
)
from allauth.usersessions.models import UserSession
from django.core import mail
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from django.urls.exceptions import NoReverseMatch

from accounts.models import AuditEvent, User
from accounts.tenancy import system_scope
from tests.accounts.mailbox import code_in, latest, link_in
from tests.worlds import World
from workflows.models import Workflow

PASSWORD = "a long pass phrase of nine"
NEW_PASSWORD = "another pass phrase of ten"


def pages(patterns: list[Any]) -> list[str]:
    found = []
    for pattern in patterns:
        if isinstance(pattern, URLResolver) and not pattern.namespace:
            found += pages(pattern.url_patterns)
        elif isinstance(pattern, URLPattern) and pattern.name:
            try:
                reverse(pattern.name)
            except NoReverseMatch:  # pages of one passkey or one link have tests of their own
                continue
            if pattern.name.startswith(("account_", "mfa_", "usersessions_", "socialaccount_")):
                found.append(pattern.name)
    return sorted(set(found))


PAGES = pages(get_resolver().url_patterns)
ANSWERS = {200, 302, 401, 404, 405}  # 401: the page that says a sign-in at Google or Microsoft failed


@pytest.fixture
def owner(alder: World) -> User:
    with system_scope("set a password"):
        alder.owner.set_password(PASSWORD)
        alder.owner.save()
    return alder.owner


def log_in(client: Client, user: User, password: str = PASSWORD) -> Any:
    return client.post(reverse("account_login"), {"login": user.email, "password": password})


def log_in_and_prove_it(client: Client, user: User) -> None:
    """Sign in, and type the password once more, as pages that change the sign-in ask for."""
    log_in(client, user)
    assert client.post(reverse("account_reauthenticate"), {"password": PASSWORD}).status_code == 302


def actions_of(world: World) -> list[str]:
    with world.scope():
        return list(AuditEvent.objects.order_by("id").values_list("action", flat=True))


@pytest.mark.parametrize("name", PAGES)
def test_a_stranger_gets_an_answer(client: Client, name: str) -> None:
    assert client.get(reverse(name)).status_code in ANSWERS


@pytest.mark.parametrize("name", PAGES)
def test_a_member_gets_an_answer(client: Client, owner: User, name: str) -> None:
    log_in(client, owner)
    assert client.get(reverse(name)).status_code in ANSWERS


SEEN_BY_MEMBERS = [
    "account_change_password",
    "account_email",
    "account_logout",
    "account_reauthenticate",
    "mfa_activate_totp",
    "mfa_add_webauthn",
    "mfa_index",
    "mfa_list_webauthn",
    "socialaccount_connections",
    "usersessions_list",
]


@pytest.mark.parametrize("name", SEEN_BY_MEMBERS)
def test_a_member_sees_the_page(client: Client, owner: User, name: str) -> None:
    log_in_and_prove_it(client, owner)
    assert client.get(reverse(name)).status_code == 200


def test_login_leads_to_the_first_page_and_is_remembered(client: Client, owner: User) -> None:
    response = log_in(client, owner)
    assert (response.status_code, response.headers["Location"]) == (302, "/")
    with system_scope("look"):
        assert User.objects.get(pk=owner.pk).last_login_at is not None
        assert UserSession.objects.filter(user=owner).count() == 1


def test_logout_ends_the_session(client: Client, owner: User) -> None:
    log_in(client, owner)
    client.post(reverse("account_logout"))
    assert "_auth_user_id" not in client.session


def test_a_reset_link_sets_a_new_password_once(client: Client, owner: User, alder: World) -> None:
    client.post(reverse("account_reset_password"), {"email": owner.email})
    link = link_in(latest(owner.email))
    form_url = client.get(link).headers["Location"]
    client.post(form_url, {"password1": NEW_PASSWORD, "password2": NEW_PASSWORD})
    assert log_in(Client(), owner, NEW_PASSWORD).status_code == 302
    assert "security.password_changed" in actions_of(alder)
    again = client.get(link)
    assert b"password1" not in again.content


def test_a_reset_for_an_unknown_address_answers_alike(client: Client, owner: User) -> None:
    known = client.post(reverse("account_reset_password"), {"email": owner.email})
    unknown = client.post(reverse("account_reset_password"), {"email": "nobody@nowhere.example"})
    assert (known.status_code, known.headers["Location"]) == (
        unknown.status_code,
        unknown.headers["Location"],
    )
    assert len(mail.outbox) == 2


def test_a_wrong_password_and_an_unknown_address_answer_alike(client: Client, owner: User) -> None:
    wrong = log_in(client, owner, "not the pass phrase").context["form"].errors
    unknown = client.post(reverse("account_login"), {"login": "nobody@nowhere.example", "password": "x" * 12})
    assert wrong == unknown.context["form"].errors


def test_a_new_password_ends_every_other_session(client: Client, owner: User, alder: World) -> None:
    other = Client()
    log_in(other, owner)
    log_in(client, owner)
    change = {"oldpassword": PASSWORD, "password1": NEW_PASSWORD, "password2": NEW_PASSWORD}
    assert client.post(reverse("account_change_password"), change).status_code == 302
    assert client.get(reverse("accounts:settings")).status_code == 200
    assert other.get(reverse("accounts:settings")).status_code == 302
    assert UserSession.objects.filter(user=owner).count() == 1
    assert "security.password_changed" in actions_of(alder)


def test_a_new_address_counts_once_its_code_is_typed(client: Client, owner: User, alder: World) -> None:
    log_in_and_prove_it(client, owner)
    client.post(reverse("account_email"), {"action_add": "", "email": "new@alder.example"})
    with system_scope("look"):
        assert User.objects.get(pk=owner.pk).email == "owner@alder.example"
    code = code_in(latest("new@alder.example"))
    client.post(reverse("account_email_verification_sent"), {"code": code})
    with system_scope("look"):
        assert User.objects.get(pk=owner.pk).email == "new@alder.example"
        assert list(EmailAddress.objects.filter(user=owner).values_list("email", flat=True)) == [
            "new@alder.example"
        ]
    assert "security.email_changed" in actions_of(alder)
    assert latest("owner@alder.example")


def test_changing_to_an_address_of_somebody_else_tells_nothing(
    client: Client, owner: User, birch: World
) -> None:
    log_in_and_prove_it(client, owner)
    free = client.post(reverse("account_email"), {"action_add": "", "email": "free@alder.example"})
    taken = client.post(reverse("account_email"), {"action_add": "", "email": birch.owner.email})
    assert (free.status_code, free.get("Location")) == (taken.status_code, taken.get("Location"))
    with system_scope("look"):
        assert User.objects.get(pk=owner.pk).email == "owner@alder.example"


def test_an_authenticator_app_is_asked_for_at_the_next_login(
    client: Client, owner: User, alder: World
) -> None:
    log_in_and_prove_it(client, owner)
    page = client.get(reverse("mfa_activate_totp"))
    secret = page.context["form"].secret
    response = client.post(reverse("mfa_activate_totp"), {"code": code_of(secret)})
    assert response.status_code == 302
    assert "security.factor_added" in actions_of(alder)
    assert client.get(reverse("mfa_view_recovery_codes")).status_code == 200
    again = Client()
    assert log_in(again, owner).headers["Location"] == reverse("mfa_authenticate")
    assert "_auth_user_id" not in again.session
    with system_scope("read a recovery code"):
        codes = Authenticator.objects.get(user=owner, type=Authenticator.Type.RECOVERY_CODES).wrap()
        unused = codes.get_unused_codes()
    assert again.get(reverse("mfa_authenticate")).status_code == 200
    again.post(reverse("mfa_authenticate"), {"code": unused[0]})
    assert again.session["_auth_user_id"] == str(owner.pk)
    assert client.get(reverse("accounts:security")).status_code == 200


def test_a_sensitive_page_asks_for_the_password_again(client: Client, owner: User) -> None:
    with system_scope("add a factor"):
        TOTP.activate(owner, generate_totp_secret())
    client.force_login(owner)
    response = client.get(reverse("mfa_deactivate_totp"))
    assert response.headers["Location"].startswith(reverse("account_reauthenticate"))
    assert client.get(response.headers["Location"]).status_code == 200
    back = client.post(response.headers["Location"], {"password": PASSWORD})
    assert back.status_code == 200 or back.headers["Location"].startswith(reverse("mfa_deactivate_totp"))


def code_of(secret: str) -> str:
    return format_hotp_value(hotp_value(secret, next(iter(yield_hotp_counters_from_time()))))


def test_pages_of_signing_in_count_our_own_rows_only(
    client: Client, owner: User, birch: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    from config import navigation

    seen: list[int] = []
    monkeypatch.setitem(
        navigation._counts, "workflows:list", lambda request: seen.append(Workflow.objects.count()) or 0
    )
    log_in(client, owner)
    assert client.get(reverse("account_email")).status_code == 200
    assert seen == [1]
