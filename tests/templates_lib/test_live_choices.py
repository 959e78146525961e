"""Which answers of an install form a connected service can list."""

from __future__ import annotations

from typing import Any

from templates_lib.live_choices import sources_of
from templates_lib.models import Template


def step(provider: str, operation: str, **given: Any) -> dict[str, Any]:
    return {"id": "one", "type": "action", "provider": provider, "operation": operation, "with": given}


def sources(*steps: dict[str, Any], triggers: tuple[Any, ...] = ()) -> dict[str, Any]:
    template = Template(definition={"version": 1, "steps": list(steps)}, triggers=list(triggers))
    return {
        name: (source.provider, source.operation, source.key, dict(source.answers), dict(source.fixed))
        for name, source in sources_of(template).items()
    }


def config(name: str) -> dict[str, str]:
    return {"$config": name}


def test_an_answer_in_a_field_with_choices_has_them():
    assert sources(step("SLACK", "send_message", channel=config("room"), text=config("words"))) == {
        "room": ("SLACK", "send_message", "channel", {}, {})
    }


def test_choices_that_depend_on_another_answer_name_it():
    found = sources(step("GOOGLE_SHEETS", "append_row", spreadsheet=config("book"), sheet=config("tab")))
    assert found["tab"] == ("GOOGLE_SHEETS", "append_row", "sheet", {"spreadsheet": "book"}, {})


def test_choices_that_depend_on_a_fixed_value_carry_it():
    found = sources(step("GOOGLE_SHEETS", "append_row", spreadsheet="1Bx", sheet=config("tab")))
    assert found == {"tab": ("GOOGLE_SHEETS", "append_row", "sheet", {}, {"spreadsheet": "1Bx"})}


def test_choices_that_depend_on_something_unknown_are_not_offered():
    assert sources(step("GOOGLE_SHEETS", "append_row", sheet=config("tab"))) == {}


def test_the_settings_of_an_event_and_the_only_entry_of_a_list_count():
    trigger = {
        "type": "provider",
        "provider": "TRELLO",
        "event": "card_moved",
        "with": {"board": config("b")},
    }
    search = step("ASANA", "search_tasks", workspace="1", projects=[config("project")])
    found = sources(search, triggers=(trigger,))
    assert found["b"][:3] == ("TRELLO", "card_moved", "board")
    assert found["project"][:3] == ("ASANA", "search_tasks", "projects")
