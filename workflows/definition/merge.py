"""Joining two edits of the same definition step by step, so that two people can work on one workflow."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from workflows.definition.parts import DoubleName, Parts, put_together, reachable, same_json, take_apart
from workflows.definition.schema import Definition
from workflows.definition.wording import gettext as _

ABSENT: Any = object()


@dataclass(frozen=True, slots=True)
class Conflict:
    """Something both sides changed differently; the merged definition holds `mine`.

    step_id: "" for the workflow itself. field: "" when the whole step is meant, "order" for the order of a list.
    base, mine, theirs: the values, None where there is none.
    """

    step_id: str
    field: str
    base: Any
    mine: Any
    theirs: Any

    @property
    def sentence(self) -> str:
        """The conflict in plain words."""
        if self.step_id and self.field:
            return _("Step “{id}”: you both changed {field}.").format(id=self.step_id, field=self.field)
        if self.step_id:
            return _("Step “{id}” was removed on one side and changed on the other.").format(id=self.step_id)
        return _("You both changed {field}.").format(field=self.field or _("the workflow"))


def three_way_merge(
    base: Definition | Mapping[str, Any],
    mine: Definition | Mapping[str, Any],
    theirs: Definition | Mapping[str, Any],
) -> tuple[dict[str, Any], list[Conflict]]:
    """Return (merged data, conflicts). Where both sides changed the same thing differently, mine stays.

    Steps are matched by id. A change on one side only is taken; merging with an unchanged side gives the other.
    """
    old, left, right = (
        each.to_data() if isinstance(each, Definition) else dict(each) for each in (base, mine, theirs)
    )
    if same_json(left, right) or same_json(right, old):
        return left, []
    if same_json(left, old):
        return right, []
    try:
        return _merged(take_apart(old), take_apart(left), take_apart(right), left)
    except DoubleName:
        return left, [Conflict("", "steps", old.get("steps"), left.get("steps"), right.get("steps"))]


def _merged(
    base: Parts, mine: Parts, theirs: Parts, fallback: dict[str, Any]
) -> tuple[dict[str, Any], list[Conflict]]:
    conflicts: list[Conflict] = []
    result = Parts(_merge_fields("", base.top, mine.top, theirs.top, conflicts))
    for step_id in dict.fromkeys((*mine.steps, *theirs.steps)):
        own = _merge_step(step_id, base, mine, theirs, conflicts)
        if own is not None:
            result.steps[step_id] = own
    for step_id in result.steps:
        slots = [parts.slot_of.get(step_id, ABSENT) for parts in (base, mine, theirs)]
        slot = _choose(*slots)
        if (
            slot is ABSENT
        ):  # both moved it to different places, or it was removed on the side that would decide
            slot = slots[1] if slots[1] is not ABSENT else slots[2]
            if ABSENT not in slots[1:]:
                conflicts.append(
                    Conflict(
                        step_id, "place", *(".".join(each) if each is not ABSENT else None for each in slots)
                    )
                )
        result.slot_of[step_id] = slot
    for slot in dict.fromkeys((*mine.lists, *theirs.lists)):
        members = {step_id for step_id, where in result.slot_of.items() if where == slot}
        orders = [parts.lists.get(slot, []) for parts in (base, mine, theirs)]
        result.lists[slot] = _merge_order(orders, members, slot[0], conflicts)
    lost = set(result.steps) - reachable(result)
    if lost:
        # One side removed or moved the block that the other put these steps into: only a person can say what is meant.
        return fallback, [*conflicts, *(_whole_step(step_id, base, mine, theirs) for step_id in sorted(lost))]
    return put_together(result), conflicts


def _whole_step(step_id: str, base: Parts, mine: Parts, theirs: Parts) -> Conflict:
    return Conflict(step_id, "", *(parts.steps.get(step_id) for parts in (base, mine, theirs)))


def _choose(base: Any, mine: Any, theirs: Any) -> Any:
    """Return the side that changed, or ABSENT when both did, differently."""
    if same_json(mine, theirs) or same_json(theirs, base):
        return mine
    return theirs if same_json(mine, base) else ABSENT


def _merge_step(
    step_id: str, base: Parts, mine: Parts, theirs: Parts, conflicts: list[Conflict]
) -> dict[str, Any] | None:
    """Return the merged fields of one step, or None when it is gone."""
    old, left, right = (parts.steps.get(step_id) for parts in (base, mine, theirs))
    if left is not None and right is not None:
        if old is not None and (left.get("type") != old.get("type") or right.get("type") != old.get("type")):
            # Fields of two step types do not mix.
            chosen = _choose(old, left, right)
            if chosen is not ABSENT:
                return dict(chosen)
            conflicts.append(_whole_step(step_id, base, mine, theirs))
            return dict(left)
        if old is None and left.get("type") != right.get("type"):
            conflicts.append(_whole_step(step_id, base, mine, theirs))
            return dict(left)
        return _merge_fields(step_id, old or {}, left, right, conflicts)
    present = left if left is not None else right
    if old is None:
        return dict(present)  # type: ignore[arg-type]  # added on one side
    if same_json(present, old) and not _gained_steps(step_id, base, mine if left is not None else theirs):
        return None  # removed on the other side, untouched here
    conflicts.append(_whole_step(step_id, base, mine, theirs))
    return dict(present)  # type: ignore[arg-type]


def _gained_steps(step_id: str, base: Parts, side: Parts) -> bool:
    """Return whether `side` changed what stands inside a block."""
    slots = {slot for parts in (base, side) for slot in parts.lists if slot[0] == step_id}
    if any(base.lists.get(slot) != side.lists.get(slot) for slot in slots):
        return True
    inner = [each for slot in slots for each in side.lists.get(slot, ())]
    return any(
        not same_json(base.steps.get(each), side.steps.get(each)) or _gained_steps(each, base, side)
        for each in inner
    )


def _merge_fields(
    step_id: str,
    base: Mapping[str, Any],
    mine: Mapping[str, Any],
    theirs: Mapping[str, Any],
    conflicts: list[Conflict],
    prefix: str = "",
) -> dict[str, Any]:
    merged: dict[str, Any] = {}
    for key in dict.fromkeys((*mine, *theirs)):
        old, left, right = base.get(key, ABSENT), mine.get(key, ABSENT), theirs.get(key, ABSENT)
        value = _choose(old, left, right)
        if (
            value is ABSENT
            and (left is not ABSENT or right is not ABSENT)
            and not _agreed_removal(old, left, right)
        ):
            name = f"{prefix}{key}"
            if key == "branches" and not prefix and isinstance(left, list) and isinstance(right, list):
                known = old if isinstance(old, list) else []
                members = {each for each in (*left, *right) if not _removed(each, known, left, right)}
                value = _merge_order([known, left, right], members, step_id, conflicts)
            elif isinstance(left, Mapping) and isinstance(right, Mapping):
                value = _merge_fields(
                    step_id, old if isinstance(old, Mapping) else {}, left, right, conflicts, f"{name}."
                )
            else:
                conflicts.append(
                    Conflict(
                        step_id, name, *(None if each is ABSENT else each for each in (old, left, right))
                    )
                )
                value = left
        if value is not ABSENT:
            merged[key] = value
    return merged


def _agreed_removal(old: Any, left: Any, right: Any) -> bool:
    return (left is ABSENT and same_json(right, old)) or (right is ABSENT and same_json(left, old))


def _removed(each: Any, known: list[Any], left: list[Any], right: list[Any]) -> bool:
    return each in known and (each not in left or each not in right)


def _merge_order(
    orders: list[list[str]], members: set[str], owner: str, conflicts: list[Conflict]
) -> list[str]:
    """Return `members` in the order of the side that changed it; additions stand behind their neighbour."""
    base, mine, theirs = ([each for each in order if each in members] for order in orders)
    shared = set(base) & set(mine) & set(theirs)
    kept = [[each for each in order if each in shared] for order in (base, mine, theirs)]
    lead, other = (theirs, mine) if kept[1] == kept[0] and kept[2] != kept[0] else (mine, theirs)
    if kept[0] not in (kept[1], kept[2]) and kept[1] != kept[2]:
        conflicts.append(Conflict(owner, "order", *kept))
    result = list(lead)
    for index, each in enumerate(other):
        if each not in result:
            before = next((one for one in reversed(other[:index]) if one in result), None)
            result.insert(result.index(before) + 1 if before is not None else 0, each)
    return result + [each for each in sorted(members) if each not in result]
