"""What was used, what was bought, and what Stripe told us."""

from billing.models.payment import BillingGrant, BillingNotice, StripeEvent, Subscription
from billing.models.usage import UsageEntry, UsageMetric, UsageRecord

__all__ = [
    "BillingGrant",
    "BillingNotice",
    "StripeEvent",
    "Subscription",
    "UsageEntry",
    "UsageMetric",
    "UsageRecord",
]
