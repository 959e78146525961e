"""What the AI steps of a draft will cost in a month, as a range: told before it is published."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db.models import Count, Sum
from django.utils import timezone

from integrations.models import Integration
from workflows.ai.prices import DEFAULTS, VENDORS, tariff_of
from workflows.definition.schema import Definition
from workflows.definition.steps import AiStep, BranchStep, LoopStep, RepeatStep
from workflows.definition.tree import ON_ERROR, Enclosing, iter_steps
from workflows.models import AiExchange, Execution, Workflow
from workflows.triggers import schedule

DAYS = 30
MOST_FIRES = 50_000  # once a minute for a month is fewer
ENOUGH_RUNS = 5  # from here on what runs really cost is a better guide than what they could cost
SHORT_VALUE, LONG_VALUE = 50, 2_000  # tokens that one value from an earlier step adds: a name, a long e-mail
SHORT_ANSWER, LONG_ANSWER = 30, 800  # tokens, where the step does not bound it lower
OF_A_LOOP = (1, 20)  # rounds
OF_AN_AGENT = (2, 10)  # turns
NOTHING_KNOWN = (10, 300)  # runs in a month of a workflow that others start and that never ran


@dataclass(frozen=True, slots=True)
class Forecast:
    """Dollars in a month and for one run, each from and to. is_measured: from what past runs really cost.

    is_guess: nobody knows yet how often it will run.
    """

    month: tuple[float, float]
    run: tuple[float, float]
    runs: tuple[int, int]
    is_measured: bool
    is_guess: bool


def forecast(
    workflow: Workflow, definition: Definition, triggers: Iterable[Mapping[str, Any]], time_zone: str
) -> Forecast | None:
    """Return the forecast of a definition with its triggers, in the organization's scope; None without AI steps."""
    asking = [
        (step, enclosing) for _path, step, enclosing in iter_steps(definition) if isinstance(step, AiStep)
    ]
    if not asking:
        return None
    measured = _measured(workflow)
    low, high = measured or _estimated(asking)
    (fewest, most), is_guess = _runs(workflow, triggers, time_zone)
    million = 1_000_000
    return Forecast(
        (low * fewest / million, high * most / million),
        (low / million, high / million),
        (fewest, most),
        measured is not None,
        is_guess,
    )


def _measured(workflow: Workflow) -> tuple[float, float] | None:
    """Return what one run cost in the last month, between the cheapest and the dearest tenth, in millionths."""
    since = timezone.now() - timedelta(days=DAYS)
    costs = sorted(
        AiExchange.objects.filter(workflow_id=workflow.pk, at__gte=since, execution__isnull=False)
        .values("execution_id")
        .annotate(cost=Sum("cost_micro"))
        .order_by("-execution_id")
        .values_list("cost", flat=True)[:1_000]
    )
    if len(costs) < ENOUGH_RUNS:
        return None
    return float(costs[len(costs) // 10]), float(costs[-1 - len(costs) // 10])


def _estimated(asking: list[tuple[AiStep, tuple[Enclosing, ...]]]) -> tuple[float, float]:
    accounts = {
        name: row
        for row in Integration.objects.filter(provider__in=VENDORS).order_by("-created_at")
        for name in (str(row.pk), row.name, "")
    }
    low, high = 0.0, 0.0
    for step, enclosing in asking:
        account = accounts.get(step.integration or "")
        provider = account.provider if account else "OPENAI"
        settings = account.settings if account else {}
        model = step.model or settings.get("model") or DEFAULTS[provider]
        tariff = tariff_of(provider, settings)
        values = step.prompt.count("{{") + step.system.count("{{")
        words = (len(step.prompt) + len(step.system)) // 4 + 60
        bound = step.max_tokens or LONG_ANSWER
        cheap = tariff.micro(model, words + values * SHORT_VALUE, min(SHORT_ANSWER, bound))
        dear = tariff.micro(model, words + values * LONG_VALUE, min(LONG_ANSWER, bound))
        rounds, is_sure = [1, 1], step.condition is None
        for around in enclosing:
            if isinstance(around.step, LoopStep | RepeatStep):
                rounds = [rounds[0] * OF_A_LOOP[0], rounds[1] * OF_A_LOOP[1]]
            is_sure = is_sure and not isinstance(around.step, BranchStep) and around.branch != ON_ERROR
        if step.operation == "agent":
            rounds = [rounds[0] * OF_AN_AGENT[0], rounds[1] * OF_AN_AGENT[1]]
        low += cheap * rounds[0] if is_sure else 0
        high += dear * rounds[1]
    return low, high


def _runs(
    workflow: Workflow, triggers: Iterable[Mapping[str, Any]], time_zone: str
) -> tuple[tuple[int, int], bool]:
    """Return how often it runs in a month, from and to, and whether that is a guess."""
    now = timezone.now()
    until = now + timedelta(days=DAYS)
    planned, others = 0, False
    for trigger in triggers:
        if trigger.get("disabled"):
            continue
        if trigger.get("type") != "schedule":
            others = True
            continue
        try:
            moments = itertools.islice(schedule.fires(trigger, now, timezone=time_zone), MOST_FIRES)
            planned += sum(1 for _each in itertools.takewhile(lambda at: at <= until, moments))
        except schedule.ScheduleInvalid:
            continue
    if planned and not others:
        return (planned, planned), False
    past = Execution.objects.filter(workflow=workflow, started_at__gte=now - timedelta(days=DAYS)).aggregate(
        count=Count("pk")
    )["count"]
    if past:
        return (planned + past * 7 // 10, planned + -(-past * 13 // 10)), False
    return (planned + NOTHING_KNOWN[0], planned + NOTHING_KNOWN[1]), True
