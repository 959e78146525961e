"""The static check before publishing: everything that can be known to be wrong without running the workflow."""

import re
from collections.abc import Iterator, Mapping, Sequence, Set
from typing import Any

from workflows.definition import limits
from workflows.definition.calls import chain_back
from workflows.definition.fields import trigger_fields
from workflows.definition.jsontext import read_json, with_lines
from workflows.definition.outputs import OperationCatalog
from workflows.definition.problems import (
    DefinitionInvalid,
    Location,
    Problem,
    did_you_mean,
    near_miss,
    place_text,
    readable_path,
)
from workflows.definition.reference_checks import TRIGGER_NAMES, References
from workflows.definition.schema import Definition, parse_definition, parse_triggers
from workflows.definition.step_checks import Finding, check_schema, check_step
from workflows.definition.steps import AiStep, RespondStep, StopStep, WorkflowStep
from workflows.definition.tree import Place, child_lists, places
from workflows.definition.trigger_checks import check_trigger
from workflows.definition.triggers import TriggerBase, WebhookTrigger
from workflows.definition.wording import gettext as _

NOTIFY_WORDS = ("owner", "admins", "creator")
_ADDRESS = re.compile(r"[^@\s]{1,64}@[^@\s]{1,255}")


def validate(
    definition: Definition,
    triggers: Sequence[TriggerBase] = (),
    catalog: OperationCatalog | None = None,
    *,
    workflows: Mapping[str, str] | None = None,
    own_id: str = "",
    calls: Mapping[str, Set[str]] | None = None,
) -> list[Problem]:
    """Return every problem of a definition and its triggers, errors and warnings, in reading order.

    catalog: the connectors' operations; None leaves them unchecked. workflows: id -> name of the workflows this one may
    call; None leaves them unchecked. own_id: this workflow's id. calls: id -> ids of the workflows that each of them
    starts in its turn. Locations of triggers begin with "triggers".
    """
    found = [*_limits(definition), *_ids(definition), *_schemas_and_settings(definition)]
    references = References(definition, catalog)
    for place in references.all_places:
        found += [_at(place, each) for each in check_step(place.step, catalog)]
        found += _calls(place, workflows, own_id, calls or {})
    if not any(problem.code in {"double_id", "too_deep"} for problem in found):
        found += references.problems()
    found += _responses(definition, triggers)
    found += _unreachable(definition)
    for index, trigger in enumerate(triggers):
        found += _trigger(index, trigger, references, catalog)
    found += _double_trigger_ids(triggers)
    return _in_order(found)[: limits.MAX_PROBLEMS]


def check_text(
    text: str, triggers: Sequence[TriggerBase] = (), **options: Any
) -> tuple[Definition | None, list[Problem]]:
    """Return (definition or None, problems with lines) for a definition as JSON text. options: as for validate."""
    try:
        definition = parse_definition(read_json(text))
    except DefinitionInvalid as error:
        return None, [each if each.line else with_lines([each], text)[0] for each in error.problems]
    return definition, with_lines(validate(definition, triggers, **options), text)


def check_data(
    data: Any, triggers: Any = (), catalog: OperationCatalog | None = None, **options: Any
) -> tuple[Definition | None, list[Problem]]:
    """Return (definition or None, problems) for JSON data of a definition and of its triggers."""
    problems: list[Problem] = []
    parsed_triggers: list[Any] = []
    definition = None
    try:
        parsed_triggers = parse_triggers(list(triggers))
    except DefinitionInvalid as error:
        problems += [_under_triggers(each) for each in error.problems]
    try:
        definition = parse_definition(data)
    except DefinitionInvalid as error:
        return None, [*error.problems, *problems]
    return definition, [*validate(definition, parsed_triggers, catalog, **options), *problems]


def _under_triggers(problem: Problem) -> Problem:
    return Problem(
        problem.code,
        problem.message,
        ("triggers", *problem.location),
        problem.step_id,
        problem.field,
        problem.suggestion,
    )


def _at(place: Place, found: Finding) -> Problem:
    code, inside, message, suggestion, severity = found
    field = readable_path(inside)
    shown = readable_path(inside[1:]) if inside[:1] in {("with",), ("values",)} and len(inside) > 1 else field
    text = place_text(place.step.name, place.step.id, shown) + message + did_you_mean(suggestion)
    return Problem(code, text, (*place.location, *inside), place.step.id, field, suggestion, severity)


def _limits(definition: Definition) -> Iterator[Problem]:
    count = 0
    for place in places(definition):
        count += 1
        if place.depth == limits.MAX_DEPTH + 1:
            message = _("blocks are nested more than {limit} deep.").format(limit=limits.MAX_DEPTH)
            yield _at(place, ("too_deep", (), message, "", "error"))
    if count > limits.MAX_STEPS:
        message = _(
            "This workflow has {count} steps; {limit} is the most. Move a part into a workflow of its own."
        )
        yield Problem("too_many_steps", message.format(count=count, limit=limits.MAX_STEPS), ("steps",))
    if not definition.steps:
        yield Problem("no_steps", _("This workflow has no steps yet."), ("steps",))


def _ids(definition: Definition) -> Iterator[Problem]:
    seen: dict[str, Place] = {}
    for place in places(definition):
        first = seen.setdefault(place.step.id, place)
        if first is not place:
            message = _("another step has the id “{id}” already ({path}).").format(
                id=place.step.id, path=readable_path(first.location)
            )
            yield _at(place, ("double_id", ("id",), message, "", "error"))


def _schemas_and_settings(definition: Definition) -> Iterator[Problem]:
    if definition.inputs is not None:
        for code, location, message, suggestion, severity in check_schema(definition.inputs, ("inputs",)):
            yield Problem(
                code, place_text("", "", "inputs") + message, location, "", "inputs", suggestion, severity
            )
    for index, person in enumerate(definition.settings.on_failure.notify):
        if person not in NOTIFY_WORDS and not _ADDRESS.fullmatch(person):
            suggestion = near_miss(person, NOTIFY_WORDS)
            message = _("“{person}” is neither an e-mail address nor one of {words}.").format(
                person=person[:80], words=", ".join(NOTIFY_WORDS)
            )
            location = ("settings", "on_failure", "notify", index)
            text = place_text("", "", readable_path(location)) + message + did_you_mean(suggestion)
            yield Problem("unknown_person", text, location, "", readable_path(location), suggestion)


def _calls(
    place: Place, workflows: Mapping[str, str] | None, own_id: str, calls: Mapping[str, Set[str]]
) -> Iterator[Problem]:
    called: list[tuple[str, Location]] = []
    if isinstance(place.step, WorkflowStep):
        called.append((place.step.workflow, ("workflow",)))
    elif isinstance(place.step, AiStep):
        called += [
            (t.workflow, ("tools", i, "workflow")) for i, t in enumerate(place.step.tools) if t.workflow
        ]
    for workflow, inside in called:
        if own_id and workflow == own_id:
            message = _("a workflow cannot start itself.")
            yield _at(place, ("calls_itself", inside, message, "", "error"))
        elif workflows is not None and workflow not in workflows:
            by_name = {name: key for key, name in workflows.items()}
            suggestion = by_name.get(near_miss(workflow, by_name), "") or near_miss(workflow, workflows)
            message = _("there is no workflow “{id}”.").format(id=workflow)
            yield _at(place, ("unknown_workflow", inside, message, suggestion, "error"))
        elif own_id and not place.step.disabled and (chain := chain_back(workflow, own_id, calls)):
            names = [_("this workflow"), *(f"“{(workflows or {}).get(each, each)}”" for each in chain[:-1])]
            message = _(
                "these workflows would start one another without end: {chain}. Take one of the calls out."
            )
            shown = " → ".join([*names, names[0]])
            yield _at(place, ("calls_in_circle", inside, message.format(chain=shown), "", "error"))


def _responses(definition: Definition, triggers: Sequence[TriggerBase]) -> Iterator[Problem]:
    answers = [
        place
        for place in places(definition)
        if isinstance(place.step, RespondStep) and not place.step.disabled
    ]
    by_step = [
        index for index, each in enumerate(triggers)
        if isinstance(each, WebhookTrigger) and each.respond == "by_step" and not each.disabled
    ]  # fmt: skip
    if answers and not by_step:
        message = _("nobody waits for this answer: no webhook trigger is set to respond by_step.")
        for place in answers:
            yield _at(place, ("nobody_waits", (), message, "", "error"))
    if by_step and not answers:
        message = _("The webhook waits for a respond step, but there is none.")
        for index in by_step:
            yield Problem("no_answer", message, ("triggers", index, "respond"), "", "respond")


def _unreachable(definition: Definition) -> Iterator[Problem]:
    by_location = {place.location: place for place in places(definition)}
    lists = [(definition.steps, ("steps",))] + [
        (steps, (*place.location, *inside))
        for place in by_location.values()
        for _name, _suffix, steps, inside in child_lists(place.step)
    ]
    for steps, location in lists:
        for index, step in enumerate(steps[:-1]):
            if isinstance(step, StopStep) and step.condition is None and not step.disabled:
                message = _("this never runs, because the step before it ends the run.")
                yield _at(by_location[(*location, index + 1)], ("unreachable", (), message, "", "warning"))
                break


def _trigger(
    index: int, trigger: TriggerBase, references: References, catalog: OperationCatalog | None
) -> Iterator[Problem]:
    root: Location = ("triggers", index)
    opening = _("Trigger {number} ({type})").format(number=index + 1, type=trigger.type)  # type: ignore[attr-defined]
    for code, inside, message, suggestion, severity in check_trigger(trigger, catalog):
        field = readable_path(inside)
        text = (
            _("{place}, field {field}: ").format(place=opening, field=field)
            + message
            + did_you_mean(suggestion)
        )
        yield Problem(code, text, (*root, *inside), trigger.id or "", field, suggestion, severity)
    for each in trigger_fields(trigger):
        yield from references.field_problems(each, None, TRIGGER_NAMES, root)


def _double_trigger_ids(triggers: Sequence[TriggerBase]) -> Iterator[Problem]:
    seen: set[str] = set()
    for index, trigger in enumerate(triggers):
        if trigger.id and trigger.id in seen:
            message = _("Another trigger has the id “{id}” already.").format(id=trigger.id)
            yield Problem("double_id", message, ("triggers", index, "id"), trigger.id, "id")
        seen.add(trigger.id or "")


def _in_order(found: list[Problem]) -> list[Problem]:
    unique: dict[tuple[Any, ...], Problem] = {}
    for problem in found:
        unique.setdefault((problem.location, problem.code, problem.message), problem)

    def key(problem: Problem) -> list[tuple[int, int, str]]:
        return [(0, part, "") if isinstance(part, int) else (1, 0, part) for part in problem.location]

    return sorted(unique.values(), key=lambda each: (each.location[:1] == ("triggers",), key(each)))
