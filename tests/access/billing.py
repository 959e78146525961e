"""Who may open the pages of the billing app: owners and admins see usage; payment is the owner's alone."""

from __future__ import annotations

from tests.access import MANAGERS, OWNERS, Rule

RULES: dict[str, Rule] = {
    "overview": Rule(allow=MANAGERS),
    "usage-csv": Rule(allow=MANAGERS),
    "checkout": Rule(
        allow=OWNERS, method="POST", data={"plan": "STARTER", "interval": "month", "attempt": "a"}
    ),
    "checkout-done": Rule(allow=OWNERS),
    "portal": Rule(allow=OWNERS, method="POST"),
    "change": Rule(allow=OWNERS),
    "cancellation": Rule(allow=OWNERS),
    "resumption": Rule(allow=OWNERS, method="POST"),
    "invoices": Rule(allow=OWNERS),
}
