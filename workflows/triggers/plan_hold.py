"""Runs of an organization whose plan starts none at the moment: held in line, never dropped, and let go later."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from accounts.models import Organization
from accounts.tenancy import organization_scope, system_scope
from billing import entitlements
from workflows.models import Execution
from workflows.runner.start import version_timeout
from workflows.runner.wake import wake

HELD = "plan_limit"
# A held run does not use up its own time; this is how long somebody has to choose a plan.
PATIENCE = timedelta(days=30)
BATCH = 1_000


def hold_of(organization: Organization) -> str:
    """Return HELD when new runs of this organization must wait, else an empty text; in its scope or a system scope."""
    return "" if entitlements.may_start_runs(organization) else HELD


def as_fields(organization: Organization) -> dict[str, Any]:
    """Return what start_execution must be told: nothing, or that the run is held."""
    if not hold_of(organization):
        return {}
    return {"held_for": HELD, "deadline": datetime.now(UTC) + PATIENCE}


def release_all() -> int:
    """Let the held runs go of organizations whose plan starts runs again; return how many. Opens its own scopes."""
    with system_scope("find organizations with held runs"):
        held = Execution.objects.filter(status="WAITING", waiting_for__contains=[{"kind": HELD}])
        waiting = set(held.values_list("organization_id", flat=True))
        free = [each.pk for each in Organization.objects.filter(pk__in=waiting) if not hold_of(each)]
    return sum(release(organization_id) for organization_id in free)


def release(organization_id: UUID) -> int:
    """Let the held runs of one organization go, oldest first, each with its full time; return how many."""
    with organization_scope(organization_id):
        rows = (
            Execution.objects.select_for_update(skip_locked=True, of=("self",))
            .filter(status="WAITING", waiting_for__contains=[{"kind": HELD}])
            .order_by("id")
            .values_list("id", "version_id")[:BATCH]
        )
        released = list(rows)
        for execution_id, version_id in released:
            length = version_timeout(version_id) if version_id else timedelta(hours=1)
            Execution.objects.filter(pk=execution_id).update(
                deadline_at=datetime.now(UTC) + length, waiting_for=[{"kind": "start"}]
            )
        wake([execution_id for execution_id, _version in released])
        return len(released)
