"""Saved tests that mean something: turning a condition of a template around must make one of its tests fail."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import pytest

from templates_lib import official, trial

TEMPLATES = official.read_all()
CONDITIONS = ("if", "when", "where", "until")


def turned_around(value: Any, place: str = "") -> Iterator[tuple[str, Any]]:
    """Yield (place, holder and key) of every condition."""
    if isinstance(value, dict):
        for key, part in value.items():
            if key in CONDITIONS and isinstance(part, dict):
                yield f"{place}.{value.get('id') or value.get('name')}.{key}", (value, key)
            yield from turned_around(part, f"{place}.{key}")
    elif isinstance(value, list):
        for index, part in enumerate(value):
            yield from turned_around(part, f"{place}[{index}]")


@pytest.mark.parametrize("entry", TEMPLATES, ids=lambda entry: entry["slug"])
def test_turning_a_condition_around_is_noticed(entry):
    unnoticed = []
    for number, (place, _where) in enumerate(turned_around(entry["definition"])):
        changed = copy.deepcopy(entry)
        holder, key = list(turned_around(changed["definition"]))[number][1]
        holder[key] = {"not": holder[key]}
        if not any(trial.failures(changed, saved) for saved in changed["tests"]):
            unnoticed.append(place)
    assert unnoticed == []
