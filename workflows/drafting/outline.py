"""A draft as the editor lists it: trigger cards, then step cards with their lanes, each with what is wrong with it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext as _
from pydantic import ValidationError

from integrations.framework import registry
from workflows.definition.conditions import describe
from workflows.definition.parts import ROOT, Slot
from workflows.definition.problems import Problem, readable_path
from workflows.definition.recipe import step_line, trigger_line
from workflows.definition.schema import STEP_MODELS, TRIGGER_MODELS
from workflows.definition.shapes import Compare
from workflows.drafting import blueprints, triggers
from workflows.drafting.places import Document, Step, lanes, slot_text
from workflows.queries.recipe import LOOK, operation_title


@dataclass(slots=True)
class Lane:
    """One list of steps. slot: as links carry it. label: its heading, "" for the workflow's own list."""

    slot: str
    label: str
    cards: list[Card] = field(default_factory=list)
    tone: str = ""
    name: str = ""

    @property
    def last(self) -> str:
        return self.cards[-1].id if self.cards else ""


@dataclass(slots=True)
class Card:
    """One step or trigger. id: of the step, or the trigger's key. mark: a service's name. problems: its own alone."""

    id: str
    type: str
    title: str
    note: str
    icon: str
    tone: str
    number: str = ""
    mark: str = ""
    is_disabled: bool = False
    condition: str = ""
    has_note: bool = False
    slot: str = ""
    after: str = ""
    problems: list[Problem] = field(default_factory=list)
    lanes: list[Lane] = field(default_factory=list)

    @property
    def errors(self) -> list[Problem]:
        return [each for each in self.problems if each.severity == "error"]

    def walk(self) -> Iterator[Card]:
        yield self
        for lane in self.lanes:
            for card in lane.cards:
                yield from card.walk()


@dataclass(slots=True)
class Outline:
    """The whole draft. general: problems of no single step or trigger."""

    triggers: list[Card]
    root: Lane
    general: list[Problem] = field(default_factory=list)

    def cards(self) -> Iterator[Card]:
        for card in self.root.cards:
            yield from card.walk()

    def card(self, step_id: str) -> Card | None:
        return next((card for card in self.cards() if card.id == step_id), None)

    @property
    def count(self) -> int:
        return sum(1 for _card in self.cards())


def outline_of(document: Document, problems: Sequence[Problem]) -> Outline:
    """Return the outline of a document that `places.fault` has nothing against."""
    made = Outline(
        [
            _trigger_card(key, data)
            for key, data in zip(triggers.keys(document), document.get("triggers") or [], strict=True)
        ],
        Lane(slot_text(ROOT), "", _cards(document.get("steps") or [], ROOT, "")),
    )
    by_id = {card.id: card for card in made.cards()}
    for problem in problems:
        owner = owner_of(document, problem)
        if owner and owner[0] == "steps" and owner[1] in by_id:
            by_id[owner[1]].problems.append(problem)
        elif owner and owner[0] == "triggers":
            card = next((each for each in made.triggers if each.id == owner[1]), None)
            (card.problems if card else made.general).append(problem)
        elif problem.code != "no_steps":
            made.general.append(problem)
    return made


def owner_of(document: Document, problem: Problem) -> tuple[str, str, str] | None:
    """Return ("steps", id, field) or ("triggers", key, field) of what a problem is about; None for neither."""
    location = problem.location
    if location[:1] == ("triggers",) and len(location) > 1 and isinstance(location[1], int):
        keys = triggers.keys(document)
        return ("triggers", keys[location[1]], _field(location[2:])) if location[1] < len(keys) else None
    data: Any = document
    found, start = "", 0
    for number, part in enumerate(location):
        try:
            data = data[part]
        except (KeyError, IndexError, TypeError):
            break
        in_list = (
            number > 0
            and isinstance(part, int)
            and location[number - 1] in ("steps", "otherwise", "on_error")
        )
        if in_list and isinstance(data, dict) and isinstance(data.get("id"), str):
            found, start = data["id"], number + 1
    return ("steps", found, _field(location[start:], _step_in(document, location[:start]))) if found else None


def _step_in(document: Document, location: Sequence[str | int]) -> Any:
    data: Any = document
    for part in location:
        data = data[part]
    return data


def _field(inside: Sequence[str | int], step: Any = None) -> str:
    """Return a location inside a step as a form's key: branches by name, `branches.vip.when`."""
    parts: list[str] = []
    for number, part in enumerate(inside):
        if isinstance(part, int) and number == 1 and inside[0] == "branches" and isinstance(step, dict):
            branches = step.get("branches") or []
            parts.append(str(branches[part].get("name")) if part < len(branches) else str(part))
        else:
            parts.append(str(part))
    return ".".join(parts)


def field_words(problem: Problem) -> str:
    """Return the problem's sentence without the words that say where: the form shows it at its field."""
    text = problem.message
    _place, colon, rest = text.partition(": ")
    known = problem.step_id or problem.field or readable_path(problem.location)
    return rest[:1].upper() + rest[1:] if colon and known else text


def _cards(steps: list[Step], slot: Slot, prefix: str, first: int = 1) -> list[Card]:
    cards, after = [], ""
    for number, step in enumerate(steps, start=first):
        cards.append(_card(step, f"{prefix}{number}", slot_text(slot), after))
        after = str(step["id"])
    return cards


def _card(step: Step, number: str, slot: str, after: str) -> Card:
    kind = str(step["type"])
    icon, tone = LOOK.get(kind, ("zap", ""))
    sentence, mark = _sentence(step), ""
    if kind == "action":
        try:
            mark = registry.get(str(step.get("provider"))).name
        except KeyError:
            icon = "unplug"
    name = step.get("name") if isinstance(step.get("name"), str) else ""
    note = step.get("note") if isinstance(step.get("note"), str) else ""
    made = Card(
        str(step["id"]),
        kind,
        name or sentence,
        (note or sentence) if name else (note or ""),
        icon,
        tone,
        number,
        mark,
        is_disabled=step.get("disabled") is True,
        condition=_condition(step.get("if")),
        has_note=bool(note),
        slot=slot,
        after=after,
    )
    for lane_name, label, lane_tone in _lane_names(step):
        children = dict(lanes(step)).get(lane_name, [])
        place = (made.id, lane_name)
        first = 1 + sum(len(lane.cards) for lane in made.lanes)  # numbers go on from lane to lane
        cards = _cards(children, place, f"{number}.", first)
        made.lanes.append(Lane(slot_text(place), label, cards, lane_tone, lane_name))
    return made


def _lane_names(step: Step) -> Iterator[tuple[str, str, str]]:
    """Yield (slot name, heading, tone) of each lane that the editor shows, also of those without a list yet."""
    branches = step.get("branches") or []
    for number, branch in enumerate(branches, start=1):
        title = branch.get("title") or ""
        if step["type"] == "branch":
            condition = _condition(branch.get("when"))
            words = _("If %(condition)s") % {"condition": condition} if condition else _("Condition missing")
            yield f"branches.{branch['name']}", f"{title}: {words}" if title else words, ""
        else:
            yield f"branches.{branch['name']}", title or _("Way %(number)s") % {"number": number}, ""
    if step["type"] == "branch":
        yield "otherwise", _("Otherwise"), ""
    if step["type"] == "loop":
        yield "steps", _("For each entry"), ""
    if step["type"] == "repeat":
        yield "steps", _("Each round"), ""
    if isinstance(step.get("on_error"), list):
        yield "on_error", _("If this fails"), "danger"


def _sentence(step: Step) -> str:
    kind = str(step["type"])
    model = STEP_MODELS.get(kind)
    if model is None:
        return _("Unknown step “%(type)s”") % {"type": kind}
    bare: dict[str, Any] = {
        key: value for key, value in step.items() if key not in ("otherwise", "on_error", "if", "branches")
    }
    if isinstance(step.get("branches"), list):
        bare["branches"] = [
            {"name": "x", "steps": []} | ({"when": {"value": "x", "is": "empty"}} if kind == "branch" else {})
            for _branch in step["branches"]
        ]
    if "steps" in bare:
        bare["steps"] = []
    try:
        return step_line(model.model_validate(bare), operation_title)
    except (ValidationError, ValueError):
        if kind == "action":
            return operation_title(str(step.get("provider")), str(step.get("operation"))) or _(
                "Unknown operation"
            )
        return str(blueprints.TYPES[kind][1])


def _condition(value: Any) -> str:
    if not isinstance(value, dict):
        return ""
    try:
        from workflows.definition.steps import StepBase

        parsed = StepBase.model_validate({"id": "x", "if": value}).condition
    except (ValidationError, ValueError):
        return _("a condition that cannot be read")
    if isinstance(parsed, Compare) and parsed.value in ("", None):
        return ""
    return describe(parsed) if parsed is not None else ""


def _trigger_card(key: str, data: Any) -> Card:
    kind = str(data.get("type", "")) if isinstance(data, dict) else ""
    known = blueprints.TRIGGERS.get(kind)
    title, mark, note, icon = (
        (str(known[0]) if known else _("Unknown trigger")),
        "",
        "",
        known[2] if known else "zap",
    )
    if kind == "provider":
        try:
            mark = registry.get(str(data.get("provider"))).name
        except KeyError:
            icon = "unplug"
        title = operation_title(str(data.get("provider")), str(data.get("event"))) or _("Unknown event")
    elif kind in TRIGGER_MODELS:
        # A faulty trigger keeps the words of its type; its problems say the rest.
        with suppress(ValidationError, ValueError, KeyError):
            title = _sentence_case(trigger_line(TRIGGER_MODELS[kind].model_validate(data), operation_title))
    name = data.get("name") if isinstance(data, dict) and isinstance(data.get("name"), str) else ""
    if name:
        title, note = name, title
    is_disabled = isinstance(data, dict) and data.get("disabled") is True
    return Card(key, kind, title, note, icon, "", mark=mark, is_disabled=is_disabled)


def _sentence_case(text: str) -> str:
    return text[:1].upper() + text[1:]
