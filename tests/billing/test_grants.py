"""Our staff gives plans and longer trials: for a time, for a reason, and on the record."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core import mail
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import AuditEvent, Organization, User
from accounts.tenancy import system_scope
from billing.entitlements import may_start_runs
from billing.models import BillingGrant, Subscription
from billing.reconcile import look_at_dates
from tests.worlds import World


@pytest.fixture
def staff(client: Client, db: None) -> Client:
    with system_scope("a colleague"):
        person = User.objects.create_superuser("support@example.com", "a long password")
    client.force_login(person)
    return client


def give(staff: Client, world: World, kind: str, days: int, reason: str = "They wait for their bank") -> int:
    until = timezone.now() + timedelta(days=days)
    values = {
        "organization": str(world.organization.pk),
        "kind": kind,
        "plan": "PROFESSIONAL",
        "until_0": until.strftime("%Y-%m-%d"),
        "until_1": until.strftime("%H:%M:%S"),
        "reason": reason,
    }
    return staff.post(reverse("admin:billing_billinggrant_add"), values).status_code


def test_a_granted_plan_holds_until_its_end_and_is_on_the_record(staff: Client, alder: World) -> None:
    with alder.scope():
        Organization.objects.update(trial_ends_at=timezone.now() - timedelta(days=1))
    assert give(staff, alder, "PLAN", 30) == 302
    with alder.scope():
        organization = Organization.objects.get()
        assert (organization.plan, may_start_runs(organization)) == ("PROFESSIONAL", True)
        event = AuditEvent.objects.get(action="plan.granted")
        assert event.after["reason"] == "They wait for their bank"
        Subscription.objects.update(current_period_end=timezone.now() - timedelta(minutes=1))
    assert "ended 1 granted plans" in look_at_dates()
    with alder.scope():
        assert not may_start_runs(organization)


def test_a_trial_can_be_made_longer(staff: Client, alder: World) -> None:
    assert give(staff, alder, "TRIAL", 40) == 302
    with alder.scope():
        end = Organization.objects.get().trial_ends_at
    assert end is not None
    left = end - timezone.now()
    assert timedelta(days=39) < left < timedelta(days=41)


def test_a_grant_needs_a_reason(staff: Client, alder: World) -> None:
    assert give(staff, alder, "PLAN", 30, reason="") == 200
    with system_scope("look"):
        assert not BillingGrant.objects.exists()


def test_who_tries_without_a_card_is_reminded_once(
    alder: World, birch: World, django_capture_on_commit_callbacks: object
) -> None:
    with alder.scope():
        Organization.objects.update(trial_ends_at=timezone.now() + timedelta(days=2))
    with django_capture_on_commit_callbacks(execute=True):  # type: ignore[operator]
        assert "reminded 1" in look_at_dates()
        assert "reminded 0" in look_at_dates()
    assert [message.to for message in mail.outbox] == [[alder.owner.email]]
