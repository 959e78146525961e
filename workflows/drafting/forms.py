"""The editor's side panel: the form of a step, of a trigger or of the whole workflow, and how it is saved.

A form carries what it was made from (`base`). What was typed is the difference to it, merged step by step with what
others saved meanwhile (definition.merge): different fields never meet, and the same field is shown with both values.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass, field, replace
from typing import Any

from django.utils.translation import gettext as _

from workflows.definition.merge import Conflict, three_way_merge
from workflows.definition.schema import STEP_MODELS, TRIGGER_MODELS
from workflows.drafting import operations, places, triggers
from workflows.drafting.fields import Field, FieldFault, Sent, bound, put_at, value_at
from workflows.drafting.places import Document, Refused
from workflows.drafting.references import own_fields
from workflows.drafting.step_forms import step_fields
from workflows.drafting.trigger_forms import inputs_field, schedule_of, trigger_fields
from workflows.drafting.values import ABSENT
from workflows.drafting.workflow_forms import TOP, settings_fields

STEP, TRIGGER, SETTINGS = "steps", "triggers", "settings"
LANE_WORD = "steps"  # what the choice “on_error” says when a lane of steps hangs there


@dataclass(frozen=True, slots=True)
class Subject:
    """What a form is about. kind: STEP, TRIGGER or SETTINGS. key: id of the step, key of the trigger."""

    kind: str
    key: str = ""

    @property
    def name(self) -> str:
        return f"{self.kind}:{self.key}"


@dataclass(slots=True)
class Sending:
    """What came of a form. own: the merged fields, None when there are conflicts. errors: a sentence by field."""

    own: dict[str, Any] | None
    fields: list[Field] = field(default_factory=list)
    errors: dict[str, str] = field(default_factory=dict)
    conflicts: list[Conflict] = field(default_factory=list)
    is_reshaped: bool = False


def own_of(document: Document, subject: Subject) -> dict[str, Any]:
    """Return the fields that the form is about. Raises NotThere."""
    if subject.kind == STEP:
        step = places.find(document, subject.key).step
        own = deepcopy(own_fields(step))
        if isinstance(step.get("on_error"), list):
            own["on_error"] = LANE_WORD
        return own
    if subject.kind == TRIGGER:
        own = deepcopy(triggers.find(document, subject.key))
        if own.get("type") in ("manual", "api") and document.get("inputs") is not None:
            own["inputs"] = deepcopy(document["inputs"])
        return own
    return {name: deepcopy(document[name]) for name in TOP if name in document}


def fields_of(own: Mapping[str, Any], subject: Subject, document: Document) -> list[Field]:
    """Return the form's fields with their values."""
    if subject.kind == STEP:
        return bound(_with_choices(step_fields(own), own), own)
    if subject.kind == TRIGGER:
        made = trigger_fields(own, document)
        if own.get("type") in ("manual", "api"):
            made.append(inputs_field())
        return bound(_with_choices(made, own), own)
    return bound(settings_fields(), own)


def receive(document: Document, subject: Subject, sent: Sent) -> Sending:
    """Return what the form says, merged with the draft as it is now. Raises NotThere."""
    theirs = own_of(document, subject)
    base = _base(sent, theirs, subject)
    fields = fields_of(base, subject, document)
    mine, errors = deepcopy(base), {}
    for each in fields:
        if sent.get(f"resolve:{each.key}") == "theirs" or each.key == "id":
            continue
        try:
            value = each.read(sent)
        except FieldFault as fault:
            errors[each.key] = str(fault)
            continue
        if value is not each.value:
            put_at(mine, each.path, value)
    if subject.kind == TRIGGER and base.get("type") == "schedule":
        try:
            timing = schedule_of(sent, base)
        except FieldFault as fault:
            errors["schedule"] = str(fault)
        else:
            mine = {key: value for key, value in mine.items() if key not in ("cron", "every")} | timing
    merged, conflicts = three_way_merge(_wrapped(base), _wrapped(mine), _wrapped(theirs))
    own = {key: value for key, value in _unwrapped(merged).items() if key != "\x00id"}
    reshaping = [each for each in fields if each.is_reshaping]
    return Sending(
        None if conflicts else own,
        _shown(fields, own if not conflicts else mine, sent, errors, conflicts),
        errors,
        conflicts,
        any(value_at(own, each.path) != each.value for each in reshaping),
    )


def store(
    document: Document, subject: Subject, own: dict[str, Any], new_id: str = ""
) -> tuple[Document, str]:
    """Return (document with the form's fields in it, the subject's key). Raises NotThere, Refused."""
    if subject.kind == STEP:
        step = _with_lanes(own, places.find(document, subject.key).step)
        if new_id:
            step["id"] = new_id
        changed = operations.replace(document, subject.key, step)
        return changed.document, changed.step_id
    if subject.kind == TRIGGER:
        own = dict(own)
        inputs = (
            own.pop("inputs", ABSENT)
            if own.get("type") in ("manual", "api")
            else document.get("inputs", ABSENT)
        )
        document = triggers.replace(document, subject.key, own)
        document.pop("inputs", None)
        return document | ({} if inputs is ABSENT else {"inputs": inputs}), subject.key
    kept = {name: value for name, value in document.items() if name not in TOP}
    return kept | own, ""


def _base(sent: Sent, theirs: dict[str, Any], subject: Subject) -> dict[str, Any]:
    """Return what the form was made from; the present state when that cannot be told."""
    try:
        base = json.loads(str(sent.get("base", "")))
    except (ValueError, RecursionError):
        return theirs
    if not isinstance(base, dict) or base.get("type") != theirs.get("type"):
        return theirs
    return theirs if places.fault({"steps": _wrapped(base)["steps"]}) else base


def _wrapped(own: Mapping[str, Any]) -> dict[str, Any]:
    """Return a definition of one step, for the merge: what the form is about is a step to it, whatever it is."""
    step = {key: value for key, value in own.items() if key != "id"}
    step |= {"id": "subject", "\x00id": own.get("id")}
    step.setdefault("type", "settings")
    if isinstance(step.get("branches"), list):
        step["branches"] = [
            {**branch, "steps": []} if isinstance(branch, dict) else branch for branch in step["branches"]
        ]
    return {"version": 1, "steps": [step]}


def _unwrapped(merged: Mapping[str, Any]) -> dict[str, Any]:
    step = dict(merged["steps"][0])
    own_id = step.pop("\x00id", None)
    del step["id"]
    if own_id is not None:
        step["id"] = own_id
    if step.get("type") == "settings":
        del step["type"]
    if isinstance(step.get("branches"), list):
        step["branches"] = [
            {key: value for key, value in branch.items() if key != "steps"} for branch in step["branches"]
        ]
    return step


def _with_lanes(own: Mapping[str, Any], current: places.Step) -> places.Step:
    """Return a whole step: the form's fields, with the steps that hang in it now."""
    step = dict(own)
    held = dict(places.lanes(current))
    if "branches" in step:
        step["branches"] = [
            {**branch, "steps": held.get(f"branches.{branch['name']}", [])} for branch in step["branches"]
        ]
    for name in ("otherwise", "steps"):
        if name in held:
            step[name] = held[name]
    handlers = held.get("on_error", [])
    if step.get("on_error") == LANE_WORD:
        step["on_error"] = handlers
    elif handlers:
        raise Refused(_("Move or delete the steps below “If this fails” first."))
    return step


def _shown(
    fields: list[Field],
    own: Mapping[str, Any],
    sent: Sent,
    errors: Mapping[str, str],
    conflicts: list[Conflict],
) -> list[Field]:
    found = []
    for each in fields:
        made = replace(each, value=value_at(own, each.path))
        if each.key in errors:
            typed = (
                sent.get(each.name) if each.kind not in ("rows", "condition", "schema", "people") else None
            )
            made = replace(made, errors=(errors[each.key],), typed=typed)
        for conflict in conflicts:
            if is_about(conflict.field, each.key):
                theirs = conflict.theirs if conflict.field == each.key else None
                made = replace(made, theirs=theirs)
        found.append(made)
    return found


def is_about(conflict: str, key: str) -> bool:
    """Return whether two dotted places are the same or one stands inside the other."""
    return conflict == key or conflict.startswith(f"{key}.") or key.startswith(f"{conflict}.")


def _with_choices(fields: list[Field], own: Mapping[str, Any]) -> list[Field]:
    """Fill in the choosers that the database knows: accounts and workflows."""
    from integrations.framework import registry
    from workflows.drafting.operation_forms import any_account, connector_of, integration_field
    from workflows.models import Workflow

    if own.get("type") not in STEP_MODELS and own.get("type") not in TRIGGER_MODELS:
        return fields
    found = []
    connector = connector_of(own)
    for each in fields:
        if each.key == "integration" and own.get("type") in ("action", "provider"):
            if connector is not None:
                found.append(integration_field(own, connector.provider))
            continue
        if each.key == "integration" and own.get("type") in ("ai", "http"):
            each = replace(each, kind="choice", choices=any_account(own))
        if each.key == "workflow" and own.get("type") == "workflow":
            rows = Workflow.objects.exclude(status=Workflow.Status.ARCHIVED).order_by("name")
            choices = [(str(pk), name) for pk, name in rows.values_list("pk", "name")[:500]]
            each = replace(each, choices=tuple(choices))
        found.append(each)
    if (
        own.get("type") == "provider"
        and connector is not None
        and not any(each.key == "integration" for each in found)
    ):
        found.insert(1, integration_field(own, registry.get(connector.slug).provider))
    return found
