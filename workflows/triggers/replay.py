"""Sending a stored delivery through its trigger once more: a new delivery, linked to the old one."""

from __future__ import annotations

from urllib.parse import urlsplit

from django.conf import settings
from django.utils.translation import gettext as _

from accounts.tenancy import uuid7
from workflows.models import Trigger, TriggerDecision, WebhookDelivery
from workflows.triggers import addresses, intake, webhook

Reason = TriggerDecision.Reason


class NotReplayable(ValueError):
    """The delivery cannot be sent again; the message says why."""


def replay(delivery: WebhookDelivery) -> intake.Stored:
    """Judge the stored request by the trigger as it is published now, and store what comes of it as a new delivery.

    The sender was proved when it first came, so its secret is not asked for again; the dedupe key is not
    either, because starting another run is the point. In the organization's scope. Raises NotReplayable.
    """
    row = (
        Trigger.objects.select_related("workflow__organization")
        .filter(workflow_id=delivery.workflow_id, key=delivery.trigger_key)
        .first()
    )
    address = addresses.of_row(row, row.workflow) if row is not None else None
    if address is None or address.kind != Trigger.Kind.WEBHOOK:
        raise NotReplayable(_("The trigger that received this is no longer part of the workflow."))
    if delivery.reason in (Reason.TOO_LARGE, Reason.BAD_SIGNATURE, Reason.BACKLOG_FULL):
        raise NotReplayable(_("This request was refused and not kept whole, so it cannot be sent again."))
    delivery_id = uuid7()
    base = urlsplit(settings.BASE_URL)
    arrival = webhook.Arrival(
        method=delivery.method,
        path=delivery.path,
        url=f"{base.scheme}://{base.netloc}{delivery.path}",
        query=delivery.query,
        headers={**delivery.headers, "content-type": delivery.content_type},
        body=bytes(delivery.body),
        remote_address=delivery.remote_address,
    )
    verdict = webhook.judge(address, arrival, delivery_id, is_trusted=True)
    stored = webhook.as_delivery(address, arrival, verdict, delivery_id, replay_of=delivery.pk)
    return intake.store(
        address,
        stored,
        reason=verdict.reason,
        detail=verdict.detail,
        trigger=verdict.trigger,
        depth=verdict.depth,
    )
