"""The workflow pages in Chromium: writing, publishing and watching, with and without JavaScript."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Browser, BrowserContext, Page, expect

from accounts.models import User
from tests.worlds import World, make_execution, make_world
from workflows.models import Execution, ExecutionStep, Workflow

pytestmark = pytest.mark.browser
WELCOME = {
    "version": 1,
    "triggers": [{"type": "manual"}],
    "inputs": {"type": "object", "properties": {"name": {"type": "string", "title": "Name"}}},
    "steps": [
        {"id": "greet", "type": "set", "values": {"text": "Welcome {{ inputs.name | default: 'you' }}"}}
    ],
}
Open = Callable[..., Page]


@pytest.fixture
def world(live_server: Any) -> World:
    """Alder's bakery, really committed: the live server answers from another connection."""
    return make_world("Alder")


@pytest.fixture
def open_as(browser: Browser, live_server: Any) -> Iterator[Open]:
    """Return a function (user, path, **options of the browser context) -> a signed-in page, free of console errors."""
    contexts: list[BrowserContext] = []
    complaints: list[str] = []

    def listen(page: Page) -> None:
        page.on(
            "console", lambda message: complaints.append(message.text) if message.type == "error" else None
        )
        page.on("pageerror", lambda error: complaints.append(str(error)))

    def open_page(user: User, path: str, **options: Any) -> Page:
        client = Client()
        client.force_login(user)
        context = browser.new_context(**options)
        contexts.append(context)
        cookie = {
            "name": settings.SESSION_COOKIE_NAME,
            "value": client.cookies[settings.SESSION_COOKIE_NAME].value,
        }
        context.add_cookies([{**cookie, "url": live_server.url}])  # type: ignore[list-item]
        page = context.new_page()
        listen(page)
        page.goto(live_server.url + path)
        return page

    yield open_page
    for context in contexts:
        context.close()
    # A refused form is a 422, which browsers write to the console too.
    assert [text for text in complaints if "422" not in text] == []


def address(name: str, *arguments: Any) -> str:
    return reverse(f"workflows:{name}", args=arguments)


def draft(world: World) -> dict[str, Any]:
    with world.scope():
        return Workflow.objects.get(pk=world.workflow.pk).definition


def test_the_editor_points_at_the_faulty_line_and_saves_what_is_right(world: World, open_as: Open) -> None:
    page = open_as(world.owner, address("edit-text", world.workflow.pk))
    text = page.get_by_label("Definition")
    good = text.input_value()
    text.fill(good.replace('"values"', '"valeus"'))
    problem = page.get_by_role("link", name=re.compile("Did you mean “values”"))
    expect(problem).to_be_visible()
    line = good[: good.index('"values"')].count("\n") + 1
    expect(problem).to_contain_text(f"Line {line}")
    expect(page.locator(".code-numbers > .error", has_text=str(line))).to_be_visible()
    text.evaluate("area => area.setSelectionRange(0, 0)")
    problem.click()
    expect(text).to_be_focused()
    assert text.evaluate("area => area.value.slice(0, area.selectionStart).split('\\n').length") == line
    text.fill(good.replace("Hello", "Good morning"))
    expect(page.get_by_text("Everything fits together")).to_be_visible()
    expect(page.get_by_text("Saved as a draft")).to_be_visible()
    assert draft(world)["steps"][0]["values"]["text"].startswith("Good morning")


def test_two_tabs_never_overwrite_each_other(world: World, open_as: Open) -> None:
    path = address("edit-text", world.workflow.pk)
    first, second = open_as(world.owner, path), open_as(world.admin, path)
    for page, word in ((first, "First"), (second, "Second")):
        text = page.get_by_label("Definition")
        text.fill(text.input_value().replace("Hello", word))
        expect(page.locator("#save-state")).to_contain_text("aved" if page is first else "Not saved")
    expect(second.get_by_text("A colleague changed this draft meanwhile")).to_be_visible()
    assert draft(world)["steps"][0]["values"]["text"].startswith("First")
    second.get_by_role("button", name="Keep mine").click()
    expect(second.get_by_text("Saved as a draft")).to_be_visible()
    assert draft(world)["steps"][0]["values"]["text"].startswith("Second")


@pytest.mark.parametrize("javascript", [True, False], ids=["with JavaScript", "without JavaScript"])
def test_a_person_writes_publishes_runs_and_pauses(world: World, open_as: Open, javascript: bool) -> None:
    page = open_as(world.owner, address("create"), java_script_enabled=javascript)
    page.get_by_label("Name", exact=True).fill("Greet guests")
    page.get_by_label("A person presses Run").check()
    page.get_by_role("button", name="Create and edit").click()
    page.get_by_role("link", name="JSON").click()
    text = page.get_by_label("Definition")
    text.fill(json.dumps(WELCOME))
    page.get_by_role("button", name="Save draft").click()
    expect(page.get_by_text(re.compile("Saved as a draft|Draft saved")).first).to_be_visible()
    page.get_by_role("link", name=re.compile("Publish")).click()
    page.get_by_label("What changed?").fill("The first one")
    page.get_by_role("button", name="Publish").click()
    expect(page.get_by_text("Published as v1")).to_be_visible()
    page.get_by_role("link", name="Run now").first.click()
    page.get_by_label("Name").fill("Ada")
    page.get_by_role("button", name="Run now").click()
    expect(page.locator("#run-status")).to_contain_text("Queued")
    page.get_by_role("button", name="Cancel").click()
    expect(page.locator("#run-status")).to_contain_text("Cancelled")
    page.get_by_role("link", name="Workflows").first.click()
    page.get_by_role("button", name="Pause Greet guests").click()
    expect(page.get_by_role("button", name="Resume Greet guests")).to_be_visible()
    if javascript:
        page.get_by_role("button", name="Undo").click()
        expect(page.get_by_text("“Greet guests” runs again.")).to_be_visible()


def test_a_run_is_seen_as_it_happens(world: World, open_as: Open) -> None:
    with world.scope():
        run = make_execution(world, status="RUNNING")
    page = open_as(world.viewer, address("run", run.pk))
    expect(page.locator("#run-status")).to_contain_text("Running")
    page.evaluate("window.stayed = true")
    with world.scope():
        step = ExecutionStep.objects.create(
            execution=run, path="greet", step_id="greet", step_type="set", status="COMPLETED",
            output={"text": "Hello Ada"}, finished_at=timezone.now(), duration_ms=3,
        )  # fmt: skip
    item = page.locator(f"#data-{step.pk}-COMPLETED")
    expect(item).to_be_attached()
    item.locator("summary").click()
    expect(item).to_contain_text("Hello Ada")
    with world.scope():
        Execution.objects.filter(pk=run.pk).update(
            status="COMPLETED", result="SUCCESS", completed_at=timezone.now(), duration_ms=9
        )
    expect(page.locator("#run-status")).to_contain_text("Completed")
    expect(item).to_contain_text("Hello Ada")  # what was unfolded stays so
    expect(page.locator("#live[hx-trigger]")).to_have_count(0)
    assert page.evaluate("window.stayed") is True


def test_no_page_scrolls_sideways_on_a_small_phone(world: World, open_as: Open, live_server: Any) -> None:
    with world.scope():
        run = make_execution(
            world, status="FAILED", result="FAILURE", error={"message": "x" * 300, "class": "permanent"}
        )
        long = {"type": "webhook", "id": "w"}
        Workflow.objects.filter(pk=world.workflow.pk).update(triggers=[long], name="Wortungetüm" * 9)
    page = open_as(world.owner, address("dashboard"), viewport={"width": 320, "height": 640})
    paths = [
        address(name, world.workflow.pk)
        for name in ("detail", "steps", "triggers", "versions", "edit", "edit-text", "publication")
    ]
    paths += [address(name) for name in ("dashboard", "list", "create", "runs", "approvals", "front")]
    paths += [address("run", run.pk), reverse("help")]
    for path in paths:
        page.goto(live_server.url + path)
        assert page.evaluate("document.documentElement.scrollWidth") <= 320, path
