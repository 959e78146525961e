"""The block editor in Chromium: building a workflow by mouse, with the keyboard, without JavaScript, in two tabs."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.test_workflows import Open, address, draft, open_as, world  # noqa: F401
from tests.worlds import World
from workflows.models import Workflow

pytestmark = pytest.mark.browser


def order(world: World) -> list[str]:  # noqa: F811
    return [step["id"] for step in draft(world)["steps"]]


def with_steps(world: World, *steps: dict[str, Any]) -> None:  # noqa: F811
    with world.scope():
        Workflow.objects.filter(pk=world.workflow.pk).update(
            definition={"version": 1, "steps": list(steps)}, triggers=[{"type": "manual"}]
        )


def keep(step_id: str, name: str) -> dict[str, Any]:
    return {"id": step_id, "type": "set", "name": name, "values": {"text": step_id}}


def saved(page: Page) -> None:
    expect(page.locator("#panel-status")).to_contain_text("Saved")


@pytest.mark.parametrize("javascript", [True, False], ids=["by mouse", "without JavaScript"])
def test_a_person_builds_a_workflow_with_a_branch_from_an_empty_page_and_publishes_it(
    world: World,  # noqa: F811
    open_as: Open,  # noqa: F811
    javascript: bool,
) -> None:
    page = open_as(world.owner, address("create"), java_script_enabled=javascript)

    def filled(label: str, text: str) -> None:
        page.get_by_label(label).first.fill(text)

    def done() -> None:
        page.get_by_role("button", name="Done").click()
        expect(page.locator("[data-panel-idle]")).to_be_attached()

    page.get_by_label("Name", exact=True).fill("Big orders")
    page.get_by_label("Something else").check()
    page.get_by_role("button", name="Create and edit").click()
    expect(page.get_by_role("heading", name="Start here")).to_be_visible()
    page.get_by_role("link", name="Choose a trigger").click()
    page.get_by_role("button", name=re.compile("Another system calls")).click()
    expect(page.locator("#panel-form")).to_be_visible()
    done()

    page.get_by_role("link", name="Add a step").first.click()
    page.get_by_role("button", name=re.compile("^Keep values")).click()
    filled("Name 1", "total")
    filled("Value 1", "{{ trigger.body.total }}")
    done()
    page.get_by_role("link", name="Add a step").last.click()
    page.get_by_role("button", name=re.compile("^Branch")).click()
    filled("Value 1", "{{ vars.total }}")
    page.get_by_label("Comparison 1").first.select_option("gt")
    filled("Compared with 1", "100")
    done()
    expect(page.get_by_text("If the total is more than 100")).to_be_visible()
    page.locator('[data-slot="branch.branches.way_1"]').get_by_role("link", name="Add a step").click()
    page.get_by_role("button", name=re.compile("^Stop")).click()
    filled("Why", "It is a big one")
    done()

    expect(page.get_by_text("Ready to publish")).to_be_visible()
    page.get_by_role("link", name=re.compile("Publish")).click()
    page.get_by_role("button", name="Publish").click()
    expect(page.get_by_text("Published as v1")).to_be_visible()
    with world.scope():
        made = Workflow.objects.get(name="Big orders")
    first, branch = made.definition["steps"]
    assert first["values"] == {"total": "{{ trigger.body.total }}"}
    assert branch["branches"][0]["when"] == {"value": "{{ vars.total }}", "is": "gt", "to": 100}
    assert branch["branches"][0]["steps"][0]["message"] == "It is a big one"


def test_a_step_is_dragged_to_another_place_and_brought_back(world: World, open_as: Open) -> None:  # noqa: F811
    with_steps(world, keep("a", "Flour"), keep("b", "Water"), keep("c", "Salt"))
    page = open_as(world.owner, address("edit", world.workflow.pk), viewport={"width": 1280, "height": 1000})
    grip = page.locator('[data-step="a"] [data-grip]').first
    place = page.locator('.editor-add[data-after="b"]')
    grip.hover()
    page.mouse.down()
    box = place.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2, steps=8)
    page.mouse.up()
    expect(page.locator("#announcements")).to_contain_text("Flour")
    assert order(world) == ["b", "a", "c"]
    page.locator(".toast").get_by_role("button", name="Undo").click()
    expect(page.get_by_text("Undone: Step moved")).to_be_visible()
    assert order(world) == ["a", "b", "c"]


def test_steps_are_moved_deleted_and_restored_with_the_keyboard_alone(
    world: World,  # noqa: F811
    open_as: Open,  # noqa: F811
) -> None:
    with_steps(world, keep("a", "Flour"), keep("b", "Water"))
    page = open_as(world.owner, address("edit", world.workflow.pk))
    card = page.locator("#step-a")
    card.focus()
    page.keyboard.press("Alt+ArrowDown")
    expect(page.locator("#announcements")).to_contain_text("Flour")
    assert order(world) == ["b", "a"]
    expect(card).to_be_focused()
    page.keyboard.press("Delete")
    expect(page.get_by_text("Step deleted")).to_be_visible()
    assert order(world) == ["b"]
    page.locator("#step-b").focus()
    page.keyboard.press("Control+z")
    expect(card).to_be_visible()
    assert order(world) == ["b", "a"]
    page.locator("#add-\\.steps-a").press("Enter")
    expect(page.get_by_label("Search").first).to_be_focused()
    page.keyboard.type("stop end")
    expect(page.locator(".chooser-offer")).to_have_count(1)
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.locator("#panel-form")).to_be_visible()
    assert order(world) == ["b", "a", "stop"]


def test_typing_is_saved_by_itself_and_keeps_the_focus(world: World, open_as: Open) -> None:  # noqa: F811
    with_steps(world, {"id": "call", "type": "http"}, keep("b", "Water"))
    page = open_as(world.owner, address("edit", world.workflow.pk))
    page.locator("#step-call").click()
    address_field = page.get_by_label("Address")
    expect(address_field).to_have_attribute("aria-invalid", "true")
    name = page.get_by_label("Name").first
    name.fill("Fetch the orders")
    saved(page)
    expect(name).to_be_focused()
    address_field.fill("https://example.com/orders")
    expect(address_field).not_to_have_attribute("aria-invalid", "true")
    expect(page.get_by_text("Ready to publish")).to_be_visible()
    expect(page.locator("#step-call")).to_contain_text("Fetch the orders")
    assert draft(world)["steps"][0]["url"] == "https://example.com/orders"


def test_two_tabs_never_overwrite_each_other_in_one_field(world: World, open_as: Open) -> None:  # noqa: F811
    with_steps(world, keep("a", "Flour"))
    path = address("edit-step", world.workflow.pk, "a")
    first, second = open_as(world.owner, path), open_as(world.admin, path)
    first.get_by_label("Name").first.fill("Rye flour")
    saved(first)
    second.get_by_label("Name").first.fill("Spelt flour")
    expect(second.get_by_text("A colleague changed the same place")).to_be_visible()
    expect(second.locator(".editor-conflict")).to_contain_text("Rye flour")
    assert draft(world)["steps"][0]["name"] == "Rye flour"
    second.get_by_label("Mine, as above").check()
    second.get_by_role("button", name="Save", exact=True).click()
    expect(second.get_by_text("A colleague changed the same place")).to_have_count(0)
    assert draft(world)["steps"][0]["name"] == "Spelt flour"


def test_on_a_small_phone_the_panel_is_a_page_of_its_own(world: World, open_as: Open) -> None:  # noqa: F811
    each = {"id": "each", "type": "loop", "items": [1], "steps": [keep("inner", "Wortungetüm" * 9)]}
    when = {"value": "{{ trigger.body.a_very_long_name_of_a_field }}", "is": "empty"}
    branch = {"id": "route", "type": "branch", "branches": [{"name": "w", "when": when, "steps": [each]}]}
    with_steps(world, branch)
    page = open_as(world.owner, address("edit", world.workflow.pk), viewport={"width": 320, "height": 640})
    paths = [address("edit", world.workflow.pk), address("edit-choose", world.workflow.pk)]
    paths += [address("edit-step", world.workflow.pk, step) for step in ("route", "each", "inner")]
    paths += [
        address("edit-settings", world.workflow.pk),
        address("edit-trigger", world.workflow.pk, "manual"),
    ]
    for path in paths:
        page.goto(page.url.split("/workflows/")[0] + path)
        assert page.evaluate("document.documentElement.scrollWidth") <= 320, path
    expect(page.locator("#editor-list")).to_be_hidden()
    page.get_by_role("link", name="Back to the list").click()
    expect(page.locator("#editor-list")).to_be_visible()


def test_a_filter_is_written_into_the_value_at_the_cursor(world: World, open_as: Open) -> None:  # noqa: F811
    with_steps(
        world, keep("a", "Flour"), {"id": "b", "type": "set", "values": {"note": "Of {{ vars.text }}!"}}
    )
    page = open_as(world.owner, address("edit-step", world.workflow.pk, "b"))
    field = page.get_by_label("Value 1").first
    expect(page.locator("#f-values-preview")).to_contain_text("Kept › text")
    field.locator("xpath=..").get_by_role("button", name="Insert data").press("Enter")
    page.locator("#values").get_by_text("Change how a value looks").click()
    page.get_by_role("button", name=re.compile("^CAPITAL LETTERS")).click()
    expect(field).to_have_value("Of {{ vars.text | upcase }}!")
    expect(field).to_be_focused()
    saved(page)
    expect(page.locator("#f-values-preview")).to_contain_text("A")
    assert draft(world)["steps"][1]["values"] == {"note": "Of {{ vars.text | upcase }}!"}
