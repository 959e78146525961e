"""Append what was used, in the transaction that used it."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from billing.models import UsageEntry, UsageMetric


def meter(
    metric: UsageMetric,
    quantity: int,
    *,
    cost_usd: Decimal = Decimal(0),
    workflow_id: Any = None,
    execution_id: Any = None,
    organization_id: Any = None,
) -> UsageEntry:
    """Add one entry for the organization in scope. cost_usd: US dollars. organization_id: in a system scope only."""
    entry = UsageEntry(
        metric=metric,
        quantity=quantity,
        cost_usd=cost_usd,
        workflow_id=workflow_id,
        execution_id=execution_id,
        organization_id=organization_id,
    )
    entry.save(force_insert=True)
    return entry
