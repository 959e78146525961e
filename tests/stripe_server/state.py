"""What the stand-in remembers, and how time and money move in it."""

from __future__ import annotations

import itertools
import time
from dataclasses import dataclass, field
from typing import Any

DAY = 24 * 3600
LENGTH = {"month": 30 * DAY, "year": 365 * DAY}
RETRIES = 3  # a failed payment is tried again so often, every three days; then the subscription is cancelled
RETRY_EVERY = 3 * DAY
Object = dict[str, Any]


class Refused(Exception):
    """An error as the vendor answers it."""

    def __init__(
        self, status: int, message: str, code: str = "", kind: str = "invalid_request_error"
    ) -> None:
        super().__init__(message)
        self.status, self.code, self.kind = status, code, kind


@dataclass
class Account:
    """Everything of one Stripe account. now: its clock, unix seconds. events: all that happened, oldest first."""

    now: int = field(default_factory=lambda: int(time.time()))
    products: dict[str, Object] = field(default_factory=dict)
    prices: dict[str, Object] = field(default_factory=dict)
    customers: dict[str, Object] = field(default_factory=dict)
    sessions: dict[str, Object] = field(default_factory=dict)
    subscriptions: dict[str, Object] = field(default_factory=dict)
    invoices: dict[str, Object] = field(default_factory=dict)
    events: list[Object] = field(default_factory=list)
    good_card: set[str] = field(default_factory=set)  # customers whose card works
    _serial: Any = field(default_factory=lambda: itertools.count(1))

    def new_id(self, prefix: str) -> str:
        return f"{prefix}_{next(self._serial):06d}"

    def tell(self, kind: str, thing: Object) -> None:
        """Remember an event about a thing, with a copy of what it is now."""
        self.events.append(
            {
                "id": self.new_id("evt"),
                "object": "event",
                "api_version": "2026-10-28.endive",
                "type": kind,
                "created": self.now,
                "livemode": False,
                "data": {"object": _copy(thing)},
            }
        )

    # --- Price list -----------------------------------------------------------------------------------------

    def make_product(self, values: Object) -> Object:
        key = values.get("id") or self.new_id("prod")
        if key in self.products:
            raise Refused(400, f"Product {key} already exists.", "resource_already_exists")
        self.products[key] = {"object": "product", "active": True, **values, "id": key}
        return self.products[key]

    def make_price(self, values: Object) -> Object:
        if values["product"] not in self.products:
            raise Refused(400, f"No such product: {values['product']}", "resource_missing")
        for other in self.prices.values():
            if other["lookup_key"] == values.get("lookup_key"):
                if values.get("transfer_lookup_key") != "true":
                    raise Refused(400, "The lookup key is taken.")
                other["lookup_key"] = None
        price = {
            "id": self.new_id("price"),
            "object": "price",
            "active": True,
            "currency": values["currency"],
            "product": values["product"],
            "unit_amount": int(values["unit_amount"]),
            "recurring": {"interval": values["recurring"]["interval"], "interval_count": 1},
            "lookup_key": values.get("lookup_key"),
            "metadata": values.get("metadata", {}),
        }
        self.prices[price["id"]] = price
        return price

    # --- Subscriptions --------------------------------------------------------------------------------------

    def subscribe(self, customer: str, price_id: str, about: Object) -> Object:
        """Make a subscription as a finished checkout does: on trial, or paid at once."""
        price = self._price(price_id)
        trial_end = int(about["trial_end"]) if about.get("trial_end") else None
        end = trial_end or self.now + LENGTH[price["recurring"]["interval"]]
        subscription: Object = {
            "id": self.new_id("sub"),
            "object": "subscription",
            "customer": customer,
            "status": "trialing" if trial_end else "active",
            "created": self.now,
            "metadata": about.get("metadata", {}),
            "cancel_at_period_end": False,
            "cancel_at": None,
            "canceled_at": None,
            "trial_end": trial_end,
            "latest_invoice": None,
            "pending_update": None,
            "items": {"object": "list", "data": [], "has_more": False},
        }
        subscription["items"]["data"] = [
            {
                "id": self.new_id("si"),
                "object": "subscription_item",
                "price": price,
                "quantity": 1,
                "current_period_start": self.now,
                "current_period_end": end,
            }
        ]
        self.subscriptions[subscription["id"]] = subscription
        self.tell("customer.subscription.created", subscription)
        if not trial_end:
            self._charge(subscription, price["unit_amount"], f"1 × {price['product']}")
        return subscription

    def change(self, subscription: Object, values: Object) -> Object:
        """Apply an update: another price, charged or credited for the rest of the period; or an end taken or undone."""
        if subscription["status"] in ("canceled", "incomplete_expired"):
            raise Refused(400, "A canceled subscription can only update its cancellation_details.")
        if "cancel_at_period_end" in values:
            ends = values["cancel_at_period_end"] == "true"
            subscription["cancel_at_period_end"] = ends
            subscription["cancel_at"] = item_of(subscription)["current_period_end"] if ends else None
        for wanted in values.get("items", []):
            item = item_of(subscription)
            if wanted.get("id") != item["id"]:
                raise Refused(400, f"No such subscription item: {wanted.get('id')}", "resource_missing")
            lines, total, end = self.proration(subscription, wanted["price"])
            can_pay = subscription["customer"] in self.good_card
            if total > 0 and not can_pay:
                subscription["pending_update"] = {"subscription_items": [wanted]}
                self._charge(subscription, total, lines[-1][0])
                break
            item["price"] = self._price(wanted["price"])
            if end != item["current_period_end"]:
                item["current_period_start"], item["current_period_end"] = self.now, end
            if total and subscription["status"] != "trialing":
                self._charge(subscription, total, lines[-1][0])
        self.tell("customer.subscription.updated", subscription)
        return subscription

    def proration(self, subscription: Object, price_id: str) -> tuple[list[tuple[str, int]], int, int]:
        """Return (lines, total in cents, end of the period then) of a change made now."""
        item, price = item_of(subscription), self._price(price_id)
        if subscription["status"] == "trialing":
            return [], 0, item["current_period_end"]
        length = item["current_period_end"] - item["current_period_start"]
        share = max(0.0, (item["current_period_end"] - self.now) / length)
        credit = -round(item["price"]["unit_amount"] * share)
        is_other_interval = price["recurring"]["interval"] != item["price"]["recurring"]["interval"]
        charge = price["unit_amount"] if is_other_interval else round(price["unit_amount"] * share)
        end = (
            self.now + LENGTH[price["recurring"]["interval"]]
            if is_other_interval
            else item["current_period_end"]
        )
        lines = [
            (f"Unused time on {item['price']['product']}", credit),
            (f"Remaining time on {price['product']}", charge),
        ]
        return lines, credit + charge, end

    def cancel(self, subscription: Object) -> Object:
        subscription["status"], subscription["canceled_at"] = "canceled", self.now
        self.tell("customer.subscription.deleted", subscription)
        return subscription

    # --- Time and money -------------------------------------------------------------------------------------

    def advance(self, seconds: int) -> None:
        """Move the clock, hour by hour of what is due: renewals, ends of trials, further tries of payments."""
        target = self.now + seconds
        while True:
            due = [
                (when, subscription)
                for subscription in self.subscriptions.values()
                if (when := self._next(subscription)) is not None and when <= target
            ]
            if not due:
                break
            self.now, subscription = min(due, key=lambda pair: pair[0])
            self._turn(subscription)
        self.now = target

    def pay(self, invoice: Object) -> None:
        """Pay an open invoice with the card that the customer has now."""
        subscription = self.subscriptions[invoice["subscription"]]
        if invoice["customer"] not in self.good_card:
            raise Refused(402, "Your card was declined.", "card_declined", "card_error")
        self._settle(subscription, invoice)

    def _next(self, subscription: Object) -> int | None:
        if subscription["status"] in ("canceled", "incomplete_expired", "unpaid"):
            return None
        if subscription["status"] == "past_due":
            return int(self.invoices[subscription["latest_invoice"]]["next_payment_attempt"])
        end: int = item_of(subscription)["current_period_end"]
        if subscription["status"] == "trialing" and not subscription.get("reminded"):
            return end - 3 * DAY
        return end

    def _turn(self, subscription: Object) -> None:
        item = item_of(subscription)
        if subscription["status"] == "past_due":
            invoice = self.invoices[subscription["latest_invoice"]]
            self._try(subscription, invoice)
        elif self.now < item["current_period_end"]:
            subscription["reminded"] = True
            self.tell("customer.subscription.trial_will_end", subscription)
        elif subscription["cancel_at_period_end"]:
            self.cancel(subscription)
        else:
            item["current_period_start"] = item["current_period_end"]
            item["current_period_end"] += LENGTH[item["price"]["recurring"]["interval"]]
            subscription["status"] = "active"
            self._charge(subscription, item["price"]["unit_amount"], f"1 × {item['price']['product']}")
            self.tell("customer.subscription.updated", subscription)

    def _charge(self, subscription: Object, cents: int, text: str) -> None:
        number = self.new_id("in")
        invoice: Object = {
            "id": number,
            "object": "invoice",
            "number": f"ST-{number[-4:]}",
            "customer": subscription["customer"],
            "subscription": subscription["id"],
            "parent": {"subscription_details": {"subscription": subscription["id"]}},
            "created": self.now,
            "status": "open",
            "total": cents,
            "amount_due": max(0, cents),
            "attempt_count": 0,
            "next_payment_attempt": None,
            "hosted_invoice_url": f"/invoice/{number}",
            "invoice_pdf": f"/invoice/{number}.pdf",
            "lines": {"object": "list", "data": [{"description": text, "amount": cents}], "has_more": False},
        }
        self.invoices[number] = invoice
        subscription["latest_invoice"] = number
        self.tell("invoice.finalized", invoice)
        self._try(subscription, invoice)

    def _try(self, subscription: Object, invoice: Object) -> None:
        invoice["attempt_count"] += 1
        if invoice["amount_due"] == 0 or invoice["customer"] in self.good_card:
            self._settle(subscription, invoice)
        elif invoice["attempt_count"] > RETRIES:
            invoice["status"], invoice["next_payment_attempt"] = "uncollectible", None
            self.cancel(subscription)
        else:
            invoice["next_payment_attempt"] = self.now + RETRY_EVERY
            if not subscription["pending_update"]:
                subscription["status"] = "past_due"
            self.tell("invoice.payment_failed", invoice)
            self.tell("customer.subscription.updated", subscription)

    def _settle(self, subscription: Object, invoice: Object) -> None:
        invoice["status"], invoice["next_payment_attempt"] = "paid", None
        self.tell("invoice.paid", invoice)
        pending = subscription["pending_update"]
        if pending:
            subscription["pending_update"] = None
            item_of(subscription)["price"] = self._price(pending["subscription_items"][0]["price"])
        if subscription["status"] == "past_due" or pending:
            subscription["status"] = "active"
            self.tell("customer.subscription.updated", subscription)

    def _price(self, key: str) -> Object:
        if key not in self.prices:
            raise Refused(400, f"No such price: {key}", "resource_missing")
        return self.prices[key]


def item_of(subscription: Object) -> Object:
    """Return a subscription's only item."""
    item: Object = subscription["items"]["data"][0]
    return item


def _copy(thing: Any) -> Any:
    if isinstance(thing, dict):
        return {key: _copy(value) for key, value in thing.items()}
    return [_copy(each) for each in thing] if isinstance(thing, list) else thing
