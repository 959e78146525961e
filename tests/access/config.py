"""Who may open what belongs to no domain."""

from __future__ import annotations

from tests.access import PUBLIC, Rule

RULES: dict[str, Rule] = {
    "health-live": PUBLIC,
    "health-ready": PUBLIC,
}
