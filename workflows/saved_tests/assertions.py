"""What a saved test demands of a run, judged in plain words.

An assertion is one of
  {"about": "status", "is": "COMPLETED" | "FAILED" | "CANCELLED"}
  {"about": "value", "condition": <condition of the workflow language over steps, inputs, trigger, output, status>}
  {"about": "calls", "step": <step id>, "times": <0 for not at all>}
  {"about": "sent", "step": <step id>, "field": "path.inside.what.was.sent", "is": <operator>, "to": <value>}
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from pydantic import TypeAdapter, ValidationError

from integrations.framework.paths import dig
from workflows.definition.conditions import compare, compile_condition, describe, plain_name, words
from workflows.definition.expressions import ExpressionError, compile_value
from workflows.definition.shapes import OPERATORS, UNARY_OPERATORS, Compare, Condition
from workflows.trial import Trial, sent_by

STATUSES = ("COMPLETED", "FAILED", "CANCELLED")
LONGEST_SHOWN = 300  # characters of a value in a finding
_CONDITION: TypeAdapter[Any] = TypeAdapter(Condition)

Titles = Mapping[str, str]
"""Step id -> what people call the step."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One assertion, judged. expected, actual: in words. step: the id of the step it is about, or ""."""

    title: str
    passed: bool
    expected: str = ""
    actual: str = ""
    step: str = ""

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


class NotAnAssertion(ValueError):
    """The data is no assertion; `str()` says what is wrong with it."""


def condition_of(data: Any) -> Any:
    """Return a condition of the workflow language. Raises NotAnAssertion."""
    try:
        condition = _CONDITION.validate_python(data)
        compile_condition(condition)
    except (ValidationError, ExpressionError) as wrong:
        message = wrong.errors()[0]["msg"] if isinstance(wrong, ValidationError) else wrong.message
        raise NotAnAssertion(_("This condition cannot be read: %(why)s") % {"why": message}) from None
    return condition


def check(assertion: Any) -> None:
    """Raise NotAnAssertion unless the data is an assertion as described above."""
    about = assertion.get("about") if isinstance(assertion, dict) else None
    if about == "status" and assertion.get("is") in STATUSES:
        return
    if about == "value":
        condition_of(assertion.get("condition"))
        return
    if about == "calls" and isinstance(assertion.get("step"), str):
        times = assertion.get("times")
        if isinstance(times, int) and not isinstance(times, bool) and 0 <= times <= 100_000:
            return
    if (
        about == "sent"
        and isinstance(assertion.get("step"), str)
        and isinstance(assertion.get("field"), str)
        and assertion.get("is") in OPERATORS
    ):
        return
    raise NotAnAssertion(_("Choose what to look at and what must hold."))


def judge(assertion: dict[str, Any], done: Trial, scope: Mapping[str, Any], titles: Titles) -> Finding:
    """Return whether a run did what the assertion demands. scope: the names that conditions may use."""
    try:
        check(assertion)
    except NotAnAssertion as wrong:
        return Finding(_("A check that cannot be read"), False, "", str(wrong))
    title, step = in_words(assertion, titles), str(assertion.get("step") or "")
    match assertion["about"]:
        case "status":
            expected, actual = assertion["is"], done.outcome
            said = status_words(actual)
            if done.error is not None:
                where = titles.get(step_of(done.error.step), done.error.step)
                said = f"{said}. {where}: {done.error.message}" if where else f"{said}. {done.error.message}"
                step = step_of(done.error.step)
            return Finding(title, actual == expected, status_words(expected), said, step)
        case "calls":
            count = times(done, step)
            return Finding(
                title, count == assertion["times"], times_words(assertion["times"]), times_words(count), step
            )
        case "sent":
            return _sent(assertion, done, title, step)
        case _:
            return _value(assertion["condition"], scope, title)


def in_words(assertion: Mapping[str, Any], titles: Titles) -> str:
    """Return an assertion as a sentence."""
    step = titles.get(str(assertion.get("step")), str(assertion.get("step") or ""))
    match assertion.get("about"):
        case "status":
            return _("The run ends as “%(status)s”") % {"status": status_words(str(assertion["is"]))}
        case "calls":
            return _("“%(step)s” happens %(times)s") % {
                "step": step,
                "times": times_words(assertion["times"]),
            }
        case "sent":
            return _("“%(step)s” is done with %(field)s that %(relation)s") % {
                "step": step,
                "field": field_words(assertion["field"]),
                "relation": _relation(assertion),
            }
        case _:
            sentence = describe(condition_of(assertion.get("condition")), lambda text: name_of(text, titles))
            return sentence[:1].upper() + sentence[1:]


def name_of(template: str, titles: Titles) -> str:
    """Return how to call a template of a condition: `{{ output.total }}` is "the total of the result"."""
    inside = template.strip().removeprefix("{{").removesuffix("}}").strip()
    keys = inside.split(".")
    if not all(key.replace("_", "a").replace("-", "a").isalnum() for key in keys):
        return plain_name(template)
    if keys[0] == "output":
        rest, whole = keys[1:], _("the result of the run")
    elif keys[0] == "steps" and len(keys) > 2 and keys[2] == "output":
        rest, whole = keys[3:], _("the result of “%(step)s”") % {"step": titles.get(keys[1], keys[1])}
    else:
        return plain_name(template)
    if not rest:
        return whole
    return _("%(field)s in %(whole)s") % {"field": field_words(".".join(rest)), "whole": whole}


def status_words(status: str) -> str:
    """Return how a run ended, in words."""
    return {
        "COMPLETED": _("Completed"),
        "FAILED": _("Failed"),
        "CANCELLED": _("Cancelled"),
        "WAITING": _("Still waiting for an answer"),
    }.get(status, status)


def times_words(count: int) -> str:
    """Return how often something happens."""
    if count == 0:
        return _("not at all")
    return (
        _("once") if count == 1 else ngettext("%(count)s time", "%(count)s times", count) % {"count": count}
    )


def times(done: Trial, step: str) -> int:
    """Return how often a step's call was made; further tries of the same call are one."""
    return len({call.path for call in done.calls if call.step_id == step})


def field_words(field: str) -> str:
    """Return a field's path as people read it."""
    return " → ".join(part.replace("_", " ") for part in field.split(".") if part) or _("everything")


def shown(value: Any) -> str:
    """Return a value short enough to read."""
    if value is None:
        return _("nothing")
    text = f"“{value}”" if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= LONGEST_SHOWN else f"{text[:LONGEST_SHOWN]}…"


def step_of(path: str) -> str:
    """Return the id of the step at a path."""
    return path.rsplit(".", 1)[-1].partition("[")[0]


def _sent(assertion: Mapping[str, Any], done: Trial, title: str, step: str) -> Finding:
    found = [_inside(sent_by(call), assertion["field"]) for call in done.calls if call.step_id == step]
    expected = _relation(assertion)
    if not found:
        return Finding(title, False, expected, _("it does not happen at all"), step)
    try:
        passed = any(compare(each, assertion["is"], assertion.get("to")) for each in found)
    except ExpressionError as wrong:
        return Finding(title, False, expected, wrong.message, step)
    return Finding(title, passed, expected, ", ".join(shown(each) for each in found[:3]), step)


def _value(data: Any, scope: Mapping[str, Any], title: str) -> Finding:
    condition = condition_of(data)
    expected, actual, step = title, "", ""
    if isinstance(condition, Compare):
        expected = _relation({"is": condition.operator, "to": condition.to})
        step = _step_in(condition.value)
        try:
            actual = shown(compile_value(condition.value).render(dict(scope)))
        except ExpressionError:
            actual = _("nothing: it is not there")
    try:
        passed = compile_condition(condition).holds(dict(scope))
    except ExpressionError as wrong:
        return Finding(title, False, expected, actual or wrong.message, step)
    return Finding(title, passed, expected, actual or (_("it is so") if passed else _("it is not so")), step)


def _relation(assertion: Mapping[str, Any]) -> str:
    said = words(assertion["is"])
    return said if assertion["is"] in UNARY_OPERATORS else f"{said} {shown(assertion.get('to'))}"


def _inside(value: Any, field: str) -> Any:
    return dig(value, field) if field else value


def _step_in(template: Any) -> str:
    text = str(template).strip().removeprefix("{{").strip()
    return text.split(".")[1] if text.startswith("steps.") else ""
