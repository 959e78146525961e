"""Conditions as data: whether one holds in a scope, and how it reads in plain words."""

import operator
from collections.abc import Callable, Mapping
from datetime import UTC
from typing import Any

from workflows.definition import patterns
from workflows.definition.expressions import (
    CompiledValue,
    ExpressionError,
    MissingValue,
    Names,
    Reference,
    compile_value,
)
from workflows.definition.filters.bounds import (
    FilterRefused,
    TooMuch,
    number_of,
    require_bounded,
    shown,
    text_of,
)
from workflows.definition.filters.dates import home_zone
from workflows.definition.moments import is_moment, moment
from workflows.definition.shapes import OPERATORS, UNARY_OPERATORS, All, AnyOf, Compare, Condition, Not
from workflows.definition.wording import gettext as _

__all__ = [
    "OPERATORS", "UNARY_OPERATORS", "CompiledCondition", "ConditionError", "compile_condition", "describe", "evaluate",
]  # fmt: skip

ORDERINGS: dict[str, Callable[[Any, Any], bool]] = {
    "gt": operator.gt, "gte": operator.ge, "lt": operator.lt, "lte": operator.le,
}  # fmt: skip
_YES = frozenset({"true", "yes", "on", "1"})
_NO = frozenset({"false", "no", "off", "0", ""})


class ConditionError(ExpressionError):
    """A comparison makes no sense for the values it met. The message names the operator and the value."""


def evaluate(condition: Condition, scope: Names) -> bool:
    """Return whether `condition` holds. Raises ConditionError, ExpressionError."""
    return compile_condition(condition).holds(scope)


def compile_condition(condition: Condition) -> "CompiledCondition":
    """Return a condition ready to be asked many times. Raises ExpressionSyntaxError with its location."""
    return CompiledCondition(condition)


class CompiledCondition:
    """A condition with its templates parsed. `holds(scope)` answers; sub-conditions are asked only when needed."""

    __slots__ = ("_children", "_kind", "_operator", "_sensitive", "_to", "_value", "holds")

    def __init__(self, condition: Condition):
        self._children: list[tuple[tuple[str | int, ...], CompiledCondition]] = []
        self._value = self._to = _NOTHING
        self._operator, self._sensitive = "", False
        self.holds: Callable[[Names], bool]
        if isinstance(condition, All):
            self._children = [
                (("all", index), CompiledCondition(child)) for index, child in enumerate(condition.all)
            ]
            self.holds = self._all
        elif isinstance(condition, AnyOf):
            self._children = [
                (("any", index), CompiledCondition(child)) for index, child in enumerate(condition.any)
            ]
            self.holds = self._any
        elif isinstance(condition, Not):
            self._children = [(("not",), CompiledCondition(condition.negated))]
            self.holds = self._not
        else:
            self._value, self._to = compile_value(condition.value), compile_value(condition.to)
            self._operator, self._sensitive = condition.operator, condition.case_sensitive
            self.holds = self._compare

    def references(self) -> list[Reference]:
        """Return every name referred to, each with its location inside the condition."""
        if not self._children:
            values = (("value", self._value), ("to", self._to))
            return [_inside((key,), found) for key, value in values for found in value.references()]
        return [_inside(key, found) for key, child in self._children for found in child.references()]

    def _all(self, scope: Names) -> bool:
        return all(child.holds(scope) for _key, child in self._children)

    def _any(self, scope: Names) -> bool:
        return any(child.holds(scope) for _key, child in self._children)

    def _not(self, scope: Names) -> bool:
        return not self._children[0][1].holds(scope)

    def _compare(self, scope: Names) -> bool:
        try:
            value = self._value.render(scope)
        except MissingValue:
            # Asking whether something is there is the one question that a missing value answers.
            if self._operator not in {"empty", "not_empty"}:
                raise
            value = None
        to = None if self._operator in UNARY_OPERATORS else self._to.render(scope)
        return compare(value, self._operator, to, case_sensitive=self._sensitive, scope=scope)


_NOTHING = CompiledValue(None)


def _inside(key: tuple[str | int, ...], found: Reference) -> Reference:
    return Reference(found.path, found.text, found.optional, (*key, *found.location))


def compare(
    value: Any, how: str, to: Any = None, *, case_sensitive: bool = False, scope: Names | None = None
) -> bool:
    """Return whether `value` stands in relation `how` to `to`.

    Numbers written as text are numbers, dates in any usual form are dates, text ignores case unless told otherwise.
    scope: names whose organization decides the zone of dates without one. Raises ConditionError.
    """
    negated = how.startswith("not_")
    positive = how.removeprefix("not_")
    try:
        return _relation(value, positive, to, case_sensitive, scope) is not negated
    except (FilterRefused, patterns.BadPattern, patterns.PatternTooSlow) as error:
        message = _("“{operator}” cannot compare {value} with {to}: {reason}.")
        raise ConditionError(
            message.format(operator=words(how), value=shown(value), to=shown(to), reason=error)
        ) from error


def _relation(value: Any, how: str, to: Any, sensitive: bool, scope: Names | None) -> bool:
    if how == "equals":
        return same(value, to, sensitive)
    if how == "empty":
        return value is None or (isinstance(value, str) and not value.strip()) or value == [] or value == {}
    if how in {"true", "false"}:
        return _truth(value) is (how == "true")
    if how == "contains":
        return _contains(value, to, sensitive)
    if how == "in":
        options = [part.strip() for part in to.split(",")] if isinstance(to, str) else to
        if not isinstance(options, (list, tuple)):
            raise FilterRefused(_("the right side must be a list"))
        return any(same(value, option, sensitive) for option in options)
    if how in {"starts_with", "ends_with"}:
        text, part = _folded(value, sensitive), _folded(to, sensitive)
        return text.startswith(part) if how == "starts_with" else text.endswith(part)
    if how == "matches":
        return patterns.search(text_of(to) if sensitive else "(?i)" + text_of(to), text_of(value)) is not None
    if how in ORDERINGS:
        return ORDERINGS[how](*_ordered(value, to, scope))
    left, right = _instant(value, scope), _instant(to, scope)
    return left < right if how == "before" else left > right


def same(left: Any, right: Any, sensitive: bool = False) -> bool:
    """Return whether two values are equal for people: 5 and "5.0", true and "true", "Yes" and "yes"."""
    if isinstance(left, bool) or isinstance(right, bool):
        return _word(left) == _word(right)
    if isinstance(left, (int, float)) or isinstance(right, (int, float)):
        try:
            return left is not None and right is not None and number_of(left) == number_of(right)
        except TooMuch:
            return left == right
        except FilterRefused:
            return False
    if isinstance(left, str) and isinstance(right, str):
        return left == right if sensitive else left.casefold() == right.casefold()
    if isinstance(left, (dict, list)) and isinstance(right, (dict, list)):
        require_bounded(left)
        require_bounded(right)
    return bool(left == right)


def _word(value: Any) -> str:
    return text_of(value).strip().lower() if not isinstance(value, (dict, list)) else "?"


def _truth(value: Any) -> bool:
    if isinstance(value, bool) or value is None:
        return bool(value)
    if isinstance(value, str):
        word = value.strip().lower()
        if word in _YES or word in _NO:
            return word in _YES
    elif isinstance(value, (int, float)) and value in (0, 1):
        return value == 1
    raise FilterRefused(_("it is neither true nor false"))


def _contains(value: Any, to: Any, sensitive: bool) -> bool:
    if isinstance(value, (list, tuple)):
        return any(same(item, to, sensitive) for item in value)
    if isinstance(value, Mapping):
        return any(same(key, to, sensitive) for key in value)
    return value is not None and _folded(to, sensitive) in _folded(value, sensitive)


def _folded(value: Any, sensitive: bool) -> str:
    text = text_of(value)
    return text if sensitive else text.casefold()


def _ordered(value: Any, to: Any, scope: Names | None) -> tuple[Any, Any]:
    """Return both sides as numbers, or both as points in time when that is what they are."""
    try:
        return number_of(value), number_of(to)
    except TooMuch:
        raise
    except FilterRefused:
        if is_moment(value) and is_moment(to):
            return _instant(value, scope), _instant(to, scope)
        raise


def _instant(value: Any, scope: Names | None) -> Any:
    try:
        return moment(value, home_zone(scope)).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise FilterRefused(_("{value} is not a date").format(value=shown(value))) from error


def words(how: str) -> str:
    """Return the operator as people say it."""
    return {
        "equals": _("is"), "not_equals": _("is not"), "contains": _("contains"),
        "not_contains": _("does not contain"), "starts_with": _("starts with"), "ends_with": _("ends with"),
        "matches": _("matches"), "not_matches": _("does not match"), "gt": _("is more than"),
        "gte": _("is at least"), "lt": _("is less than"), "lte": _("is at most"), "in": _("is one of"),
        "not_in": _("is none of"), "empty": _("is empty"), "not_empty": _("is not empty"), "true": _("is true"),
        "false": _("is false"), "before": _("is before"), "after": _("is after"),
    }.get(how, how)  # fmt: skip


def describe(condition: Condition, name_of: Callable[[str], str] | None = None) -> str:
    """Return the condition as a clause in plain words: "the score is at least 80 and the city is “Paris”".

    name_of: how to call a template (its source in, a name out); by default its last words.
    """
    call = name_of or plain_name
    if isinstance(condition, Compare):
        subject = call(condition.value) if isinstance(condition.value, str) else shown(condition.value)
        if condition.operator in UNARY_OPERATORS:
            return f"{subject} {words(condition.operator)}"
        return f"{subject} {words(condition.operator)} {_object(condition.to, call)}"
    if isinstance(condition, Not):
        return _("it is not so that {condition}").format(condition=describe(condition.negated, call))
    parts = condition.all if isinstance(condition, All) else condition.any
    joined = (_(" and ") if isinstance(condition, All) else _(" or ")).join(
        f"({describe(part, call)})" if len(parts) > 1 and _joins_several(part) else describe(part, call)
        for part in parts
    )
    return joined


def _joins_several(condition: Condition) -> bool:
    return len(getattr(condition, "all", None) or getattr(condition, "any", None) or ()) > 1


def _object(value: Any, call: Callable[[str], str]) -> str:
    if isinstance(value, str):
        return call(value) if "{{" in value else f"“{value}”"
    if isinstance(value, list):
        return ", ".join(_object(item, call) for item in value[:10])
    return shown(value)


def plain_name(source: str) -> str:
    """Return how to call a template in a sentence: `{{ steps.score.output.points }}` is "the points of score"."""
    text = source.strip()
    if not (text.startswith("{{") and text.endswith("}}")) or text.count("{{") != 1:
        return f"“{text[:80]}”"
    path = text[2:-2].split("|")[0].strip()
    keys = [key for key in path.replace("[", ".").replace("]", "").split(".") if key]
    if not keys or not all(key.replace("_", "a").replace("-", "a").isalnum() for key in keys):
        return f"“{text[:80]}”"
    last = keys[-1].replace("_", " ")
    if keys[0] == "steps" and len(keys) > 1:
        owner = keys[1].replace("_", " ")
        if len(keys) == 2 or keys[-1] == "output":
            return _("the result of {step}").format(step=owner)
        return _("the {field} of {step}").format(field=last, step=owner)
    return _("the {field}").format(field=last)
