"""Where the steps of a draft stand. A draft may be faulty, so these walks read JSON data, not parsed definitions.

A *document* is a definition with its triggers in it (workflows.draft_text). A *slot* names one list of steps:
(id of the block, "" for the workflow; "steps", "otherwise", "on_error" or "branches.<name>").
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from workflows.definition import limits
from workflows.definition.parts import ROOT, Slot
from workflows.definition.wording import gettext as _

Document = dict[str, Any]
Step = dict[str, Any]


class NotThere(LookupError):
    """The step, list or trigger that is meant does not exist (any more). The message says so to a person."""


class Refused(ValueError):
    """The change makes no sense; nothing was changed. The message says why to a person."""


@dataclass(frozen=True, slots=True)
class Spot:
    """One step and where it stands. path: (slot, index) from the outermost list to its own."""

    step: Step
    siblings: list[Step]
    index: int
    slot: Slot
    path: tuple[tuple[Slot, int], ...]

    @property
    def id(self) -> str:
        return str(self.step["id"])

    @property
    def depth(self) -> int:
        return len(self.path)


def slot_text(slot: Slot) -> str:
    """Return a slot as forms and links carry it: `route.branches.vip`, `.steps` for the workflow itself."""
    return f"{slot[0]}.{slot[1]}"


def read_slot(text: str) -> Slot:
    """Return the slot that `slot_text` wrote; the workflow's own list for an empty text."""
    block, _dot, name = text.partition(".")
    return (block, name) if name else ROOT


def lanes(step: Step) -> Iterator[tuple[str, list[Step]]]:
    """Yield (slot name, steps) per list of steps that hangs in `step`, in reading order."""
    branches = step.get("branches")
    for branch in branches if isinstance(branches, list) else []:
        yield f"branches.{branch['name']}", branch["steps"]
    for name in ("otherwise", "steps", "on_error"):
        if isinstance(step.get(name), list):
            yield name, step[name]


def spots(document: Document) -> Iterator[Spot]:
    """Yield every step in reading order: a block before the steps inside it."""
    yield from _walk(document.get("steps") or [], ROOT, ())


def _walk(steps: list[Step], slot: Slot, path: tuple[tuple[Slot, int], ...]) -> Iterator[Spot]:
    for index, step in enumerate(steps):
        here = (*path, (slot, index))
        yield Spot(step, steps, index, slot, here)
        for name, children in lanes(step):
            yield from _walk(children, (step["id"], name), here)


def find(document: Document, step_id: str) -> Spot:
    """Return where a step stands. Raises NotThere."""
    for spot in spots(document):
        if spot.id == step_id:
            return spot
    raise NotThere(_("This step is no longer there. Somebody may have removed it."))


def step_ids(document: Document) -> set[str]:
    """Return the ids of all steps."""
    return {spot.id for spot in spots(document)}


def steps_at(document: Document, slot: Slot) -> list[Step]:
    """Return the list of a slot, to be changed in place; an “otherwise” or an error lane is made when it is missing.

    Raises NotThere.
    """
    block, name = slot
    if not block:
        return document.setdefault("steps", [])
    step = find(document, block).step
    for present, steps in lanes(step):
        if present == name:
            return steps
    if name == "on_error" or (name == "otherwise" and step.get("type") == "branch"):
        step[name] = []
        return step[name]
    raise NotThere(_("This place is no longer there. Somebody may have removed it."))


def fault(document: Document) -> str:
    """Return why the draft cannot be shown as blocks, in a sentence; "" when it can."""
    seen: set[str] = set()
    return _list_fault(document.get("steps", []), seen, 1) or (
        "" if isinstance(document.get("triggers", []), list) else _("The triggers are not a list.")
    )


def _list_fault(steps: Any, seen: set[str], depth: int) -> str:
    if not isinstance(steps, list):
        return _("“steps” is not a list.")
    if depth > limits.MAX_JSON_DEPTH // 2:
        return _("The blocks are nested too deeply.")
    for step in steps:
        sentence = _step_fault(step, seen, depth)
        if sentence:
            return sentence
    return ""


def _step_fault(step: Any, seen: set[str], depth: int) -> str:
    if not isinstance(step, dict) or not isinstance(step.get("type"), str):
        return _("There is a step without a type.")
    step_id = step.get("id")
    if not isinstance(step_id, str) or not step_id or "." in step_id or "/" in step_id:
        return _("There is a step without an id.")
    if step_id in seen:
        return _("Two steps have the id “{id}”.").format(id=step_id)
    seen.add(step_id)
    branches = step.get("branches", [])
    if not isinstance(branches, list):
        return _("The branches of “{id}” are not a list.").format(id=step_id)
    names: set[str] = set()
    for branch in branches:
        name = branch.get("name") if isinstance(branch, dict) else None
        if (
            not isinstance(name, str)
            or not name
            or name in names
            or not isinstance(branch.get("steps"), list)
        ):
            return _("A branch of “{id}” has no name or no steps.").format(id=step_id)
        names.add(name)
    for name in ("otherwise", "steps"):
        if name in step and step[name] is not None and not isinstance(step[name], list):
            return _("“{name}” of “{id}” is not a list.").format(name=name, id=step_id)
    for _name, children in lanes(step):
        sentence = _list_fault(children, seen, depth + 1)
        if sentence:
            return sentence
    return ""
