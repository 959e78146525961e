"""The hosted form: a page whose answers start a run, checked like any other delivery and stored like one."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from accounts.tenancy import uuid7
from workflows.models import Trigger, TriggerDecision
from workflows.triggers import addresses, backlog, intake
from workflows.triggers.addresses import Address
from workflows.triggers.pace import Pace

Reason = TriggerDecision.Reason
# A person fills in a form a few times an hour; an office behind one address a few times a minute.
_pace = Pace(rate=0.2, burst=20)


@dataclass(frozen=True, slots=True)
class Sender:
    """Who sent a form. user_id and email only where signing in was asked for."""

    remote_address: str | None = None
    user_id: str = ""
    email: str = ""


def find(token: str) -> Address | None:
    """Return the form at this address; None when there is none."""
    address = addresses.find(token)
    return address if address is not None and address.kind == Trigger.Kind.FORM else None


def seconds_to_wait(address: Address, sender: Sender) -> float:
    """Return 0 when this sender may send now, else the seconds until then."""
    return _pace.wait(f"{address.trigger_id}/{sender.remote_address}")


def submit(address: Address, values: Mapping[str, Any], sender: Sender) -> intake.Stored:
    """Store checked answers and start a run with them, in one commit. Raises intake.Stale when the form has changed."""
    delivery_id = uuid7()
    trigger = {
        "type": "form",
        "key": address.key,
        "body": dict(values),
        "submitted_by": sender.email or None,
        "received_at": datetime.now(UTC).isoformat(),
        "delivery_id": str(delivery_id),
    }
    delivery = intake.Delivery(
        id=delivery_id,
        method="POST",
        path=f"/forms/{address.key}/",
        content_type="application/json",
        body=json.dumps(dict(values), ensure_ascii=False).encode(),
        remote_address=sender.remote_address,
    )
    is_held = bool(address.hold)
    if backlog.is_full(address.organization_id, address.plan, is_held=is_held):
        limit = {"limit": backlog.ceiling(address.plan, is_held=is_held)}
        return intake.store(address, delivery, reason=Reason.BACKLOG_FULL, detail=limit)
    return intake.store(address, delivery, trigger=trigger)
