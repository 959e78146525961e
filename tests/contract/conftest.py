"""Collects what the contract tests found, for the table at the end."""

from __future__ import annotations

from collections import defaultdict

import pytest

FOUND: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))


@pytest.fixture
def found() -> dict[str, dict[str, set[str]]]:
    """provider slug -> "validated" | "exceptions" -> keys or texts."""
    return FOUND


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if not FOUND:
        return
    from integrations.framework import registry

    terminalreporter.section("contract: our requests against the vendors' descriptions")
    terminalreporter.write_line(
        f"{'provider':<18}{'operations':>11}{'triggers':>10}{'validated':>11}  exceptions"
    )
    for slug in sorted(FOUND):
        connector = registry.get(slug)
        notes = sorted(FOUND[slug]["exceptions"])
        terminalreporter.write_line(
            f"{slug:<18}{len(connector.actions):>11}{len(connector.triggers):>10}"
            f"{len(FOUND[slug]['validated']):>11}  {len(notes) or '-'}"
        )
        for note in notes:
            terminalreporter.write_line(f"    {note}")
