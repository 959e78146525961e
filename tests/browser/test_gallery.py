"""The way of a newcomer through the gallery: find a template, install it, see what is left to do."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.conf import settings
from django.test import Client
from django.urls import reverse
from playwright.sync_api import Page, expect

from templates_lib import official
from tests.worlds import make_world

SIZES = {"desk": (1440, 1000), "phone": (390, 844)}


@pytest.fixture
def owner_page(page: Page, live_server: Any) -> Page:
    official.seed(official.read_all())
    client = Client()
    client.force_login(make_world("Alder").owner)
    value = client.cookies[settings.SESSION_COOKIE_NAME].value
    page.context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": value, "url": live_server.url}])
    return page


def test_a_template_is_found_installed_and_ready_to_test(owner_page: Page, live_server: Any) -> None:
    page = owner_page
    page.goto(live_server.url + reverse("templates_lib:gallery"))
    page.get_by_role("searchbox", name="Search templates").fill("expense")
    expect(page.locator("#results li.card")).to_have_count(1)
    page.get_by_role("link", name="Approve expenses").click()
    expect(page.get_by_role("heading", name="What it does")).to_be_visible()
    page.get_by_role("main").get_by_role("link", name="Install", exact=True).click()
    page.get_by_label("Slack channel for answers").fill("C024BE91L")
    page.get_by_role("button", name="Install").click()
    expect(page.get_by_text("Made from the template Approve expenses")).to_be_visible()
    page.get_by_role("link", name="Test it").click()
    expect(page.get_by_role("heading", name="Test the draft of Approve expenses")).to_be_visible()


@pytest.mark.parametrize("size", SIZES)
def test_the_pages_fit_and_can_be_used_by_everybody(owner_page: Page, live_server: Any, size: str) -> None:
    page = owner_page
    page.set_viewport_size({"width": SIZES[size][0], "height": SIZES[size][1]})
    addresses = {
        "gallery": reverse("templates_lib:gallery"),
        "nothing": reverse("templates_lib:gallery") + "?q=zeppelin",
        "detail": reverse("templates_lib:detail", args=["expense-approval"]),
        "install": reverse("templates_lib:install", args=["expense-approval"]),
    }
    for name, address in addresses.items():
        page.goto(live_server.url + address)
        too_wide = page.evaluate(
            "document.documentElement.scrollWidth > document.documentElement.clientWidth"
        )
        assert not too_wide, f"{name} scrolls sideways"
        if folder := os.environ.get("STEWARD_SCREENSHOTS"):
            page.screenshot(path=str(Path(folder) / f"templates-{name}-{size}.png"), full_page=True)
        found = Axe().run(page).response["violations"]
        assert [(each["id"], [node["html"][:120] for node in each["nodes"]]) for each in found] == [], name
