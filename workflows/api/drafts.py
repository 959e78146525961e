"""Taking a draft from a request: what can be stored and what its triggers must at least be."""

from __future__ import annotations

import json
from typing import Any

from django.db import IntegrityError, transaction

from accounts.api.problems import Problem
from workflows import draft_text
from workflows.definition.limits import MAX_DEFINITION_BYTES
from workflows.definition.problems import DefinitionInvalid
from workflows.definition.schema import parse_triggers
from workflows.models import Workflow

NAME_TAKEN = "Another workflow already has this name. Choose a different one."


def parts_of(document: dict[str, Any]) -> tuple[dict[str, Any], list[Any], dict[str, Any] | None]:
    """Return (definition, triggers, schedule) of a document as a workflow keeps them.

    Steps may be faulty, as in any draft; triggers may not, because a webhook gets its address when the draft is saved.
    Raises Problem.
    """
    if len(json.dumps(document, separators=(",", ":"))) > MAX_DEFINITION_BYTES:
        raise Problem("too_large", f"A definition may have {MAX_DEFINITION_BYTES // 1024} KB at the most.")
    try:
        parse_triggers(document.get("triggers", []))
    except DefinitionInvalid as invalid:
        found = [(f"body.definition.triggers{each.path}", each.message) for each in invalid.problems]
        raise Problem("invalid", "Correct the triggers, then send it again.", errors=found) from None
    definition, triggers, schedule = draft_text.parts_of(document)
    if not isinstance(definition.get("steps"), list):
        message = "A workflow has “steps”, a list."
        raise Problem("invalid", message, errors=[("body.definition.steps", message)])
    return {"version": 1, **definition}, triggers, schedule


def save_named(workflow: Workflow, **options: Any) -> None:
    """Save a workflow whose name may be new. Raises Problem when another one in use has it."""
    try:
        with transaction.atomic():
            workflow.save(**options)
    except IntegrityError as error:
        if "workflow_name_per_org" not in str(error):
            raise
        raise Problem("conflict", NAME_TAKEN, errors=[("body.name", NAME_TAKEN)]) from None
