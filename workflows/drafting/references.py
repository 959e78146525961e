"""References between steps (`steps.<id>`) in the texts of a draft: found, renamed, told when a change breaks them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from workflows.drafting.places import Document, Spot, Step, spots

_REFERENCE = re.compile(r"""\bsteps(?:\.([a-z][a-z0-9_]*)|\[\s*["']([a-z][a-z0-9_]*)["']\s*\])""")
_LIQUID = re.compile(r"\{\{.*?\}\}|\{%.*?%\}", re.DOTALL)
_LANE_KEYS = frozenset({"steps", "otherwise", "on_error"})


@dataclass(frozen=True, slots=True)
class Broken:
    """A reference that holds no longer: the step with this id and name refers to the step `target`."""

    step_id: str
    name: str
    target: str


def own_fields(step: Step) -> dict[str, Any]:
    """Return the fields of a step without the steps inside it."""
    own = {key: value for key, value in step.items() if not (key in _LANE_KEYS and isinstance(value, list))}
    if isinstance(step.get("branches"), list):
        own["branches"] = [
            {key: value for key, value in branch.items() if key != "steps"} for branch in step["branches"]
        ]
    return own


def referred(value: Any) -> Iterator[str]:
    """Yield the id of every step that the Liquid in a JSON value names."""
    if isinstance(value, str):
        for liquid in _LIQUID.findall(value):
            for dotted, quoted in _REFERENCE.findall(liquid):
                yield dotted or quoted
    elif isinstance(value, dict):
        for each in value.values():
            yield from referred(each)
    elif isinstance(value, list):
        for each in value:
            yield from referred(each)


def renamed(value: Any, names: Mapping[str, str]) -> Any:
    """Return a JSON value in which the Liquid names steps by their new ids. names: old id -> new id."""
    if isinstance(value, str):
        return _LIQUID.sub(lambda liquid: _renamed_liquid(liquid[0], names), value) if "{" in value else value
    if isinstance(value, dict):
        return {key: renamed(each, names) for key, each in value.items()}
    return [renamed(each, names) for each in value] if isinstance(value, list) else value


def _renamed_liquid(text: str, names: Mapping[str, str]) -> str:
    def new(match: re.Match[str]) -> str:
        old = match[1] or match[2]
        return match[0].replace(old, names[old]) if old in names and old != "steps" else match[0]

    return _REFERENCE.sub(new, text)


def broken(document: Document) -> set[Broken]:
    """Return every reference to a step that is not there, is switched off or does not run before."""
    by_id = {spot.id: spot for spot in spots(document)}
    found = set()
    for spot in by_id.values():
        for target in referred(own_fields(spot.step)):
            if target not in by_id or not runs_before(by_id[target], spot):
                found.add(Broken(spot.id, str(spot.step.get("name") or ""), target))
    return found


def newly_broken(before: Document, after: Document) -> list[Broken]:
    """Return the references that a change broke, by step."""
    known = {(each.step_id, each.target) for each in broken(before)}
    lost = [each for each in broken(after) if (each.step_id, each.target) not in known]
    return sorted(lost, key=lambda each: (each.step_id, each.target))


def runs_before(target: Spot, user: Spot) -> bool:
    """Return whether a step can have run, and have one result, when another one starts."""
    if target.step.get("disabled") is True:
        return False
    for level, (own, other) in enumerate(zip(target.path, user.path, strict=False)):
        if own == other:
            continue
        if own[0] != other[0] or own[1] > other[1]:
            return False  # on another way of the same block, or further down
        # Rounds of a loop have many results: from outside there is no "the" result of a step within.
        return not any(slot[1] == "steps" for slot, _index in target.path[level + 1 :])
    return False  # one stands inside the other
