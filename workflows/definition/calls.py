"""Which workflows a definition starts, and circles in which workflows would start one another for ever."""

from __future__ import annotations

from collections.abc import Mapping, Set
from typing import Any


def callees_of(definition: Any) -> set[str]:
    """Return the ids of the workflows that a definition (JSON data, faulty or not) starts by a step or as a tool."""
    found: set[str] = set()
    waiting = [definition]
    while waiting:
        value = waiting.pop()
        if isinstance(value, list):
            waiting += value
        elif isinstance(value, dict):
            is_call = value.get("type") == "workflow" and "id" in value
            is_tool = value.get("type") == "ai"
            if is_call and isinstance(value.get("workflow"), str) and not value.get("disabled"):
                found.add(value["workflow"])
            if is_tool:
                tools = value.get("tools") if isinstance(value.get("tools"), list) else []
                found |= {
                    each["workflow"]
                    for each in tools or []
                    if isinstance(each, dict) and each.get("workflow")
                }
            waiting += [
                child for key, child in value.items() if key in ("steps", "branches", "otherwise", "on_error")
            ]
    return found


def chain_back(first: str, own_id: str, calls: Mapping[str, Set[str]]) -> list[str] | None:
    """Return the shortest chain of ids from `first` to `own_id`, both named, or None when nothing leads back.

    calls: workflow id -> ids of those that it starts.
    """
    before: dict[str, str] = {first: ""}
    reached = [first]
    for identifier in reached:
        for following in sorted(calls.get(identifier, ())):
            if following == own_id:
                chain = [own_id]
                while identifier:
                    chain.append(identifier)
                    identifier = before[identifier]
                return chain[::-1]
            if following not in before:
                before[following] = identifier
                reached.append(following)
    return None
