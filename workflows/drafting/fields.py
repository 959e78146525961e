"""Fields of the editor's forms: how a value of a step is shown, and how what was typed becomes a value again."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from django.utils.translation import gettext as _

from workflows.definition.jsontext import read_json
from workflows.definition.problems import DefinitionInvalid
from workflows.definition.shapes import is_template
from workflows.drafting import conditions, durations, schemas
from workflows.drafting.values import ABSENT, read, read_number, shown

Path = tuple[str, ...]
Sent = Mapping[str, Any]  # a QueryDict: .get and .getlist
CUSTOM = "=custom"  # the choice “a value of my own”


class FieldFault(ValueError):
    """What was typed cannot be a value of this field; the message tells a person what to type instead."""


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a form.

    path: where its value stands in the step; members of lists (branches) are named. kind: a key of KINDS. choices:
    (value, label). options_url: where more choices come from, "" for none. is_templated: it may hold Liquid.
    is_reshaping: other fields depend on it, so that a change shows another form. value: what the step holds.
    """

    path: Path
    label: str = ""
    help: str = ""
    kind: str = "text"
    is_required: bool = False
    example: str = ""
    choices: tuple[tuple[Any, str], ...] = ()
    options_url: str = ""
    is_templated: bool = False
    is_advanced: bool = False
    is_reshaping: bool = False
    group: str = ""
    default: Any = None
    value: Any = ABSENT
    typed: Any = None
    errors: tuple[str, ...] = ()
    theirs: Any = ABSENT
    link_url: str = ""
    link_text: str = ""
    rows: int = 0
    extra: Mapping[str, Any] = field(default_factory=dict)

    @property
    def key(self) -> str:
        return ".".join(self.path)

    @property
    def name(self) -> str:
        return f"f:{self.key}"

    @property
    def id(self) -> str:
        return "f-" + re.sub(r"[^a-zA-Z0-9_]+", "-", self.key)

    @property
    def shown(self) -> Any:
        """What the field shows: what was typed when it could not be read, else the step's value."""
        return self.typed if self.typed is not None else KINDS[self.kind].show(self, self.value)

    @property
    def has_value(self) -> bool:
        return self.value is not ABSENT

    @property
    def has_default(self) -> bool:
        """Whether a choice always says something, so that leaving it alone is an answer too."""
        return self.kind == "choice" and self.default not in (None, "")

    @property
    def placeholder(self) -> str:
        return self.example or (shown(self.default) if self.default not in (None, "") else "")

    @property
    def theirs_shown(self) -> str:
        return shown(self.theirs) if self.theirs is not ABSENT else ""

    @property
    def in_conflict(self) -> bool:
        return self.theirs is not ABSENT

    @property
    def is_custom(self) -> bool:
        """Whether a choice holds something that is not among the choices."""
        return (
            self.has_value
            and self.value not in (None, "")
            and (
                is_template(self.value)
                or (
                    not self.options_url
                    and str(self.value) not in {str(value) for value, _label in self.choices}
                )
            )
        )

    def read(self, sent: Sent) -> Any:
        """Return the value that was sent; the present one when nothing was. Raises FieldFault."""
        return KINDS[self.kind].read(self, sent)


@dataclass(frozen=True, slots=True)
class Kind:
    """How one kind of field is shown and read."""

    show: Callable[[Field, Any], Any]
    read: Callable[[Field, Sent], Any]


def value_at(data: Any, path: Path) -> Any:
    """Return the value at a path, ABSENT when there is none. Members of lists are found by their name."""
    for key in path:
        if isinstance(data, list):
            data = next((each for each in data if isinstance(each, dict) and each.get("name") == key), ABSENT)
        else:
            data = data.get(key, ABSENT) if isinstance(data, dict) else ABSENT
    return data


def put_at(data: dict[str, Any], path: Path, value: Any) -> None:
    """Set the value at a path, or remove it when it is ABSENT; objects that get empty by that are removed too."""
    *parents, last = path
    chain: list[Any] = [data]
    for key in parents:
        inner = chain[-1]
        if isinstance(inner, list):
            inner = next((each for each in inner if each.get("name") == key), None)
            if inner is None:
                return
            chain.append(inner)
            continue
        if not isinstance(inner.get(key), dict | list):
            if value is ABSENT:
                return
            inner[key] = {}
        chain.append(inner[key])
    if value is ABSENT:
        chain[-1].pop(last, None)
        if len(parents) == 1 and chain[-1] == {} and parents[0] not in ("with", "values"):
            data.pop(parents[0], None)
    else:
        chain[-1][last] = value


def bound(fields: list[Field], step: Mapping[str, Any]) -> list[Field]:
    """Return the fields with the values of a step."""
    return [replace(each, value=value_at(step, each.path)) for each in fields]


# --- Kinds ----------------------------------------------------------------------------------------------------------


def _text_sent(each: Field, sent: Sent) -> str | None:
    text = sent.get(each.name)
    return None if text is None else str(text).replace("\r\n", "\n")


def _read_text(each: Field, sent: Sent) -> Any:
    text = _text_sent(each, sent)
    if text is None or text == _show_text(each, each.value):
        return each.value
    return text if text.strip() else ABSENT


def _show_text(_each: Field, value: Any) -> str:
    return value if isinstance(value, str) else shown(value)


def _read_value(each: Field, sent: Sent) -> Any:
    text = _text_sent(each, sent)
    if text is None or text == shown(each.value):
        return each.value
    value = read(text)
    return ABSENT if value is None else value


def _read_json(each: Field, sent: Sent) -> Any:
    text = _text_sent(each, sent)
    if text is None or text == shown(each.value):
        return each.value
    if not text.strip():
        return ABSENT
    if is_template(text) and not text.lstrip().startswith(("[", '{"')):
        return text
    try:
        return read_json(text)
    except DefinitionInvalid as error:
        raise FieldFault(error.problems[0].message) from None


def _number(*, whole: bool) -> Callable[[Field, Sent], Any]:
    def read_one(each: Field, sent: Sent) -> Any:
        text = _text_sent(each, sent)
        if text is None or text == shown(each.value):
            return each.value
        if not text.strip():
            return ABSENT
        try:
            return read_number(text, whole=whole)
        except ValueError:
            raise FieldFault(_("Type a whole number.") if whole else _("Type a number.")) from None

    return read_one


def _read_checkbox(each: Field, sent: Sent) -> Any:
    if f"{each.name}:there" not in sent:
        return each.value
    ticked = each.name in sent
    return each.value if ticked == _show_checkbox(each, each.value) else ticked


def _show_checkbox(each: Field, value: Any) -> bool:
    return bool(each.default if value is ABSENT else value)


def _read_choice(each: Field, sent: Sent) -> Any:
    text = _text_sent(each, sent)
    if text is None:
        return each.value
    if text == CUSTOM:
        text = str(sent.get(f"{each.name}:custom", "")).strip()
        return text or ABSENT
    if not text or (each.value is ABSENT and each.default is not None and text == str(each.default)):
        return ABSENT  # the default shown is not written down
    if text == str(each.value):
        return each.value
    return next((value for value, _label in each.choices if str(value) == text), text)


def _read_several(each: Field, sent: Sent) -> Any:
    if f"{each.name}:there" not in sent:
        return each.value
    ticked = [str(text) for text in sent.getlist(each.name)]  # type: ignore[attr-defined]
    values = [value for value, _label in each.choices if str(value) in ticked]
    return values or ABSENT


def _show_lines(_each: Field, value: Any) -> str:
    if isinstance(value, list) and all(isinstance(item, str) and "\n" not in item for item in value):
        return "\n".join(value)
    return shown(value)


def _read_lines(each: Field, sent: Sent) -> Any:
    text = _text_sent(each, sent)
    if text is None or text == _show_lines(each, each.value):
        return each.value
    bare = text.strip()
    if not bare:
        return ABSENT
    if is_template(bare) and bare.startswith("{{") and bare.endswith("}}") and "\n" not in bare:
        return bare  # one pill that is the whole list
    value = read(bare)
    return value if isinstance(value, list) else [line.strip() for line in bare.splitlines() if line.strip()]


def _show_rows(each: Field, value: Any) -> list[dict[str, str]]:
    entries = value.items() if isinstance(value, dict) else ()
    return [*({"key": key, "value": _row_text(each, one)} for key, one in entries), {"key": "", "value": ""}]


def _row_text(each: Field, value: Any) -> str:
    return shown(value) if each.extra.get("typed") else _show_text(each, value)


def row_numbers(each: Field, sent: Sent) -> list[int]:
    """Return the numbers of the rows that were sent for a field, in order."""
    start = f"{each.name}:"
    found = {name[len(start) :].split(":")[0] for name in sent if name.startswith(start)}
    return sorted(int(number) for number in found if number.isdigit() and len(number) < 5)


def _read_rows(each: Field, sent: Sent) -> Any:
    if f"{each.name}:there" not in sent:
        return each.value
    old = each.value if isinstance(each.value, dict) else {}
    found: dict[str, Any] = {}
    for number in row_numbers(each, sent):
        key = str(sent.get(f"{each.name}:{number}:key", "")).strip()
        text = str(sent.get(f"{each.name}:{number}:value", "")).replace("\r\n", "\n")
        if not key:
            if text.strip():
                raise FieldFault(_("Give “%(value)s” a name.") % {"value": text[:40]})
            continue
        if key in old and text == _row_text(each, old[key]):
            found[key] = old[key]
        else:
            found[key] = read(text) if each.extra.get("typed") and text.strip() else text
    if not found and not isinstance(each.value, dict):
        return each.value
    return found or ({} if each.is_required else ABSENT)


def _read_duration(each: Field, sent: Sent) -> Any:
    text = _text_sent(each, sent)
    if text is None or text == _show_duration(each, each.value):
        return each.value
    if not text.strip():
        return ABSENT
    try:
        return durations.read_duration(text)
    except ValueError:
        raise FieldFault(durations.fault()) from None


def _show_duration(_each: Field, value: Any) -> str:
    return durations.shown_duration(value) if isinstance(value, str) else shown(value)


def _read_condition(each: Field, sent: Sent) -> Any:
    try:
        return conditions.read(each.name, sent, each.value)
    except ValueError as error:
        raise FieldFault(str(error)) from None


def _read_schema(each: Field, sent: Sent) -> Any:
    try:
        return schemas.read(each.name, sent, each.value)
    except ValueError as error:
        raise FieldFault(str(error)) from None


def _show_people(_each: Field, value: Any) -> dict[str, Any]:
    entries = [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []
    return {
        "roles": [each["role"] for each in entries if each.get("role")],
        "people": "\n".join(str(each["user"]) for each in entries if each.get("user")),
    }


def _read_people(each: Field, sent: Sent) -> Any:
    if f"{each.name}:there" not in sent:
        return each.value
    roles = [{"role": str(role)} for role in sent.getlist(f"{each.name}:role")]  # type: ignore[attr-defined]
    lines = str(sent.get(f"{each.name}:people", "")).splitlines()
    found = [*roles, *({"user": line.strip()} for line in lines if line.strip())]
    return found or ABSENT


def _show_branches(_each: Field, value: Any) -> Any:
    return value if isinstance(value, list) else []


KINDS: dict[str, Kind] = {
    "text": Kind(_show_text, _read_text),
    "long_text": Kind(_show_text, _read_text),
    "code": Kind(_show_text, _read_text),
    "value": Kind(lambda _each, value: shown(value), _read_value),
    "json": Kind(lambda _each, value: shown(value), _read_json),
    "number": Kind(lambda _each, value: shown(value), _number(whole=False)),
    "integer": Kind(lambda _each, value: shown(value), _number(whole=True)),
    "checkbox": Kind(_show_checkbox, _read_checkbox),
    "choice": Kind(lambda _each, value: "" if value in (ABSENT, None) else str(value), _read_choice),
    "several": Kind(
        lambda _each, value: [str(one) for one in value] if isinstance(value, list) else [], _read_several
    ),
    "lines": Kind(_show_lines, _read_lines),
    "rows": Kind(_show_rows, _read_rows),
    "duration": Kind(_show_duration, _read_duration),
    "condition": Kind(lambda _each, value: conditions.show(value), _read_condition),
    "schema": Kind(lambda _each, value: schemas.show(value), _read_schema),
    "people": Kind(_show_people, _read_people),
}


def dumped(value: Any) -> str:
    """Return compact JSON for a hidden field."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)
