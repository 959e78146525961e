"""Signing in with Google: new people found an organization, known ones are linked only when that is safe."""

from __future__ import annotations

from typing import Any

import pytest
from allauth.account.models import EmailAddress
from allauth.core.context import request_context
from allauth.socialaccount.helpers import complete_social_login
from allauth.socialaccount.models import SocialAccount, SocialLogin
from django.contrib.auth.models import AnonymousUser
from django.contrib.messages.storage.fallback import FallbackStorage
from django.contrib.sessions.backends.db import SessionStore
from django.test import Client, RequestFactory
from django.urls import reverse

from accounts.models import User
from accounts.tenancy import system_scope
from config import settings as configuration
from tests.worlds import World

GOOGLE = [{"client_id": "an id", "secret": "a secret", "key": ""}]


@pytest.fixture(autouse=True)
def google(settings: Any) -> None:
    settings.SOCIALACCOUNT_PROVIDERS = {
        "google": {"APPS": GOOGLE, "VERIFIED_EMAIL": True},
        "microsoft": {"APPS": []},
    }


def come_back_from_google(email: str, *, verified: bool = True) -> tuple[Any, Any]:
    """Return the request and the answer of a person whom Google has just sent back."""
    from allauth.socialaccount.adapter import get_adapter

    request: Any = RequestFactory().get("/accounts/google/login/callback/")
    request.session, request.user = SessionStore(), AnonymousUser()
    request._messages = FallbackStorage(request)
    with system_scope("a sign-in page"), request_context(request):
        adapter = get_adapter(request)
        login = SocialLogin(
            user=adapter.new_user(request, None),
            account=SocialAccount(provider="google", uid=f"uid of {email}", extra_data={"email": email}),
            email_addresses=[EmailAddress(email=email, verified=verified, primary=True)],
            provider=adapter.get_provider(request, "google"),
        )
        adapter.populate_user(request, login, {"email": email, "name": "Fern Field"})
        response = complete_social_login(request, login)
        request.session.save()
    return request, response


def test_a_new_person_names_their_business_and_becomes_its_owner(client: Client) -> None:
    request, response = come_back_from_google("fern@field.example")
    assert response.headers["Location"] == reverse("socialaccount_signup")
    client.cookies["sessionid"] = request.session.session_key
    page = client.get(response.headers["Location"])
    assert page.context["form"].initial["name"] == "Fern Field"
    data = {"email": "fern@field.example", "name": "Fern Field", "organization_name": "Field & Co"}
    assert client.post(reverse("socialaccount_signup"), data).status_code == 302
    with system_scope("look"):
        user = User.objects.select_related("organization").get(email="fern@field.example")
        assert (user.organization.name, user.role, user.name) == ("Field & Co", "OWNER", "Fern Field")
        assert SocialAccount.objects.get(user=user).provider == "google"
        assert EmailAddress.objects.get(user=user).verified
    assert client.session["_auth_user_id"] == str(user.pk)


def test_a_verified_address_signs_the_known_person_in(alder: World) -> None:
    request, _response = come_back_from_google("owner@alder.example")
    assert request.session["_auth_user_id"] == str(alder.owner.pk)
    assert SocialAccount.objects.get().user_id == alder.owner.pk


def test_an_address_google_has_not_verified_is_not_linked(alder: World, settings: Any) -> None:
    settings.SOCIALACCOUNT_PROVIDERS["google"]["VERIFIED_EMAIL"] = False
    request, _response = come_back_from_google("owner@alder.example", verified=False)
    assert "_auth_user_id" not in request.session
    assert not SocialAccount.objects.exists()


def test_a_password_set_for_an_unverified_address_dies_when_its_real_holder_comes(alder: World) -> None:
    with system_scope("somebody signed up with another's address"):
        alder.owner.set_password("the squatter's pass phrase")
        alder.owner.save()
        EmailAddress.objects.filter(user=alder.owner).update(verified=False)
    come_back_from_google("owner@alder.example")
    with system_scope("look"):
        assert not User.objects.get(pk=alder.owner.pk).has_usable_password()


def test_the_buttons_appear_only_when_configured(client: Client, settings: Any) -> None:
    page = client.get(reverse("account_login")).content.decode()
    assert "Google" in page
    assert "Microsoft" not in page
    settings.SOCIALACCOUNT_PROVIDERS = {"google": {"APPS": []}, "microsoft": {"APPS": []}}
    assert "Google" not in client.get(reverse("account_login")).content.decode()


def test_half_a_configuration_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GOOGLE_SIGN_IN_CLIENT_ID", "an id")
    assert configuration.social_app("GOOGLE_SIGN_IN") == []
    monkeypatch.setenv("GOOGLE_SIGN_IN_CLIENT_SECRET", "a secret")
    assert len(configuration.social_app("GOOGLE_SIGN_IN")) == 1
