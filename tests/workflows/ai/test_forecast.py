"""What people are told about the cost of AI: before publishing, and at the step that asked."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from accounts.tenancy import uuid7
from integrations.models import Integration
from tests.worlds import World, make_execution
from workflows.ai.forecast import forecast
from workflows.ai.prices import DEFAULTS, FALLBACKS, Tariff, models_of, price_of
from workflows.definition.schema import parse_definition
from workflows.models import AiExchange, ExecutionStep

ASK: dict[str, Any] = {"id": "ask", "type": "ai", "prompt": "Sort {{ inputs.mail }}", "max_tokens": 100}
HOURLY = {"type": "schedule", "every": "1h"}


def of(world: World, step: dict[str, Any], *triggers: dict[str, Any]) -> Any:
    with world.scope():
        return forecast(
            world.workflow, parse_definition({"version": 1, "steps": [step]}), triggers, "Europe/Berlin"
        )


def test_a_plan_without_ai_has_no_forecast(alder: World) -> None:
    assert of(alder, {"id": "keep", "type": "set", "values": {"a": 1}}, HOURLY) is None


def test_a_schedule_says_exactly_how_often_and_prices_say_from_and_to(alder: World) -> None:
    found = of(alder, ASK, HOURLY)
    assert (found.runs, found.is_guess, found.is_measured) == ((720, 720), False, False)
    assert 0 < found.run[0] < found.run[1]
    assert found.month == (found.run[0] * 720, found.run[1] * 720)


def test_a_step_inside_a_loop_may_cost_many_times_as_much(alder: World) -> None:
    loop = {"id": "each", "type": "loop", "items": "{{ inputs.list }}", "steps": [ASK]}
    once, many = of(alder, ASK, HOURLY), of(alder, loop, HOURLY)
    assert many.run == pytest.approx((once.run[0], once.run[1] * 20))


def test_the_dearer_model_makes_the_forecast_dearer(alder: World) -> None:
    dear = of(alder, {**ASK, "model": "gpt-4.1"}, HOURLY)
    assert dear.month[1] > of(alder, {**ASK, "model": "gpt-4.1-nano"}, HOURLY).month[1]


def test_an_own_server_without_prices_costs_nothing(alder: World) -> None:
    with alder.scope():
        Integration.objects.create(
            provider="OPENAI", name="Own", settings={"base_url": "https://models.example", "model": "tiny"}
        )
    assert of(alder, ASK, HOURLY).month == (0, 0)


def test_past_runs_are_a_better_guide_than_prices(alder: World) -> None:
    with alder.scope():
        for cost in (100, 200, 300, 400, 500, 600):
            run = make_execution(alder)
            AiExchange.objects.create(
                execution=run, workflow_id=alder.workflow.pk, request_hash="", provider="OPENAI", model="m",
                status="ANSWERED", cost_micro=cost,
            )  # fmt: skip
    found = of(alder, ASK, {"type": "webhook"})
    assert found.is_measured
    assert found.run == (100 / 1_000_000, 600 / 1_000_000)
    assert found.runs == (4, 8)


def test_the_page_of_publishing_tells_the_forecast(client: Client, alder: World) -> None:
    with alder.scope():
        alder.workflow.definition = {"version": 1, "steps": [ASK]}
        alder.workflow.save(update_fields=["definition"])
    client.force_login(alder.owner)
    page = client.get(reverse("workflows:publication", args=[alder.workflow.pk])).content.decode()
    assert "What AI will cost" in page


def test_a_step_shows_what_was_asked_and_answered(client: Client, alder: World) -> None:
    with alder.scope():
        run = make_execution(alder)
        step = ExecutionStep.objects.create(
            execution=run, path="ask", step_id="ask", step_type="ai", attempt=1, status="COMPLETED",
            started_at=run.started_at, fence=1,
        )  # fmt: skip
        AiExchange.objects.create(
            id=uuid7(), execution=run, path="ask", request_hash="", provider="OPENAI", model="gpt-5-mini",
            status="ANSWERED", cost_micro=4_200, input_tokens=10, output_tokens=2,
            request={"messages": [{"parts": [{"part_kind": "user-prompt", "content": "Which <b>colour</b>?"}]}]},
            answer={"parts": [{"part_kind": "text", "content": "Periwinkle"}]},
        )  # fmt: skip
    client.force_login(alder.owner)
    page = client.get(reverse("workflows:step-data", args=[run.pk, step.pk])).content.decode()
    assert "Which &lt;b&gt;colour&lt;/b&gt;?" in page
    assert "Periwinkle" in page
    assert "$0.0042" in page


def test_every_default_and_fallback_has_a_price() -> None:
    for models in (DEFAULTS, FALLBACKS):
        assert all(price_of(provider, model).is_known for provider, model in models.items())


def test_the_list_of_models_holds_the_default_and_nothing_that_does_not_chat() -> None:
    for provider in ("OPENAI", "ANTHROPIC", "GOOGLE_GEMINI", "COHERE"):
        found = [each.model for each in models_of(provider)]
        assert len(found) > 2
        assert not [each for each in found if "embed" in each or "tts" in each or "image" in each]


def test_a_model_nobody_prices_is_priced_as_the_dearest() -> None:
    assert Tariff("OPENAI").micro("never-heard-of", 1_000_000, 0) == 75_000_000
