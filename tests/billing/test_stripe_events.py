"""Events that come twice, late, in any order or never: afterwards our rows say what Stripe says."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.models import Organization
from accounts.tenancy import system_scope, uuid7
from billing import reconcile as reconciliation
from billing import stripe_events, subscriptions
from billing.models import StripeEvent, Subscription
from billing.prices import product_id, wanted_prices
from tests.stripe_server.state import DAY, Account, Object, item_of

# The whole proof: STRIPE_SEQUENCES=500 .venv/bin/pytest tests/billing/test_stripe_events.py
SEQUENCES = int(os.environ.get("STRIPE_SEQUENCES", "40"))
COLUMNS = (
    "stripe_price_id",
    "stripe_item_id",
    "plan",
    "interval",
    "status",
    "current_period_start",
    "current_period_end",
    "trial_end",
    "cancel_at",
    "cancel_at_period_end",
    "open_invoice_url",
)
HAPPENINGS = (
    "renew",
    "card breaks",
    "card works",
    "pay",
    "change",
    "cancel later",
    "go on",
    "cancel now",
    "buy",
)


class World:
    """One customer of a Stripe account, driven without HTTP."""

    def __init__(self) -> None:
        self.account = Account()
        for wanted in wanted_prices():
            key = product_id(wanted.plan)
            if key not in self.account.products:
                self.account.make_product({"id": key})
            self.account.make_price(
                {
                    "product": key,
                    "currency": "usd",
                    "unit_amount": wanted.cents,
                    "recurring": {"interval": wanted.interval},
                    "lookup_key": wanted.lookup_key,
                }
            )
        self.customer = f"cus_{uuid7()}"
        with system_scope("a customer"):
            self.organization = Organization.objects.create(
                name="Alder", trial_ends_at=timezone.now(), stripe_customer_id=self.customer
            )
        self.account.good_card.add(self.customer)
        self.account._serial = iter(range(uuid7().int % 10**12, 10**18))  # ids differ between examples

    def happen(self, what: str, choice: int) -> None:
        """Let something happen at Stripe; what makes no sense now is left out."""
        account = self.account
        live = [row for row in account.subscriptions.values() if row["status"] != "canceled"]
        prices = list(account.prices)
        if what == "buy" and not live:
            account.subscribe(self.customer, prices[choice % len(prices)], {})
        elif what == "card breaks":
            account.good_card.discard(self.customer)
        elif what == "card works":
            account.good_card.add(self.customer)
        elif what == "renew":
            account.advance((choice % 40) * DAY)
        elif live and what == "change":
            item = {"id": item_of(live[0])["id"], "price": prices[choice % len(prices)]}
            account.change(live[0], {"items": [item]})
        elif live and what in ("cancel later", "go on"):
            account.change(live[0], {"cancel_at_period_end": "true" if what == "cancel later" else "false"})
        elif live and what == "cancel now":
            account.cancel(live[0])
        elif live and what == "pay" and self.customer in account.good_card:
            invoice = account.invoices.get(live[0]["latest_invoice"] or "")
            if invoice and invoice["status"] == "open":
                account.pay(invoice)

    def answer(self) -> list[Object]:
        """Return what Stripe answers now when it is asked for the customer's subscriptions."""
        return [
            {
                **row,
                "latest_invoice": self.account.invoices.get(row["latest_invoice"] or ""),
                "items": _deep(row["items"]),
            }
            for row in self.account.subscriptions.values()
        ]

    def state(self) -> dict[str, dict[str, Any]]:
        """Return Stripe's truth in our columns."""
        return {row["id"]: subscriptions.fields_of(row) or {} for row in self.answer()}

    def ours(self) -> dict[str, dict[str, Any]]:
        with system_scope("look"):
            rows = list(Subscription.objects.filter(organization=self.organization))
            self.organization.refresh_from_db()
        return {
            str(row.stripe_subscription_id): {name: getattr(row, name) for name in COLUMNS} for row in rows
        }


@pytest.mark.django_db
@settings(max_examples=SEQUENCES, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    happenings=st.lists(st.tuples(st.sampled_from(HAPPENINGS), st.integers(0, 400)), max_size=12),
    order=st.randoms(use_true_random=False),
)
def test_after_any_delivery_the_reconciliation_leaves_what_stripe_has(
    db: None, monkeypatch: pytest.MonkeyPatch, happenings: list[tuple[str, int]], order: Any
) -> None:
    with transaction.atomic():
        world = World()
        monkeypatch.setattr(subscriptions, "fetch", lambda customer: world.answer())
        monkeypatch.setattr(reconciliation, "is_configured", lambda: True)
        monkeypatch.setattr(reconciliation, "_all_subscriptions", world.answer)
        delivered = 0
        for what, choice in [("buy", 0), *happenings]:
            world.happen(what, choice)
            waiting = world.account.events[delivered:]
            # Some are lost, some come twice, some come after others that happened later.
            batch = [event for event in waiting if order.random() > 0.25] + [
                event for event in world.account.events if order.random() > 0.85
            ]
            order.shuffle(batch)
            for event in batch:
                stripe_events.accept(event)
                stripe_events.work_on(event["id"])
            delivered = len(world.account.events)
        reconciliation.reconcile()
        assert world.ours() == world.state()
        live = [row for row in world.state().values() if row["status"] in ("ACTIVE", "TRIALING", "PAST_DUE")]
        if live:
            assert world.organization.plan == live[0]["plan"]
        transaction.set_rollback(True)  # the next example has a world of its own


def test_an_answer_to_an_earlier_question_never_overwrites(db: None) -> None:
    world, now = World(), timezone.now()
    world.happen("buy", 0)
    early = [_deep(row) for row in world.answer()]
    world.happen("cancel now", 0)
    subscriptions.apply(world.customer, world.answer(), now)
    subscriptions.apply(world.customer, early, now - timedelta(seconds=1))
    assert [row["status"] for row in world.ours().values()] == ["CANCELLED"]


def test_an_event_is_worked_on_once_and_an_unfinished_one_again(
    db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = World()
    world.happen("buy", 0)
    event, asked = world.account.events[0], []

    def away(customer: str) -> list[Object]:
        asked.append(customer)
        if len(asked) == 1:
            raise ConnectionError("Stripe is away")
        return world.answer()

    monkeypatch.setattr(subscriptions, "fetch", away)
    stripe_events.accept(event)
    with pytest.raises(ConnectionError):
        stripe_events.work_on(event["id"])
    row = StripeEvent.objects.get(pk=event["id"])
    assert (row.processed_at, row.attempts, row.error) == (None, 1, "ConnectionError: Stripe is away")
    StripeEvent.objects.update(received_at=datetime(2026, 1, 1, tzinfo=UTC))
    assert "queued 1 events again" in stripe_events.retry_open()
    for _time in range(2):
        stripe_events.work_on(event["id"])
    row.refresh_from_db()
    assert row.processed_at is not None
    assert row.organization_id == world.organization.pk
    assert len(asked) == 2


def _deep(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _deep(each) for key, each in value.items()}
    return [_deep(each) for each in value] if isinstance(value, list) else value
