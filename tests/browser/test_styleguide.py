"""Every component in a real browser: accessible in both themes, at every width, with and without scripts."""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.http import HttpRequest, HttpResponse
from django.urls import path
from playwright.sync_api import Browser, Page, expect
from pytest_django.live_server_helper import LiveServer

from config.urls import urlpatterns as site
from config.views.styleguide import styleguide


def undoable(request: HttpRequest) -> HttpResponse:
    return HttpResponse(
        status=204, headers={"HX-Trigger": '{"steward:undo": {"text": "Step gone", "url": "/undo/"}}'}
    )


def fails(request: HttpRequest) -> HttpResponse:
    return HttpResponse(status=int(request.GET["status"]), content="<p id=secret>Traceback</p>")


urlpatterns = [
    path("styleguide/", styleguide),
    path("undoable/", undoable),
    path("fails/", fails),
    *[pattern for pattern in site if getattr(pattern, "name", None) != "styleguide"],
]


@pytest.fixture
def guide(live_server: LiveServer, settings: object) -> str:
    settings.ROOT_URLCONF = __name__  # type: ignore[attr-defined]
    return f"{live_server.url}/styleguide/"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_component_breaks_an_accessibility_rule(page: Page, guide: str, scheme: str) -> None:
    page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    page.goto(guide)
    results = Axe().run(page)
    assert results.violations_count == 0, results.generate_report()


@pytest.mark.parametrize("width", [320, 390, 768, 1440])
def test_nothing_is_wider_than_the_screen(page: Page, guide: str, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    page.goto(guide)
    root = page.evaluate("[document.documentElement.scrollWidth, document.documentElement.clientWidth]")
    assert root[0] <= root[1]


def test_the_policy_refuses_nothing_the_page_needs_and_no_script_fails(page: Page, guide: str) -> None:
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(guide)
    page.wait_for_load_state("networkidle")
    assert complaints == []


def test_no_other_host_is_asked(page: Page, guide: str, live_server: LiveServer) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(guide)
    page.wait_for_load_state("networkidle")
    assert asked
    assert all(url.startswith((live_server.url, "data:")) for url in asked)


def test_the_theme_stays_on_the_next_page(page: Page, guide: str) -> None:
    page.goto(guide)
    page.get_by_role("button", name="Dark").click()
    page.reload()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    page.get_by_role("button", name="As the system").click()
    page.reload()
    assert page.locator("html").get_attribute("data-theme") is None


def test_a_dialog_opens_takes_the_focus_and_gives_it_back(page: Page, guide: str) -> None:
    page.goto(guide)
    opener = page.get_by_role("button", name="Delete workflow").first
    opener.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(opener).to_be_focused()


def test_keys_reach_search_and_help_but_not_while_typing(page: Page, guide: str) -> None:
    page.goto(guide)
    page.keyboard.press("/")
    search = page.locator("[data-search]").first
    expect(search).to_be_focused()
    page.keyboard.type("a?/")
    expect(search).to_have_value("a?/")
    search.blur()
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keyboard shortcuts")).to_be_visible()


def test_a_menu_opens_without_scripts(browser: Browser, guide: str) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(guide)
    page.locator("button[popovertarget=light-menu]").last.click()
    expect(page.locator("#light-menu")).to_be_visible()
    expect(page.locator("[data-theme-switch]")).to_be_hidden()
    context.close()


@pytest.mark.parametrize(
    ("status", "words"),
    [(403, "not allowed"), (404, "no longer exists"), (429, "Too many"), (500, "on our side")],
)
def test_a_failed_request_says_so_and_swaps_nothing(page: Page, guide: str, status: int, words: str) -> None:
    page.goto(guide)
    page.evaluate("url => htmx.ajax('GET', url, '#main').catch(() => {})", f"/fails/?status={status}")
    expect(page.locator("#toasts .danger")).to_contain_text(words)
    expect(page.locator("#secret")).to_have_count(0)


def test_a_wrong_form_is_swapped_although_it_answers_422(page: Page, guide: str) -> None:
    page.goto(guide)
    page.evaluate("htmx.ajax('GET', '/fails/?status=422', '#announcements')")
    expect(page.locator("#secret")).to_have_count(1)
    expect(page.locator("#toasts .danger")).to_have_count(0)


def test_what_was_done_can_be_undone_from_its_toast(page: Page, guide: str) -> None:
    page.goto(guide)
    page.evaluate("htmx.ajax('GET', '/undoable/', '#main')")
    toast = page.locator("#toasts .toast")
    expect(toast).to_contain_text("Step gone")
    assert toast.locator("form").get_attribute("action") == "/undo/"
    toast.get_by_role("button", name="Dismiss").click()
    expect(toast).to_have_count(0)


def test_controls_are_large_enough_for_a_finger(browser: Browser, guide: str) -> None:
    context = browser.new_context(viewport={"width": 390, "height": 800}, has_touch=True, is_mobile=True)
    page = context.new_page()
    page.goto(guide)
    small = page.evaluate(
        "[...document.querySelectorAll('.styleguide-theme :is(button, .button, .chip, select, .tabs a, .segmented a)')]"
        ".filter(e => e.checkVisibility()).map(e => [e.outerHTML.slice(0, 80), e.getBoundingClientRect().height])"
        ".filter(([, height]) => height < 43.5)"
    )
    assert small == []
    context.close()
