"""Changes of a draft, one function each: they take a document and return a new one; what was handed in stays as it is.

A place is a slot and the id of the step before it ("" for the beginning of the list), so that it keeps its meaning when
somebody else adds or removes steps elsewhere. All raise NotThere for what is gone, and Refused for what makes no sense.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from workflows.definition import limits
from workflows.definition.jsontext import read_json
from workflows.definition.parts import Slot
from workflows.definition.problems import DefinitionInvalid
from workflows.definition.schema import STEP_MODELS
from workflows.definition.shapes import IDENTIFIER
from workflows.definition.wording import gettext as _
from workflows.drafting.places import (
    Document,
    NotThere,
    Refused,
    Step,
    fault,
    find,
    lanes,
    spots,
    step_ids,
    steps_at,
)
from workflows.drafting.references import renamed

DIRECTIONS = ("up", "down", "into", "out")


@dataclass(frozen=True, slots=True)
class Changed:
    """The new document, and the step that the change is about ("" when it is gone)."""

    document: Document
    step_id: str = ""


def add(document: Document, step: Step, slot: Slot, after: str = "") -> Changed:
    """Put a new step into a list; its id gets a number when it is taken."""
    document = deepcopy(document)
    (made,) = with_fresh_ids([step], step_ids(document))
    _insert(document, [made], slot, after)
    return Changed(document, made["id"])


def paste(document: Document, text: str, slot: Slot, after: str = "") -> Changed:
    """Put copied steps into a list. text: JSON of a step, a list of steps or a definition."""
    document = deepcopy(document)
    steps = with_fresh_ids(read_steps(text), step_ids(document))
    _insert(document, steps, slot, after)
    return Changed(document, steps[0]["id"])


def duplicate(document: Document, step_id: str) -> Changed:
    """Put a copy of a step, with all inside it, right behind it. References within the copy stay within it."""
    document = deepcopy(document)
    spot = find(document, step_id)
    (made,) = with_fresh_ids([deepcopy(spot.step)], step_ids(document))
    if made.get("name"):
        made["name"] = _("{name} (copy)").format(name=made["name"][: limits.MAX_NAME_LENGTH - 12])
    _insert(document, [made], spot.slot, step_id)
    return Changed(document, made["id"])


def move(document: Document, step_id: str, slot: Slot, after: str = "") -> Changed:
    """Move a step with all inside it to another place."""
    document = deepcopy(document)
    spot = find(document, step_id)
    if after == step_id:
        return Changed(document, step_id)
    inside = {each.id for each in spots({"steps": [spot.step]})}
    if slot[0] in inside:
        raise Refused(_("A step cannot be moved into itself."))
    target = steps_at(document, slot)
    del spot.siblings[spot.index]
    _insert_into(target, [spot.step], after)
    _tidy(document)
    _check_depth(document)
    return Changed(document, step_id)


def nudge(document: Document, step_id: str, direction: str) -> Changed:
    """Move a step by one place: up, down, into the block before it, or out of its own. Raises Refused at the edge."""
    place = destination(document, step_id, direction)
    if place is None:
        words = {
            "into": _("There is no block right before this step."),
            "out": _("This step is in no block."),
        }
        raise Refused(words.get(direction, _("It cannot move any further.")))
    return move(document, step_id, *place)


def destination(document: Document, step_id: str, direction: str) -> tuple[Slot, str] | None:
    """Return the place one further in a direction, None at the edge. Up and down also cross the edges of lanes."""
    spot = find(document, step_id)
    before = [str(step["id"]) for step in spot.siblings[: spot.index]]
    later = spot.siblings[spot.index + 1 :]
    if direction == "into":
        return _last_place_in(spot.siblings[spot.index - 1]) if before else None
    if direction == "up" and before:
        return spot.slot, before[-2] if len(before) > 1 else ""
    if direction == "down" and later:
        return spot.slot, str(later[0]["id"])
    if not spot.slot[0] or direction not in DIRECTIONS:
        return None
    parent = find(document, spot.slot[0])
    names = [name for name, _steps in lanes(parent.step)]
    here = names.index(spot.slot[1])
    if direction == "up" and here > 0:
        steps = dict(lanes(parent.step))[names[here - 1]]
        return (parent.id, names[here - 1]), str(steps[-1]["id"]) if steps else ""
    if direction == "down" and here + 1 < len(names):
        return (parent.id, names[here + 1]), ""
    if direction == "up":
        return parent.slot, str(parent.siblings[parent.index - 1]["id"]) if parent.index else ""
    return parent.slot, parent.id


def switch(document: Document, step_id: str, *, disabled: bool) -> Changed:
    """Switch a step off, or on again."""
    document = deepcopy(document)
    step = find(document, step_id).step
    step.pop("disabled", None)
    if disabled:
        step["disabled"] = True
    return Changed(document, step_id)


def remove(document: Document, step_id: str) -> Changed:
    """Delete a step with all inside it."""
    document = deepcopy(document)
    spot = find(document, step_id)
    del spot.siblings[spot.index]
    _tidy(document)
    return Changed(document)


def replace(document: Document, step_id: str, step: Step) -> Changed:
    """Put `step` in the place of the one with this id; a new id is followed by every reference to the old one."""
    document = deepcopy(document)
    spot = find(document, step_id)
    new_id = str(step["id"])
    if new_id != step_id:
        if not IDENTIFIER.fullmatch(new_id) or len(new_id) > limits.MAX_ID_LENGTH:
            raise Refused(_("Use small letters, digits and underscores, and start with a letter."))
        if new_id in step_ids(document):
            raise Refused(_("Another step has this short name already."))
    spot.siblings[spot.index] = deepcopy(step)
    if new_id != step_id:
        document = renamed(document, {step_id: new_id})
    return Changed(document, new_id)


def add_lane(document: Document, step_id: str) -> Changed:
    """Add one more way to a branch or parallel step, behind the others."""
    document = deepcopy(document)
    step = find(document, step_id).step
    if not isinstance(step.get("branches"), list):
        raise Refused(_("This step has no branches."))
    if len(step["branches"]) >= limits.MAX_BRANCHES:
        raise Refused(_("A step may have {count} branches at most.").format(count=limits.MAX_BRANCHES))
    name = free_name("way_1", {branch["name"] for branch in step["branches"]})
    # A new branch has no condition yet: publishing asks for one, where an empty comparison would silently hold.
    step["branches"].append({"name": name, "steps": []})
    return Changed(document, step_id)


def remove_lane(document: Document, step_id: str, name: str) -> Changed:
    """Delete one way of a branch or parallel step with all inside it; the last one stays."""
    document = deepcopy(document)
    step = find(document, step_id).step
    branches = step.get("branches") if isinstance(step.get("branches"), list) else []
    kept = [branch for branch in branches if branch["name"] != name]  # type: ignore[union-attr]
    if len(kept) == len(branches):  # type: ignore[arg-type]
        raise NotThere(_("This branch is no longer there."))
    if not kept:
        raise Refused(_("The last branch stays. Delete the whole step instead."))
    step["branches"] = kept
    return Changed(document, step_id)


def move_lane(document: Document, step_id: str, name: str, by: int) -> Changed:
    """Move one way of a branch or parallel step by so many places; the order of a branch step decides."""
    document = deepcopy(document)
    branches = find(document, step_id).step.get("branches")
    names = [branch["name"] for branch in branches] if isinstance(branches, list) else []
    if name not in names:
        raise NotThere(_("This branch is no longer there."))
    index = names.index(name)
    to = min(max(index + by, 0), len(names) - 1)
    branches.insert(to, branches.pop(index))  # type: ignore[union-attr]
    return Changed(document, step_id)


def read_steps(text: str) -> list[Step]:
    """Return the steps that a text holds as JSON: one, a list, or those of a definition. Raises Refused."""
    try:
        value = read_json(text)
    except DefinitionInvalid as error:
        raise Refused(_("This is not JSON: {fault}").format(fault=error.problems[0].message)) from None
    if isinstance(value, dict) and "type" not in value and isinstance(value.get("steps"), list):
        value = value["steps"]
    steps = value if isinstance(value, list) else [value]
    if not steps:
        raise Refused(_("There are no steps in it."))
    steps = _with_ids(steps)
    if sentence := fault({"steps": steps}):
        raise Refused(sentence)
    for spot in spots({"steps": steps}):
        if spot.step["type"] not in STEP_MODELS:
            raise Refused(_("There is no step type “{type}”.").format(type=spot.step["type"][:80]))
    return steps


def with_fresh_ids(steps: list[Step], taken: Iterable[str]) -> list[Step]:
    """Return copies of steps whose ids are free; references between them follow."""
    used, names = set(taken), {}
    for spot in spots({"steps": steps}):
        names[spot.id] = free_name(spot.id, used)
        used.add(names[spot.id])
    made = renamed(deepcopy(steps), names)
    for spot in spots({"steps": made}):
        spot.step["id"] = names[spot.id]
    return made


def free_name(wished: str, taken: Iterable[str]) -> str:
    """Return `wished` as an identifier, with a number when it is taken."""
    base = re.sub(r"[^a-z0-9_]+", "_", wished.lower()).strip("_") or "step"
    base = (base if base[0].isalpha() else f"step_{base}")[: limits.MAX_ID_LENGTH - 5]
    taken = set(taken)
    if base not in taken:
        return base
    stem, number = re.sub(r"_\d+$", "", base), 2
    while f"{stem}_{number}" in taken:
        number += 1
    return f"{stem}_{number}"


def _with_ids(steps: list[Any]) -> list[Any]:
    """Name the steps that came without an id, so that a step copied from a text can be pasted."""
    if all(isinstance(step, dict) and step.get("id") for step in steps):
        return steps
    used: set[str] = {str(step.get("id")) for step in steps if isinstance(step, dict)}
    named = []
    for step in steps:
        if isinstance(step, dict) and not step.get("id"):
            step = {"id": free_name(str(step.get("type") or "step"), used), **step}
            used.add(step["id"])
        named.append(step)
    return named


def _insert(document: Document, steps: list[Step], slot: Slot, after: str) -> None:
    _insert_into(steps_at(document, slot), steps, after)
    if len(step_ids(document)) > limits.MAX_STEPS:
        raise Refused(_("A workflow may have {count} steps at most.").format(count=limits.MAX_STEPS))
    _check_depth(document)


def _insert_into(target: list[Step], steps: list[Step], after: str) -> None:
    index = 0
    if after:
        found = [number for number, step in enumerate(target) if step["id"] == after]
        if not found:
            raise NotThere(_("The step before this place is no longer there. Look again, then repeat it."))
        index = found[0] + 1
    target[index:index] = steps


def _last_place_in(step: Step) -> tuple[Slot, str] | None:
    ways = [(name, steps) for name, steps in lanes(step) if name != "on_error"]
    if not ways:
        return None
    name, steps = ways[0]
    return (str(step["id"]), name), str(steps[-1]["id"]) if steps else ""


def _tidy(document: Document) -> None:
    # An “otherwise” or error lane without steps is none; the editor offers an empty one by itself.
    for spot in list(spots(document)):
        if spot.step.get("otherwise") == []:
            del spot.step["otherwise"]


def _check_depth(document: Document) -> None:
    if any(spot.depth > limits.MAX_DEPTH for spot in spots(document)):
        raise Refused(_("Blocks may be nested {count} deep at most.").format(count=limits.MAX_DEPTH))
