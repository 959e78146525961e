"""Turns what pydantic found wrong into sentences that name the step and the field."""

from typing import Any

from pydantic import ValidationError

from workflows.definition import limits
from workflows.definition.problems import (
    Location,
    Problem,
    did_you_mean,
    near_miss,
    place_text,
    readable_path,
)
from workflows.definition.wording import gettext as _

_TAG_PREFIXES = ("type:", "kind:")


def problems_from(error: ValidationError, data: Any) -> list[Problem]:
    """Return one problem per fault in `error`, in document order. data: what was being read."""
    found: dict[tuple[Location, str], Problem] = {}
    for fault in error.errors(include_url=False):
        problem = _problem(fault, data)
        found.setdefault((problem.location, problem.code), problem)
    return list(found.values())[: limits.MAX_PROBLEMS]


def _problem(fault: Any, data: Any) -> Problem:
    location = _place_in(data, fault["loc"])
    owner_location, owner = _owner(location, data)
    step_id = str(owner.get("id") or "")
    kind, context = fault["type"], fault.get("ctx", {})
    suggestion = ""
    if kind == "missing":
        code, sentence = "missing", _("this is needed.")
    elif kind == "extra_forbidden":
        code = "unknown_key"
        suggestion = near_miss(str(location[-1]), _known_keys(location[:-1], owner_location, owner))
        sentence = _("there is no such key here.") + did_you_mean(suggestion)
    elif kind == "union_tag_invalid":
        code, written = "unknown_type", str(context.get("tag", "")).removeprefix("type:")
        known = [
            tag.removeprefix("type:")
            for tag in str(context.get("expected_tags", "")).replace("'", "").split(", ")
        ]
        location = (*location, "type")
        if written in {"None", ""}:
            code, sentence = (
                "missing",
                _("this is needed. Choose one of {known}.").format(known=", ".join(known)),
            )
        else:
            suggestion = near_miss(written, known)
            sentence = _("there is no type “{written}”.").format(written=written[:80])
            sentence += did_you_mean(suggestion) or " " + _("Choose one of {known}.").format(
                known=", ".join(known)
            )
    elif kind in {"literal_error", "enum"}:
        code, expected = "unknown_choice", str(context.get("expected", ""))
        choices = expected.replace("'", "").replace(" or ", ", ")
        suggestion = near_miss(str(fault["input"])[:80], choices.split(", "))
        sentence = _("“{written}” is not one of {choices}.").format(
            written=str(fault["input"])[:80], choices=choices
        )
        sentence += did_you_mean(suggestion)
    else:
        code, sentence = _CODES.get(kind, "wrong_value"), _sentence(kind, context, fault["msg"])
    field = _field(location, owner_location)
    return Problem(
        code=code,
        message=_where(owner, owner_location, field) + sentence,
        location=location,
        step_id=step_id,
        field=field,
        suggestion=suggestion,
    )


_CODES = {
    "identifier": "bad_id", "duration": "bad_duration", "whole_number": "wrong_number", "rule": "rule",
    "string_type": "wrong_type", "dict_type": "wrong_type", "list_type": "wrong_type", "int_type": "wrong_type",
    "bool_type": "wrong_type", "bool_parsing": "wrong_type", "int_parsing": "wrong_type", "model_type": "wrong_type",
    "model_attributes_type": "wrong_type", "int_from_float": "wrong_type", "float_type": "wrong_type",
}  # fmt: skip


def _sentence(kind: str, context: dict[str, Any], fallback: str) -> str:
    if kind in {"identifier", "duration", "whole_number", "rule"}:
        return str(context["message"])
    if kind == "string_type":
        return _("this must be text.")
    if kind in {"dict_type", "model_type", "model_attributes_type"}:
        return _("this must be an object in braces.")
    if kind == "list_type":
        return _("this must be a list.")
    if kind in {"int_type", "int_parsing", "int_from_float"}:
        return _("this must be a whole number.")
    if kind in {"float_type", "float_parsing"}:
        return _("this must be a number.")
    if kind in {"bool_type", "bool_parsing"}:
        return _("this must be true or false.")
    if kind in {"string_too_short", "too_short"}:
        return _("this must not be empty.")
    if kind in {"string_too_long", "too_long"}:
        return _("this is too long; {limit} is the most.").format(limit=context.get("max_length", ""))
    if kind in {"greater_than_equal", "greater_than"}:
        return _("this must be at least {limit}.").format(limit=context.get("ge", context.get("gt", "")))
    if kind in {"less_than_equal", "less_than"}:
        return _("this must be at most {limit}.").format(limit=context.get("le", context.get("lt", "")))
    return fallback[:1].lower() + fallback[1:] + "."


def _place_in(data: Any, loc: tuple[Any, ...]) -> Location:
    """Return pydantic's location without the tags of unions, which are no keys of the document."""
    return tuple(part for part in loc if not (isinstance(part, str) and part.startswith(_TAG_PREFIXES)))


def _owner(location: Location, data: Any) -> tuple[Location, dict[str, Any]]:
    """Return the innermost step or trigger around `location`, as (its location, its data)."""
    current: Any = data
    best_location: Location = ()
    best: dict[str, Any] = {}
    for depth, part in enumerate((*location, None)):
        if isinstance(current, dict) and _holds_a_step(location[:depth]):
            best_location, best = location[:depth], current
        try:
            current = current[part] if part is not None else None
        except (KeyError, IndexError, TypeError):
            break
    return best_location, best


def _holds_a_step(location: Location) -> bool:
    """Return whether a step, or a trigger of a list of triggers, stands here."""
    if not location or not isinstance(location[-1], int):
        return False
    return len(location) == 1 or location[-2] in {"steps", "otherwise", "on_error"}


def _field(location: Location, owner_location: Location) -> str:
    return readable_path(location[len(owner_location) :])


def _where(owner: dict[str, Any], owner_location: Location, field: str) -> str:
    name, step_id = owner.get("name"), owner.get("id")
    number = owner_location[-1] if owner_location else None
    return place_text(
        name if isinstance(name, str) else "",
        step_id if isinstance(step_id, str) else "",
        field,
        number if isinstance(number, int) else None,
    )


def _known_keys(parent: Location, owner_location: Location, owner: dict[str, Any]) -> list[str]:
    """Return the keys that may be written where an unknown one stood, for a suggestion."""
    from workflows.definition.schema import Definition, Settings
    from workflows.definition.steps import STEP_MODELS, Branch, Retry
    from workflows.definition.triggers import TRIGGER_MODELS, WebhookAuth

    named = {"settings": Settings, "retry": Retry, "auth": WebhookAuth}
    if parent == ():
        model: Any = Definition
    elif parent == owner_location:
        models: dict[str, Any] = {**STEP_MODELS, **TRIGGER_MODELS}
        model = models.get(str(owner.get("type")))
    elif isinstance(parent[-1], int) and len(parent) > 1 and parent[-2] == "branches":
        model = Branch
    else:
        model = named.get(str(parent[-1]))
    return [field.alias or name for name, field in model.model_fields.items()] if model else []
