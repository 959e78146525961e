"""The help and front pages say what is true."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from tests.worlds import World
from workflows.definition.schema import STEP_MODELS, TRIGGER_MODELS, parse_definition, parse_triggers
from workflows.views.help import EXAMPLES, PROMISES


@pytest.mark.parametrize("name", STEP_MODELS)
def test_the_example_of_a_step_type_is_valid(name: str) -> None:
    example = EXAMPLES["steps"][name]
    assert example["type"] == name
    parse_definition({"version": 1, "steps": [example]})


@pytest.mark.parametrize("name", TRIGGER_MODELS)
def test_the_example_of_a_trigger_is_valid(name: str) -> None:
    assert parse_triggers([EXAMPLES["triggers"][name]])[0].type == name  # type: ignore[attr-defined]


def test_everybody_may_read_help_and_the_front_page(client: Client, alder: World) -> None:
    for url in (reverse("help"), reverse("workflows:front"), reverse("workflows:dashboard")):
        page = client.get(url)
        assert page.status_code == 200
        assert all(str(title) in page.text for _icon, title, _text in PROMISES)
    client.force_login(alder.viewer)
    assert "Sign out" in client.get(reverse("help")).text


def test_prices_are_those_of_billing(client: Client, db: None) -> None:
    from billing.plans import PLANS

    text = client.get("/").text
    for plan in PLANS.values():
        assert f"${plan.monthly_cents // 100}" in text
