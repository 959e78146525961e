"""Our price list at Stripe: found by keys of ours, never by ids in code."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.core.cache import cache
from django.utils.translation import gettext as _

from billing.models import Subscription
from billing.plans import CURRENCY, PLANS, Plan
from billing.stripe_client import PaymentRefused, client, idempotent, in_plain_words

INTERVALS = tuple(Subscription.Interval.values)
CACHE_KEY, CACHE_SECONDS = "stripe-prices", 3600


@dataclass(frozen=True, slots=True)
class WantedPrice:
    """One line of the price list: what Stripe has to have."""

    plan: Plan
    interval: str

    @property
    def lookup_key(self) -> str:
        return f"steward_{self.plan.code.lower()}_{self.interval}"

    @property
    def cents(self) -> int:
        return self.plan.yearly_cents if self.interval == "year" else self.plan.monthly_cents


def wanted_prices() -> list[WantedPrice]:
    """Return every plan in every interval."""
    return [WantedPrice(plan, interval) for plan in PLANS.values() for interval in INTERVALS]


def product_id(plan: Plan) -> str:
    """Return the id of the plan's product at Stripe: ours to choose, so that making it twice is refused."""
    return f"steward_{plan.code.lower()}"


def plan_of_price(price: dict[str, Any]) -> str | None:
    """Return the code of the plan that a price of Stripe's belongs to; older prices of a plan stay its own."""
    product = price.get("product")
    product = product.get("id") if isinstance(product, dict) else product
    return next((code for code, plan in PLANS.items() if product_id(plan) == product), None)


def price_id(plan: Plan, interval: str) -> str:
    """Return Stripe's id of what a plan costs now. Raises PaymentRefused when the price list was not synchronised."""
    found: dict[str, str] = cache.get(CACHE_KEY) or {}
    key = WantedPrice(plan, interval).lookup_key
    if key not in found:
        found = {each_key: price["id"] for each_key, price in _at_stripe().items()}
        cache.set(CACHE_KEY, found, CACHE_SECONDS)
    if key not in found:
        raise PaymentRefused(_("This plan cannot be bought yet: its price is not set up. We have been told."))
    return found[key]


def synchronise(*, dry_run: bool = False) -> list[str]:
    """Make the products and prices that are missing or cost something else now; return a sentence for each change.

    Safe to repeat. Who subscribed at an older price keeps it.
    """
    existing, done, made = _at_stripe(), [], set[str]()
    for wanted in wanted_prices():
        price = existing.get(wanted.lookup_key)
        if price and price["unit_amount"] == wanted.cents and price["currency"] == CURRENCY:
            continue
        product = product_id(wanted.plan)
        if plan_of_price(price or {}) is None and product not in made:
            done.append(f"product {product}")
            made.add(product)
            if not dry_run:
                _make_product(wanted.plan)
        done.append(f"price {wanted.lookup_key}: {wanted.cents / 100:.2f} {CURRENCY} a {wanted.interval}")
        if not dry_run:
            _make_price(wanted)
    cache.delete(CACHE_KEY)
    return done


def _at_stripe() -> dict[str, dict[str, Any]]:
    keys = [wanted.lookup_key for wanted in wanted_prices()]
    with in_plain_words():
        found = client().v1.prices.list({"lookup_keys": keys, "active": True, "limit": 100})
    return {str(price.lookup_key): price.to_dict() for price in found.data}


def _make_product(plan: Plan) -> None:
    import stripe

    parameters: Any = {
        "id": product_id(plan),
        "name": f"Steward {plan.name}",
        "metadata": {"plan": plan.code},
    }
    try:
        client().v1.products.create(parameters, idempotent(f"product:{plan.code}", parameters))
    except stripe.InvalidRequestError as error:
        if error.code != "resource_already_exists":
            raise


def _make_price(wanted: WantedPrice) -> None:
    parameters: Any = {
        "currency": CURRENCY,
        "product": product_id(wanted.plan),
        "unit_amount": wanted.cents,
        "recurring": {"interval": wanted.interval},
        "lookup_key": wanted.lookup_key,
        "transfer_lookup_key": True,
        "metadata": {"plan": wanted.plan.code},
    }
    client().v1.prices.create(parameters, idempotent(f"price:{wanted.lookup_key}", parameters))
