"""The form of each step type: made from its model (choices, defaults, what is needed), worded for people."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Literal, get_args, get_origin

from django.utils.translation import gettext as _
from pydantic.fields import FieldInfo

from workflows.definition.schema import STEP_MODELS
from workflows.definition.shapes import Shape
from workflows.drafting.fields import Field, Path
from workflows.drafting.operation_forms import operation_fields
from workflows.drafting.step_words import CHOICE_WORDS, ONLY_FOR, words_for

# Keys that the editor shows by other means: the lists of steps, and what the toolbar switches.
STRUCTURE = frozenset({"type", "steps", "branches", "otherwise", "disabled"})
COMMON_ADVANCED = ("if", "retry", "on_error", "timeout", "id")


def step_fields(step: Mapping[str, Any]) -> list[Field]:
    """Return the fields of a step without values; those of an action also come from its operation."""
    kind = str(step.get("type"))
    model = STEP_MODELS.get(kind)
    if model is None:
        return []
    own = [name for name in _names(model) if name not in {*STRUCTURE, *COMMON_ADVANCED, "name", "note"}]
    fields = [_common("name")]
    for name in own:
        if kind == "action" and name in ("provider", "operation", "with"):
            continue  # chosen when the step was added; `with` is the operation's form
        if not _is_shown(kind, name, step):
            continue
        fields += _from_model(kind, (name,), _info(model, name))
    if kind == "action":
        fields += operation_fields(step, "action")
    if kind in ("branch", "parallel"):
        fields += _branches(step)
    return [*fields, _common("note"), *(field for name in COMMON_ADVANCED for field in _advanced(name))]


def _names(model: type[Shape]) -> list[str]:
    return [info.alias or name for name, info in model.model_fields.items()]


def _info(model: type[Shape], name: str) -> FieldInfo:
    return next(info for key, info in model.model_fields.items() if (info.alias or key) == name)


def _is_shown(kind: str, name: str, step: Mapping[str, Any]) -> bool:
    # What belongs to other operations of the type is hidden, unless the step holds something there already.
    wanted = ONLY_FOR.get((kind, name))
    return wanted is None or name in step or str(step.get("operation", _first(kind))) in wanted


def _first(kind: str) -> str:
    return "generate" if kind == "ai" else ""


def _from_model(kind: str, path: Path, info: FieldInfo) -> list[Field]:
    inner = next(
        (each for each in _options(info.annotation) if isinstance(each, type) and issubclass(each, Shape)),
        None,
    )
    words = words_for(kind, path)
    if inner is not None and "kind" not in words:  # retry, pagination, budget: a group of their own fields
        return [
            replace(
                field,
                group=str(words.get("label") or _title(path[-1])),
                is_advanced=words.get("is_advanced", True),
            )
            for name in _names(inner)
            for field in _from_model(kind, (*path, name), _info(inner, name))
        ]
    choices = _choices(kind, path, info)
    default = None if info.is_required() else info.get_default(call_default_factory=True)
    made = Field(
        path,
        label=_title(path[-1]),
        kind=_kind(info, choices),
        # Within an optional group nothing is needed as long as the group is empty.
        is_required=info.is_required() and len(path) == 1,
        choices=choices,
        default=default if isinstance(default, str | int | float | bool) else None,
    )
    return [replace(made, **words)]


def _kind(info: FieldInfo, choices: tuple[Any, ...]) -> str:
    if choices:
        return "choice"
    for option in _options(info.annotation):
        if option is bool:
            return "checkbox"
        if option is int:
            return "integer"
        if option is float:
            return "number"
        if get_origin(option) is dict:
            return "rows"
        if get_origin(option) is list:
            return "lines"
    return "text"


def _choices(kind: str, path: Path, info: FieldInfo) -> tuple[tuple[Any, str], ...]:
    for option in _options(info.annotation):
        if get_origin(option) is Literal:
            names = CHOICE_WORDS.get((kind, path[-1]), CHOICE_WORDS.get(("", path[-1]), {}))
            return tuple((value, str(names.get(value, _title(value)))) for value in get_args(option))
    return ()


def _options(annotation: Any) -> list[Any]:
    """Return the plain types in an annotation: those of a union, without Annotated and None."""
    origin = get_origin(annotation)
    if origin in (dict, list, Literal) or not get_args(annotation):
        return [annotation]
    if hasattr(annotation, "__metadata__"):
        return _options(get_args(annotation)[0])
    return [option for each in get_args(annotation) if each is not type(None) for option in _options(each)]


def _common(name: str) -> Field:
    if name == "name":
        return Field(("name",), _("Name"), _("What people read in the list and in every run."))
    return Field(
        ("note",), _("Note"), _("For the people who edit this workflow."), "long_text", is_advanced=True
    )


def _advanced(name: str) -> list[Field]:
    if name == "if":
        text = _("Otherwise the step is passed over and the run goes on.")
        return [Field(("if",), _("Run this step only when"), text, "condition", is_advanced=True)]
    if name == "retry":
        group = _("When it fails for a passing reason")
        return [
            Field(
                ("retry", "attempts"),
                _("Tries in all"),
                _("The first one included; 1 tries once."),
                "integer",
                example="3",
                group=group,
                is_advanced=True,
            ),
            Field(
                ("retry", "backoff"),
                _("Wait before the next try"),
                _("It doubles with each try."),
                "duration",
                example=_("2 seconds"),
                group=group,
                is_advanced=True,
            ),
            Field(
                ("retry", "max_delay"),
                _("Never wait longer than"),
                "",
                "duration",
                example=_("15 minutes"),
                group=group,
                is_advanced=True,
            ),
        ]
    if name == "on_error":
        choices = (
            ("fail", _("Stop the run as failed")),
            ("continue", _("Go on with the next step")),
            ("steps", _("Run other steps instead, in a lane below")),
        )
        return [
            Field(
                ("on_error",),
                _("When it fails for good"),
                "",
                "choice",
                default="fail",
                choices=choices,
                is_reshaping=True,
                is_advanced=True,
            )
        ]
    if name == "timeout":
        text = _("The step fails when it takes longer.")
        return [
            Field(("timeout",), _("Time limit"), text, "duration", example=_("5 minutes"), is_advanced=True)
        ]
    text = _("How other steps refer to it: steps.<short name>.output. References follow when you change it.")
    return [Field(("id",), _("Short name"), text, is_required=True, is_advanced=True)]


def _branches(step: Mapping[str, Any]) -> list[Field]:
    found = []
    for number, branch in enumerate(step.get("branches") or [], start=1):
        name = str(branch.get("name"))
        group = str(branch.get("title") or _("Way %(number)s") % {"number": number})
        extra = {"branch": name, "first": number == 1, "last": number == len(step["branches"])}
        found.append(Field(("branches", name, "title"), _("Name of this way"), group=group, extra=extra))
        if step["type"] == "branch":
            when = Field(
                ("branches", name, "when"), _("Taken when"), "", "condition", is_required=True, group=group
            )
            found.append(when)
    return found


def _title(name: str) -> str:
    return name.replace("_", " ").capitalize()
