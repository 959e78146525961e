"""Connecting a service in Chromium: there to sign in, back again, broken and mended; readable by everybody."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.conf import settings as current
from django.test import Client
from playwright.sync_api import Browser, BrowserContext, Page, expect

from accounts.models import User
from integrations import credentials, health
from integrations.models import Integration
from tests.integrations.standin import API_KEY, Service, service
from tests.worlds import World, make_world

pytestmark = pytest.mark.browser
Open = Callable[..., Page]
__all__ = ["service"]


@pytest.fixture
def world(live_server: Any, settings: Any) -> World:
    """Alder's bakery, really committed, at an installation that knows its own address."""
    settings.BASE_URL = live_server.url
    return make_world("Alder")


@pytest.fixture
def open_as(browser: Browser, live_server: Any) -> Iterator[Open]:
    """Return a function (user, path, **options of the browser context) -> a signed-in page."""
    contexts: list[BrowserContext] = []

    def open_page(user: User, path: str, **options: Any) -> Page:
        client = Client()
        client.force_login(user)
        context = browser.new_context(**options)
        contexts.append(context)
        cookie = {
            "name": current.SESSION_COOKIE_NAME,
            "value": client.cookies[current.SESSION_COOKIE_NAME].value,
        }
        context.add_cookies([{**cookie, "url": live_server.url}])  # type: ignore[list-item]
        page = context.new_page()
        page.goto(live_server.url + path)
        return page

    yield open_page
    for context in contexts:
        context.close()


def add(world: World, **fields: Any) -> Integration:
    row = Integration(
        organization=world.organization, provider="NOTION", account_label="Alder Bakery", **fields
    )
    with world.scope():
        credentials.write(row, {"auth": "api_key", "api_key": API_KEY})
        row.save()
    return row


@pytest.mark.parametrize("has_scripts", [True, False], ids=["scripts", "no scripts"])
def test_a_person_connects_breaks_and_mends_an_account(
    service: Service, world: World, open_as: Open, has_scripts: bool
) -> None:
    page = open_as(world.owner, "/integrations/", java_script_enabled=has_scripts)
    page.get_by_role("link", name="Standin").click()
    page.get_by_role("link", name="Connect", exact=True).click()
    page.get_by_role("button", name="Continue to Standin").click()
    page.get_by_role("link", name="Agree").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Alder Bakery")
    expect(page.get_by_text("is connected and works")).to_be_visible()
    service.revoke_everything()
    page.get_by_role("button", name="Test").click()
    expect(page.get_by_text("Needs reconnecting").first).to_be_visible()
    page.get_by_role("link", name="Reconnect", exact=True).click()
    page.get_by_role("button", name="Continue to Standin").click()
    page.get_by_role("link", name="Agree").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Working")
    with world.scope():
        row = Integration.objects.get()
    assert (
        health.credentials_for_use(world.organization.pk, row.pk).credentials["access_token"]
        == "canary-access-2"
    )


def test_a_person_who_refuses_there_is_told_so_here(service: Service, world: World, open_as: Open) -> None:
    page = open_as(world.owner, "/integrations/services/notion/connect/")
    page.get_by_role("button", name="Continue to Standin").click()
    page.get_by_role("link", name="Refuse").click()
    expect(page.get_by_text("was not connected")).to_be_visible()


def test_a_wrong_key_is_explained_where_it_was_typed(service: Service, world: World, open_as: Open) -> None:
    page = open_as(world.owner, "/integrations/services/notion/connect/?way=api_key")
    field = page.get_by_label("API key")
    field.fill("canary-wrong")
    page.get_by_role("button", name="Test and connect").click()
    expect(page.get_by_role("alert")).to_contain_text("Standin did not accept this")
    expect(field).to_have_value("")
    field.fill(API_KEY)
    page.get_by_role("button", name="Test and connect").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Alder Bakery")


def test_the_gallery_narrows_while_one_types(service: Service, world: World, open_as: Open) -> None:
    page = open_as(world.owner, "/integrations/")
    expect(page.get_by_role("link", name="Slack")).to_be_visible()
    page.get_by_role("searchbox").fill("add a card")
    expect(page.get_by_role("link", name="Slack")).to_be_hidden()
    expect(page.get_by_role("link", name="Standin")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 1440])
def test_the_pages_are_accessible_and_fit_the_screen(
    service: Service, world: World, open_as: Open, scheme: str, width: int
) -> None:
    broken = add(world, name="A name of a connection that is quite long for a telephone", status="EXPIRED",
                 status_reason="Standin no longer accepts this connection. Reconnect it.")  # fmt: skip
    add(world, name="Ovens")
    page = open_as(
        world.owner, "/integrations/", viewport={"width": width, "height": 900}, color_scheme=scheme
    )
    paths = (
        "/integrations/",
        "/integrations/services/notion/",
        "/integrations/services/notion/connect/?way=api_key",
        f"/integrations/{broken.pk}/",
        f"/integrations/{broken.pk}/disconnect/",
    )
    origin = page.url.partition("/integrations/")[0]
    for path in paths:
        page.goto(origin + path)
        sizes = page.evaluate("[document.documentElement.scrollWidth, document.documentElement.clientWidth]")
        assert sizes[0] <= sizes[1], path
        # Without preload, which looks for the stylesheets' imports beside the page.
        found = Axe().run(page, options={"preload": False})
        assert found.violations_count == 0, f"{path}: {found.generate_report()}"
