"""What changed between two definitions, step by step, as people would say it."""

from bisect import bisect_left
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

from workflows.definition.parts import HERE, DoubleName, Parts, same_json, take_apart
from workflows.definition.schema import Definition
from workflows.definition.wording import gettext as _

Kind = Literal["added", "removed", "moved", "changed"]


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One field of a step (dotted), before and after; None where it was not there."""

    field: str
    before: Any
    after: Any


@dataclass(frozen=True, slots=True)
class Change:
    """One change. step_id: "" for the workflow's own inputs, output and settings. A moved step may have fields too."""

    kind: Kind
    step_id: str
    name: str
    type: str
    fields: tuple[FieldChange, ...] = ()
    before_place: str = ""
    after_place: str = ""

    @property
    def sentence(self) -> str:
        """The change in plain words."""
        name = self.name or self.step_id
        if not self.step_id:
            return _("Workflow settings changed: {fields}").format(
                fields=", ".join(each.field for each in self.fields)
            )
        if self.kind == "added":
            return _("Step “{name}” was added").format(name=name)
        if self.kind == "removed":
            return _("Step “{name}” was removed").format(name=name)
        if self.kind == "moved":
            return _("Step “{name}” was moved").format(name=name)
        return _("Step “{name}” changed: {fields}").format(
            name=name, fields=", ".join(each.field for each in self.fields)
        )

    def as_dict(self) -> dict[str, Any]:
        """Return the change as JSON data."""
        return {**asdict(self), "sentence": self.sentence}


def diff(old: Definition | Mapping[str, Any], new: Definition | Mapping[str, Any]) -> list[Change]:
    """Return the changes from `old` to `new`: removed steps first, then the new one's reading order.

    Steps are the same when their ids are. Definitions whose ids are not unique are compared as a whole.
    """
    try:
        before, after = take_apart(old), take_apart(new)
    except DoubleName:
        whole_before = old.to_data() if isinstance(old, Definition) else dict(old)
        whole_after = new.to_data() if isinstance(new, Definition) else dict(new)
        fields = tuple(_fields(whole_before, whole_after))
        return [Change("changed", "", "", "", fields)] if fields else []
    changes: list[Change] = []
    top = tuple(_fields(before.top, after.top))
    if top:
        changes.append(Change("changed", "", "", "", top))
    for step_id, own in before.steps.items():
        if step_id not in after.steps:
            changes.append(_change("removed", step_id, own, before_place=_place(before, step_id)))
    moved = _moved(before, after)
    for step_id, own in after.steps.items():
        if step_id not in before.steps:
            changes.append(_change("added", step_id, own, after_place=_place(after, step_id)))
            continue
        fields = tuple(_fields(before.steps[step_id], own))
        places = {"before_place": _place(before, step_id), "after_place": _place(after, step_id)}
        if step_id in moved:
            changes.append(_change("moved", step_id, own, fields, **places))
        elif fields:
            changes.append(_change("changed", step_id, own, fields, **places))
    return changes


def _change(
    kind: Kind, step_id: str, own: Mapping[str, Any], fields: tuple[FieldChange, ...] = (), **places: str
) -> Change:
    return Change(kind, step_id, str(own.get("name") or ""), str(own.get("type") or ""), fields, **places)


def _fields(before: Any, after: Any, path: str = "") -> Iterator[FieldChange]:
    """Yield changed fields; objects are compared key by key, everything else as a whole."""
    if same_json(before, after):
        return
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        for key in dict.fromkeys((*before, *after)):
            yield from _fields(before.get(key), after.get(key), f"{path}.{key}" if path else str(key))
        return
    yield FieldChange(path, _shown(before), _shown(after))


def _shown(value: Any) -> Any:
    return _("steps") if value == HERE else value


def _place(parts: Parts, step_id: str) -> str:
    """Return the static path of a step: `route.vip.notify`, `each[].send`."""
    owner, slot = parts.slot_of[step_id]
    if not owner:
        return step_id
    if slot == "steps":
        return f"{_place(parts, owner)}[].{step_id}"
    return f"{_place(parts, owner)}.{slot.removeprefix('branches.')}.{step_id}"


def _moved(before: Parts, after: Parts) -> set[str]:
    """Return the steps that changed their list, or their order in it: as few as explain the new order."""
    moved = {
        step_id
        for step_id, slot in after.slot_of.items()
        if step_id in before.steps and before.slot_of[step_id] != slot
    }
    for slot, ids in after.lists.items():
        old_order = {step_id: index for index, step_id in enumerate(before.lists.get(slot, ()))}
        common = [step_id for step_id in ids if step_id in old_order]
        moved |= set(common) - _longest_in_order(common, old_order)
    return moved


def _longest_in_order(ids: list[str], position: Mapping[str, int]) -> set[str]:
    """Return a longest subset of `ids` that already stands in the order of `position` (patience sorting)."""
    tails: list[int] = []
    ends: list[str] = []
    previous: dict[str, str | None] = {}
    for step_id in ids:
        index = bisect_left(tails, position[step_id])
        previous[step_id] = ends[index - 1] if index else None
        tails[index : index + 1] = [position[step_id]]
        ends[index : index + 1] = [step_id]
    kept: set[str] = set()
    current: str | None = ends[-1] if ends else None
    while current is not None:
        kept.add(current)
        current = previous[current]
    return kept
