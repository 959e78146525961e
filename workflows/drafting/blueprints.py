"""New steps and triggers as the chooser offers them: what each is for, and what it holds at first."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from integrations.framework import registry
from workflows.definition.schema import STEP_MODELS, TRIGGER_MODELS
from workflows.drafting.operations import free_name
from workflows.drafting.places import Refused, Step

# type -> (group, title, sentence, icon, tone, what a new one holds)
TYPES: dict[str, tuple[str, Any, Any, str, str, Step]] = {
    "ai": (
        "work",
        gettext_lazy("AI"),
        gettext_lazy("Write, summarize, sort or find facts in a text."),
        "sparkles",
        "warm",
        {"operation": "generate"},
    ),
    "http": (
        "work",
        gettext_lazy("Web request"),
        gettext_lazy("Call any address on the web."),
        "globe",
        "info",
        {"method": "GET"},
    ),
    "approval": (
        "work",
        gettext_lazy("Ask a person"),
        gettext_lazy("Somebody says yes or no before it goes on."),
        "user-check",
        "warm",
        {"title": gettext_lazy("May this go on?")},
    ),
    "branch": (
        "flow",
        gettext_lazy("Branch"),
        gettext_lazy("Go different ways, depending on the data."),
        "split",
        "warning",
        {"branches": [{"name": "way_1", "steps": []}]},
    ),
    "loop": (
        "flow",
        gettext_lazy("For each"),
        gettext_lazy("Do the same for every entry of a list."),
        "repeat",
        "warning",
        {"steps": []},
    ),
    "parallel": (
        "flow",
        gettext_lazy("At the same time"),
        gettext_lazy("Go several ways at once."),
        "columns-3",
        "warning",
        {"branches": [{"name": "way_1", "steps": []}, {"name": "way_2", "steps": []}]},
    ),
    "repeat": (
        "flow",
        gettext_lazy("Repeat"),
        gettext_lazy("Do the same until something holds."),
        "rotate-cw",
        "warning",
        {"steps": [], "max_times": 10},
    ),
    "delay": (
        "flow",
        gettext_lazy("Wait"),
        gettext_lazy("For a length of time, or until a moment."),
        "clock",
        "neutral",
        {"for": "1h"},
    ),
    "stop": ("flow", gettext_lazy("Stop"), gettext_lazy("End the run here."), "octagon-x", "neutral", {}),
    "set": (
        "data",
        gettext_lazy("Keep values"),
        gettext_lazy("Put values under names for later steps."),
        "tag",
        "neutral",
        {"values": {}},
    ),
    "transform": (
        "data",
        gettext_lazy("Reshape data"),
        gettext_lazy("Filter, sort, count or split lists, tables, texts, dates."),
        "shuffle",
        "neutral",
        {"operation": "filter"},
    ),
    "code": (
        "data",
        gettext_lazy("Code"),
        gettext_lazy("A short Python or JavaScript program."),
        "code",
        "neutral",
        {"language": "python"},
    ),
    "workflow": (
        "more",
        gettext_lazy("Another workflow"),
        gettext_lazy("Run it and use its result."),
        "workflow",
        "info",
        {},
    ),
    "wait": (
        "more",
        gettext_lazy("Wait for a call"),
        gettext_lazy("Until another system calls a one-time address."),
        "hourglass",
        "neutral",
        {},
    ),
    "respond": (
        "more",
        gettext_lazy("Answer the webhook"),
        gettext_lazy("Send back what a waiting caller gets."),
        "reply",
        "info",
        {"status": 200},
    ),
}
GROUPS = (
    ("work", gettext_lazy("Do something")),
    ("flow", gettext_lazy("Decide and repeat")),
    ("data", gettext_lazy("Shape data")),
    ("more", gettext_lazy("More")),
)
TRIGGERS: dict[str, tuple[Any, Any, str, dict[str, Any]]] = {
    "manual": (
        gettext_lazy("A person presses Run"),
        gettext_lazy("With a form for what it needs."),
        "hand",
        {},
    ),
    "schedule": (
        gettext_lazy("At set times"),
        gettext_lazy("Every weekday at nine, every hour, once a month."),
        "calendar-clock",
        {"cron": "0 9 * * 1-5"},
    ),
    "webhook": (
        gettext_lazy("Another system calls (webhook)"),
        gettext_lazy("It gets an address of its own."),
        "webhook",
        {},
    ),
    "form": (
        gettext_lazy("Somebody sends a form"),
        gettext_lazy("A page that we host for you."),
        "list",
        {
            "title": gettext_lazy("Contact us"),
            "schema": {
                "type": "object",
                "properties": {
                    "name": {"type": "string", "title": "Name"},
                    "email": {"type": "string", "format": "email", "title": "E-mail"},
                },
            },
        },
    ),
    "api": (
        gettext_lazy("A program starts it (API)"),
        gettext_lazy("With an API key of your organization."),
        "key",
        {},
    ),
}


@dataclass(frozen=True, slots=True)
class Offer:
    """One thing the chooser offers. kind: what the form sends. mark: two letters of a service instead of an icon."""

    kind: str
    title: str
    sentence: str
    icon: str = ""
    tone: str = ""
    mark: str = ""
    words: str = ""


@dataclass(frozen=True, slots=True)
class OfferGroup:
    """Offers under a heading. slug: of a service, "" for the built-in types; connected: an account is there."""

    title: str
    offers: list[Offer]
    slug: str = ""
    is_connected: bool = False
    total: int = 0


def new_step(kind: str, taken: Iterable[str]) -> Step:
    """Return a new step of a kind the chooser sent: a type, or `action:<provider>:<operation>`. Raises Refused."""
    name, _colon, rest = kind.partition(":")
    if name == "action":
        provider, _colon, operation = rest.partition(":")
        try:
            action = registry.get(provider).action(operation)
        except KeyError:
            raise Refused(_("There is no such operation.")) from None
        slug = registry.get(provider).slug
        return {
            "id": free_name(f"{slug}_{operation}", taken),
            "type": "action",
            "provider": slug,
            "operation": action.key,
        }
    if name not in TYPES or name not in STEP_MODELS:
        raise Refused(_("There is no such step."))
    values = {
        key: str(value) if hasattr(value, "_proxy____cast") else value
        for key, value in TYPES[name][5].items()
    }
    return {"id": free_name(name, taken), "type": name, **values}


def new_trigger(kind: str) -> dict[str, Any]:
    """Return a new trigger of a kind the chooser sent: a type, or `provider:<provider>:<event>`. Raises Refused."""
    name, _colon, rest = kind.partition(":")
    if name == "provider":
        provider, _colon, event = rest.partition(":")
        try:
            found = registry.get(provider).trigger(event)
        except KeyError:
            raise Refused(_("There is no such event.")) from None
        return {"type": "provider", "provider": registry.get(provider).slug, "event": found.key}
    if name not in TRIGGERS or name not in TRIGGER_MODELS:
        raise Refused(_("There is no such trigger."))
    values = {
        key: str(value) if hasattr(value, "_proxy____cast") else value
        for key, value in TRIGGERS[name][3].items()
    }
    return {"type": name, **values}


def step_offers(text: str, connected: set[str], service: str = "") -> list[OfferGroup]:
    """Return what can be added, grouped: built-in types first, then connected services, then the others.

    text: searched in titles and sentences; without it services that are not connected come without their operations.
    service: the slug of a service that is opened. connected: providers with an account.
    """
    built_in = [
        OfferGroup(
            str(title),
            [
                Offer(key, str(name), str(sentence), icon, tone)
                for key, (group, name, sentence, icon, tone, _values) in TYPES.items()
                if group == slug
            ],
        )
        for slug, title in GROUPS
    ]
    services = [
        OfferGroup(
            each.name,
            [
                Offer(
                    f"action:{each.slug}:{action.key}",
                    str(action.label),
                    str(action.description),
                    mark=each.name,
                    words=each.name,
                )
                for action in each.actions
                if not action.hidden
            ],
            each.slug,
            each.provider in connected,
        )
        for each in registry.all_connectors()
    ]
    return _found([*built_in, *services], text, service)


def trigger_offers(text: str, connected: set[str], service: str = "") -> list[OfferGroup]:
    """Return what can start a workflow, grouped like `step_offers`."""
    built_in = OfferGroup(
        _("Any workflow"),
        [
            Offer(key, str(name), str(sentence), icon)
            for key, (name, sentence, icon, _values) in TRIGGERS.items()
        ],
    )
    services = [
        OfferGroup(
            each.name,
            [
                Offer(
                    f"provider:{each.slug}:{event.key}",
                    str(event.label),
                    str(event.description),
                    mark=each.name,
                    words=each.name,
                )
                for event in each.triggers
            ],
            each.slug,
            each.provider in connected,
        )
        for each in registry.all_connectors()
        if each.triggers
    ]
    return _found([built_in, *services], text, service)


def _found(groups: list[OfferGroup], text: str, service: str) -> list[OfferGroup]:
    words = text.casefold().split()
    found = []
    for group in sorted(groups, key=lambda each: (bool(each.slug), not each.is_connected)):
        offers = group.offers
        if words:
            offers = [each for each in offers if _matches(each, words)]
        elif group.slug and not group.is_connected and group.slug != service:
            offers = []
        if offers or (group.slug and not words):
            found.append(OfferGroup(group.title, offers, group.slug, group.is_connected, len(group.offers)))
    return found


def _matches(offer: Offer, words: list[str]) -> bool:
    text = f"{offer.title} {offer.sentence} {offer.words} {offer.kind}".casefold()
    return all(word in text for word in words)
