"""Deliveries of a service to the address of one trigger: handshake, signature, and what its events start."""

from __future__ import annotations

from uuid import UUID

import structlog

from accounts.tenancy import organization_scope
from integrations import certificates, credentials
from integrations.calls import app_setting
from integrations.framework import Inbound, Refused, Reply, Webhooks, registry
from integrations.models import Integration
from workflows.models import Trigger, TriggerDecision
from workflows.triggers import decisions, provider, subscriptions

logger = structlog.get_logger(__name__)
Reason = TriggerDecision.Reason
UNKNOWN = Reply(404, b"There is no workflow at this address.")


def receive(organization_id: UUID, trigger_id: UUID, inbound: Inbound) -> Reply:
    """Return what the service is answered; accepted events and their runs are on disk by then, in one transaction."""
    certificate = certificates.named_by(inbound)  # it may call the service, so before the scope
    with organization_scope(organization_id):
        row = provider.active_rows().filter(pk=trigger_id).first()
        declared = provider.declared_trigger(row) if row is not None else None
        webhooks = (
            registry.get(row.settings["provider"]).webhooks_of(declared) if declared is not None else None
        )
        if row is None or webhooks is None:
            return UNKNOWN
        reply = webhooks.handshake(inbound) if webhooks.handshake else None
        if reply is not None:
            if reply.keep:
                subscriptions.keep_from_handshake(row, reply.keep)
            return reply
        integration = (
            Integration.objects.filter(pk=row.integration_id).first() if row.integration_id else None
        )
        if webhooks.signature is not None:
            key = certificates.key_for(webhooks.signature, _key(row, webhooks, integration), certificate)
            proof = webhooks.signature.verify(inbound, key=key, now=inbound.received_at, address=inbound.url)
            if isinstance(proof, Refused):
                detail = {"message": proof.reason}
                decisions.record(
                    Reason.BAD_SIGNATURE,
                    workflow=row.workflow,
                    trigger_key=row.key,
                    kind=row.kind,
                    detail=detail,
                )
                return Reply(401, b"The signature could not be verified.")
        provider.receive(row, inbound, (integration.settings if integration else None) or {})
        return webhooks.answer


def _key(row: Trigger, webhooks: Webhooks, integration: Integration | None) -> str:
    if webhooks.secret == "app":  # noqa: S105 - where it comes from, not what it is
        return app_setting(registry.get(row.settings["provider"]), webhooks.secret_name)
    if webhooks.secret == "credentials":  # noqa: S105
        return str(credentials.read(integration).get(webhooks.secret_name) or "") if integration else ""
    return str(subscriptions.state_of(row).get("secret") or "")
