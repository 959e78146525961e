"""Who may open the pages of the billing app."""

from __future__ import annotations

from tests.access import Rule

RULES: dict[str, Rule] = {}
