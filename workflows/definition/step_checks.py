"""What each step type must say beyond its shape: keys that belong together, patterns, schemas, operations."""

import ast
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from jsonschema import Draft202012Validator, SchemaError

from workflows.definition import limits
from workflows.definition.fields import step_fields
from workflows.definition.moments import moment, zone
from workflows.definition.outputs import OperationCatalog, provider_name
from workflows.definition.patterns import BadPattern, compile_pattern
from workflows.definition.problems import near_miss
from workflows.definition.shapes import All, AnyOf, Condition, Not, is_template
from workflows.definition.steps import (
    ActionStep,
    AiStep,
    ApprovalStep,
    Branch,
    BranchStep,
    CodeStep,
    DelayStep,
    HttpStep,
    Lane,
    ParallelStep,
    StepBase,
    TransformStep,
)
from workflows.definition.tree import RESERVED_BRANCH_NAMES, child_lists
from workflows.definition.wording import gettext as _

# (code, location inside the step, message, suggestion, severity)
Finding = tuple[str, tuple[str | int, ...], str, str, str]

# Operation -> keys without which it makes no sense.
TRANSFORM_NEEDS: dict[str, tuple[str, ...]] = {
    "filter": ("items", "where"), "map": ("items", "value"), "sort": ("items",), "limit": ("items", "count"),
    "unique": ("items",), "aggregate": ("items", "measures"), "group": ("items", "by"), "flatten": ("items",),
    "merge": ("items",), "chunk": ("items", "count"), "split": ("value",), "join": ("items",),
    "text": ("value", "function"), "parse_csv": ("value",), "to_csv": ("items",), "parse_json": ("value",),
    "to_json": ("value",), "date": ("value",),
}  # fmt: skip


def finding(
    code: str, location: tuple[str | int, ...], message: str, suggestion: str = "", severity: str = "error"
) -> Finding:
    """Return one fault of a step."""
    return code, location, message, suggestion, severity


def check_step(step: StepBase, catalog: OperationCatalog | None) -> Iterator[Finding]:
    """Yield what is wrong with `step` by itself, whatever stands around it."""
    for each in step_fields(step):
        if each.condition is not None:
            yield from check_condition(each.condition, each.location)
    for _name, _suffix, steps, location in child_lists(step):
        if not steps:
            yield finding("empty_block", location, _("there are no steps here yet."), severity="warning")
    check = _CHECKS.get(type(step))
    if check is not None:
        yield from check(step)
    if isinstance(step, ActionStep) and catalog is not None:
        yield from _action(step, catalog)


def check_condition(
    condition: Condition, location: tuple[str | int, ...], depth: int = 1
) -> Iterator[Finding]:
    """Yield what is wrong inside a condition: nesting, patterns and dates that no value can match."""
    if depth > limits.MAX_CONDITION_DEPTH:
        yield finding("too_deep", location, _("conditions are nested too deeply."))
        return
    if isinstance(condition, Not):
        yield from check_condition(condition.negated, (*location, "not"), depth + 1)
    elif isinstance(condition, (All, AnyOf)):
        key, parts = ("all", condition.all) if isinstance(condition, All) else ("any", condition.any)
        for index, part in enumerate(parts):
            yield from check_condition(part, (*location, key, index), depth + 1)
    elif condition.operator in {"matches", "not_matches"}:
        if not isinstance(condition.to, str):
            yield finding("bad_pattern", (*location, "to"), _("a pattern must be text."))
        elif not is_template(condition.to):
            yield from check_pattern(condition.to, (*location, "to"))
    elif condition.operator in {"before", "after"} and not is_template(condition.to):
        yield from check_moment(condition.to, (*location, "to"))
    elif condition.operator in {"gt", "gte", "lt", "lte", "in", "not_in"} and condition.to is None:
        yield finding("missing", (*location, "to"), _("this comparison needs a value to compare with."))


def check_pattern(pattern: str, location: tuple[str | int, ...]) -> Iterator[Finding]:
    """Yield a finding when `pattern` is no regular expression."""
    try:
        compile_pattern(pattern)
    except BadPattern as error:
        yield finding("bad_pattern", location, _("{reason}.").format(reason=error))


def check_moment(value: Any, location: tuple[str | int, ...]) -> Iterator[Finding]:
    """Yield a finding when `value` is not a date."""
    try:
        moment(value)
    except ValueError:
        message = _("“{value}” is not a date. Write it like 2027-03-01 or 2027-03-01T09:00.")
        yield finding("bad_date", location, message.format(value=str(value)[:60]))


def check_zone(name: str, location: tuple[str | int, ...]) -> Iterator[Finding]:
    """Yield a finding when there is no time zone `name`."""
    try:
        zone(name)
    except ValueError:
        from zoneinfo import available_timezones

        suggestion = near_miss(name, available_timezones())
        message = _("there is no time zone “{name}”. Write it like Europe/Paris.").format(name=name)
        yield finding("bad_timezone", location, message, suggestion)


def check_schema(
    schema: Mapping[str, Any], location: tuple[str | int, ...], *, fields: bool = True
) -> Iterator[Finding]:
    """Yield what is wrong with a JSON Schema. fields: it must describe an object, as forms and inputs do."""
    try:
        Draft202012Validator.check_schema(schema)
    except SchemaError as error:
        message = _("this is not a valid JSON Schema: {reason}.").format(reason=error.message[:200])
        yield finding("bad_schema", (*location, *error.absolute_path), message)
        return
    except RecursionError:
        yield finding("bad_schema", location, _("this JSON Schema is nested too deeply."))
        return
    if fields and schema.get("type") != "object":
        yield finding(
            "bad_schema",
            location,
            _("this schema must have “type”: “object”, with its fields in “properties”."),
        )
    stack: list[Any] = [schema]
    while stack:
        current = stack.pop()
        if isinstance(current, dict):
            reference = current.get("$ref")
            if isinstance(reference, str) and not reference.startswith("#"):
                yield finding(
                    "bad_schema", location, _("a schema may only refer to itself ($ref starts with #).")
                )
                return
            stack.extend(current.values())
        elif isinstance(current, list):
            stack.extend(current)


def check_given(
    given: Mapping[str, Any], schema: Mapping[str, Any], location: tuple[str | int, ...], what: str
) -> Iterator[Finding]:
    """Yield unknown, missing and ill-typed fields of `given`. Templates are taken on trust until they are rendered."""
    known = schema.get("properties") or {}
    for key, value in given.items():
        if key not in known:
            if known and schema.get("additionalProperties") is False:
                message = _("{what} has no field “{field}”.").format(what=what, field=key)
                yield finding("unknown_field", (*location, key), message, near_miss(key, known))
        elif not _holds_template(value):
            error = next(iter(Draft202012Validator(known[key]).iter_errors(value)), None)
            if error is not None:
                place = (*location, key, *error.absolute_path)
                yield finding("wrong_value", place, _("{reason}.").format(reason=error.message[:200]))
    for key in schema.get("required") or ():
        if given.get(key) in (None, "") and known.get(key, {}).get("default") is None:
            title = known.get(key, {}).get("title") or key
            yield finding("missing", (*location, key), _("“{title}” is needed.").format(title=title))


def _action(step: ActionStep, catalog: OperationCatalog) -> Iterator[Finding]:
    provider = provider_name(catalog, step.provider)
    if provider is None:
        suggestion = near_miss(step.provider, [name.lower() for name in catalog.providers()])
        message = _("there is no connector “{name}”.").format(name=step.provider)
        yield finding("unknown_provider", ("provider",), message, suggestion)
        return
    try:
        schema = catalog.input_schema(provider, step.operation)
    except LookupError:
        operations = catalog.operations(provider)
        message = _("{provider} has no operation “{name}”.").format(
            provider=step.provider, name=step.operation
        )
        yield finding("unknown_operation", ("operation",), message, near_miss(step.operation, operations))
        return
    yield from check_given(step.with_, schema, ("with",), f"{step.provider}.{step.operation}")


def _holds_template(value: Any) -> bool:
    if isinstance(value, (dict, list)):
        return any(_holds_template(child) for child in (value.values() if isinstance(value, dict) else value))
    return is_template(value)


def _http(step: HttpStep) -> Iterator[Finding]:
    bodies = [
        key
        for key in ("json", "form", "body")
        if step.model_fields_set & {key, "json_body" if key == "json" else key}
    ]
    if len(bodies) > 1:
        message = _("give only one of {keys}.").format(keys=", ".join(bodies))
        yield finding("conflict", (bodies[1],), message)
    if not is_template(step.url) and not step.url.lower().startswith(("http://", "https://")):
        yield finding("bad_url", ("url",), _("an address starts with https:// or http://."))
    page = step.pagination
    if page is not None and page.mode == "cursor" and not (page.cursor and page.parameter):
        yield finding("missing", ("pagination",), _("paging by cursor needs “cursor” and “parameter”."))
    if page is not None and page.mode in {"page", "offset"} and not page.parameter:
        yield finding("missing", ("pagination", "parameter"), _("this kind of paging needs “parameter”."))


def _ai(step: AiStep) -> Iterator[Finding]:
    if step.operation == "transcribe":
        if step.file is None:
            yield finding("missing", ("file",), _("transcribe needs a recording."))
    elif not step.prompt.strip():
        yield finding("missing", ("prompt",), _("an AI step needs a prompt that says what to do."))
    if step.operation == "classify" and len(step.labels) < 2:
        yield finding("missing", ("labels",), _("classify needs at least two labels to choose from."))
    if step.operation == "extract" and not step.output_schema:
        yield finding("missing", ("schema",), _("extract needs a schema that says what to look for."))
    if step.output_schema is not None:
        yield from check_schema(step.output_schema, ("schema",))
    if step.tools and step.operation != "agent":
        yield finding("conflict", ("tools",), _("only an agent uses tools."))
    for index, tool in enumerate(step.tools):
        if (tool.workflow is None) == (tool.provider is None) or (tool.provider and not tool.operation):
            message = _("a tool is either a workflow, or a provider and its operation.")
            yield finding("missing", ("tools", index), message)


def _transform(step: TransformStep) -> Iterator[Finding]:
    for key in TRANSFORM_NEEDS[step.operation]:
        if getattr(step, key) in (None, {}, ""):
            message = _("{operation} needs “{key}”.").format(operation=step.operation, key=key)
            yield finding("missing", (key,), message)
    if step.operation == "text" and step.function in {"replace", "extract"} and not step.pattern:
        yield finding(
            "missing",
            ("pattern",),
            _("{operation} needs “{key}”.").format(operation=step.function, key="pattern"),
        )
    if step.pattern:
        yield from check_pattern(step.pattern, ("pattern",))
    if step.timezone:
        yield from check_zone(step.timezone, ("timezone",))


def _code(step: CodeStep) -> Iterator[Finding]:
    if step.language == "python":
        try:
            ast.parse(step.source)
        except SyntaxError as error:
            message = _("line {line} of the program: {reason}.").format(
                line=error.lineno or 1, reason=error.msg
            )
            yield finding("bad_program", ("source",), message)
        except (ValueError, RecursionError, MemoryError):
            yield finding("bad_program", ("source",), _("the program cannot be read."))
    for name in step.inputs:
        if not name.isidentifier():
            yield finding(
                "bad_id", ("inputs", name), _("“{name}” is not a name a program can use.").format(name=name)
            )


def _named_ways(step: BranchStep | ParallelStep) -> Iterator[Finding]:
    seen: set[str] = set()
    branches: Sequence[Branch | Lane] = step.branches
    for index, branch in enumerate(branches):
        if branch.name in seen or branch.name in RESERVED_BRANCH_NAMES:
            message = _("the name “{name}” is already taken here.").format(name=branch.name)
            yield finding("double_name", ("branches", index, "name"), message)
        seen.add(branch.name)


def _delay(step: DelayStep) -> Iterator[Finding]:
    if step.for_ is None and step.until is None and not step.business_hours:
        yield finding("missing", ("for",), _("say how long: “for” a length of time, or “until” a moment."))
    if step.for_ is not None and step.until is not None:
        yield finding("conflict", ("until",), _("give only one of {keys}.").format(keys="for, until"))
    if step.until is not None and not is_template(step.until):
        yield from check_moment(step.until, ("until",))


def _approval(step: ApprovalStep) -> Iterator[Finding]:
    for index, assignee in enumerate(step.assignees):
        if (assignee.user is None) == (assignee.role is None):
            yield finding("missing", ("assignees", index), _("give either “user” or “role”."))
    people = [assignee for assignee in step.assignees if assignee.user is not None]
    if people and len(people) == len(step.assignees) and step.required > len(people):
        message = _("{required} must approve, but only {people} can.").format(
            required=step.required, people=len(people)
        )
        yield finding("conflict", ("required",), message)
    if step.form is not None:
        yield from check_schema(step.form, ("form",))


_CHECKS: dict[type[StepBase], Callable[[Any], Iterable[Finding]]] = {
    HttpStep: _http, AiStep: _ai, TransformStep: _transform, CodeStep: _code, BranchStep: _named_ways,
    ParallelStep: _named_ways, DelayStep: _delay, ApprovalStep: _approval,
}  # fmt: skip
