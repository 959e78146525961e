"""Who may open what belongs to no domain."""

from __future__ import annotations

from tests.access import PUBLIC, Rule

RULES: dict[str, Rule] = {
    "cron-job": PUBLIC,  # by its own secret
    "health-live": PUBLIC,
    "help": PUBLIC,
    "health-ready": PUBLIC,
    "metrics": PUBLIC,  # by its own token
    "stripe-webhook": PUBLIC,  # by its signature
}
