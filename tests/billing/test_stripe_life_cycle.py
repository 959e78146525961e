"""From the first trial to the last invoice, through the pages, against a Stripe that validates what it is asked."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import AuditEvent, Organization
from accounts.tenancy import system_scope
from billing import stripe_events
from billing.dunning import GRACE
from billing.entitlements import may_start_runs
from billing.models import StripeEvent, Subscription
from billing.prices import synchronise
from billing.reconcile import reconcile
from tests.stripe_server import StripeServer
from tests.stripe_server.state import DAY, item_of
from tests.worlds import World

pytestmark = pytest.mark.usefixtures("shop")


@pytest.fixture
def owner(alder: World, client: Client) -> Client:
    client.force_login(alder.owner)
    return client


@pytest.fixture
def work(shop: StripeServer, client: Client, django_capture_on_commit_callbacks: Any) -> Callable[[], None]:
    """Deliver everything that has happened at Stripe, once more each time, and let the queue work on it."""

    def deliver() -> None:
        for event in list(shop.account.events):
            body, signature = shop.signed(event)
            headers = {"Stripe-Signature": signature}
            answer = client.post(reverse("stripe-webhook"), body, "application/json", headers=headers)
            assert answer.status_code == 200
            with django_capture_on_commit_callbacks(execute=True):
                stripe_events.work_on(event["id"])

    return deliver


def organization(world: World) -> Organization:
    with system_scope("look"):
        return Organization.objects.get(pk=world.organization.pk)


def subscription(world: World) -> Subscription:
    with world.scope():
        found: Subscription = Subscription.objects.order_by("-id")[0]
        return found


def runs_start(world: World) -> bool:
    with world.scope():
        return may_start_runs(organization(world))


def end_trial(world: World) -> None:
    with world.scope():
        Organization.objects.update(trial_ends_at=timezone.now() - timedelta(days=1))


def buy(client: Client, stripe: StripeServer, plan: str = "STARTER", interval: str = "month") -> Any:
    """Press the button of a plan, do Stripe's page, and come back; return the last answer."""
    page = client.post(reverse("billing:checkout"), {"plan": plan, "interval": interval, "attempt": plan})
    assert page.status_code == 200
    found = re.search(r"/pay/(cs_\d+)", page.content.decode())
    assert found, page.content.decode()
    stripe.account.good_card.add(stripe.account.sessions[found[1]]["customer"])
    return client.get(stripe.complete_checkout(found[1]).replace("http://localhost:8000", ""))


def change(client: Client, plan: str, interval: str = "month") -> Any:
    """Look at what a change costs, and confirm it."""
    shown = client.get(reverse("billing:change"), {"plan": plan, "interval": interval})
    found = re.search(r'name="prorated_at" value="(\d+)"', shown.content.decode())
    assert found, shown.content.decode()
    return client.post(
        reverse("billing:change"), {"plan": plan, "interval": interval, "prorated_at": found[1]}, follow=True
    )


def test_the_whole_life_of_a_customer(
    owner: Client, alder: World, shop: StripeServer, work: Callable[[], None]
) -> None:
    # On trial: runs start, nothing is known at Stripe.
    assert runs_start(alder)
    assert organization(alder).stripe_customer_id is None
    end_trial(alder)
    assert not runs_start(alder)
    assert "Your trial is over" in owner.get(reverse("billing:overview")).content.decode()

    # Buys.
    back = buy(owner, shop)
    assert back.status_code == 302
    assert runs_start(alder)
    assert (subscription(alder).status, organization(alder).plan) == ("ACTIVE", "STARTER")
    assert "Your trial is over" not in owner.get(reverse("billing:overview")).content.decode()

    # Upgrades, seeing the price first.
    shop.account.advance(10 * DAY)
    shown = owner.get(
        reverse("billing:change"), {"plan": "PROFESSIONAL", "interval": "month"}
    ).content.decode()
    assert "Unused time" in shown
    assert "$33.33" in shown  # two thirds of the difference of $50
    assert "You are on the plan Professional now" in change(owner, "PROFESSIONAL").content.decode()
    assert organization(alder).plan == "PROFESSIONAL"
    assert sum(invoice["total"] for invoice in shop.account.invoices.values()) == 4900 + 3333

    # A renewal fails: runs go on for the grace, everybody sees it, the owner is written to.
    customer = str(organization(alder).stripe_customer_id)
    shop.account.good_card.discard(customer)
    shop.account.advance(21 * DAY)
    work()
    assert subscription(alder).status == "PAST_DUE"
    assert runs_start(alder)
    overview = owner.get(reverse("billing:overview")).content.decode()
    assert "A payment failed" in overview
    assert "Pay the invoice" in overview
    assert [message.subject for message in mail.outbox] == ["Your payment for Steward failed"]
    assert mail.outbox[0].to == [alder.owner.email]
    with alder.scope():
        Subscription.objects.update(past_due_since=timezone.now() - GRACE - timedelta(minutes=1))
    assert not runs_start(alder)
    assert "New runs wait" in owner.get(reverse("billing:overview")).content.decode()

    # Pays with another card.
    shop.account.good_card.add(customer)
    shop.account.pay(shop.account.invoices[shop.subscription()["latest_invoice"]])
    work()
    assert (subscription(alder).status, subscription(alder).past_due_since) == ("ACTIVE", None)
    assert runs_start(alder)

    # Goes down, cancels, takes it back, cancels again, and the period ends.
    change(owner, "STARTER")
    assert organization(alder).plan == "STARTER"
    owner.post(reverse("billing:cancellation"))
    assert subscription(alder).cancel_at_period_end
    owner.post(reverse("billing:resumption"))
    assert not subscription(alder).cancel_at_period_end
    owner.post(reverse("billing:cancellation"))
    assert subscription(alder).cancel_at_period_end
    shop.account.advance(40 * DAY)
    work()
    assert subscription(alder).status == "CANCELLED"
    assert not runs_start(alder)
    assert mail.outbox[-1].subject == "Your subscription to Steward has ended"

    # Comes back.
    assert buy(owner, shop, "PROFESSIONAL", "year").status_code == 302
    assert (subscription(alder).plan, subscription(alder).interval) == ("PROFESSIONAL", "year")
    assert runs_start(alder)
    with alder.scope():
        actions = set(AuditEvent.objects.values_list("action", flat=True))
    assert {"plan.changed", "subscription.started", "subscription.changed"} <= actions


def test_what_is_left_of_the_trial_stays_free(
    owner: Client, alder: World, shop: StripeServer, work: Callable[[], None]
) -> None:
    buy(owner, shop, "PROFESSIONAL")
    assert subscription(alder).status == "TRIALING"
    assert subscription(alder).current_period_end == organization(alder).trial_ends_at.replace(microsecond=0)  # type: ignore[union-attr]
    assert not shop.account.invoices
    shop.account.advance(15 * DAY)
    work()
    assert subscription(alder).status == "ACTIVE"
    assert [message.subject for message in mail.outbox] == ["Your trial of Steward ends soon"]


def test_a_double_click_opens_one_page(owner: Client, shop: StripeServer) -> None:
    for _click in range(2):
        owner.post(reverse("billing:checkout"), {"plan": "STARTER", "interval": "month", "attempt": "a"})
    assert len(shop.account.sessions) == 1
    assert len(shop.account.customers) == 1


def test_coming_back_without_having_paid_waits_and_believes_nothing(
    owner: Client, alder: World, birch: World, shop: StripeServer
) -> None:
    owner.post(reverse("billing:checkout"), {"plan": "STARTER", "interval": "month", "attempt": "a"})
    session = next(iter(shop.account.sessions))
    waiting = owner.get(reverse("billing:checkout-done"), {"session": session})
    assert "Confirming your payment" in waiting.content.decode()
    other = Client()
    other.force_login(birch.owner)
    shop.complete_checkout(session)
    refused = other.get(reverse("billing:checkout-done"), {"session": session}, follow=True)
    assert "This is not a payment of yours" in refused.content.decode()
    with birch.scope():
        assert not Subscription.objects.exists()


def test_a_change_that_is_not_paid_leaves_the_plan(owner: Client, alder: World, shop: StripeServer) -> None:
    end_trial(alder)
    buy(owner, shop)
    shop.account.good_card.clear()
    answer = change(owner, "PROFESSIONAL").content.decode()
    assert "The change waits for its payment" in answer
    assert organization(alder).plan == "STARTER"


def test_old_figures_are_not_charged(owner: Client, alder: World, shop: StripeServer) -> None:
    end_trial(alder)
    buy(owner, shop)
    hours_ago = int((timezone.now() - timedelta(hours=2)).timestamp())
    answer = owner.post(
        reverse("billing:change"), {"plan": "ENTERPRISE", "interval": "month", "prorated_at": hours_ago}
    )
    assert "The figures had become old" in answer.content.decode()
    assert organization(alder).plan == "STARTER"


def test_a_second_subscription_is_refused(owner: Client, alder: World, shop: StripeServer) -> None:
    end_trial(alder)
    buy(owner, shop)
    answer = owner.post(
        reverse("billing:checkout"),
        {"plan": "PROFESSIONAL", "interval": "month", "attempt": "b"},
        follow=True,
    )
    assert "You have a subscription already" in answer.content.decode()
    assert len(shop.account.subscriptions) == 1


def test_while_stripe_is_away_pages_say_so_and_nothing_changes(
    owner: Client, alder: World, shop: StripeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("billing.stripe_client.RETRIES", 0)
    end_trial(alder)
    buy(owner, shop)
    shop.is_down = True
    assert owner.get(reverse("billing:overview")).status_code == 200
    invoices = owner.get(reverse("billing:invoices"))
    assert "cannot be shown now" in invoices.content.decode()
    answer = owner.post(reverse("billing:cancellation"), follow=True)
    assert "Nothing was changed" in answer.content.decode()
    assert not subscription(alder).cancel_at_period_end


def test_without_a_key_the_page_says_what_is_missing(owner: Client, settings: Any) -> None:
    settings.STRIPE_SECRET_KEY = ""
    page = owner.get(reverse("billing:overview")).content.decode()
    assert "STRIPE_SECRET_KEY" in page
    assert 'action="/billing/payment/checkout/"' not in page
    answer = owner.post(reverse("billing:checkout"), {"plan": "STARTER", "attempt": "a"}, follow=True)
    assert "Payment is not set up on this server" in answer.content.decode()


def test_admins_see_usage_and_no_way_to_pay(alder: World, client: Client) -> None:
    client.force_login(alder.admin)
    page = client.get(reverse("billing:overview")).content.decode()
    assert "/billing/payment/" not in page
    end_trial(alder)
    assert "Please ask the owner" in client.get(reverse("billing:overview")).content.decode()


def test_invoices_are_listed_with_what_can_be_done(owner: Client, alder: World, shop: StripeServer) -> None:
    end_trial(alder)
    assert "No invoices yet" in owner.get(reverse("billing:invoices")).content.decode()
    buy(owner, shop)
    shop.account.good_card.clear()
    shop.account.advance(31 * DAY)
    page = owner.get(reverse("billing:invoices")).content.decode()
    assert page.count("$49") == 2
    assert "Pay" in page


def test_the_price_list_is_made_once_and_follows_a_new_price(
    shop: StripeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert synchronise() == []
    before = len(shop.account.prices)
    monkeypatch.setattr("billing.prices.WantedPrice.cents", property(lambda self: 5100))
    assert any("51.00" in sentence for sentence in synchronise(dry_run=True))
    assert len(shop.account.prices) == before
    synchronise()
    assert {price["unit_amount"] for price in shop.account.prices.values() if price["lookup_key"]} == {5100}


def test_an_older_price_of_a_plan_stays_that_plan(
    owner: Client, alder: World, shop: StripeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    end_trial(alder)
    buy(owner, shop, "PROFESSIONAL")
    monkeypatch.setattr("billing.prices.WantedPrice.cents", property(lambda self: 5100))
    synchronise()
    assert item_of(shop.subscription())["price"]["lookup_key"] is None
    reconcile()
    assert organization(alder).plan == "PROFESSIONAL"


def test_the_reconciliation_repairs_and_reports_what_was_never_told(
    owner: Client, alder: World, shop: StripeServer
) -> None:
    end_trial(alder)
    buy(owner, shop)
    assert "0 differed" in reconcile()
    shop.account.cancel(shop.subscription())
    found = reconcile()
    assert f"1 differed and were repaired ({alder.organization.pk})" in found
    assert subscription(alder).status == "CANCELLED"


@pytest.mark.parametrize(
    ("kind", "status"), [("valid", 200), ("tampered", 400), ("stale", 400), ("foreign", 400), ("none", 400)]
)
def test_only_stripe_s_own_deliveries_are_taken(
    client: Client, shop: StripeServer, kind: str, status: int
) -> None:
    shop.account.tell("invoice.paid", {"object": "invoice", "id": "in_1", "customer": "cus_unknown"})
    event = shop.account.events[-1]
    body, signature = shop.signed(event, age=400 if kind == "stale" else 0)
    if kind == "tampered":
        body = body.replace(b"invoice.paid", b"invoice.void")
    if kind == "foreign":
        signature = shop.signed(event, secret="whsec_other")[1]
    headers = {} if kind == "none" else {"Stripe-Signature": signature}
    answer = client.post(reverse("stripe-webhook"), body, "application/json", headers=headers)
    assert answer.status_code == status
    assert StripeEvent.objects.count() == (status == 200)


def test_a_delivery_that_comes_twice_is_stored_once(client: Client, shop: StripeServer) -> None:
    shop.account.tell("invoice.paid", {"object": "invoice", "id": "in_1", "customer": "cus_unknown"})
    body, signature = shop.signed(shop.account.events[-1])
    answers = [
        client.post(
            reverse("stripe-webhook"), body, "application/json", headers={"Stripe-Signature": signature}
        )
        for _time in range(2)
    ]
    assert [answer.json()["is_new"] for answer in answers] == [True, False]


def test_both_secrets_fit_while_one_replaces_the_other(
    client: Client, shop: StripeServer, settings: Any
) -> None:
    settings.STRIPE_WEBHOOK_SECRET = f"whsec_new, {settings.STRIPE_WEBHOOK_SECRET}"
    shop.account.tell("invoice.paid", {"object": "invoice", "id": "in_1", "customer": "cus_unknown"})
    for secret in ("whsec_new", "whsec_standin"):
        body, signature = shop.signed(shop.account.events[-1], secret=secret)
        headers = {"Stripe-Signature": signature}
        assert (
            client.post(reverse("stripe-webhook"), body, "application/json", headers=headers).status_code
            == 200
        )
