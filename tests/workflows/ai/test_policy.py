"""What an organization decides about its AI steps."""

from __future__ import annotations

from django.test import Client
from django.urls import reverse

from accounts.models import AuditEvent
from tests.worlds import World
from workflows.ai.budget import month_key
from workflows.models import AiAllowance, AiPolicy

PAGE = "workflows:ai-policy"


def test_a_cap_and_the_switches_are_saved_and_written_to_the_audit_trail(
    client: Client, alder: World, birch: World
) -> None:
    client.force_login(alder.admin)
    answer = client.post(reverse(PAGE), {"month_dollars": "12.50", "redact": "on"})
    assert answer.status_code == 302
    with alder.scope():
        policy = AiPolicy.objects.get()
        assert (policy.month_cents, policy.redact, policy.keep_content) == (1_250, True, False)
        assert AuditEvent.objects.filter(action="ai_policy.changed").count() == 1
    with birch.scope():
        assert not AiPolicy.objects.exists()
    client.post(reverse(PAGE), {"month_dollars": "", "keep_content": "on"})
    with alder.scope():
        assert AiPolicy.objects.get().month_cents is None


def test_the_page_tells_what_is_spent_and_what_is_put_aside(client: Client, alder: World) -> None:
    with alder.scope():
        AiAllowance.objects.create(scope="MONTH", key=month_key(), spent=1_230_000, reserved=40_000)
    client.force_login(alder.owner)
    page = client.get(reverse(PAGE)).content.decode()
    assert "$1.23" in page
    assert "$0.04 more is put aside" in page


def test_a_negative_amount_is_refused(client: Client, alder: World) -> None:
    client.force_login(alder.owner)
    assert client.post(reverse(PAGE), {"month_dollars": "-1"}).status_code == 422
