"""The webhook: one HTTP request in, one decision on disk, one answer out."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import structlog
from django.conf import settings
from django.db import DataError, InterfaceError, OperationalError, connection
from django.utils.translation import gettext as _

from accounts.tenancy import uuid7
from integrations.framework import registry
from integrations.framework.messages import Inbound, Reply
from workflows.definition.durations import parse_duration
from workflows.definition.expressions import ExpressionError, MissingValue
from workflows.engine.limits import MAX_WORKFLOW_DEPTH
from workflows.models import Trigger, TriggerDecision
from workflows.runner import responses
from workflows.triggers import addresses, authentication, backlog, bodies, intake, service_hooks
from workflows.triggers.addresses import Address
from workflows.triggers.pace import Pace

logger = structlog.get_logger(__name__)
Reason = TriggerDecision.Reason
RATE_PER_SECOND = getattr(settings, "WEBHOOK_RATE_PER_SECOND", 1_000)
BURST = RATE_PER_SECOND * 2
# A flood of refused requests must not fill the disk: per address, this many refusals a second are written down.
REFUSALS_PER_SECOND = 5
KEPT_BYTES_OF_REFUSED = 16 * 1024
MAX_DEDUPE_KEY = 200
# Our own http steps send it, so that workflows that call one another in a circle are stopped.
DEPTH_HEADER = "steward-depth"
CAPTURE_LASTS = timedelta(minutes=15)
MAX_ATTEMPTS = 3

_pace = Pace(RATE_PER_SECOND, BURST)
_refusals = Pace(REFUSALS_PER_SECOND, REFUSALS_PER_SECOND * 4)


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """One HTTP request, as its front end read it. headers: names as they came. url: with host and query.

    body None: it was larger than settings.WEBHOOK_MAX_BODY_BYTES, `size` bytes as announced (0: not announced).
    """

    method: str
    path: str
    url: str
    query: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = b""
    size: int = 0
    remote_address: str | None = None
    at: float = field(default_factory=time.time)

    @property
    def content_type(self) -> str:
        return next((value for name, value in self.headers.items() if name.lower() == "content-type"), "")


@dataclass(frozen=True, slots=True)
class Answer:
    """What the sender gets: a JSON value in `body`, or bytes as they are."""

    status: int
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)


FILTERED = Answer(200, {"status": "filtered"})
UNKNOWN = Answer(404, {"error": "not_found", "message": "There is no workflow at this address."})


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the process decided before it asked the database. trigger: what a run would see."""

    reason: str
    trigger: dict[str, Any] | None = None
    dedupe_key: str = ""
    detail: dict[str, Any] | None = None
    answer: Answer | None = None
    depth: int = 0


def receive(token: str, arrival: Arrival) -> Answer:
    """Take one request: an accepted one is on disk when this returns. Every refusal has a reason and a decision row.

    202 with the run's id; 200 for a duplicate (the first run's id), a filtered or a captured one; 400 for a broken
    body; 401; 404 for an unknown address, an unpublished or an archived workflow; 405; 409 for a paused
    one; 413; 429; 503.
    """
    try:
        return _receive(token, arrival)
    except (OperationalError, InterfaceError):
        logger.exception("the database is away: a delivery was not taken")
        connection.close()
        message = _("The delivery could not be stored. Send it again in a moment.")
        return Answer(503, {"error": "unavailable", "message": message}, {"Retry-After": "5"})


def _receive(token: str, arrival: Arrival) -> Answer:
    address = addresses.find(token)
    if address is None or address.kind not in (Trigger.Kind.WEBHOOK, Trigger.Kind.PROVIDER):
        return UNKNOWN
    if (seconds := _pace.wait(token)) > 0:
        return _too_fast(address, arrival, seconds)
    if address.kind == Trigger.Kind.PROVIDER:
        return _from_service(address, arrival)
    if (reply := _handshake(address, arrival)) is not None:
        return Answer(reply.status, reply.body, {"Content-Type": reply.content_type, **reply.headers})
    if arrival.method not in address.settings.methods:
        allowed = ", ".join(address.settings.methods)
        message = _("This address takes %(methods)s only.") % {"methods": allowed}
        return Answer(405, {"error": "method_not_allowed", "message": message}, {"Allow": allowed})
    for _attempt in range(MAX_ATTEMPTS):
        try:
            return _decide_and_store(address, arrival)
        except intake.Stale:
            address = addresses.find(token, afresh=True)
            if address is None or address.kind != Trigger.Kind.WEBHOOK:
                return UNKNOWN
    return Answer(
        503,
        {"error": "busy", "message": _("The workflow is being changed. Try again.")},
        {"Retry-After": "1"},
    )


def judge(address: Address, arrival: Arrival, delivery_id: UUID, *, is_trusted: bool = False) -> Verdict:
    """Return what to do with a request, without asking the database. is_trusted: a replay, proved before."""
    if arrival.body is None:
        limit = settings.WEBHOOK_MAX_BODY_BYTES
        message = _("The body is larger than %(limit)s bytes.") % {"limit": limit}
        return _refusal(
            Reason.TOO_LARGE,
            413,
            "too_large",
            message,
            {"size": arrival.size or f"> {limit}", "limit": limit},
        )
    inbound = Inbound(arrival.method, arrival.url, arrival.headers, arrival.body, arrival.at)
    proof = authentication.verify(address, inbound, url=arrival.url)
    if not proof.ok and not is_trusted:
        message = _("The request could not be shown to come from an allowed sender.")
        return _refusal(Reason.BAD_SIGNATURE, 401, "unauthorized", message, {"message": proof.reason})  # type: ignore[union-attr]
    try:
        data = bodies.parse(arrival.body, arrival.content_type)
    except bodies.BadBody as error:
        message = _("The body could not be read: %(where)s.") % {"where": error}
        return _refusal(Reason.BAD_BODY, 400, "bad_body", message, {"message": str(error)})
    depth = _depth(inbound)
    if depth > MAX_WORKFLOW_DEPTH:
        message = _("Workflows called one another %(count)s times in a row.") % {"count": depth}
        return _refusal(Reason.DEPTH_LIMIT, 508, "loop_detected", message, {"depth": depth})
    trigger = {
        "type": "webhook",
        "key": address.key,
        "method": arrival.method,
        "path": arrival.path,
        "query": bodies.query_values(arrival.query),
        "headers": bodies.public_headers(arrival.headers, address.settings.auth.header),
        "body": data,
        "received_at": datetime.fromtimestamp(arrival.at, UTC).isoformat(),
        "delivery_id": str(delivery_id),
    }
    try:
        if address.filter is not None and not address.filter.holds(address.scope(trigger)):
            return Verdict(Reason.FILTERED, answer=FILTERED)
    except MissingValue as error:
        return Verdict(Reason.FILTERED, detail={"message": error.message}, answer=FILTERED)
    except ExpressionError as error:
        # A filter that cannot be worked out must not swallow the delivery silently: it is refused, and says why.
        return _refusal(Reason.INVALID_INPUT, 422, "invalid_input", error.message, {"message": error.message})
    try:
        dedupe = address.dedupe_key.render(address.scope(trigger)) if address.dedupe_key is not None else ""
    except ExpressionError as error:
        return _refusal(Reason.INVALID_INPUT, 422, "invalid_input", error.message, {"message": error.message})
    key = "" if dedupe is None else str(dedupe).strip()
    return Verdict(Reason.STARTED, trigger, key if len(key) <= MAX_DEDUPE_KEY else _hashed(key), depth=depth)


def capture(trigger: Trigger, now: datetime) -> Trigger:
    """Keep the next delivery to this trigger's address as a sample, and start nothing with it. Published or not."""
    trigger.capture_until = now + CAPTURE_LASTS
    trigger.save(update_fields=["capture_until", "updated_at"])
    return trigger


def _decide_and_store(address: Address, arrival: Arrival) -> Answer:
    delivery_id = uuid7()
    verdict = _if_there_is_room(address, judge(address, arrival, delivery_id))
    waits = (
        verdict.reason == Reason.STARTED and address.settings.respond != "immediately" and not address.hold
    )
    if (
        verdict.reason not in (Reason.STARTED, Reason.FILTERED)
        and _refusals.wait(str(address.trigger_id)) > 0
    ):
        return verdict.answer or UNKNOWN
    delivery = as_delivery(address, arrival, verdict, delivery_id)
    try:
        stored = _stored(address, delivery, verdict, reply_to=responses.channel() if waits else "")
    except DataError:
        message = _("The body holds characters or nesting that cannot be kept.")
        verdict = _refusal(Reason.BAD_BODY, 400, "bad_body", message, {"message": message})
        stored = _stored(address, delivery, verdict)
    if stored.reason != Reason.STARTED:
        return verdict.answer if verdict.answer and stored.reason == verdict.reason else answer_for(stored)
    if waits:
        return _wait_for_answer(address, stored)
    return answer_for(stored)


def _if_there_is_room(address: Address, verdict: Verdict) -> Verdict:
    """Return the verdict, or a refusal for now when too many runs of the organization are waiting already."""
    is_held = bool(address.hold)
    if verdict.reason != Reason.STARTED or not backlog.is_full(
        address.organization_id, address.plan, is_held=is_held
    ):
        return verdict
    message = backlog.sentence(address.plan, is_held=is_held)
    body = {"error": "backlog_full", "message": message}
    return Verdict(
        Reason.BACKLOG_FULL,
        detail={"limit": backlog.ceiling(address.plan, is_held=is_held)},
        answer=Answer(429, body, {"Retry-After": str(backlog.RETRY_SECONDS)}),
    )


def as_delivery(
    address: Address, arrival: Arrival, verdict: Verdict, delivery_id: UUID, replay_of: UUID | None = None
) -> intake.Delivery:
    """Return what is stored of a request; of a refused one only the beginning of its body."""
    body = arrival.body or b""
    is_refused = verdict.reason not in (Reason.STARTED, Reason.FILTERED)
    auth_header = getattr(getattr(address.settings, "auth", None), "header", "")
    return intake.Delivery(
        id=delivery_id,
        method=arrival.method,
        path=arrival.path,
        query=arrival.query,
        headers=bodies.public_headers(arrival.headers, auth_header),
        content_type=arrival.content_type,
        body=body[:KEPT_BYTES_OF_REFUSED] if is_refused else body,
        remote_address=arrival.remote_address,
        replay_of=replay_of,
    )


def answer_for(stored: intake.Stored) -> Answer:
    """Return what the sender is told about a stored delivery."""
    run = {"execution_id": str(stored.execution_id)}
    if stored.reason in (Reason.STARTED, Reason.PLAN_LIMIT):
        return Answer(202, run)
    if stored.reason == Reason.DUPLICATE:
        return Answer(200, {**run, "duplicate": True})
    if stored.reason == Reason.CAPTURED:
        return Answer(200, {"status": "captured", "delivery_id": str(stored.delivery_id)})
    if stored.reason == Reason.PAUSED:
        return Answer(409, {"error": "paused", "message": _("The workflow is paused; nothing was started.")})
    if stored.reason == Reason.NOT_PUBLISHED:
        message = _(
            "The workflow is not published, or this trigger is switched off. Publish it, then send again."
        )
        return Answer(404, {"error": "not_published", "message": message})
    return UNKNOWN


def _stored(
    address: Address, delivery: intake.Delivery, verdict: Verdict, reply_to: str = ""
) -> intake.Stored:
    return intake.store(
        address,
        delivery,
        reason=verdict.reason,
        detail=verdict.detail,
        trigger=verdict.trigger,
        dedupe_key=verdict.dedupe_key,
        depth=verdict.depth,
        reply_to=reply_to,
    )


def _wait_for_answer(address: Address, stored: intake.Stored) -> Answer:
    if not connection.in_atomic_block:
        connection.close()  # hands it back to the pool: who waits needs none
    seconds = parse_duration(address.settings.respond_timeout).total_seconds()
    answered = responses.wait_for(stored.execution_id, seconds)
    if answered is None:
        return Answer(202, {"execution_id": str(stored.execution_id)})
    headers = {**answered.headers, "Steward-Execution": str(stored.execution_id)}
    return Answer(answered.status, answered.body, headers)


def _too_fast(address: Address, arrival: Arrival, seconds: float) -> Answer:
    verdict = Verdict(Reason.RATE_LIMITED, detail={"limit": RATE_PER_SECOND})
    if _refusals.wait(str(address.trigger_id)) == 0:
        # The sender is told either way, and the next one of these is written down.
        with suppress(intake.Stale, OperationalError):
            _stored(address, as_delivery(address, arrival, verdict, uuid7()), verdict)
    message = _("Too many requests. Wait a moment, or send several items in one request.")
    return Answer(
        429, {"error": "rate_limited", "message": message}, {"Retry-After": str(max(1, math.ceil(seconds)))}
    )


def _from_service(address: Address, arrival: Arrival) -> Answer:
    if arrival.body is None:
        return Answer(413, {"error": "too_large", "message": _("The delivery is too large.")})
    inbound = Inbound(arrival.method, arrival.url, arrival.headers, arrival.body, arrival.at)
    reply = service_hooks.receive(
        address.organization_id, address.trigger_id, inbound, remote_address=arrival.remote_address
    )
    return Answer(reply.status, reply.body, {"Content-Type": reply.content_type, **reply.headers})


def _handshake(address: Address, arrival: Arrival) -> Reply | None:
    auth = address.settings.auth
    if auth.method != "provider" or arrival.body is None:
        return None
    try:
        webhooks = registry.get(auth.provider).webhooks
    except KeyError:
        return None
    if webhooks is None or webhooks.handshake is None:
        return None
    return webhooks.handshake(Inbound(arrival.method, arrival.url, arrival.headers, arrival.body, arrival.at))


def _refusal(reason: str, status: int, error: str, message: str, detail: dict[str, Any]) -> Verdict:
    return Verdict(reason, detail=detail, answer=Answer(status, {"error": error, "message": message}))


def _depth(inbound: Inbound) -> int:
    text = inbound.headers.get(DEPTH_HEADER, "")
    return min(int(text), 1_000) if text.isascii() and text.isdigit() else 0


def _hashed(key: str) -> str:
    import hashlib

    return "sha256:" + hashlib.sha256(key.encode()).hexdigest()
