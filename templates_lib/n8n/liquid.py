"""Expressions of n8n in Liquid, as far as Liquid can say them: references, operators, common methods and globals."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

from templates_lib.n8n.javascript import Beyond, Tree, parse

# Luxon's format letters; longest first.
LUXON = {
    "yyyy": "%Y", "yy": "%y", "MMMM": "%B", "MMM": "%b", "MM": "%m", "M": "%-m", "LLLL": "%B", "LLL": "%b", "LL": "%m",
    "L": "%-m", "dd": "%d", "d": "%-d", "HH": "%H", "H": "%-H", "hh": "%I", "h": "%-I", "mm": "%M", "m": "%-M",
    "ss": "%S", "s": "%-S", "SSS": "%f", "a": "%p", "EEEE": "%A", "EEE": "%a", "cccc": "%A", "ccc": "%a", "WW": "%V",
    "YYYY": "%Y", "DD": "%d",
}  # fmt: skip
_LUXON = re.compile("|".join(sorted(LUXON, key=len, reverse=True)) + r"|'[^']*'|[A-Za-z]|[^A-Za-z']+")
UNITS = {"minute": "m", "hour": "h", "day": "d", "week": "w", "second": "s"}
# Words that Liquid reads as its own where a plain key could stand.
RESERVED = frozenset(
    [
        "size",
        "first",
        "last",
        "limit",
        "offset",
        "reversed",
        "cols",
        "in",
        "and",
        "or",
        "not",
        "contains",
        "if",
        "else",
        "unless",
        "true",
        "false",
        "nil",
        "null",
        "empty",
        "blank",
        "with",
        "as",
        "for",
        "by",
    ]
)
PLAIN = re.compile(r"[A-Za-z_]\w*")
METHODS: dict[str, str] = {
    "trim": "strip", "toLowerCase": "downcase", "toUpperCase": "upcase", "toString": "to_text", "toJsonString": "json",
    "parseJson": "parse_json", "toNumber": "to_number", "toInt": "to_integer", "toFloat": "to_number",
    "urlEncode": "url_encode", "urlDecode": "url_decode", "base64Encode": "base64_encode",
    "base64Decode": "base64_decode", "removeTags": "strip_html", "keys": "keys", "values": "values",
    "compact": "compact", "round": "round", "floor": "floor", "ceil": "ceil", "abs": "abs", "toTitleCase": "titlecase",
    "reverse": "reverse", "sum": "sum", "average": "average", "trimEnd": "rstrip", "trimStart": "lstrip",
    "unique": "uniq", "toSentenceCase": "capitalize", "sort": "sort", "flat": "flatten",
}  # fmt: skip
GLOBALS: dict[str, str] = {
    "JSON.stringify": "json", "JSON.parse": "parse_json", "String": "to_text", "Number": "to_number",
    "parseInt": "to_integer", "parseFloat": "to_number", "encodeURIComponent": "url_encode", "Math.round": "round",
    "Math.floor": "floor", "Math.ceil": "ceil", "Math.abs": "abs", "Object.keys": "keys", "Object.values": "values",
    "decodeURIComponent": "url_decode",
}  # fmt: skip
FIXED = {
    ("$workflow", "id"): "workflow.id",
    ("$workflow", "name"): "workflow.name",
    ("$execution", "id"): "execution.id",
}
MATH = {"-": "minus", "*": "times", "/": "divided_by", "%": "modulo"}


class Names(Protocol):
    """What an expression of one node can refer to. Each gives a Liquid path; the flag: there may be nothing there."""

    def json(self) -> tuple[str, bool]: ...
    def node(self, name: str, which: str) -> tuple[str, bool]: ...


@dataclass(slots=True)
class Said:
    """A Liquid expression. base: path or literal; filters: what follows it; maybe: the value may be missing."""

    base: str
    filters: list[str] = field(default_factory=list)
    maybe: bool = False
    literal: Any = None
    is_literal: bool = False

    def then(self, *filters: str) -> Said:
        return Said(self._safe(), [*self._defaulted(), *filters])

    def argument(self) -> str:
        if self.filters or self.maybe:
            raise Beyond
        return self.base

    def written(self) -> str:
        return " | ".join([self.base, *self._defaulted()])

    def _safe(self) -> str:
        return self.base

    def _defaulted(self) -> list[str]:
        return [*self.filters, *(['default: ""'] if self.maybe else [])]


def to_liquid(source: str, names: Names) -> str:
    """Return the Liquid between `{{` and `}}` that says what a JavaScript expression says. Raises Beyond."""
    return said(parse(source), names).written()


def luxon_format(text: str) -> str:
    """Return the strftime format that a Luxon format means. Raises Beyond for letters without a counterpart."""
    found = []
    for part in _LUXON.findall(text):
        if part.startswith("'"):
            found.append(part[1:-1].replace("%", "%%"))
        elif part in LUXON:
            found.append(LUXON[part])
        elif part.isalpha():
            raise Beyond
        else:
            found.append(part.replace("%", "%%"))
    return "".join(found)


def literal(value: Any) -> str:
    """Return a value as a Liquid literal. Raises Beyond for text that Liquid's quotes cannot hold."""
    if value is None:
        return "nil"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(value)
    if any(each in value for each in ("\\", "\n", "\r", "\t", "{{", "}}", "{%", "%}", "\0")):
        raise Beyond
    if '"' not in value:
        return f'"{value}"'
    if "'" not in value:
        return f"'{value}'"
    raise Beyond


def stepped(path: str, key: str | int) -> str:
    """Return a Liquid path with one key more."""
    if isinstance(key, int):
        return f"{path}[{key}]"
    if PLAIN.fullmatch(key) and key not in RESERVED:
        return f"{path}.{key}"
    return f"{path}[{literal(key)}]"


def said(tree: Tree, names: Names) -> Said:
    """Return a parsed expression in Liquid. Raises Beyond."""
    kind = tree[0]
    if kind == "value":
        return Said(literal(tree[1]), literal=tree[1], is_literal=True)
    if kind in {"name", "key"}:
        return _path(tree, names)
    if kind == "call":
        return _call(tree, names)
    if kind == "operator":
        return _operator(tree, names)
    if kind == "text":
        return _joined([said(part, names) for part in tree[1]])
    raise Beyond


def _path(tree: Tree, names: Names) -> Said:
    root = _root(tree, names)
    if root is not None:
        return root
    if tree[0] == "name":
        raise Beyond
    _kind, inner, key, optional = tree
    if key == "length":
        return said(inner, names).then("size")
    of = said(inner, names)
    if of.is_literal:
        raise Beyond
    if of.filters:
        if not isinstance(key, int) or key < 0:
            return of.then(f"get: {literal(str(key))}")
        return of.then("first" if key == 0 else f"slice: {key}, 1", *(["first"] if key else []))
    return Said(stepped(of.base, key), maybe=of.maybe or optional)


def _root(tree: Tree, names: Names) -> Said | None:
    """Return what a name that n8n itself gives stands for, or None."""
    if tree == ("name", "$json"):
        return Said(*_with_maybe(names.json()))
    if tree == ("name", "$now"):
        return Said("now")
    if tree == ("name", "$today"):
        return Said("now", ['date: "date"'])
    if tree[0] != "key":
        return None
    inner, key = tree[1], tree[2]
    if key == "json":
        if inner[0] == "key" and inner[2] == "item":
            inner = inner[1]
            which = "item"
        elif (
            inner[0] == "call" and inner[1][0] == "key" and not inner[2] and inner[1][2] in {"first", "last"}
        ):
            which, inner = inner[1][2], inner[1][1]
        elif inner[0] == "key" and inner[1] == ("name", "$node"):
            return Said(*_with_maybe(names.node(str(inner[2]), "item")))
        elif inner[0] == "call" and inner[1] == ("name", "$item"):
            raise Beyond
        else:
            return None
        if inner == ("name", "$input"):
            return Said(*_with_maybe(names.json()))
        if (
            inner[0] == "call"
            and inner[1] == ("name", "$")
            and len(inner[2]) == 1
            and inner[2][0][0] == "value"
        ):
            return Said(*_with_maybe(names.node(str(inner[2][0][1]), which)))
        return None
    if inner[0] == "name" and (inner[1], key) in FIXED:
        return Said(FIXED[inner[1], key])
    return None


def _with_maybe(found: tuple[str, bool]) -> tuple[str, list[str], bool]:
    return found[0], [], found[1]


def _call(tree: Tree, names: Names) -> Said:
    _kind, function, arguments = tree
    name = _dotted(function)
    if name in GLOBALS and arguments:
        of = said(arguments[0], names)
        if name == "JSON.stringify" and len(arguments) == 3:
            return of.then(f"json: {said(arguments[2], names).argument()}")
        return of.then(GLOBALS[name])
    if name in {"DateTime.now", "Date.now"} and not arguments:
        return Said("now") if name.startswith("DateTime") else Said("now", ["timestamp", "times: 1000"])
    if name == "DateTime.fromISO" and len(arguments) == 1:
        return said(arguments[0], names).then('date: "iso"')
    if function[0] != "key" or function[3]:
        raise Beyond
    of, method = said(function[1], names), function[2]
    given = [said(each, names) for each in arguments]
    if method in METHODS and not given:
        return of.then(METHODS[method])
    if method == "toString" or (method == "toJsonString" and given):
        raise Beyond
    handler = _WITH_ARGUMENTS.get(method)
    if handler is None:
        raise Beyond
    return of.then(*handler([each.argument() for each in given], given))


Handler = Callable[[list[str], list[Said]], list[str]]


def _text_of(given: list[Said], index: int = 0) -> str:
    if index >= len(given) or not isinstance(given[index].literal, str):
        raise Beyond
    return given[index].literal


def _number_of(given: list[Said], index: int) -> int:
    if (
        index >= len(given)
        or isinstance(given[index].literal, bool)
        or not isinstance(given[index].literal, int)
    ):
        raise Beyond
    return given[index].literal


def _slice(arguments: list[str], given: list[Said]) -> list[str]:
    start = _number_of(given, 0)
    if len(given) == 1:
        return [f"slice: {start}, 1000000"] if start >= 0 else [f"slice: {start}, {-start}"]
    end = _number_of(given, 1)
    if start < 0 or end < start:
        raise Beyond
    return [f"slice: {start}, {end - start}"]


def _shift(filter_name: str) -> Handler:
    def made(arguments: list[str], given: list[Said]) -> list[str]:
        unit = UNITS.get(_text_of(given, 1).rstrip("s") if len(given) > 1 else "")
        if unit is None:
            raise Beyond
        return [f'{filter_name}: "{_number_of(given, 0)}{unit}"']

    return made


def _two(name: str) -> Handler:
    def made(arguments: list[str], given: list[Said]) -> list[str]:
        if len(arguments) != 2:
            raise Beyond
        return [f"{name}: {arguments[0]}, {arguments[1]}"]

    return made


def _one(name: str, default: str | None = None) -> Handler:
    def made(arguments: list[str], given: list[Said]) -> list[str]:
        if len(arguments) > 1 or (not arguments and default is None):
            raise Beyond
        return [f"{name}: {arguments[0] if arguments else default}"]

    return made


def _date(arguments: list[str], given: list[Said]) -> list[str]:
    return [f"date: {literal(luxon_format(_text_of(given)))}"]


_WITH_ARGUMENTS: dict[str, Handler] = {
    "join": _one("join", '","'),
    "split": _one("split"),
    "replaceAll": _two("replace"),
    "replace": _two("replace_first"),
    "slice": _slice,
    "substring": _slice,
    "concat": _one("append"),
    "format": _date,
    "toFormat": _date,
    "toISO": lambda arguments, given: ['date: "iso"'],
    "toISOString": lambda arguments, given: ['date: "iso"'],
    "toISODate": lambda arguments, given: ['date: "date"'],
    "toDateTime": lambda arguments, given: ['date: "iso"'],
    "toMillis": lambda arguments, given: ["timestamp", "times: 1000"],
    "toSeconds": lambda arguments, given: ["timestamp"],
    "toUnixInteger": lambda arguments, given: ["timestamp"],
    "setZone": lambda arguments, given: [f'date: "iso", {literal(_text_of(given))}'],
    "plus": _shift("add_time"),
    "minus": _shift("subtract_time"),
    "toFixed": lambda arguments, given: [f'format_number: {_number_of(given, 0) if given else 0}, ""'],
    "pluck": _one("map"),
    "first": lambda arguments, given: ["first"],
    "last": lambda arguments, given: ["last"],
    "at": lambda arguments, given: ["first"] if _number_of(given, 0) == 0 else ["last"],
    "pop": lambda arguments, given: ["last"],
    "round": _one("round"),
}


def _operator(tree: Tree, names: Names) -> Said:
    _kind, sign, left, right = tree
    one, other = said(left, names), said(right, names)
    if sign in {"||", "??"}:
        keep = ", allow_false: true" if sign == "??" else ""
        return Said(one.base, [*one.filters, f"default: {other.argument()}{keep}"])
    if sign == "+":
        texts = [each for each in (one, other) if isinstance(each.literal, str)]
        numbers = [each for each in (one, other) if isinstance(each.literal, int | float)]
        if texts or _is_text(one):
            return _joined([one, other])
        if numbers:
            return one.then(f"plus: {other.argument()}")
        raise Beyond
    if sign in MATH:
        if sign == "/":
            # Liquid divides whole numbers without a rest, JavaScript does not.
            return one.then("times: 1.0", f"divided_by: {other.argument()}")
        return one.then(f"{MATH[sign]}: {other.argument()}")
    raise Beyond


def _is_text(part: Said) -> bool:
    return bool(part.filters) and part.filters[-1].split(":")[0] in {
        "append",
        "prepend",
        "to_text",
        "date",
        "join",
    }


def _joined(parts: list[Said]) -> Said:
    if not parts:
        return Said('""', literal="", is_literal=True)
    first = parts[0]
    if len(parts) == 2 and first.is_literal and not parts[1].is_literal:
        return parts[1].then(f"prepend: {first.argument()}")
    return first.then(*(f"append: {part.argument()}" for part in parts[1:]))


def _dotted(tree: Tree) -> str:
    if tree[0] == "name":
        return str(tree[1])
    if tree[0] == "key" and tree[1][0] == "name":
        return f"{tree[1][1]}.{tree[2]}"
    return ""
