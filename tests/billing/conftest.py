"""A Stripe to talk to, with our price list in it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.core.cache import cache

from billing.prices import synchronise
from tests.stripe_server import StripeServer
from tests.stripe_server.server import KEY, SECRET


@pytest.fixture
def stripe(settings: Any) -> Iterator[StripeServer]:
    """A running stand-in that our client is pointed at."""
    server = StripeServer()
    settings.STRIPE_SECRET_KEY, settings.STRIPE_WEBHOOK_SECRET = KEY, SECRET
    settings.STRIPE_API_BASE = server.url
    yield server
    server.close()


@pytest.fixture
def shop(stripe: StripeServer, db: None) -> StripeServer:
    """The stand-in with our plans for sale."""
    cache.clear()
    synchronise()
    return stripe
