"""What a field's value would be with sample data: pills with values, or what is wrong, in words."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from django.utils.translation import gettext as _
from pydantic import TypeAdapter, ValidationError

from workflows.definition.conditions import compile_condition
from workflows.definition.expressions import ExpressionError, ExpressionSyntaxError, MissingValue, render
from workflows.definition.shapes import Condition, is_template
from workflows.drafting.fields import Field
from workflows.drafting.samples import Sample
from workflows.saved_tests.secrecy import without_secrets

LONGEST = 160  # characters of one value
MOST_LINES = 12
_OUTPUT = re.compile(r"(\{\{.*?\}\})", re.DOTALL)
_PATH = re.compile(r"\{\{-?\s*([a-z_][\w]*(?:\.[\w-]+|\[[^\]]+\])*)\s*(\|.*?)?-?\}\}", re.DOTALL)
_CONDITION: TypeAdapter[Any] = TypeAdapter(Condition)
Titles = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of a text: as it is, or a pill for `{{ ... }}`. label: what the pill is called, "" for plain text."""

    text: str
    label: str = ""
    is_missing: bool = False


@dataclass(frozen=True, slots=True)
class Line:
    """One value. label: of a row, "" for the field's own. error: why it has none. holds: of a condition."""

    label: str = ""
    parts: tuple[Part, ...] = ()
    error: str = ""
    holds: bool | None = None
    depth: int = 0


@dataclass(frozen=True, slots=True)
class Preview:
    """What is shown below a field. holds: whether a whole condition does; None when it is none or cannot be told."""

    lines: list[Line] = field(default_factory=list)
    holds: bool | None = None
    is_condition: bool = False


def with_previews(fields: Iterable[Field], sample: Callable[[], Sample], titles: Titles) -> list[Field]:
    """Return the fields, those with Liquid in them with a preview in `extra`. sample: asked only when it is needed."""
    found = []
    for each in fields:
        if each.has_value and each.kind == "condition" and each.value:
            preview: Preview | None = condition_preview(each.value, sample().names, titles)
        elif each.has_value and _has_template(each.value):
            preview = value_preview(each.value, sample().names, titles)
        else:
            preview = None
        found.append(replace(each, extra={**each.extra, "preview": preview}) if preview else each)
    return found


def value_preview(value: Any, names: Mapping[str, Any], titles: Titles) -> Preview:
    """Return what any JSON value with Liquid in it becomes; of an object each row with Liquid."""
    if isinstance(value, dict):
        rows = [(key, each) for key, each in value.items() if _has_template(each)][:MOST_LINES]
        return Preview([_line(each, names, titles, key) for key, each in rows])
    return Preview([_line(value, names, titles)])


def _line(value: Any, names: Mapping[str, Any], titles: Titles, label: str = "") -> Line:
    try:
        result = render(value, names)
    except ExpressionSyntaxError as error:
        return Line(label, error=error.message)
    except MissingValue as error:
        missing = Part("", words_of(error.reference, titles), is_missing=True)
        return Line(label, (missing,), error=error.message)
    except ExpressionError as error:
        return Line(label, error=error.message)
    if isinstance(value, str) and "{%" not in value:
        return Line(label, tuple(_parts(value, names, titles)))
    return Line(label, (Part(shown(result, label)),))


def _parts(text: str, names: Mapping[str, Any], titles: Titles) -> Iterable[Part]:
    for piece in _OUTPUT.split(text.strip()):
        if piece.startswith("{{") and piece.endswith("}}"):
            found = _PATH.fullmatch(piece)
            words = words_of(found[1], titles) if found else _("Worked out")
            yield Part(shown(render(piece, names), found[1].rsplit(".", 1)[-1] if found else ""), words)
        elif piece:
            yield Part(piece if len(piece) <= LONGEST else piece[:LONGEST] + "…")


def condition_preview(value: Any, names: Mapping[str, Any], titles: Titles) -> Preview:
    """Return whether a condition holds with the sample data, and each comparison in it."""
    lines: list[Line] = []
    _explain(value, names, titles, lines, 0)
    try:
        condition = _CONDITION.validate_python(value)
        return Preview(lines[:MOST_LINES], compile_condition(condition).holds(names), True)
    except ValidationError:
        return Preview(lines[:MOST_LINES], None, True)
    except ExpressionError as error:
        if not any(each.error for each in lines):
            lines.append(Line(error=error.message))
        return Preview(lines[:MOST_LINES], None, True)


def _explain(value: Any, names: Mapping[str, Any], titles: Titles, lines: list[Line], depth: int) -> None:
    if not isinstance(value, dict) or depth > 8:
        return
    for key in ("all", "any", "not"):
        inside = value.get(key)
        for each in inside if isinstance(inside, list) else [inside]:
            _explain(each, names, titles, lines, depth + 1)
    if "value" not in value:
        return
    line = _line(value["value"], names, titles)
    try:
        holds = compile_condition(_CONDITION.validate_python(value)).holds(names)
        lines.append(Line(parts=line.parts or (Part(shown(value["value"])),), holds=holds, depth=depth))
    except ValidationError:
        return
    except ExpressionError as error:
        lines.append(Line(parts=line.parts, error=error.message, depth=depth))


def words_of(path: str, titles: Titles) -> str:
    """Return what a reference is called: `steps.fetch.output.body.name` is “Fetch the order › name”. titles: by id."""
    keys = [key for key in re.split(r"[.\[\]\"']+", path) if key]
    if not keys:
        return path
    if keys[0] == "steps" and len(keys) > 1:
        rest = [key for key in keys[2:] if key not in ("output", "body")]
        return " › ".join([titles.get(keys[1], spoken(keys[1])), *(spoken(key) for key in rest[-2:])])
    roots = {
        "trigger": _("Trigger"), "inputs": _("Asked for"), "vars": _("Kept"), "now": _("Now"), "loop": _("Loop"),
        "organization": _("Organization"), "workflow": _("Workflow"), "execution": _("Run"), "error": _("Error"),
        "item": _("This entry"),
    }  # fmt: skip
    rest = [key for key in keys[1:] if not (keys[0] == "trigger" and key == "body")]
    return " › ".join([roots.get(keys[0], spoken(keys[0])), *(spoken(key) for key in rest[-2:])])


def spoken(key: str) -> str:
    """Return a key as words: `customer_name` is “customer name”; a number counts from 1."""
    if key.isascii() and key.isdigit():
        return _("entry %(number)s") % {"number": int(key[:6]) + 1}
    return key.replace("_", " ").strip() or key


def shown(value: Any, name: str = "") -> str:
    """Return a value in a few characters and without secrets. name: the key it stands under."""
    value = without_secrets(value, name)
    if value is None or value == "":
        return _("empty")
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, str):
        text = " ".join(value.split())
    elif isinstance(value, list | dict):
        text = json.dumps(value, ensure_ascii=False, default=str)
    else:
        text = str(value)
    return text if len(text) <= LONGEST else text[:LONGEST] + "…"


def _has_template(value: Any) -> bool:
    if isinstance(value, dict):
        return any(_has_template(each) for each in value.values())
    if isinstance(value, list):
        return any(_has_template(each) for each in value)
    return is_template(value)
