"""The small field types that steps, triggers and conditions are made of."""

import re
from collections.abc import Callable
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Discriminator, Field, Tag
from pydantic_core import PydanticCustomError
from typing_extensions import TypeAliasType

from workflows.definition.durations import InvalidDuration, parse_duration
from workflows.definition.limits import MAX_CONDITIONS, MAX_ID_LENGTH, MAX_NAME_LENGTH, MAX_TEMPLATE_LENGTH
from workflows.definition.wording import gettext as _

IDENTIFIER = re.compile(r"[a-z][a-z0-9_]*")


class Shape(BaseModel):
    """Base of every model of the language: unknown keys are faults, and nothing changes after reading."""

    model_config = ConfigDict(extra="forbid", frozen=True, serialize_by_alias=True, ser_json_inf_nan="null")

    def to_data(self) -> dict[str, Any]:
        """Return the JSON data this was read from: only the keys the author wrote, under their written names."""
        return self.model_dump(mode="json", by_alias=True, exclude_unset=True)


def is_template(value: object) -> bool:
    """Return whether `value` is a string that holds Liquid."""
    return isinstance(value, str) and ("{{" in value or "{%" in value)


def _identifier(text: str) -> str:
    if not IDENTIFIER.fullmatch(text):
        raise PydanticCustomError(
            "identifier",
            "{message}",
            {
                "message": _(
                    "“{text}” must be written in small letters, digits and underscores, and start with a letter."
                ).format(text=text)
            },
        )
    return text


def _duration(text: str) -> str:
    try:
        parse_duration(text)
    except InvalidDuration as error:
        raise PydanticCustomError("duration", "{message}", {"message": str(error)}) from error
    return text


def _duration_or_template(text: str) -> str:
    return text if is_template(text) else _duration(text)


def whole_number(low: int, high: int) -> Callable[[Any], Any]:
    """Return a check for a whole number in [low, high] that may also be a template, decided when the step runs."""

    def check(value: Any) -> Any:
        if is_template(value):
            return value
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise PydanticCustomError(
                "whole_number",
                "{message}",
                {
                    "message": _("This must be a whole number from {low} to {high}.").format(
                        low=low, high=high
                    )
                },
            )
        return value

    return check


Value = Annotated[
    Any, Field(description="Any JSON value. Strings inside it may hold Liquid, like {{ trigger.body }}.")
]
Identifier = Annotated[
    str,
    Field(max_length=MAX_ID_LENGTH, json_schema_extra={"pattern": "^[a-z][a-z0-9_]*$"}),
    AfterValidator(_identifier),
]
Name = Annotated[str, Field(max_length=MAX_NAME_LENGTH)]
Template = Annotated[str, Field(max_length=MAX_TEMPLATE_LENGTH, description="Text that may hold Liquid.")]
Duration = Annotated[
    str,
    Field(max_length=40, description="30s, 5m, 2h, 3d, or ISO 8601 like PT5M."),
    AfterValidator(_duration),
]
DurationOrTemplate = Annotated[
    str,
    Field(max_length=1_000, description="A duration, or Liquid that gives one."),
    AfterValidator(_duration_or_template),
]
JsonSchema = Annotated[dict[str, Any], Field(description="A JSON Schema (draft 2020-12).")]

OPERATORS: tuple[str, ...] = (
    "equals", "not_equals", "contains", "not_contains", "starts_with", "ends_with", "matches", "not_matches",
    "gt", "gte", "lt", "lte", "in", "not_in", "empty", "not_empty", "true", "false", "before", "after",
)  # fmt: skip
UNARY_OPERATORS = frozenset({"empty", "not_empty", "true", "false"})


def _true_is_a_word(value: Any) -> Any:
    # `"is": true` is what people write first, and what YAML makes of an unquoted word.
    return str(value).lower() if isinstance(value, bool) else value


Operator = Annotated[
    Literal[
        "equals", "not_equals", "contains", "not_contains", "starts_with", "ends_with", "matches", "not_matches",
        "gt", "gte", "lt", "lte", "in", "not_in", "empty", "not_empty", "true", "false", "before", "after",
    ],
    BeforeValidator(_true_is_a_word),
]  # fmt: skip


class All(Shape):
    """True when every condition in the list is true."""

    all: list["Condition"] = Field(min_length=1, max_length=MAX_CONDITIONS)


class AnyOf(Shape):
    """True when at least one condition in the list is true."""

    any: list["Condition"] = Field(min_length=1, max_length=MAX_CONDITIONS)


class Not(Shape):
    """True when the condition inside is false."""

    negated: "Condition" = Field(alias="not")


class Compare(Shape):
    """One comparison of a value, `{"value": "{{ steps.score.output }}", "is": "gte", "to": 80}`."""

    value: Value
    operator: Operator = Field(alias="is")
    to: Value = None
    case_sensitive: bool = Field(
        False, description="Text is compared without regard to case unless this is true."
    )


def _kind_of_condition(data: Any) -> str:
    if isinstance(data, All) or (isinstance(data, dict) and "all" in data):
        return "kind:all"
    if isinstance(data, AnyOf) or (isinstance(data, dict) and "any" in data):
        return "kind:any"
    if isinstance(data, Not) or (isinstance(data, dict) and "not" in data):
        return "kind:not"
    return "kind:compare"


Condition = TypeAliasType(
    "Condition",
    Annotated[
        Annotated[All, Tag("kind:all")]
        | Annotated[AnyOf, Tag("kind:any")]
        | Annotated[Not, Tag("kind:not")]
        | Annotated[Compare, Tag("kind:compare")],
        Discriminator(_kind_of_condition),
    ],
)
for _model in (All, AnyOf, Not):
    _model.model_rebuild()
