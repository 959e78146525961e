"""Stripe, as far as our billing uses it: stateful, over HTTP, on a clock that tests move.

It keeps customers, prices, subscriptions and invoices, honours idempotency keys, shows a checkout and a portal page,
signs its events, and validates each request against the vendor's description where that is at hand (`../shared`).
Written for this project: the kept fake `localstripe` has no prices, checkout, portal, clocks or idempotency.
"""

from tests.stripe_server.server import StripeServer

__all__ = ["StripeServer"]
