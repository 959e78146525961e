"""Conditions as rows of a form: value, comparison, other value, joined by “all” or “any”; deeper ones as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
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
LISTS = frozenset({"in", "not_in"})


@dataclass(frozen=True, slots=True)
class Shown:
    """A condition for the form. text: its JSON when rows cannot hold it. rows: the last one is empty."""

    mode: str
    rows: list[dict[str, Any]]
    text: str = ""
    operators: Any = None


def show(value: Any) -> Shown:
    """Return a condition ready for the form."""
    mode, entries = _flat(value)
    empty = {"value": "", "is": "equals", "to": "", "case_sensitive": False}
    if entries is None:
        return Shown("all", [empty], shown(value), CHOICES)
    rows = [
        {
            "value": shown(each.get("value")),
            "is": _operator(each),
            "to": _to_text(each),
            "case_sensitive": each.get("case_sensitive") is True,
        }
        for each in entries
    ]
    return Shown(mode, [*rows, empty], "", CHOICES)


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
    start, entries = f"{name}:", []
    numbers = {key[len(start) :].split(":")[0] for key in sent if key.startswith(start)}
    for number in sorted(int(each) for each in numbers if each.isdigit() and len(each) < 5):
        one = _row(f"{start}{number}", sent)
        if one is not None:
            entries.append(one)
    if not entries:
        return ABSENT
    mode = "any" if sent[f"{name}:mode"] == "any" else "all"
    made = entries[0] if len(entries) == 1 else {mode: entries}
    return old if _flat(old)[1] is not None and show(old) == show(made) else made


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


def _flat(value: Any) -> tuple[str, list[dict[str, Any]] | None]:
    """Return (mode, comparisons), None for the latter when rows cannot hold the condition."""
    if value is ABSENT or value is None:
        return "all", []
    if not isinstance(value, dict):
        return "all", None
    for mode in ("all", "any"):
        if set(value) == {mode} and isinstance(value[mode], list):
            fits = all(_is_comparison(each) for each in value[mode])
            return mode, value[mode] if fits else None
    return "all", [value] if _is_comparison(value) else None


def _is_comparison(value: Any) -> bool:
    return (
        isinstance(value, dict) and "value" in value and set(value) <= {"value", "is", "to", "case_sensitive"}
    )
