"""The values that may be used at one place of a draft, as a tree in plain words, each with its expression."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from workflows.definition.expressions import ExpressionError, render
from workflows.drafting.outline import Outline
from workflows.drafting.previews import shown, spoken
from workflows.drafting.samples import Sample, Source

MOST_CHILDREN = 40
DEEPEST = 4
_PLAIN_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")

# What people ask for most: (filter as it is written, what it does, value of the example as Liquid)
FILTERS = (
    ('default: "–"', gettext_lazy("Use something else when it is empty"), '""'),
    ("upcase", gettext_lazy("CAPITAL LETTERS"), '"ada lovelace"'),
    ("downcase", gettext_lazy("small letters"), '"Ada LOVELACE"'),
    ("titlecase", gettext_lazy("First Letters Large"), '"ada lovelace"'),
    ("strip", gettext_lazy("Without spaces around it"), '"  Ada  "'),
    ("truncate: 20", gettext_lazy("Cut after 20 characters"), '"A sentence that is rather long"'),
    ('split: "@" | last', gettext_lazy("The part after the @"), '"ada@example.com"'),
    ('date: "%d.%m.%Y"', gettext_lazy("Date like 31.12.2026"), '"2026-12-31T18:30:00Z"'),
    ('date: "%H:%M"', gettext_lazy("Time of day"), '"2026-12-31T18:30:00Z"'),
    ('add_time: "3d"', gettext_lazy("Three days later"), '"2026-12-31T18:30:00Z"'),
    ("round: 2", gettext_lazy("Rounded to two places"), "12.3456"),
    ('currency: "EUR"', gettext_lazy("As money"), "1234.5"),
    ("plus: 1", gettext_lazy("One more"), "41"),
    ("size", gettext_lazy("How many, or how long"), '"a,b,c" | split: ","'),
    ('join: ", "', gettext_lazy("A list as text"), '"a,b,c" | split: ","'),
    ("json", gettext_lazy("As JSON"), '"a,b" | split: ","'),
)


@dataclass(slots=True)
class Entry:
    """One value. expression: ready to be inserted. value: in a few characters. has_more: some were left out."""

    label: str
    expression: str
    value: str
    entries: list[Entry] = field(default_factory=list)
    has_more: bool = False


@dataclass(slots=True)
class Group:
    """What one step gives, or what started the run. note: where the values are from."""

    title: str
    note: str
    entries: list[Entry]
    icon: str = "braces"
    is_open: bool = False


@dataclass(frozen=True, slots=True)
class FilterOffer:
    """One filter. text: as it is written. before, after: an example, worked out by the same sandbox."""

    text: str
    label: Any
    before: str
    after: str


def groups_of(sample: Sample, outline: Outline) -> list[Group]:
    """Return what may be inserted, nearest first: the loop around, the steps from the last one on, the start."""
    names, found = sample.names, []
    if "error" in names:
        found.append(
            Group(_("What went wrong"), _("an example"), _inside(names["error"], "error"), "circle-alert")
        )
    if sample.loops or "item" in names:
        found.append(_loop(sample))
    for spot in reversed(sample.before):
        card = outline.card(spot.id)
        view = names["steps"][spot.id]
        suffix = ' | default: ""' if spot.id in sample.perhaps else ""
        base = f"steps.{spot.id}.output"
        entries = _inside(view["output"], base, suffix=suffix)
        whole = Entry(_("All of it"), _pill(base, suffix), shown(view["output"]))
        title = f"{card.number} {card.title}".strip() if card else spot.id
        icon = card.icon if card else "braces"
        found.append(
            Group(title, _note(sample.sources[spot.id], spot.id in sample.perhaps), [*entries, whole], icon)
        )
    if names.get("inputs"):
        found.append(
            Group(
                _("Asked for at the start"), sample.started.words, _inside(names["inputs"], "inputs"), "hand"
            )
        )
    found.append(
        Group(_("What started it"), sample.started.words, _inside(names["trigger"], "trigger"), "zap")
    )
    if names.get("vars"):
        found.append(Group(_("Values kept"), "", _inside(names["vars"], "vars"), "tag"))
    found.append(_general(names))
    found[0].is_open = True
    return found


def filters() -> list[FilterOffer]:
    """Return the filters that are offered, each with an example."""
    return [_offer(*each) for each in FILTERS]


def _offer(text: str, label: Any, value: str) -> FilterOffer:
    def made(source: str) -> str:
        try:
            return shown(render("{{ " + source + " }}", {"now": None, "organization": {"timezone": "UTC"}}))
        except ExpressionError as error:
            return error.message

    return FilterOffer(text, label, made(value), made(f"{value} | {text}"))


def _loop(sample: Sample) -> Group:
    names = sample.names
    step = sample.loops[-1] if sample.loops else {}
    name = str(step.get("as") or "item") if "item" in names else ""
    entries = []
    if name:
        entries = [*_inside(names[name], name), Entry(_("The whole entry"), _pill(name), shown(names[name]))]
    if "loop" in names:
        words = {"number": _("Number of the round"), "first": _("Is it the first?"), "last": _("Is it the last?"),
                 "length": _("How many there are")}  # fmt: skip
        entries += [
            Entry(label, _pill(f"loop.{key}"), shown(names["loop"][key])) for key, label in words.items()
        ]
    return Group(_("This round of the loop"), _("the first one as an example"), entries, "repeat")


def _general(names: dict[str, Any]) -> Group:
    entries = [
        Entry(_("Now"), _pill("now"), shown(names["now"].isoformat(timespec="minutes"))),
        Entry(_("Today"), _pill("now", ' | date: "%Y-%m-%d"'), names["now"].date().isoformat()),
        Entry(
            _("Name of the organization"), _pill("organization.name"), shown(names["organization"]["name"])
        ),
        Entry(_("Time zone"), _pill("organization.timezone"), shown(names["organization"]["timezone"])),
        Entry(_("Name of the workflow"), _pill("workflow.name"), shown(names["workflow"]["name"])),
    ]
    if "execution" in names:
        entries.append(Entry(_("Number of the run"), _pill("execution.id"), shown(names["execution"]["id"])))
        entries += [
            Entry(
                _("Address that lets “%(step)s” go on") % {"step": step_id},
                _pill(f"execution.resume_url.{step_id}"),
                url,
            )
            for step_id, url in names["execution"]["resume_url"].items()
        ]
    return Group(_("Time, organization, workflow"), "", entries, "clock")


def _inside(value: Any, path: str, depth: int = 1, suffix: str = "") -> list[Entry]:
    if isinstance(value, dict):
        keyed: Iterable[tuple[str, str, Any]] = (
            (spoken(str(key)), _below(path, str(key)), each)
            for key, each in list(value.items())[:MOST_CHILDREN]
        )
    elif isinstance(value, list) and value:
        keyed = [(_("First entry"), f"{path}[0]", value[0])]
    else:
        return []
    entries = []
    for label, inner, each in keyed:
        below = _inside(each, inner, depth + 1, suffix) if depth < DEEPEST else []
        name = inner.rsplit(".", 1)[-1]
        more = isinstance(each, dict) and len(each) > MOST_CHILDREN
        entries.append(Entry(_capital(label), _pill(inner, suffix), shown(each, name), below, more))
    if isinstance(value, list):
        entries.append(Entry(_("How many"), _pill(f"{path}.size", suffix), str(len(value))))
    return entries


def _below(path: str, key: str) -> str:
    return f"{path}.{key}" if _PLAIN_KEY.fullmatch(key) else f"{path}[{_quoted(key)}]"


def _quoted(key: str) -> str:
    return f"'{key}'" if '"' in key else f'"{key}"'


def _pill(path: str, suffix: str = "") -> str:
    return "{{ " + path + suffix + " }}"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _note(source: Source, is_perhaps: bool) -> str:
    return _("%(source)s; runs on some ways only") % {"source": source.words} if is_perhaps else source.words
