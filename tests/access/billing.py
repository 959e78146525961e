"""Who may open the pages of the billing app: owners and admins see usage; payment is the owner's alone."""

from __future__ import annotations

from tests.access import MANAGERS, Rule

RULES: dict[str, Rule] = {
    "overview": Rule(allow=MANAGERS),
    "usage-csv": Rule(allow=MANAGERS),
}
