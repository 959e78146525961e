"""Who may open the pages of the templates_lib app."""

from __future__ import annotations

from tests.access import Rule

RULES: dict[str, Rule] = {}
