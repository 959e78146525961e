"""The sidebar: who sees which place, which one is open, the number beside it, the theme."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from django.http import HttpResponse
from django.test import RequestFactory, override_settings
from django.urls import include, path

from config import navigation


def page(request: object) -> HttpResponse:
    return HttpResponse()


urlpatterns = [
    path(
        "", include(([path("", page, name="dashboard"), path("workflows/", page, name="list")], "workflows"))
    ),
    path("team/", include(([path("", page, name="team")], "accounts"))),
    path("billing/", include(([path("", page, name="overview")], "billing"))),
]


def places(role: str | None, url: str = "/", **cookies: str) -> dict[str, dict]:
    request = RequestFactory().get(url)
    request.user = SimpleNamespace(role=role)
    request.COOKIES.update(cookies)
    with override_settings(ROOT_URLCONF=__name__):
        groups = list(navigation.navigation(request)["navigation"])
    return {str(entry["label"]): entry for group in groups for entry in group}


@pytest.mark.parametrize(
    ("role", "labels"),
    [
        ("OWNER", ["Dashboard", "Workflows", "Team", "Billing & usage"]),
        ("ADMIN", ["Dashboard", "Workflows", "Team"]),
        ("MEMBER", ["Dashboard", "Workflows"]),
        ("VIEWER", ["Dashboard", "Workflows"]),
        (None, []),
    ],
)
def test_each_role_sees_its_places_and_no_page_that_is_not_there(role: str | None, labels: list[str]) -> None:
    assert list(places(role)) == labels


@pytest.mark.parametrize(
    ("url", "label"), [("/", "Dashboard"), ("/workflows/", "Workflows"), ("/workflows/new/", "Workflows")]
)
def test_exactly_the_place_with_the_longest_matching_address_is_open(url: str, label: str) -> None:
    assert [name for name, entry in places("OWNER", url).items() if entry["is_current"]] == [label]


def test_no_place_is_open_on_a_page_outside_of_all() -> None:
    assert not any(entry["is_current"] for entry in places("OWNER", "/elsewhere/").values())


def test_an_app_may_put_a_number_beside_its_place(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(navigation, "_counts", {})
    navigation.register_count("workflows:list", lambda request: 7)
    assert places("OWNER")["Workflows"]["count"] == 7
    assert places("OWNER")["Dashboard"]["count"] == 0


@pytest.mark.parametrize(
    ("cookie", "theme"), [("dark", "dark"), ("light", "light"), ('"><script>', ""), ("", "")]
)
def test_only_known_themes_reach_the_page(cookie: str, theme: str) -> None:
    request = RequestFactory().get("/")
    request.COOKIES[navigation.THEME_COOKIE] = cookie
    assert navigation.navigation(request)["theme"] == theme
