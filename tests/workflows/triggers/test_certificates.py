"""A delivery that is signed with a published certificate, from the trigger's address to the run."""

from __future__ import annotations

from typing import Any

import pytest

from integrations import certificates, credentials
from integrations.framework import registry
from integrations.models import Integration
from tests.integrations import test_paypal
from tests.integrations.checks import NOW, answer, credentials_for
from tests.workflows.triggers.publishing import published, trigger_of
from tests.worlds import World
from workflows.models import Execution
from workflows.triggers import addresses, service_hooks, subscriptions

signer = test_paypal.signer


@pytest.fixture
def hook(alder: World) -> Any:
    """The row of a trigger whose webhook at PayPal is WH-1."""
    addresses.forget_all()
    with alder.scope():
        integration = Integration(provider="PAYPAL", name="Till", organization=alder.organization)
        credentials.write(integration, credentials_for(registry.get("paypal")))
        integration.save()
    trigger = {"type": "provider", "id": "till", "provider": "paypal", "event": "payment_captured"}
    workflow = published(alder, trigger)
    row = trigger_of(workflow, alder, "till")
    with alder.scope():
        read = registry.get("paypal").webhooks.read
        subscriptions._keep(row, read(answer(201, {"id": "WH-1"}), None))
    return row


def test_only_a_delivery_signed_with_paypals_certificate_starts_a_run(
    alder: World, hook: Any, signer: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    genuine = test_paypal.signed(signer)
    fetched = {test_paypal.CERTIFICATE_URL: signer[1]}
    monkeypatch.setattr(certificates, "_fetched", lambda address: fetched.get(address, ""))

    def deliver(inbound: Any) -> int:
        return service_hooks.receive(hook.organization_id, hook.pk, inbound).status

    def runs() -> int:
        with alder.scope():
            return Execution.objects.filter(workflow_id=hook.workflow_id).count()

    changed = test_paypal.delivery(genuine.body + b" ", dict(genuine.headers))
    unknown = test_paypal.signed(signer, url=test_paypal.CERTIFICATE_URL + "-of-nobody")
    assert [deliver(changed), deliver(unknown), runs()] == [401, 401, 0]
    assert genuine.received_at == NOW
    assert [deliver(genuine), runs()] == [200, 1]
    assert [deliver(genuine), runs()] == [200, 1]
