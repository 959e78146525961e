"""Deliveries of a service to the address of one trigger: proved, stored, and what their events start, in one commit."""

from __future__ import annotations

from urllib.parse import urlsplit
from uuid import UUID

from accounts.tenancy import organization_scope, uuid7
from integrations import certificates, credentials
from integrations.calls import app_setting
from integrations.framework import Inbound, Refused, Reply, Webhooks, registry
from integrations.inbound import without_secret
from integrations.models import Integration
from workflows.models import Trigger, TriggerDecision, WebhookDelivery
from workflows.triggers import bodies, decisions, provider, subscriptions
from workflows.triggers.pace import Pace

Reason = TriggerDecision.Reason
Verdict = WebhookDelivery.Verdict
UNKNOWN = Reply(404, b"There is no workflow at this address.")
# As with other webhooks: a flood of refused requests must not fill the disk.
REFUSALS_PER_SECOND = 5
KEPT_BYTES_OF_REFUSED = 16 * 1024
ACCEPTED = (
    Reason.STARTED,
    Reason.PLAN_LIMIT,
    Reason.BACKLOG_FULL,
)  # the last starts when the line is shorter

_refusals = Pace(REFUSALS_PER_SECOND, REFUSALS_PER_SECOND * 4)


def receive(
    organization_id: UUID, trigger_id: UUID, inbound: Inbound, *, remote_address: str | None = None
) -> Reply:
    """Return what the service is answered; the delivery, its decisions and runs are on disk by then, all or nothing."""
    certificate = certificates.named_by(inbound)  # it may call the service, so before the scope
    with organization_scope(organization_id):
        row = provider.active_rows().filter(pk=trigger_id).first()
        webhooks = provider.webhooks_of(row) if row is not None else None
        if row is None or webhooks is None or webhooks.address != "trigger":
            return UNKNOWN
        reply = webhooks.handshake(inbound) if webhooks.handshake else None
        if reply is not None and not webhooks.is_handshake_signed:
            if reply.keep:
                subscriptions.keep_from_handshake(row, reply.keep)
            return reply
        integration = (
            Integration.objects.filter(pk=row.integration_id).first() if row.integration_id else None
        )
        key = _key(row, webhooks, integration)
        if webhooks.signature is not None:
            proof_key = certificates.key_for(webhooks.signature, key, certificate)
            address = subscriptions.address_of(row)
            proof = webhooks.signature.verify(
                inbound, key=proof_key, now=inbound.received_at, address=address
            )
            if isinstance(proof, Refused):
                _refuse(row, inbound, proof, remote_address)
                return Reply(401, b"The signature could not be verified.")
        if reply is not None:
            return reply
        inbound = without_secret(webhooks, inbound, key)
        delivery_id = uuid7()
        account = (integration.settings if integration else None) or {}
        outcomes = provider.receive(row, inbound, account, delivery_id)
        _store(row, inbound, outcomes, delivery_id, remote_address)
        return webhooks.answer


def _key(row: Trigger, webhooks: Webhooks, integration: Integration | None) -> str:
    if webhooks.secret == "app":  # noqa: S105 - where it comes from, not what it is
        return app_setting(registry.get(row.settings["provider"]), webhooks.secret_name)
    if webhooks.secret == "credentials":  # noqa: S105
        return str(credentials.read(integration).get(webhooks.secret_name) or "") if integration else ""
    return str(subscriptions.state_of(row).get("secret") or "")


def _store(
    row: Trigger,
    inbound: Inbound,
    outcomes: list[provider.Outcome],
    delivery_id: UUID,
    remote_address: str | None,
) -> None:
    started = [outcome for outcome in outcomes if outcome.reason in ACCEPTED]
    first = (started or outcomes or [provider.Outcome(Reason.FILTERED)])[0]
    if started:
        verdict = Verdict.ACCEPTED
    elif first.reason == Reason.DUPLICATE:
        verdict = Verdict.DUPLICATE
    else:
        verdict = Verdict.FILTERED if first.reason == Reason.FILTERED else Verdict.REFUSED
    _write(row, inbound, delivery_id, verdict, first.reason, remote_address, first.execution_id)


def _refuse(row: Trigger, inbound: Inbound, proof: Refused, remote_address: str | None) -> None:
    if _refusals.wait(str(row.pk)) > 0:
        return
    delivery_id = uuid7()
    decisions.record(
        Reason.BAD_SIGNATURE,
        workflow=row.workflow,
        trigger_key=row.key,
        kind=row.kind,
        detail={"message": proof.reason},
        delivery_id=delivery_id,
    )
    _write(row, inbound, delivery_id, Verdict.REFUSED, Reason.BAD_SIGNATURE, remote_address)


def _write(
    row: Trigger,
    inbound: Inbound,
    delivery_id: UUID,
    verdict: str,
    reason: str,
    remote_address: str | None,
    execution_id: UUID | None = None,
) -> None:
    is_refused = reason == Reason.BAD_SIGNATURE
    address = urlsplit(inbound.url)
    WebhookDelivery.objects.create(
        id=delivery_id,
        organization_id=row.organization_id,
        workflow_id=row.workflow_id,
        trigger_key=row.key,
        verdict=verdict,
        reason=reason,
        method=inbound.method[:8],
        path=address.path[:300],
        # What is not proved may hold a secret that was nearly right.
        query="" if is_refused else address.query,
        headers=bodies.public_headers(inbound.headers),
        content_type=inbound.headers.get("content-type", "")[:120],
        body=inbound.body[:KEPT_BYTES_OF_REFUSED] if is_refused else inbound.body,
        remote_address=remote_address,
        execution_id=execution_id,
    )
