"""Trying one step of a draft: a run of that step alone, with the values that earlier steps gave last.

The real worker runs it, so what it shows is what a run will do. Each earlier step that it reads stands in it as a
step of the same id that hands on the sample.
"""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _

from accounts.models import User
from workflows.definition.problems import DefinitionInvalid
from workflows.definition.schema import parse_definition
from workflows.drafting import places
from workflows.drafting.forms import STEP, Subject
from workflows.drafting.places import Document, Step
from workflows.drafting.references import own_fields, referred
from workflows.drafting.samples import ONE_STEP, Sample, sample_of
from workflows.models import Execution, TriggerDecision, Workflow
from workflows.runner.start import InputRefused, start_execution
from workflows.triggers.manual import SOMEBODY_WAITS, DraftNotRunnable, NotStarted

TRIED = frozenset({"action", "http", "ai", "set", "transform", "code", "workflow"})
SENDS = frozenset({"action", "http", "ai", "workflow"})  # kinds that may reach somebody outside
_KEY_LENGTH = 64


def can_be_tried(step: Step) -> bool:
    """Return whether a step does something of its own; blocks, waits and questions are tried with the whole draft."""
    return step.get("type") in TRIED and step.get("disabled") is not True


def start(workflow: Workflow, document: Document, user: User, step_id: str, *, send: bool) -> Execution:
    """Run one step with sample data: what changes something outside is only shown, unless `send`.

    Raises places.NotThere, DraftNotRunnable when the step is not filled in, NotStarted.
    """
    spot = places.find(document, step_id)
    sample = sample_of(workflow, document, Subject(STEP, step_id))
    definition = definition_of(spot, document, sample)
    try:
        parse_definition(definition)
    except DefinitionInvalid as invalid:
        raise DraftNotRunnable(invalid.problems) from None
    try:
        execution_id = start_execution(
            organization_id=workflow.organization_id,
            workflow_id=workflow.pk,
            version_id=None,
            triggered_by=sample.triggered_by,
            input=sample.given if sample.given is not None else {},
            trigger_key=f"{ONE_STEP}{step_id}"[:_KEY_LENGTH],
            user_id=user.pk,
            mode=Execution.Mode.TEST if send else Execution.Mode.DRY_RUN,
            draft_definition=definition,
            priority=SOMEBODY_WAITS,
        )
    except InputRefused as error:
        raise NotStarted(TriggerDecision.Reason.TOO_LARGE, str(error)) from None
    return Execution.objects.get(pk=execution_id)


def run_of(workflow: Workflow, step_id: str, execution_id: UUID) -> Execution | None:
    """Return a run that tried this step, None for any other."""
    key = f"{ONE_STEP}{step_id}"[:_KEY_LENGTH]
    return Execution.objects.filter(workflow=workflow, pk=execution_id, trigger_key=key).first()


def definition_of(spot: places.Spot, document: Document, sample: Sample) -> dict[str, Any]:
    """Return a definition in which the step runs as it would in its place."""
    own = own_fields(spot.step)
    own.pop("on_error", None)
    inside: list[Step] = [own]
    taken = {each.id for each in places.spots(document)}
    names = sample.names
    before = [each for each in dict.fromkeys(referred(own)) if each in names["steps"]]
    steps = [_given(each, names["steps"][each]["output"]) for each in before]
    if names["vars"]:
        kept = _free("kept_values", taken)
        steps.append(_given(kept, names["vars"]))
        values = {key: "{{ steps." + kept + f".output['{key}']" + " }}" for key in names["vars"]}
        steps.append({"id": _free("keep", taken), "type": "set", "values": values})
    if sample.loops and "item" in names:
        loop = sample.loops[-1]
        name = str(loop.get("as") or "item")
        entry = _free("one_entry", taken)
        steps.append(_given(entry, [names[name]]))
        items = "{{ steps." + entry + ".output }}"
        wrapped = {"id": _free("one_round", taken), "type": "loop", "items": items, "steps": inside}
        inside = [wrapped | ({"as": name} if name != "item" else {})]
    definition = {"version": 1, "steps": [*steps, *inside]}
    if document.get("inputs") is not None:
        definition["inputs"] = document["inputs"]
    return definition


def _given(step_id: str, value: Any) -> Step:
    """Return a step that hands on a value. As JSON text without Liquid: braces in the data must not be read as such."""
    text = json.dumps(value, default=str).replace("{{", "\\u007b\\u007b").replace("{%", "\\u007b%")
    return {"id": step_id, "type": "transform", "operation": "parse_json", "value": text, "name": _("Sample")}


def _free(wished: str, taken: set[str]) -> str:
    name = wished
    while name in taken:
        name = f"{name}_x"
    taken.add(name)
    return name
