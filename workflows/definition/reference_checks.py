"""The static check of references: each name exists, has a value before it is needed, and has the field that is read."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from workflows.definition import waiting
from workflows.definition.conditions import compile_condition
from workflows.definition.expressions import ExpressionError, ExpressionSyntaxError, Reference, compile_value
from workflows.definition.fields import TemplateField, step_fields
from workflows.definition.outputs import OperationCatalog, Schema, follow, step_schema
from workflows.definition.problems import (
    Location,
    Problem,
    did_you_mean,
    near_miss,
    place_text,
    readable_path,
)
from workflows.definition.schema import Definition
from workflows.definition.steps import BranchStep, LoopStep, ParallelStep, RepeatStep, SetStep
from workflows.definition.tree import ON_ERROR, Place, places
from workflows.definition.wording import gettext as _

GLOBAL_NAMES = frozenset(
    {"trigger", "inputs", "steps", "vars", "workflow", "execution", "organization", "now"}
)
TRIGGER_NAMES = frozenset({"trigger", "workflow", "organization", "now"})
LOOP_FIELDS = frozenset({"index", "number", "first", "last", "length", "parent"})


@dataclass(slots=True)
class References:
    """Checks all references of one definition. catalog: tells the outputs of connectors, or None."""

    definition: Definition
    catalog: OperationCatalog | None = None
    all_places: list[Place] = field(init=False)
    by_id: dict[str, Place] = field(init=False)
    variables: set[str] = field(init=False)
    _schemas: dict[str, Schema] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        self.all_places = list(places(self.definition))
        self.by_id = {}
        for place in self.all_places:
            self.by_id.setdefault(place.step.id, place)
        self.variables = {
            name for place in self.all_places if isinstance(place.step, SetStep) for name in place.step.values
        }

    def problems(self) -> Iterable[Problem]:
        """Yield every problem with expressions and references, in reading order."""
        for place in self.all_places:
            for each in step_fields(place.step):
                yield from self.field_problems(each, place)
        if self.definition.output is not None:
            yield from self.field_problems(TemplateField(("output",), self.definition.output), None)

    def field_problems(
        self,
        each: TemplateField,
        place: Place | None,
        known: frozenset[str] | None = None,
        root: Location = (),
    ) -> Iterable[Problem]:
        """Yield the problems of one field. place: its step, or None outside of steps. known: names when not usual."""
        base = (*(place.location if place else root), *each.location)

        def report(
            code: str, message: str, location: Location = (), suggestion: str = "", severity: str = "error"
        ) -> Problem:
            inside = (*each.location, *location)
            name, step_id = (place.step.name, place.step.id) if place else ("", "")
            shown = readable_path(
                inside[1:] if inside[0] in {"with", "values"} and len(inside) > 1 else inside
            )
            text = place_text(name, step_id, shown) + message + did_you_mean(suggestion)
            return Problem(
                code, text, (*base, *location), step_id, readable_path(inside), suggestion, severity
            )

        try:
            found = (
                compile_condition(each.condition).references()
                if each.condition is not None
                else compile_value(each.value).references()
            )
        except ExpressionSyntaxError as error:
            yield report("bad_expression", _lower(error.message), error.location, "")
            return
        except ExpressionError as error:
            yield report("bad_expression", _lower(error.message), error.location)
            return
        names = (known if known is not None else self._names(place)) | each.names
        for reference in found:
            problem = self._check(reference, each, place, names, report)
            if problem is not None:
                yield problem

    def _names(self, place: Place | None) -> frozenset[str]:
        names = set(GLOBAL_NAMES)
        for around in place.enclosing if place else ():
            if around.branch == ON_ERROR:
                names.add("error")
            elif isinstance(around.step, LoopStep):
                names |= {"item", "loop", around.step.as_}
            elif isinstance(around.step, RepeatStep):
                names.add("loop")
        return frozenset(names)

    def _check(
        self, found: Reference, each: TemplateField, place: Place | None, names: frozenset[str],
        report: Callable[..., Problem],
    ) -> Problem | None:  # fmt: skip
        root = str(found.path[0])
        if root not in names:
            return self._unknown_name(root, found, report, names)
        if root == "steps":
            return self._check_step(found, each, place, report)
        key = found.path[1] if len(found.path) > 1 else None
        if root == "vars" and isinstance(key, str) and not found.optional and key not in self.variables:
            message = _("no set step gives a value called “{name}”.").format(name=key)
            return report("unknown_variable", message, found.location, near_miss(key, self.variables))
        if root == "execution" and key == waiting.NAME and len(found.path) > 2:
            return self._check_address(str(found.path[2]), found, report)
        if root == "inputs" and self.definition.inputs and not found.optional:
            return self._check_fields(
                self.definition.inputs, found, 1, _("the workflow's inputs have"), report
            )
        if root == "loop" and key is not None and key not in LOOP_FIELDS and not found.optional:
            message = _("“loop” has no “{name}”.").format(name=key)
            return report("unknown_field", message, found.location, near_miss(str(key), LOOP_FIELDS))
        return None

    def _check_address(
        self, step_id: str, found: Reference, report: Callable[..., Problem]
    ) -> Problem | None:
        there = waiting.waiting_places(self.definition)
        if step_id in there:
            return None
        if step_id in self.by_id:
            message = _("the step “{id}” has no address: only wait steps outside of loops have one.")
            return report("no_address", message.format(id=step_id), found.location)
        message = _("there is no step “{id}”.").format(id=step_id)
        return report("unknown_step", message, found.location, near_miss(step_id, there))

    def _unknown_name(
        self, root: str, found: Reference, report: Callable[..., Problem], names: frozenset[str]
    ) -> Problem | None:
        loops = {place.step.as_ for place in self.all_places if isinstance(place.step, LoopStep)} | {
            "item",
            "loop",
        }
        if root in loops:
            message = _("“{name}” exists only inside a loop.").format(name=root)
            return report("loop_name_outside", message, found.location)
        if root == "error":
            return report("error_outside", _("“error” exists only in the steps of on_error."), found.location)
        if root in self.by_id:
            suggestion = ".".join(("steps", *(str(part) for part in found.path)))
            return report(
                "unknown_name", _("there is no name “{name}”.").format(name=root), found.location, suggestion
            )
        if found.optional:
            return None
        message = _("there is no name “{name}”.").format(name=root)
        return report("unknown_name", message, found.location, near_miss(root, names))

    def _check_step(
        self, found: Reference, each: TemplateField, place: Place | None, report: Callable[..., Problem]
    ) -> Problem | None:
        if len(found.path) < 2 or found.path[1] is None:
            return None
        step_id = str(found.path[1])
        target = self.by_id.get(step_id)
        if target is None:
            message = _("there is no step “{id}”.").format(id=step_id)
            return report("unknown_step", message, found.location, near_miss(step_id, self.by_id))
        late = self._why_not_there(target, each, place, found.optional)
        if late:
            return report(late[0], late[1], found.location)
        if target.step.disabled and not found.optional:
            message = _(
                "the step “{id}” is switched off, so it has no output. Add | default: or switch it on."
            )
            return report("disabled_step", message.format(id=step_id), found.location)
        if found.optional:
            return None
        schema = self._schemas.get(step_id)
        if schema is None:
            schema = self._schemas[step_id] = step_schema(target.step, self.catalog)
        return self._check_fields(schema, found, 2, _("the step “{id}” has").format(id=step_id), report)

    def _check_fields(
        self, schema: Schema, found: Reference, start: int, owner: str, report: Callable[..., Problem]
    ) -> Problem | None:
        keys = found.path[start:]
        reached, wrong = follow(schema, keys)
        if wrong is None:
            return None
        key = str(keys[wrong])
        known = list(reached.get("properties") or {})
        suggestion = near_miss(key, known)
        if wrong == 0 and start == 2 and not suggestion:
            # `steps.x.email` for `steps.x.output.email` is the commonest slip.
            suggestion = ".".join(("steps", str(found.path[1]), "output", *(str(part) for part in keys)))
        message = _("{owner} no field “{field}”.").format(
            owner=owner, field=".".join(str(k) for k in keys[: wrong + 1])
        )
        if known and not suggestion:
            message += " " + _("It has {known}.").format(known=", ".join(known[:12]))
        return report("unknown_field", message, found.location, suggestion)

    def _why_not_there(
        self, target: Place, each: TemplateField, place: Place | None, optional: bool
    ) -> tuple[str, str] | None:
        """Return (code, message) when `target` cannot have run before `place`, or None when it has."""
        step_id = target.step.id
        here: Location = place.location if place else ("steps", len(self.definition.steps))
        shared = 0
        while shared < min(len(here), len(target.location)) and here[shared] == target.location[shared]:
            shared += 1
        if place is not None and target.location == here:
            return "own_output", _("a step cannot use its own output.")
        if shared == len(target.location):
            around = next(one for one in place.enclosing if one.step is target.step)  # type: ignore[union-attr]
            if around.branch == ON_ERROR:
                return None
            return "not_finished", _("the step “{id}” is not finished while the steps inside it run.").format(
                id=step_id
            )
        if shared == len(here):
            if each.after_body and target.enclosing[len(place.enclosing)].branch != ON_ERROR:  # type: ignore[union-attr]
                return self._why_not_reached(target, target.enclosing[len(place.enclosing) + 1 :], optional)  # type: ignore[union-attr]
            return "runs_later", _("the step “{id}” runs inside this one, so later.").format(id=step_id)
        if (
            isinstance(here[shared], int)
            and isinstance(target.location[shared], int)
            and here[shared - 1] != "branches"
        ):
            if target.location[shared] > here[shared]:  # type: ignore[operator]
                return "runs_later", _("the step “{id}” runs after this one.").format(id=step_id)
            outside = sum(1 for one in target.enclosing if self._depth_of(one.step.id) <= shared)
            return self._why_not_reached(target, target.enclosing[outside:], optional)
        return self._why_apart(target, here, shared, optional)

    def _depth_of(self, step_id: str) -> int:
        return len(self.by_id[step_id].location)

    def _why_apart(
        self, target: Place, here: Location, shared: int, optional: bool
    ) -> tuple[str, str] | None:
        """Say why two ways of one block do not see each other."""
        block = next(one for one in reversed(target.enclosing) if self._depth_of(one.step.id) <= shared)
        if (
            isinstance(block.step, ParallelStep)
            and block.branch != ON_ERROR
            and ON_ERROR not in here[shared : shared + 1]
        ):
            message = _("the step “{id}” runs at the same time, on another way of “{block}”.")
            return "same_time", message.format(id=target.step.id, block=block.step.label)
        if optional:
            return None
        message = _(
            "the step “{id}” is on another branch of “{block}”, so it has no output here. Add | default:."
        )
        return "other_branch", message.format(id=target.step.id, block=block.step.label)

    def _why_not_reached(
        self, target: Place, inside: Iterable[Any], optional: bool
    ) -> tuple[str, str] | None:
        """Say whether a step inside the blocks `inside`, which are finished, has left an output."""
        for around in inside:
            if around.branch == ON_ERROR or isinstance(around.step, BranchStep):
                if not optional:
                    message = _(
                        "the step “{id}” runs only on one way of “{block}”. Add | default: for the other case."
                    )
                    return "other_branch", message.format(id=target.step.id, block=around.step.label)
            elif isinstance(around.step, LoopStep):
                message = _(
                    "the step “{id}” is inside the loop “{block}”. Outside, use steps.{block_id}.output."
                )
                return "inside_loop", message.format(
                    id=target.step.id, block=around.step.label, block_id=around.step.id
                )
        return None


def _lower(sentence: str) -> str:
    return sentence[:1].lower() + sentence[1:]
