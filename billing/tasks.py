"""Background jobs of the billing app."""

from __future__ import annotations

from procrastinate import RetryStrategy
from procrastinate.contrib.django import app

from billing.stripe_events import work_on

# 5 s, 15 s, 45 s, ... for about a day; after that the nightly reconciliation repairs what is missing.
PATIENCE = RetryStrategy(max_attempts=10, exponential_wait=3, wait=5)


@app.task(name="billing.handle_stripe_event", queue="billing", retry=PATIENCE)
def handle(event_id: str) -> None:
    """Work on one stored event of Stripe's."""
    work_on(event_id)
