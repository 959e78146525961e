"""A person builds ten steps with a branch and a loop from an empty page, tests, publishes, runs and repairs them.

Once with the mouse, once with the keyboard alone, once on a phone 320 pixels wide, once without JavaScript.
"""

from __future__ import annotations

import os
import re
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.test_workflows import Open, address, open_as, world  # noqa: F401
from tests.workflows.runner.working import working
from tests.worlds import World
from workflows.models import Execution, Workflow

pytestmark = pytest.mark.browser
LINES = '[{"name": "Rye"}, {"name": "Spelt"}]'


class Person:
    """Builds with what a way of working allows. way: mouse, keyboard, phone, plain (no JavaScript)."""

    def __init__(self, page: Page, way: str) -> None:
        self.page, self.way = page, way

    def press(self, what: Locator) -> None:
        if self.way == "keyboard":
            what.focus()
            self.page.keyboard.press("Enter")
        else:
            what.click()

    def write(self, what: Locator, text: str) -> None:
        if self.way == "keyboard":
            what.focus()
            self.page.keyboard.press("Control+a")
            self.page.keyboard.insert_text(text)
        else:
            what.fill(text)

    def choose(self, what: Locator, label: str) -> None:
        if self.way == "keyboard":
            what.focus()
            self.page.keyboard.type(label)
        else:
            what.select_option(label=label)

    def add(self, slot: str, offer: str) -> None:
        """Add a step at the end of a lane."""
        lane = self.page.locator(f'[data-slot="{slot}"]')
        self.press(lane.get_by_role("link", name="Add a step").last)
        self.press(self.page.get_by_role("button", name=re.compile(f"^{offer}")).first)
        expect(self.page.locator("#panel-form")).to_be_visible()
        if self.way != "plain":  # a new form takes the focus when it is ready; nobody types faster than that
            expect(self.page.locator("#panel-form :focus")).to_be_attached()

    def done(self) -> None:
        self.press(self.page.get_by_role("button", name="Done"))
        expect(self.page.locator("[data-panel-idle]")).to_be_attached()

    def keep(self, slot: str, name: str, value: str) -> None:
        """Add a step that keeps one value under a name."""
        self.add(slot, "Keep values")
        self.write(self.page.get_by_label("Name 1").first, name)
        self.write(self.page.get_by_label("Value 1").first, value)
        self.done()

    def open(self, title: str) -> None:
        self.press(self.page.locator("#editor-list").get_by_role("link", name=re.compile(f"{title}$")))
        expect(self.page.locator("#panel-form")).to_be_visible()

    def look(self, name: str) -> None:
        if folder := os.environ.get("STEWARD_LOOK"):
            self.page.screenshot(path=f"{folder}/{self.way}-{name}.png", full_page=True)

    def publish(self) -> None:
        if self.way == "phone" and self.page.locator("#panel-close").count():
            # The panel is a page of its own.
            self.press(self.page.get_by_role("link", name="Back to the list"))
        self.press(self.page.get_by_role("link", name=re.compile("^Publish")))
        self.press(self.page.get_by_role("button", name=re.compile("^Publish")))
        expect(self.page.get_by_text(re.compile("Published as v"))).to_be_visible()


WAYS: dict[str, dict[str, Any]] = {
    "mouse": {"viewport": {"width": 1440, "height": 1000}},
    "keyboard": {"viewport": {"width": 1440, "height": 1000}},
    "phone": {"viewport": {"width": 320, "height": 640}, "has_touch": True},
    "plain": {"java_script_enabled": False},
}


@pytest.mark.parametrize("way", WAYS)
def test_ten_steps_are_built_tested_published_run_and_repaired(
    world: World,  # noqa: F811
    open_as: Open,  # noqa: F811
    way: str,
) -> None:
    page = open_as(world.owner, address("create"), **WAYS[way])
    page.set_default_timeout(8_000)
    who = Person(page, way)
    who.write(page.get_by_label("Name", exact=True), "Orders of the day")
    page.get_by_label("Something else").check()
    who.press(page.get_by_role("button", name="Create and edit"))
    who.press(page.get_by_role("link", name="Choose a trigger"))
    who.press(page.get_by_role("button", name=re.compile("^A person")).first)
    who.done()

    who.keep(".steps", "total", "240")
    who.keep(".steps", "lines", LINES)
    who.keep(".steps", "parts", "0")
    build_branch(who)
    build_loop(who)
    who.add(".steps", "Keep values")
    who.write(page.get_by_label("Name 1").first, "share")
    who.write(page.get_by_label("Value 1").first, "{{ vars.total | divided_by: vars.parts }}")
    who.look("sum")
    who.done()

    with world.scope():
        made = Workflow.objects.get(name="Orders of the day")
    expect(page.locator("#open-problems")).to_contain_text("Ready to publish")
    who.look("list")
    with working(concurrency=4):
        try_step(who, "Keep total")
        who.publish()
        run(who, made, "Failed")
        repair(who, made)
        who.publish()
        run(who, made, "Completed")
    with world.scope():
        made.refresh_from_db()
        last = Execution.objects.filter(workflow=made, mode="LIVE").latest("started_at")
    assert last.output == {"share": 120}
    branch, loop = made.definition["steps"][3:5]
    assert branch["branches"][0]["when"]["all"][0] == {"value": "{{ vars.total }}", "is": "gt", "to": 100}
    assert len(branch["branches"][0]["steps"]) == 2
    assert loop["items"] == f"{{{{ steps.{made.definition['steps'][1]['id']}.output.lines }}}}"
    assert loop["steps"][0]["values"] == {"greeting": "Hello {{ item.name }}"}


def build_branch(who: Person) -> None:
    """Add a branch with a condition of two rows, and a step on each way."""
    page = who.page
    who.add(".steps", "Branch")
    who.write(page.get_by_label("Value 1").first, "{{ vars.total }}")
    who.choose(page.get_by_label("Comparison 1").first, "is more than")
    who.write(page.get_by_label("Compared with 1").first, "100")
    if who.way == "plain":
        who.press(page.get_by_role("button", name="Save", exact=True))
        page.locator(".row-more summary").first.click()
    else:
        expect(page.get_by_text("With these data it holds").first).to_be_visible()
        page.locator(".row-more summary").first.click() if page.locator(
            ".row-more summary:visible"
        ).count() else None
    second = page.get_by_label("Value 2").first
    who.write(second, "{{ vars.parts }}")
    who.choose(page.get_by_label("Comparison 2").first, "is not empty")
    who.look("branch")
    who.done()
    who.keep("branch.branches.way_1", "size", "big")
    who.keep("branch.branches.way_1", "card", "Thank you")


def build_loop(who: Person) -> None:
    """Add a loop over what an earlier step gives, picked from the list of values, and a step in it."""
    page = who.page
    who.add(".steps", "(Loop|For each|Repeat for)")
    items = page.locator('[data-value-field="items"]')
    if who.way == "plain":
        page.goto(page.url.split("?")[0].replace("/edit/steps/", "/edit/values/steps/"))
        who.look("values")
        expression = page.locator(".values-code", has_text=".lines").first.text_content() or ""
        page.get_by_role("link", name="Back to the step").click()
        who.write(items.locator("textarea, input").first, expression)
    else:
        who.press(items.get_by_role("button", name="Insert data"))
        search = page.get_by_label("Search values")
        expect(page.locator("#values")).to_be_visible()
        who.write(search, "lines")
        who.look("picker")
        who.press(page.locator("#values").get_by_role("button", name=re.compile("^Lines")).first)
        expect(page.locator("#values-dialog")).to_be_hidden()
        expect(items.locator("textarea, input").first).to_be_focused()
        expect(page.locator("#f-items-preview")).to_contain_text("Rye")
    who.look("loop")
    who.done()
    who.keep("loop.steps", "greeting", "Hello {{ item.name }}")
    who.keep("loop.steps", "round", "{{ loop.number }}")


def try_step(who: Person, title: str) -> None:
    """Test one step from its panel."""
    page = who.page
    who.open(title)
    who.press(page.get_by_role("button", name="Test this step"))
    for _look in range(40):
        if page.locator("#trial-output").count():
            break
        if who.way == "plain":
            page.wait_for_timeout(200)
            page.reload()
        else:
            page.wait_for_timeout(200)
    expect(page.locator("#trial-output")).to_contain_text("240")
    who.look("trial")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth") if who.way != "plain" else True


def run(who: Person, made: Workflow, expected: str) -> None:
    """Start a run by hand and wait for how it ends."""
    page = who.page
    page.goto(page.url.split("/workflows/")[0].split("/runs/")[0] + address("run-now", made.pk))
    who.press(page.get_by_role("button", name=re.compile("^(Run|Start)")).first)
    for _look in range(40):
        if page.get_by_text(expected, exact=True).count():
            break
        page.wait_for_timeout(200)
        if who.way == "plain":
            page.reload()
    expect(page.get_by_text(expected, exact=True).first).to_be_visible()
    who.look(f"run-{expected.lower()}")


def repair(who: Person, made: Workflow) -> None:
    """Correct the value that let the run fail."""
    page = who.page
    page.goto(page.url.split("/runs/")[0] + address("edit", made.pk))
    who.open("Keep parts")
    who.write(page.get_by_label("Value 1").first, "2")
    who.done()
