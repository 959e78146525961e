"""Why a trigger did or did not start a run: written for every evaluation, and said in a sentence with what to do."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _

from workflows.models import Trigger, TriggerDecision, Workflow

Reason = TriggerDecision.Reason


def record(
    reason: TriggerDecision.Reason,
    *,
    workflow: Workflow,
    trigger_key: str,
    kind: str,
    detail: dict[str, Any] | None = None,
    delivery_id: UUID | None = None,
    execution_id: UUID | None = None,
) -> TriggerDecision:
    """Append one decision, in the scope and transaction of what it explains. detail: figures for `why`, no secrets."""
    return TriggerDecision.objects.create(
        organization_id=workflow.organization_id,
        workflow=workflow,
        trigger_key=trigger_key,
        kind=kind,
        reason=reason,
        detail=detail,
        delivery_id=delivery_id,
        execution_id=execution_id,
    )


def why(decision: TriggerDecision) -> str:
    """Return what happened and what to do about it, in plain words."""
    detail = decision.detail or {}
    sentence = str(decision.get_reason_display())
    if extra := _extra(decision.reason, detail):
        sentence = f"{sentence} {extra}"
    advice = _advice(decision)
    return f"{sentence} {advice}" if advice else sentence


def _extra(reason: str, detail: dict[str, Any]) -> str:
    if reason in (
        Reason.BAD_BODY,
        Reason.BAD_SIGNATURE,
        Reason.INVALID_INPUT,
        Reason.INTEGRATION_BROKEN,
        Reason.DETAILS_AWAITED,
    ):
        return str(detail.get("message", ""))
    if reason == Reason.TOO_LARGE and "size" in detail:
        return _("It had %(size)s bytes; %(limit)s are allowed.") % detail
    if reason == Reason.RATE_LIMITED and "limit" in detail:
        return _("More than %(limit)s a second are not taken from one address.") % detail
    if reason in (Reason.MISSED_SKIPPED, Reason.MISSED_CAUGHT_UP) and detail.get("count", 1) > 1:
        return _("This covers %(count)s planned times, from %(first)s to %(last)s.") % detail
    return ""


def _advice(decision: TriggerDecision) -> str:
    advice = {
        Reason.CAPTURED: _("Nothing was run. Send it again when you are done to start a run."),
        Reason.DUPLICATE: _("The first delivery's run is the only one, as intended."),
        Reason.FILTERED: _("If it should have started a run, change the trigger's filter."),
        Reason.BAD_SIGNATURE: _(
            "Compare the secret in the sending service with the one stored on this trigger."
        ),
        Reason.BAD_BODY: _("Send valid JSON, or set the content type to what the body really is."),
        Reason.TOO_LARGE: _("Send a link to the data instead of the data itself."),
        Reason.RATE_LIMITED: _("The sender was told when to try again. Send several items in one request."),
        Reason.NOT_PUBLISHED: _("Publish the workflow, and switch this trigger on, to let it start runs."),
        Reason.PAUSED: _("Resume the workflow to let it run again."),
        Reason.ARCHIVED: _("Restore the workflow from the archive to use it again."),
        Reason.PLAN_LIMIT: _(
            "It starts as soon as the plan allows it again. Choose a larger plan to run it now."
        ),
        Reason.BACKLOG_FULL: _("Wait until the waiting runs are done, or raise how many may run at once."),
        Reason.DEPTH_LIMIT: _("Check whether workflows start one another in a circle."),
        Reason.MISSED_SKIPPED: _("To make up for missed times, choose “run once” under missed times."),
        Reason.OVERLAP_SKIPPED: _("To run every time, let the trigger queue or allow overlapping runs."),
        Reason.INTEGRATION_BROKEN: _(
            "Open the integration and reconnect it; the trigger then goes on by itself."
        ),
        Reason.DETAILS_AWAITED: _("The event is kept, and asked about again for five days. Nothing is lost."),
        Reason.INVALID_INPUT: _("Correct the named fields and send it again."),
    }
    return advice.get(TriggerDecision.Reason(decision.reason), "")


KIND_OF_TYPE = {kind.value.lower(): kind for kind in Trigger.Kind}
