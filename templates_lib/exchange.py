"""Workflows as files: our own format both ways, and what n8n exports. No file ever holds a secret or an account."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from django.db import transaction
from django.http import HttpRequest
from django.utils.translation import gettext as _

from accounts import audit
from accounts.models import User
from templates_lib import n8n
from templates_lib.requirements import AI, Need, connected_providers, needs_of, providers_in
from workflows import publishing
from workflows.definition.problems import DefinitionInvalid, Problem
from workflows.definition.schema import parse_definition, parse_triggers
from workflows.models import Workflow, WorkflowAssignment
from workflows.models.workflow import WorkflowCategory

FORMAT = "steward.workflow"
VERSION = 1
MAX_BYTES = n8n.reading.MAX_BYTES
# What belongs to one organization: accounts, addresses, and names of stored secrets.
OWN = frozenset({"integration", "token", "secret"})


class NotImportable(Exception):
    """The file cannot be brought in. The message says what to do."""


@dataclass(frozen=True, slots=True)
class Incoming:
    """What a file holds. reports: one per node for a file of n8n, else nothing."""

    name: str
    description: str
    category: str
    definition: dict[str, Any]
    triggers: list[dict[str, Any]]
    schedule: dict[str, Any] | None
    reports: list[n8n.NodeReport] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)

    @property
    def is_foreign(self) -> bool:
        return bool(self.reports)

    def needs(self) -> list[Need]:
        """Return the services it uses, in the organization's scope, and which are connected."""
        found = providers_in([self.definition, self.triggers])
        return needs_of(sorted(found - {AI}) + ([AI] if AI in found else []), [], connected_providers())


def exported(workflow: Workflow) -> dict[str, Any]:
    """Return a workflow's draft as a file's content: accounts by service only, no addresses, no secrets."""
    return {
        "format": FORMAT,
        "version": VERSION,
        "name": workflow.name,
        "description": workflow.description,
        "category": workflow.category,
        "integrations": sorted(providers_in([workflow.definition, workflow.triggers]) - {AI}),
        "definition": without_own(workflow.definition),
        "triggers": without_own(workflow.triggers),
        "schedule": without_own(workflow.schedule) if workflow.schedule else None,
    }


def read(text: str | bytes) -> Incoming:
    """Return what a file of ours or of n8n holds. Raises NotImportable."""
    if len(text) > MAX_BYTES:
        raise NotImportable(_("This file is larger than 2 MB. Export a single workflow."))
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        data = None  # n8n's reader says what is wrong with it
    if isinstance(data, dict) and data.get("format") == FORMAT:
        return _own(data)
    try:
        made = n8n.convert(n8n.read(text))
    except n8n.NotReadable as problem:
        raise NotImportable(str(problem)) from None
    return Incoming(
        made.name,
        made.description,
        "CUSTOM",
        made.definition,
        made.triggers,
        made.schedule,
        made.reports,
        made.counts,
    )


@transaction.atomic
def bring_in(incoming: Incoming, user: User, *, name: str, request: HttpRequest | None = None) -> Workflow:
    """Return a new draft workflow made of a file, in the organization's scope."""
    workflow = Workflow.objects.create(
        organization_id=user.organization_id,
        name=name[:120],
        description=incoming.description,
        category=incoming.category,
        created_by=user,
    )
    if user.role == User.Role.MEMBER:
        WorkflowAssignment.objects.create(workflow=workflow, user=user)
    saved = publishing.save_draft(
        workflow,
        incoming.definition,
        triggers=incoming.triggers,
        schedule=incoming.schedule,
        revision=workflow.revision,
    )
    after = {"name": workflow.name, "from": "n8n" if incoming.is_foreign else "file"}
    audit.record("workflow.imported", actor=user, target=workflow, after=after, request=request)
    return saved.workflow


def without_own(value: Any) -> Any:
    """Return steps or triggers without what belongs to one organization."""
    if isinstance(value, list):
        return [without_own(entry) for entry in value]
    if not isinstance(value, dict):
        return value
    # Only where the language has these keys: inside `with` or `values` they are somebody's own data.
    is_part = "type" in value or "method" in value or "operation" in value
    return {
        key: entry if key in {"with", "values", "json", "schema", "form", "input"} else without_own(entry)
        for key, entry in value.items()
        if not (is_part and key in OWN)
    }


def _own(data: dict[str, Any]) -> Incoming:
    if data.get("version") != VERSION:
        raise NotImportable(_("This file comes from a newer version of Steward. Update this one first."))
    category = data.get("category")
    schedule = data.get("schedule")
    planned = [{**schedule, "type": "schedule"}] if isinstance(schedule, dict) else []
    triggers = data.get("triggers")
    try:
        parse_definition(data.get("definition"))
        if not isinstance(triggers, list):
            raise DefinitionInvalid([Problem("no_triggers", _("It has no list of triggers."))])
        parse_triggers([*triggers, *planned])
    except DefinitionInvalid as invalid:
        message = _("This file is damaged: {what}").format(what=invalid.problems[0].message)
        raise NotImportable(message) from None
    return Incoming(
        _text(data.get("name"))[:120] or _("Imported workflow"),
        _text(data.get("description"))[:2_000],
        category if isinstance(category, str) and category in WorkflowCategory.values else "CUSTOM",
        without_own(data["definition"]),
        without_own(triggers),
        without_own(schedule) if planned else None,
    )


def _text(value: Any) -> str:
    return value.encode("utf-8", "replace").decode().replace("\0", "") if isinstance(value, str) else ""
