"""Conditions as rows of a form: value, comparison, other value, in groups of which all, any, or none hold.

Names of a form: `<field>:mode` of the outermost group, `<field>:<path>:mode` of one inside, and `<field>:<path>:value`,
`:is`, `:to`, `:case` of a comparison. A path counts from 0 and has dots between: `1.0` is the first in the second.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from workflows.definition.jsontext import read_json
from workflows.definition.problems import DefinitionInvalid
from workflows.definition.shapes import OPERATORS, UNARY_OPERATORS, is_template
from workflows.drafting.values import ABSENT, shown
from workflows.drafting.values import read as read_value

WORDS = {
    "equals": gettext_lazy("is"),
    "not_equals": gettext_lazy("is not"),
    "contains": gettext_lazy("contains"),
    "not_contains": gettext_lazy("does not contain"),
    "starts_with": gettext_lazy("starts with"),
    "ends_with": gettext_lazy("ends with"),
    "matches": gettext_lazy("matches the pattern"),
    "not_matches": gettext_lazy("does not match the pattern"),
    "gt": gettext_lazy("is more than"),
    "gte": gettext_lazy("is at least"),
    "lt": gettext_lazy("is less than"),
    "lte": gettext_lazy("is at most"),
    "in": gettext_lazy("is one of"),
    "not_in": gettext_lazy("is none of"),
    "empty": gettext_lazy("is empty"),
    "not_empty": gettext_lazy("is not empty"),
    "true": gettext_lazy("is yes"),
    "false": gettext_lazy("is no"),
    "before": gettext_lazy("is before"),
    "after": gettext_lazy("is after"),
}
CHOICES = [(name, WORDS[name]) for name in OPERATORS]
MODES = [
    ("all", gettext_lazy("All of these hold")),
    ("any", gettext_lazy("At least one of these holds")),
    ("none", gettext_lazy("None of these holds")),
    ("not_all", gettext_lazy("Not all of these hold")),
]
LISTS = frozenset({"in", "not_in"})
DEEPEST = 4  # groups in groups that rows show; deeper ones are shown as JSON
_PATH = re.compile(r"\d{1,4}(\.\d{1,4}){0,7}")
EMPTY = {"value": "", "is": "equals", "to": "", "case_sensitive": False}


@dataclass(frozen=True, slots=True)
class Entry:
    """A comparison (row) or a group of them, one of both. path: where it stands. is_new: just asked for."""

    path: str
    row: Mapping[str, Any] | None = None
    group: Group | None = None
    is_new: bool = False

    @property
    def label(self) -> str:
        """Its place as people count: `1.0` is the “2.1”."""
        return ".".join(str(int(part) + 1) for part in self.path.split("."))


@dataclass(frozen=True, slots=True)
class Group:
    """Comparisons and groups that are joined by `mode`; the last entry is an empty row. path: "" for the outermost."""

    path: str
    mode: str
    entries: tuple[Entry, ...]
    can_nest: bool = True


@dataclass(frozen=True, slots=True)
class Shown:
    """A condition for the form. text: its JSON when rows cannot hold it."""

    group: Group
    text: str = ""
    operators: Any = field(default_factory=lambda: CHOICES)
    modes: Any = field(default_factory=lambda: MODES)


def show(value: Any) -> Shown:
    """Return a condition ready for the form."""
    opened = ("all", []) if value is ABSENT or value is None else _opened(value)
    if opened is None and _is_comparison(value):
        opened = ("all", [value])
    made = _group(*opened, ()) if opened else None
    return Shown(made) if made else Shown(Group("", "all", ()), shown(value))


def with_new_group(whole: Shown, path: str) -> Shown:
    """Return a condition with an empty group more in the group at `path`; only a filled one is ever stored."""
    return replace(whole, group=_grown(whole.group, path))


def without(sent: Any, name: str, path: str) -> Any:
    """Return what was sent under other names than those of the row or group at `path`; sent: a QueryDict."""
    kept = sent.copy()
    for key in list(kept):
        if path and key.startswith((f"{name}:{path}:", f"{name}:{path}.")):
            del kept[key]
    return kept


def read(name: str, sent: Mapping[str, Any], old: Any) -> Any:
    """Return the condition that was sent under `name`, ABSENT for none, `old` when nothing was. Raises ValueError."""
    if f"{name}:text" in sent:
        text = str(sent[f"{name}:text"]).strip()
        if not text:
            return ABSENT
        try:
            return read_json(text)
        except DefinitionInvalid as error:
            raise ValueError(error.problems[0].message) from None
    if f"{name}:mode" not in sent:
        return old
    start = f"{name}:"
    found = {key[len(start) :].rpartition(":")[0] for key in sent if key.startswith(start)}
    paths = {tuple(int(part) for part in path.split(".")) for path in found if _PATH.fullmatch(path)}
    mode, entries = _sent_group(name, sent, paths, ())
    if not entries:
        return ABSENT
    is_one = len(entries) == 1 and mode in ("all", "any") and _is_comparison(entries[0])
    made = entries[0] if is_one else _joined(mode, entries)
    return old if old is not ABSENT and show(old) == show(made) else made


# --- From data to rows ----------------------------------------------------------------------------------------------


def _opened(value: Any) -> tuple[str, list[Any]] | None:
    """Return (mode, what is joined) of a group, None for anything else."""
    if not isinstance(value, dict) or len(value) != 1:
        return None
    ((key, inside),) = value.items()
    if key in ("all", "any"):
        return (key, inside) if isinstance(inside, list) else None
    if key != "not":
        return None
    if isinstance(inside, dict) and len(inside) == 1:
        if isinstance(inside.get("any"), list):
            return "none", inside["any"]
        if isinstance(inside.get("all"), list):
            return "not_all", inside["all"]
    return "none", [inside]


def _group(mode: str, values: Iterable[Any], path: tuple[int, ...]) -> Group | None:
    entries = []
    for number, each in enumerate(values):
        here = (*path, number)
        opened = _opened(each)
        if opened is not None and len(here) < DEEPEST:
            group = _group(*opened, here)
            if group is None:
                return None
            entries.append(Entry(_text(here), group=group))
        elif _is_comparison(each):
            entries.append(Entry(_text(here), row=_shown_row(each)))
        else:
            return None
    entries.append(Entry(_text((*path, len(entries))), row=EMPTY))
    return Group(_text(path), mode, tuple(entries), len(path) < DEEPEST - 1)


def _grown(group: Group, path: str) -> Group:
    if group.path != path:
        entries = [
            replace(each, group=_grown(each.group, path)) if each.group is not None else each
            for each in group.entries
        ]
        return replace(group, entries=tuple(entries))
    if not group.can_nest:
        return group
    *filled, last = group.entries
    numbers = tuple(int(part) for part in last.path.split("."))
    inner = (*numbers, 0)
    new = Group(last.path, "any", (Entry(_text(inner), row=EMPTY, is_new=True),), len(numbers) < DEEPEST - 1)
    after = _text((*numbers[:-1], numbers[-1] + 1))
    return replace(group, entries=(*filled, Entry(last.path, group=new), replace(last, path=after)))


def _text(path: tuple[int, ...]) -> str:
    return ".".join(str(number) for number in path)


def _shown_row(each: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "value": shown(each.get("value")),
        "is": _operator(each),
        "to": _to_text(each),
        "case_sensitive": each.get("case_sensitive") is True,
    }


# --- From rows to data ----------------------------------------------------------------------------------------------


def _sent_group(
    name: str, sent: Mapping[str, Any], paths: set[tuple[int, ...]], path: tuple[int, ...]
) -> tuple[str, list[Any]]:
    level = len(path)
    numbers = sorted({each[level] for each in paths if len(each) > level and each[:level] == path})
    entries: list[Any] = []
    for number in numbers:
        here = (*path, number)
        start = f"{name}:{_text(here)}"
        if f"{start}:mode" in sent:
            mode, inside = _sent_group(name, sent, paths, here)
            one: Any = _joined(mode, inside) if inside else None
        else:
            one = _row(start, sent)
        if one is not None:
            entries.append(one)
    key = f"{name}:{_text(path)}:mode" if path else f"{name}:mode"
    wished = str(sent.get(key, "all"))
    return (wished if wished in {value for value, _label in MODES} else "all"), entries


def _joined(mode: str, entries: list[Any]) -> dict[str, Any]:
    if mode == "none":
        return {"not": entries[0] if len(entries) == 1 else {"any": entries}}
    return {"not": {"all": entries}} if mode == "not_all" else {mode: entries}


def _row(name: str, sent: Mapping[str, Any]) -> dict[str, Any] | None:
    value, to = str(sent.get(f"{name}:value", "")).strip(), str(sent.get(f"{name}:to", "")).strip()
    operator = str(sent.get(f"{name}:is", "equals"))
    if not value:
        if to:
            raise ValueError(_("Say what is compared with “%(value)s”.") % {"value": to[:40]})
        return None
    made: dict[str, Any] = {"value": read_value(value), "is": operator if operator in OPERATORS else "equals"}
    if operator not in UNARY_OPERATORS:
        made["to"] = _to_value(operator, to)
    if f"{name}:case" in sent:
        made["case_sensitive"] = True
    return made


def _to_value(operator: str, text: str) -> Any:
    value = read_value(text)
    if operator in LISTS and isinstance(value, str) and not is_template(value):
        return [part.strip() for part in value.split(",") if part.strip()]
    return "" if value is None else value


def _to_text(entry: Mapping[str, Any]) -> str:
    to = entry.get("to")
    if isinstance(to, list) and all(isinstance(each, str) and each and "," not in each for each in to):
        return ", ".join(to)
    return "" if to == "" else shown(to)


def _operator(entry: Mapping[str, Any]) -> str:
    written = entry.get("is")
    return str(written).lower() if isinstance(written, bool) else str(written or "equals")


def _is_comparison(value: Any) -> bool:
    return (
        isinstance(value, dict) and "value" in value and set(value) <= {"value", "is", "to", "case_sensitive"}
    )
