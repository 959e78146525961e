"""What starts a workflow, ready to show: addresses with a line to paste, the next planned times, a sentence each."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext as _

from workflows.definition.problems import DefinitionInvalid
from workflows.definition.recipe import trigger_line
from workflows.definition.schema import parse_triggers
from workflows.models import Trigger, Workflow
from workflows.queries.recipe import operation_title
from workflows.triggers import schedule, secrets

Kind = Trigger.Kind
ICONS = {
    Kind.MANUAL: "hand", Kind.API: "key", Kind.WEBHOOK: "webhook", Kind.SCHEDULE: "calendar-clock",
    Kind.PROVIDER: "plug", Kind.FORM: "list",
}  # fmt: skip
SAMPLE = {"name": "Ada", "email": "ada@example.com"}
NEXT_FIRES = 5


@dataclass(slots=True)
class TriggerCard:
    """One trigger. url: its public address or "". curl: a line to paste. fires: the next planned times, in its zone."""

    trigger: Trigger
    icon: str
    title: str
    sentence: str
    url: str = ""
    curl: str = ""
    has_secret: bool = False
    fires: list[datetime] = field(default_factory=list)

    @property
    def needs_secret(self) -> bool:
        return self.secret_words != ""

    @property
    def secret_words(self) -> str:
        """Return what the secret is called in the field that takes it, "" where there is none."""
        method = (self.trigger.settings.get("auth") or {}).get("method", "none")
        words = {"header": _("Value of the header"), "basic": _("user:password"), "hmac": _("Signing key")}
        return words.get(method, "")


def cards_of(workflow: Workflow, now: datetime | None = None) -> list[TriggerCard]:
    """Return a card for each trigger that is published or has an address reserved for the draft."""
    zone = workflow.organization.timezone
    rows = Trigger.objects.filter(workflow=workflow).order_by("created_at", "key")
    return [_card(row, zone, now or timezone.now()) for row in rows]


def next_fire_of(trigger: Trigger) -> datetime | None:
    """Return when a schedule fires next, None while it is off."""
    return trigger.next_fire_at if trigger.is_active else None


def _card(trigger: Trigger, zone: str, now: datetime) -> TriggerCard:
    kind = Kind(trigger.kind)
    card = TriggerCard(
        trigger, ICONS[kind], trigger.settings.get("name") or str(kind.label), _sentence(trigger)
    )
    if kind == Kind.WEBHOOK and trigger.token:
        card.url = f"{settings.BASE_URL}/hooks/{trigger.token}/"
        card.curl = curl_for(card.url, trigger.settings)
        card.has_secret = secrets.is_kept(trigger)
    elif kind == Kind.FORM and trigger.token:
        card.url = f"{settings.BASE_URL}/forms/{trigger.token}/"
    elif kind == Kind.SCHEDULE and trigger.is_active:
        card.fires = planned(trigger, zone, now)
    return card


def planned(trigger: Trigger, zone: str, now: datetime) -> list[datetime]:
    """Return the next times of a schedule; none when its settings name no schedule."""
    anchor = trigger.state.get("anchor")
    try:
        return schedule.preview(
            trigger.settings,
            NEXT_FIRES,
            after=now,
            timezone=zone,
            anchor=datetime.fromisoformat(anchor) if anchor else None,
        )
    except schedule.ScheduleInvalid:
        return []


def curl_for(url: str, data: dict[str, Any]) -> str:
    """Return a command that calls a webhook with sample data, its password left for the reader to fill in."""
    auth = data.get("auth") or {}
    methods = data.get("methods") or ["POST"]
    method = "POST" if "POST" in methods else methods[0]
    words = [f"curl -X {method} '{url}'"]
    if auth.get("method") == "header":
        words.append(f"-H '{auth.get('header') or 'Authorization'}: YOUR-SECRET'")
    elif auth.get("method") == "basic":
        words.append("-u 'YOUR-USER:YOUR-PASSWORD'")
    if method != "GET":
        words += ["-H 'Content-Type: application/json'", f"-d '{json.dumps(SAMPLE)}'"]
    return " \\\n  ".join(words)


def _sentence(trigger: Trigger) -> str:
    try:
        return f"{trigger_line(parse_triggers([trigger.settings])[0], operation_title)}."
    except DefinitionInvalid:
        return ""
