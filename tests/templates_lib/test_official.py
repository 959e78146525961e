"""Every official template: its file, its definition against the real connectors, and its saved tests in the engine."""

from __future__ import annotations

import warnings
from typing import Any

import pytest

from integrations.framework import registry
from integrations.framework.catalog import ConnectorCatalog
from integrations.models import IntegrationProvider
from templates_lib import official, trial
from templates_lib.placeholders import example_configuration, paths_in, resolve
from templates_lib.requirements import AI, providers_in
from workflows.definition.validate import check_data
from workflows.schema_forms import check_schema, form_for, initial_for, schema_problems

TEMPLATES = official.read_all()
SAVED_TESTS = [(entry, test) for entry in TEMPLATES for test in entry["tests"]]


def named(entry: dict[str, Any]) -> str:
    return entry["slug"]


def resolved(entry: dict[str, Any]) -> tuple[Any, list[Any]]:
    """The definition and all triggers of a template with its example configuration."""
    configuration = example_configuration(entry["configuration_schema"])
    schedule = resolve(entry["schedule"], configuration)
    triggers = resolve(entry["triggers"], configuration)
    return resolve(entry["definition"], configuration), [
        *triggers, *([{**schedule, "type": "schedule"}] if schedule else [])
    ]  # fmt: skip


def test_the_gallery_covers_every_category():
    assert len(TEMPLATES) >= 64
    assert {entry["category"] for entry in TEMPLATES} == {
        "MARKETING", "SALES", "OPERATIONS", "CUSTOMER_SUPPORT", "ADMIN", "CUSTOM"
    }  # fmt: skip


def test_the_gallery_has_a_template_for_every_service():
    used = {name for entry in TEMPLATES for name in providers_in([entry["definition"], entry["triggers"]])}
    assert set(registry.providers()) - used == set()


@pytest.mark.parametrize("entry", TEMPLATES, ids=named)
def test_an_alternative_way_of_a_template_is_tried(entry):
    """One saved test shows the usual way; at least one more shows the other side, a failure or an empty case."""
    assert len(entry["tests"]) >= 2


@pytest.mark.parametrize("entry", TEMPLATES, ids=named)
def test_a_template_is_valid_with_its_example_configuration(entry):
    definition, triggers = resolved(entry)
    _parsed, problems = check_data(definition, triggers, ConnectorCatalog())
    # Providers whose connector does not exist yet are said aloud; everything else must be right.
    pending = [each for each in problems if each.code == "unknown_provider" and _is_planned(each.message)]
    for each in pending:
        warnings.warn(f"{entry['slug']}: {each.message}", stacklevel=1)
    assert [each.message for each in problems if each not in pending and each.severity == "error"] == []


@pytest.mark.parametrize("entry", TEMPLATES, ids=named)
def test_a_template_names_exactly_what_it_needs(entry):
    needed = providers_in([entry["definition"], entry["triggers"]])
    assert set(entry["required_integrations"]) | set(entry["optional_integrations"]) == needed
    assert needed <= {*IntegrationProvider.values, AI}


@pytest.mark.parametrize("entry", TEMPLATES, ids=named)
def test_a_template_asks_for_every_placeholder_and_for_nothing_else(entry):
    asked = set((entry["configuration_schema"] or {}).get("properties") or {})
    used = {
        path.split(".")[0] for path in paths_in([entry["definition"], entry["triggers"], entry["schedule"]])
    }
    assert used == asked


@pytest.mark.parametrize("entry", [entry for entry in TEMPLATES if entry["configuration_schema"]], ids=named)
def test_the_form_of_a_template_takes_its_own_examples(entry):
    schema = entry["configuration_schema"]
    check_schema(schema)
    example = example_configuration(schema)
    assert list(schema_problems(schema, example)) == []
    made = form_for(schema)
    shown = initial_for(schema, example)
    form = made({name: field.prepare_value(shown.get(name)) for name, field in made.base_fields.items()})
    assert form.is_valid(), form.errors
    assert form.values == example


@pytest.mark.parametrize("entry", TEMPLATES, ids=named)
def test_a_template_says_why_it_saves_time_and_has_tests(entry):
    assert entry["tests"]
    assert entry["time_savings_reasoning"].endswith(".")
    assert len(entry["description"]) <= 300


@pytest.mark.parametrize(("entry", "saved"), SAVED_TESTS, ids=lambda part: part.get("slug") or part["name"])
def test_a_saved_test_of_a_template_passes(entry, saved):
    assert trial.failures(entry, saved) == []


def _is_planned(message: str) -> bool:
    missing = set(IntegrationProvider.values) - set(registry.providers())
    return any(f"“{provider}”" in message for provider in missing)
