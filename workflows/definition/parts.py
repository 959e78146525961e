"""A definition taken apart into steps and the lists they stand in, and put together again; for diff and merge."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from workflows.definition.schema import Definition

Slot = tuple[str, str]
"""Where a list of steps hangs: (id of the block, "" for the workflow itself; "steps", "otherwise", "on_error" or
"branches.<name>")."""

ROOT: Slot = ("", "steps")
HERE = (
    "\x00steps"  # stands in a step's fields where its list of steps was; no author can write this character
)
TOP_LEVEL = ("version", "inputs", "output", "settings")


class DoubleName(ValueError):
    """Two steps share an id, or two branches of one step a name, so parts cannot be told apart."""


@dataclass(slots=True)
class Parts:
    """steps: id -> its own fields, without the steps inside it. lists: slot -> ids in order. slot_of: id -> slot."""

    top: dict[str, Any] = field(default_factory=dict)
    steps: dict[str, dict[str, Any]] = field(default_factory=dict)
    lists: dict[Slot, list[str]] = field(default_factory=dict)
    slot_of: dict[str, Slot] = field(default_factory=dict)


def take_apart(definition: Definition | Mapping[str, Any]) -> Parts:
    """Return the parts of a definition (or of its data, which must have the right shape). Raises DoubleName."""
    data = definition.to_data() if isinstance(definition, Definition) else definition
    parts = Parts({key: data[key] for key in TOP_LEVEL if key in data})
    if "steps" in data:
        _take_list(parts, ROOT, data["steps"])
    return parts


def put_together(parts: Parts) -> dict[str, Any]:
    """Return the definition's data. Steps whose list nobody holds are left out; see `reachable`."""
    data = dict(parts.top)
    if ROOT in parts.lists:
        data["steps"] = _steps_of(parts, ROOT)
    return data


def reachable(parts: Parts) -> set[str]:
    """Return the ids of the steps that `put_together` would place."""
    found: set[str] = set()
    open_slots = [ROOT]
    while open_slots:
        for step_id in parts.lists.get(open_slots.pop(), ()):
            if step_id not in found and step_id in parts.steps:
                found.add(step_id)
                open_slots += [(step_id, slot) for slot in _held_slots(parts.steps[step_id])]
    return found


def _take_list(parts: Parts, slot: Slot, steps: list[dict[str, Any]]) -> None:
    parts.lists[slot] = []
    for step in steps:
        step_id = step["id"]
        if step_id in parts.steps:
            raise DoubleName(step_id)
        parts.lists[slot].append(step_id)
        parts.slot_of[step_id] = slot
        own = parts.steps[step_id] = {}
        for key, value in step.items():
            if key == "branches" and isinstance(value, list):
                own["branches"] = [branch["name"] for branch in value]
                if len(set(own["branches"])) != len(value):
                    raise DoubleName(step_id)
                for branch in value:
                    own[f"branches.{branch['name']}"] = {
                        k: v for k, v in branch.items() if k not in {"name", "steps"}
                    }
                    _take_list(parts, (step_id, f"branches.{branch['name']}"), branch["steps"])
            elif key in {"steps", "otherwise", "on_error"} and isinstance(value, list):
                own[key] = HERE
                _take_list(parts, (step_id, key), value)
            else:
                own[key] = value


def _held_slots(own: Mapping[str, Any]) -> list[str]:
    held = [key for key in ("steps", "otherwise", "on_error") if own.get(key) == HERE]
    return held + [f"branches.{name}" for name in own.get("branches") or ()]


def _steps_of(parts: Parts, slot: Slot) -> list[dict[str, Any]]:
    return [_step_of(parts, step_id) for step_id in parts.lists.get(slot, ()) if step_id in parts.steps]


def _step_of(parts: Parts, step_id: str) -> dict[str, Any]:
    step: dict[str, Any] = {}
    for key, value in parts.steps[step_id].items():
        if key == "branches":
            step["branches"] = [
                {
                    "name": name,
                    **parts.steps[step_id].get(f"branches.{name}", {}),
                    "steps": _steps_of(parts, (step_id, f"branches.{name}")),
                }
                for name in value
            ]
        elif key.startswith("branches."):
            continue
        else:
            step[key] = _steps_of(parts, (step_id, key)) if value == HERE else value
    return step


def same_json(left: Any, right: Any) -> bool:
    """Return whether two values are the same JSON: unlike Python, 1, 1.0 and true are three things."""
    return bool(left == right) and (
        isinstance(left, str)
        or json.dumps(left, sort_keys=True, default=id) == json.dumps(right, sort_keys=True, default=id)
    )
