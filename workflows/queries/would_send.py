"""What a dry run would have done, told for people: to whom, with what, and what the run assumed in its place."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from django.db.models import Q
from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext as _

from integrations.framework import registry
from workflows.models import Execution, ExecutionStep
from workflows.queries.recipe import operation_title
from workflows.queries.timeline import Node
from workflows.saved_tests.secrecy import without_secrets

MOST_CALLS = 1_000  # of one run that are told
LONGEST = 600  # characters of one value on the page


@dataclass(slots=True)
class WouldSend:
    """One call that was only shown. lines: (what, value) pairs. note: what the run went on with."""

    title: str
    lines: list[tuple[str, str]] = field(default_factory=list)
    note: str = ""


def explain(execution: Execution, nodes: Iterable[Node]) -> int:
    """Give the newest try of each shown step `would_send`; return how many calls there were. Nothing for real runs."""
    if execution.mode != Execution.Mode.DRY_RUN:
        return 0
    rows = ExecutionStep.objects.filter(execution=execution, status=ExecutionStep.Status.COMPLETED)
    rows = rows.filter(Q(output__dry_run=True) | Q(step_type="delay"))
    known = rows.values_list("pk", "step_type", "output__would_send", "output__until")[:MOST_CALLS]
    calls = {pk: _told(kind, sent, until) for pk, kind, sent, until in known}
    for node in _all(nodes):
        if node.last is not None and node.last.pk in calls:
            node.last.would_send = calls[node.last.pk]  # type: ignore[attr-defined]
    return sum(kind != "delay" for _pk, kind, _sent, _until in known)


def _all(nodes: Iterable[Node]) -> Iterator[Node]:
    for node in nodes:
        yield node
        for way in node.ways:
            yield from _all(way.nodes)
        for each in node.rounds:
            yield from _all(each.nodes)


def _told(kind: str, sent: Any, until: Any) -> WouldSend:
    if kind == "delay":
        return WouldSend(_("Would wait until %(moment)s") % {"moment": _moment(until)})
    call = without_secrets(sent) if isinstance(sent, dict) else {}
    match kind:
        case "action":
            return _action(call)
        case "http":
            return _http(call)
        case "approval":
            lines = [(_("Question"), _text(call.get("title"))), (_("Message"), _text(call.get("message")))]
            lines.append((_("Whom"), ", ".join(_person(each) for each in call.get("assignees") or [])))
            note = _("The dry run goes on as if it had been approved.")
            return WouldSend(_("Would ask for approval"), _filled(lines), note)
        case "wait":
            note = _("The dry run goes on at once, without an answer.")
            return WouldSend(_("Would wait for another system to call its one-time address"), [], note)
        case "respond":
            lines = [(_("Status"), _text(call.get("status"))), (_("Content"), _text(call.get("body")))]
            return WouldSend(_("Would answer the request that started the run"), _filled(lines))
        case "ai":
            lines = [(_("Task"), _text(call.get("prompt")))]
            return WouldSend(_("Would let an AI agent act with its tools"), _filled(lines))
    return WouldSend(_("Would send"), _pairs(call))


def _action(call: Mapping[str, Any]) -> WouldSend:
    provider, operation = str(call.get("provider") or ""), str(call.get("operation") or "")
    title = operation_title(provider, operation) or f"{provider.replace('_', ' ').title()}: {operation}"
    labels: dict[str, str] = {}
    with suppress(KeyError):  # the names of the fields themselves have to do then
        labels = {each.key: str(each.label) for each in registry.get(provider).action(operation).fields}
    given = call.get("with") if isinstance(call.get("with"), dict) else {}
    lines = [(labels.get(key) or _label(key), _text(value)) for key, value in (given or {}).items()]
    note = _("The steps after it work with an example of the answer.")
    return WouldSend(_("Would send – %(what)s") % {"what": title}, _filled(lines), note)


def _http(call: Mapping[str, Any]) -> WouldSend:
    method, url = str(call.get("method") or "POST").upper(), str(call.get("url") or "")
    title = _("Would send: %(method)s to %(host)s") % {"method": method, "host": urlsplit(url).netloc or url}
    lines = [(_("Address"), url)]
    for key in ("query", "json", "form", "body"):
        value = call.get(key)
        lines += _pairs(value) if isinstance(value, dict) else [(_("Content"), _text(value))]
    note = _("The steps after it go on as if the answer were empty, with status 200.")
    return WouldSend(title, _filled(lines), note)


def _pairs(values: Mapping[str, Any]) -> list[tuple[str, str]]:
    return [(_label(key), _text(value)) for key, value in values.items()]


def _filled(lines: list[tuple[str, str]]) -> list[tuple[str, str]]:
    return [(label, value) for label, value in lines if value]


def _label(key: str) -> str:
    return key.replace("_", " ").strip().capitalize()


def _text(value: Any) -> str:
    if value in (None, "", [], {}):
        return ""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, indent=1)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"


def _person(assignee: Any) -> str:
    found = assignee if isinstance(assignee, dict) else {}
    return str(found.get("email") or found.get("user") or str(found.get("role") or "").title())


def _moment(value: Any) -> str:
    try:
        return date_format(localtime(datetime.fromisoformat(str(value))), "DATETIME_FORMAT")
    except ValueError:
        return str(value)
