"""Collects what the contract tests found, for the table at the end."""

from __future__ import annotations

from collections import defaultdict

import pytest

FOUND: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))


@pytest.fixture
def found() -> dict[str, dict[str, set[str]]]:
    """provider slug -> "validated" | "exceptions" | "undescribed" -> keys or texts."""
    return FOUND


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if not FOUND:
        return
    from integrations.framework import registry

    terminalreporter.section("contract: our requests against the vendors' descriptions")
    terminalreporter.write_line(
        f"{'provider':<18}{'operations':>11}{'triggers':>10}{'validated':>11}  exceptions"
    )
    totals = [0, 0, 0, 0]
    for slug in sorted(FOUND):
        connector = registry.get(slug)
        if "undescribed" in FOUND[slug]:
            figures = f"{slug:<18}{len(connector.actions):>11}{len(connector.triggers):>10}{'-':>11}"
            terminalreporter.write_line(f"{figures}  {', '.join(FOUND[slug]['undescribed'])}")
            continue
        counts = (1, len(connector.actions), len(connector.triggers), len(FOUND[slug]["validated"]))
        totals = [total + count for total, count in zip(totals, counts, strict=True)]
        notes = sorted(FOUND[slug]["exceptions"])
        terminalreporter.write_line(
            f"{slug:<18}{len(connector.actions):>11}{len(connector.triggers):>10}"
            f"{len(FOUND[slug]['validated']):>11}  {len(notes) or '-'}"
        )
        for note in notes:
            terminalreporter.write_line(f"    {note}")
    terminalreporter.write_line(
        f"{f'{totals[0]} described':<18}{totals[1]:>11}{totals[2]:>10}{totals[3]:>11}"
    )
