"""What expressions at one place of a draft would see: values of the newest run, a captured call, or examples.

The names are those of the engine (definition.expressions); only what may be used at that place is among them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db.models import Case, Q, Value, When
from django.utils import timezone
from django.utils.translation import gettext as _
from pydantic import ValidationError

from integrations.framework import registry
from integrations.framework.catalog import ConnectorCatalog
from workflows.definition import outputs, waiting
from workflows.definition.expressions import ExpressionError, render
from workflows.definition.fields import PER_ITEM
from workflows.definition.schema import STEP_MODELS
from workflows.drafting import places
from workflows.drafting.forms import STEP, TRIGGER, Subject
from workflows.drafting.places import Document, Spot, Step
from workflows.drafting.references import runs_before
from workflows.models import Execution, ExecutionStep, WebhookDelivery, Workflow
from workflows.runner.dry_run import MODE as DRY_RUN
from workflows.runner.dry_run import example_of
from workflows.runner.walks import seen_by_steps
from workflows.triggers import bodies

LOOKED_AT = 20  # newest runs in which a step's output is looked for
ONE_STEP = "step:"  # the trigger key of a run that tried one step begins so; its id follows
Run = tuple[Any, str, str]  # id, mode, trigger key
LAST_RUN, DRY, CAPTURED, MADE, EXAMPLE = "run", "dry run", "captured", "made", "example"


@dataclass(slots=True)
class Source:
    """Where a value is from. kind: LAST_RUN, DRY, CAPTURED, MADE (worked out from the draft) or EXAMPLE."""

    kind: str
    at: datetime | None = None

    @property
    def words(self) -> str:
        return {
            LAST_RUN: _("data of the last run"),
            DRY: _("data of a dry run"),
            CAPTURED: _("data of a call that was kept"),
            MADE: _("worked out from the draft"),
        }.get(self.kind, _("example data"))


@dataclass(slots=True)
class Sample:
    """names: as expressions see them. started: where trigger and inputs are from. sources: step id -> Source.

    before: the steps that may be used here; those in `perhaps` run only on some ways, so they need a default.
    """

    names: dict[str, Any]
    started: Source
    triggered_by: str = "MANUAL"
    given: Any = None
    sources: dict[str, Source] = field(default_factory=dict)
    before: list[Spot] = field(default_factory=list)
    perhaps: set[str] = field(default_factory=set)
    loops: list[Step] = field(default_factory=list)


def sample_of(
    workflow: Workflow, document: Document, subject: Subject, now: datetime | None = None
) -> Sample:
    """Return what the fields of a step, a trigger or the settings would see; in the organization's scope."""
    now = now or timezone.now()
    newest = Execution.objects.filter(workflow=workflow).order_by("-started_at")
    runs = list(newest.values_list("id", "mode", "trigger_key")[:LOOKED_AT])
    triggered_by, given, started = _start(workflow, document, runs)
    trigger, inputs = seen_by_steps(triggered_by, given)
    about = workflow.organization
    names: dict[str, Any] = {
        "trigger": trigger,
        "inputs": inputs,
        "steps": {},
        "vars": {},
        "workflow": {"id": str(workflow.pk), "name": workflow.name},
        "execution": {
            "id": str(runs[0][0]) if runs else str(workflow.pk),
            "started_at": now.isoformat(),
            "triggered_by": triggered_by,
            "mode": Execution.Mode.TEST.value,
            waiting.NAME: waiting.example_addresses(_wait_steps(document.get("steps"))),
        },
        "organization": {"id": str(about.pk), "name": about.name, "timezone": about.timezone},
        "now": now,
    }
    sample = Sample(names, started, triggered_by, given)
    if subject.kind == TRIGGER:
        for name in ("inputs", "steps", "vars", "execution"):
            del names[name]
        return sample
    _add_steps(sample, document, subject, runs)
    return sample


# --- What started it ------------------------------------------------------------------------------------------------


def _start(workflow: Workflow, document: Document, runs: list[Run]) -> tuple[str, Any, Source]:
    captured = captured_call(workflow)
    whole = [pk for pk, _mode, key in runs if not key.startswith(ONE_STEP)]
    rows = Execution.objects.filter(pk__in=whole[:1])
    run = rows.values("triggered_by", "input", "started_at").first()
    if captured is not None and (run is None or captured.received_at > run["started_at"]):
        return "WEBHOOK", call_of(captured), Source(CAPTURED, captured.received_at)
    if run is not None and run["input"] not in (None, {}):
        return run["triggered_by"], run["input"], Source(LAST_RUN, run["started_at"])
    by, given = _example(document)
    return by, given, Source(EXAMPLE)


def captured_call(workflow: Workflow, key: str = "") -> WebhookDelivery | None:
    """Return the newest call that was kept as a sample; of one trigger when its key is given."""
    rows = WebhookDelivery.objects.filter(workflow=workflow, verdict=WebhookDelivery.Verdict.CAPTURED)
    return (rows.filter(trigger_key=key) if key else rows).order_by("-id").first()


def call_of(delivery: WebhookDelivery) -> dict[str, Any]:
    """Return `trigger` as a run of this call would see it."""
    body: Any
    try:
        body = bodies.parse(bytes(delivery.body), delivery.content_type)
    except bodies.BadBody:
        body = None
    return {
        "type": "webhook",
        "key": delivery.trigger_key,
        "method": delivery.method,
        "path": delivery.path,
        "query": bodies.query_values(delivery.query),
        "headers": delivery.headers,
        "body": body,
        "received_at": delivery.received_at.isoformat(),
        "delivery_id": str(delivery.pk),
    }


def _example(document: Document) -> tuple[str, Any]:
    listed = [each for each in document.get("triggers") or [] if isinstance(each, dict)]
    first = listed[0] if listed else {"type": "manual"}
    schema = document.get("inputs") or first.get("schema") or {}
    given = example_of(schema) if isinstance(schema, dict) and schema.get("properties") else {}
    if first.get("type") == "provider":
        with suppress(KeyError, LookupError):
            catalog = ConnectorCatalog()
            provider = outputs.provider_name(catalog, str(first.get("provider"))) or ""
            schema = catalog.trigger_schema(provider, str(first.get("event")))
            return "WEBHOOK", {"type": "provider", "body": example_of(schema)}
    if first.get("type") == "webhook":
        return "WEBHOOK", {"type": "webhook", "method": "POST", "query": {}, "headers": {}, "body": {}}
    if first.get("type") == "form":
        return "WEBHOOK", {"type": "form", "body": given or {}}
    if first.get("type") == "schedule":
        return "SCHEDULE", {"type": "schedule", "scheduled_at": timezone.now().isoformat()}
    return "MANUAL", given or {}


# --- Steps before ---------------------------------------------------------------------------------------------------


def _add_steps(sample: Sample, document: Document, subject: Subject, runs: list[Run]) -> None:
    everything = list(places.spots(document))
    by_id = {spot.id: spot for spot in everything}
    user = by_id.get(subject.key) if subject.kind == STEP else None
    if subject.kind == STEP and user is None:
        raise places.NotThere(_("This step is not there any more."))
    sample.before = [
        spot
        for spot in everything
        if (runs_before(spot, user) if user else _always_seen(spot)) and spot.step.get("disabled") is not True
    ]
    sample.perhaps = {spot.id for spot in sample.before if _is_perhaps(spot, user, by_id)}
    recorded = _recorded([spot.id for spot in sample.before], runs)
    around = [by_id[slot[0]] for slot, _index in (user.path[1:] if user else ())]
    pending = {
        spot.id: (spot, slot)
        for spot, (slot, _index) in zip(around, user.path[1:] if user else (), strict=True)
    }
    for spot in everything:  # reading order: what a block sees is there before what is inside it
        if spot.id in pending:
            _enter(sample, *pending[spot.id])
        if spot in sample.before:
            _add_output(sample, spot, recorded.get(spot.id))
    if user is not None and user.step.get("type") == "transform" and user.step.get("operation") in PER_ITEM:
        _add_round(sample, user.step, "item")
    if user is not None and user.step.get("type") == "repeat":
        sample.names["loop"] = _round(1)


def _recorded(ids: list[str], runs: list[Run]) -> dict[str, tuple[Any, Source]]:
    """Return step id -> (newest output, source); a real run goes before a dry one."""
    if not ids or not runs:
        return {}
    dry = [pk for pk, mode, _key in runs if mode == DRY_RUN]
    where = Q(execution_id__in=[pk for pk, _mode, key in runs if not key.startswith(ONE_STEP)])
    for pk, _mode, key in runs:
        if key.startswith(ONE_STEP):  # the other steps in it are samples themselves
            where |= Q(execution_id=pk, step_id__startswith=key.removeprefix(ONE_STEP))
    done = ExecutionStep.Status.COMPLETED
    rows = ExecutionStep.objects.filter(where, step_id__in=ids, status=done)
    order = ["step_id", "-execution_id", "-id"]
    if dry:
        rows = rows.alias(is_dry=Case(When(execution_id__in=dry, then=Value(1)), default=Value(0)))
        order.insert(1, "is_dry")
    newest = rows.order_by(*order).distinct("step_id")
    values = newest.values_list("step_id", "output", "execution_id", "finished_at")
    return {
        step_id: (output, Source(DRY if execution_id in dry else LAST_RUN, at))
        for step_id, output, execution_id, at in values
    }


def _add_output(sample: Sample, spot: Spot, recorded: tuple[Any, Source] | None) -> None:
    step, names = spot.step, sample.names
    output, source = recorded or (None, Source(EXAMPLE))
    if step.get("type") == "set" and isinstance(step.get("values"), dict):
        # What is kept can be worked out at once, so that it follows the draft and not an older run.
        with suppress(ExpressionError):
            output, source = render(step["values"], names), Source(MADE)
    if recorded is None and source.kind == EXAMPLE:
        output = example_output(step)
    names["steps"][spot.id] = {"output": output, "status": "COMPLETED", "error": None}
    sample.sources[spot.id] = source
    if step.get("type") == "set" and isinstance(output, dict):
        names["vars"].update(output)


def example_output(step: Mapping[str, Any]) -> Any:
    """Return a value of the kind a step hands on, None when nothing is known of it."""
    if step.get("type") == "http":
        return {"status": 200, "headers": {}, "body": {}}
    try:
        model = STEP_MODELS[str(step.get("type"))].model_validate(step)
    except (ValidationError, KeyError):
        return _example_of_action(step)
    return example_of(outputs.output_schema(model, ConnectorCatalog()))


def _example_of_action(step: Mapping[str, Any]) -> Any:
    """A step whose form is half filled in is still of a known kind."""
    try:
        action = registry.get(str(step.get("provider"))).action(str(step.get("operation")))
    except (KeyError, LookupError):
        return None
    return example_of(action.returns_schema)


def _enter(sample: Sample, block: Spot, slot: tuple[str, str]) -> None:
    if slot[1] == "on_error":
        sample.names["error"] = {
            "message": _("The service did not answer."),
            "class": "temporary",
            "detail": "",
        }
    elif block.step.get("type") == "loop":
        sample.loops.append(block.step)
        _add_round(sample, block.step, str(block.step.get("as") or "item"))
    elif block.step.get("type") == "repeat":
        sample.loops.append(block.step)
        sample.names["loop"] = _round(1)


def _add_round(sample: Sample, step: Step, name: str) -> None:
    items: Any = None
    with suppress(ExpressionError):
        items = render(step.get("items"), sample.names)
    found = items if isinstance(items, list) else []
    sample.names["loop"] = _round(len(found))
    sample.names["item"] = sample.names[name] = found[0] if found else None


def _round(length: int) -> dict[str, Any]:
    return {"index": 0, "number": 1, "first": True, "last": length <= 1, "length": length}


def _always_seen(spot: Spot) -> bool:
    return not any(slot[1] == "steps" for slot, _index in spot.path[1:])


def _is_perhaps(target: Spot, user: Spot | None, by_id: Mapping[str, Spot]) -> bool:
    """Whether a step stands on a way that a run need not take, seen from `user`."""
    shared = 0
    here = user.path if user else ()
    while shared < min(len(here), len(target.path)) and here[shared] == target.path[shared]:
        shared += 1
    for (block_id, name), _index in target.path[shared + 1 :]:
        if name in ("otherwise", "on_error") or by_id[block_id].step.get("type") == "branch":
            return True
    return False


def _wait_steps(steps: Any) -> Iterator[str]:
    """Yield the ids of wait steps that have an address: those that no loop repeats."""
    if isinstance(steps, list):
        for step in steps:
            yield from _wait_steps(step)
    elif isinstance(steps, dict) and steps.get("type") not in ("loop", "repeat"):
        if steps.get("type") == "wait" and steps.get("id"):
            yield str(steps["id"])
        for key in ("branches", "otherwise", "steps", "on_error"):
            yield from _wait_steps(steps.get(key))
