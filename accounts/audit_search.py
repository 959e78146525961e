"""Finding events of the audit trail, newest first, and writing them to a file."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db.models import Q
from django.utils import translation
from django.utils.translation import gettext as _

from accounts.audit_sentences import sentence
from accounts.forms import AuditFilter
from accounts.models import AuditEvent
from accounts.tenancy import first_uuid7, organization_scope

BATCH = 500


def condition(chosen: dict[str, Any]) -> Q:
    """Return what AuditFilter.chosen() asks for. Dates, in the person's time zone, become bounds of the time-ordered
    key, which the index serves.
    """
    wanted = Q()
    if group := chosen.get("action"):
        wanted &= Q(action__startswith=f"{group}.")
    if person := chosen.get("person"):
        wanted &= Q(actor_label__icontains=person) | Q(target_label__icontains=person)
    if since := chosen.get("since"):
        wanted &= Q(pk__gte=first_uuid7(AuditFilter.moment(since)))
    if until := chosen.get("until"):
        wanted &= Q(pk__lt=first_uuid7(AuditFilter.moment(until + timedelta(days=1))))
    return wanted


def page_of(wanted: Q, before: str, size: int) -> tuple[list[AuditEvent], str]:
    """Return up to `size` wanted events of the organization in scope, newest first and older than the key `before`,
    and the key that leads on, "" at the end.
    """
    rows = AuditEvent.objects.filter(wanted).order_by("-id")
    try:
        rows = rows.filter(pk__lt=UUID(before)) if before else rows
    except ValueError:
        before = ""  # an edited address: the newest page
    found = list(rows[: size + 1])
    return found[:size], str(found[size - 1].pk) if len(found) > size else ""


def as_csv(organization_id: UUID, wanted: Q, language: str) -> Iterator[str]:
    """Yield the wanted events as lines of CSV. Scope and language are opened here, because a streamed answer outlives
    those of its request.
    """
    writer = csv.writer(_Echo())
    with translation.override(language):
        heads = [
            _("When"),
            _("Who"),
            _("What"),
            _("Action"),
            _("Target"),
            _("Before"),
            _("After"),
            _("IP address"),
        ]
    yield writer.writerow(heads)
    last = ""
    while True:
        with organization_scope(organization_id), translation.override(language):
            found, last = page_of(wanted, last, BATCH)
            lines = [writer.writerow([_inert(value) for value in _columns(event)]) for event in found]
        yield "".join(lines)
        if not last:
            return


def _columns(event: AuditEvent) -> list[Any]:
    return [
        event.at.isoformat(),
        event.actor_label,
        sentence(event),
        event.action,
        event.target_label,
        event.before,
        event.after,
        event.ip_address,
    ]


def _inert(value: Any) -> str:
    """Return a cell that a spreadsheet shows and does not run as a formula."""
    text = "" if value is None else str(value)
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text


class _Echo:
    """A file that hands each line back."""

    def write(self, line: str) -> str:
        return line
