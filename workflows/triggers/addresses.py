"""From the token in a public address to what it starts, kept in the memory of each web process.

What is kept may be stale, and that is safe: the database compares the row's stamp and the published version while it
stores a delivery, and says so when they differ. Publishing, pausing and new secrets therefore hold at once everywhere.
"""

from __future__ import annotations

import re
import threading
import time
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from accounts.tenancy import system_scope
from workflows.definition.conditions import CompiledCondition, compile_condition
from workflows.definition.expressions import CompiledValue, ExpressionError, compile_value
from workflows.definition.problems import DefinitionInvalid
from workflows.definition.schema import parse_triggers
from workflows.models import Trigger, Workflow
from workflows.runner.start import version_timeout
from workflows.triggers import secrets
from workflows.triggers.plan_hold import hold_of

TOKEN = re.compile(r"[A-Za-z0-9_-]{16,64}")
FRESH_SECONDS = 30.0
KEPT = 5_000


@dataclass(frozen=True, slots=True)
class Address:
    """What a token stands for, as it was at `stamp`.

    settings: the trigger as read by workflows.definition. secret: in clear, in memory only. names: what expressions of
    the trigger see besides `trigger` and `now`.
    """

    trigger_id: UUID
    organization_id: UUID
    workflow_id: UUID
    version_id: UUID | None
    key: str
    kind: str
    status: str
    is_active: bool
    stamp: datetime
    settings: Any
    data: Mapping[str, Any]
    secret: str = field(repr=False, default="")
    integration_id: UUID | None = None
    filter: CompiledCondition | None = None
    dedupe_key: CompiledValue | None = None
    names: Mapping[str, Any] = field(default_factory=dict)
    state: Mapping[str, Any] = field(default_factory=dict, repr=False)
    timeout: timedelta = timedelta(hours=1)
    hold: str = ""
    plan: str = "STARTER"

    def scope(self, trigger: Mapping[str, Any]) -> dict[str, Any]:
        """Return what the trigger's expressions see."""
        return {**self.names, "trigger": trigger, "now": datetime.now(UTC)}


_kept: OrderedDict[str, tuple[float, Address]] = OrderedDict()
_lock = threading.Lock()


def find(token: str, *, afresh: bool = False) -> Address | None:
    """Return what the token stands for; None for one that is unknown or malformed. afresh: read the database again."""
    if not TOKEN.fullmatch(token):
        return None
    now = time.monotonic()
    entry = _kept.get(token)
    if entry is not None and not afresh and now - entry[0] < FRESH_SECONDS:
        return entry[1]
    address = _load(token)
    with _lock:
        _kept.pop(token, None)
        if address is not None:
            _kept[token] = (now, address)
        while len(_kept) > KEPT:
            _kept.popitem(last=False)
    return address


def forget_all() -> None:
    """Empty the memory of this process: for tests, and after a fork."""
    with _lock:
        _kept.clear()


def of_row(row: Trigger, workflow: Workflow) -> Address | None:
    """Return the address of a row that is at hand; None when its settings cannot be read."""
    try:
        settings = parse_triggers([dict(row.settings)])[0]
        condition = getattr(settings, "filter", None)
        dedupe = getattr(settings, "dedupe_key", None)
        compiled_filter = compile_condition(condition) if condition is not None else None
        compiled_dedupe = compile_value(dedupe) if dedupe else None
    except (DefinitionInvalid, ExpressionError):
        return None
    organization = workflow.organization
    return Address(
        trigger_id=row.pk,
        organization_id=row.organization_id,
        workflow_id=row.workflow_id,
        version_id=workflow.published_version_id,
        key=row.key,
        kind=row.kind,
        status=workflow.status,
        is_active=row.is_active,
        stamp=row.updated_at,
        settings=settings,
        data=row.settings,
        secret=secrets.read(row),
        integration_id=row.integration_id,
        filter=compiled_filter,
        dedupe_key=compiled_dedupe,
        names={
            "workflow": {"id": str(workflow.pk), "name": workflow.name},
            "organization": {
                "id": str(organization.pk),
                "name": organization.name,
                "timezone": organization.timezone,
            },
        },
        state=row.state,
        hold=hold_of(organization),
        plan=organization.plan,
        timeout=version_timeout(workflow.published_version_id)
        if workflow.published_version_id
        else timedelta(hours=1),
    )


def _load(token: str) -> Address | None:
    with system_scope("find what a public address starts"):
        row = Trigger.objects.select_related("workflow__organization").filter(token=token).first()
        return of_row(row, row.workflow) if row is not None else None
