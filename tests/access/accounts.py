"""Who may open the pages of the accounts app."""

from __future__ import annotations

from tests.access import Rule

RULES: dict[str, Rule] = {}
