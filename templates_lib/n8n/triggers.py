"""What starts a workflow: trigger nodes of n8n as triggers of ours."""

from __future__ import annotations

import re
from typing import Any

from django.utils.translation import gettext as _

from templates_lib.n8n.context import Conversion, Flow
from templates_lib.n8n.reading import Node

# n8n's trigger node -> our provider and event
EVENTS: dict[str, tuple[str, str]] = {
    "gmailTrigger": ("gmail", "new_email"),
    "telegramTrigger": ("telegram", "new_message"),
    "googleSheetsTrigger": ("google_sheets", "new_row"),
    "googleDriveTrigger": ("google_drive", "new_file"),
    "googleCalendarTrigger": ("google_calendar", "new_event"),
    "emailReadImap": ("email", "new_email"),
    "slackTrigger": ("slack", "new_message"),
    "airtableTrigger": ("airtable", "record_created"),
    "notionTrigger": ("notion", "page_created"),
    "hubspotTrigger": ("hubspot", "contact_created"),
    "calendlyTrigger": ("calendly", "invitee_created"),
    "shopifyTrigger": ("shopify", "order_created"),
    "stripeTrigger": ("stripe", "payment_succeeded"),
    "microsoftOutlookTrigger": ("outlook", "new_email"),
    "pipedriveTrigger": ("pipedrive", "deal_created"),
    "trelloTrigger": ("trello", "card_created"),
    "asanaTrigger": ("asana", "task_added"),
    "wooCommerceTrigger": ("woo_commerce", "order_created"),
    "linearTrigger": ("linear", "issue_created"),
    "mailchimpTrigger": ("mailchimp", "subscribed"),
    "postgresTrigger": ("postgresql", "new_row"),
}
# What the settings of those events are called there, as far as they carry over.
SETTINGS: dict[str, dict[str, str]] = {
    "google_sheets": {"documentId": "spreadsheet", "sheetName": "sheet"},
    "google_drive": {"folderToWatch": "folder"},
    "airtable": {"baseId": "base", "tableId": "table"},
    "slack": {"channelId": "channel"},
}
UNITS = {"seconds": 1, "minutes": 60, "hours": 3600}
HTTP = ("GET", "POST", "PUT", "PATCH", "DELETE")


def is_trigger(node: Node) -> bool:
    """Return whether a node starts the workflow."""
    return node.kind.endswith("Trigger") or node.kind in {
        "webhook",
        "cron",
        "interval",
        "start",
        "emailReadImap",
    }


def convert(conversion: Conversion, node: Node) -> tuple[list[dict[str, Any]], dict[str, Any] | None, Flow]:
    """Return the triggers a node becomes, its schedule, and where its data stands."""
    report = conversion.reports[node.name]
    key = conversion.step_id(node.name)
    base = {"id": key, "name": node.name[:120], **({"disabled": True} if node.is_disabled else {})}
    if node.kind in {"manualTrigger", "start"}:
        return [{**base, "type": "manual"}], None, Flow("trigger.body")
    if node.kind == "webhook":
        return [_webhook(conversion, node, base)], None, Flow("trigger")
    if node.kind in {"scheduleTrigger", "cron", "interval"}:
        crons = _crons(conversion, node)
        timed = [{**base, **each, "id": key if n == 0 else f"{key}_{n + 1}"} for n, each in enumerate(crons)]
        if conversion.document.timezone:
            timed = [{**each, "timezone": conversion.document.timezone[:64]} for each in timed]
        return [{**each, "type": "schedule"} for each in timed], None, Flow("trigger")
    if node.kind == "formTrigger":
        return [_form(conversion, node, base)], None, Flow("trigger.body")
    if node.kind == "executeWorkflowTrigger":
        report.adapt(_("Other workflows hand their data in as the inputs of this one."))
        return [{**base, "type": "api"}], None, Flow("inputs")
    if node.kind == "chatTrigger":
        report.adapt(_("The chat became a form with one question."))
        schema = {
            "type": "object",
            "properties": {"chatInput": {"type": "string", "title": _("Message")}},
            "required": ["chatInput"],
        }
        return (
            [{**base, "type": "form", "title": node.name[:120], "schema": schema}],
            None,
            Flow("trigger.body"),
        )
    if node.kind == "errorTrigger":
        report.adapt(_("Name this workflow under “when a run fails” in the settings of the others."))
        return [{**base, "type": "api"}], None, Flow("inputs")
    if node.kind in EVENTS:
        return [_event(conversion, node, base)], None, Flow("trigger.body")
    report.replace(
        _("This kind of trigger does not exist here. Choose another, or send its events to a webhook.")
    )
    return [{**base, "type": "webhook", "disabled": True}], None, Flow("trigger.body")


def _webhook(conversion: Conversion, node: Node, base: dict[str, Any]) -> dict[str, Any]:
    report, parameters = conversion.reports[node.name], node.parameters
    methods = parameters.get("httpMethod", "GET")
    found = [each for each in (methods if isinstance(methods, list) else [methods]) if each in HTTP]
    mode = {"responseNode": "by_step", "lastNode": "when_done"}.get(
        str(parameters.get("responseMode")), "immediately"
    )
    report.adapt(_("It gets a new address here. Tell it to whoever calls."))
    made: dict[str, Any] = {**base, "type": "webhook", "methods": found or ["POST"]}
    if mode != "immediately":
        made["respond"] = mode
    if parameters.get("authentication", "none") != "none":
        report.adapt(_("How it knows its caller has to be set again: secrets are never brought over."))
    return made


def _form(conversion: Conversion, node: Node, base: dict[str, Any]) -> dict[str, Any]:
    report, parameters = conversion.reports[node.name], node.parameters
    raw = parameters.get("formFields")
    rows = raw.get("values") if isinstance(raw, dict) else None
    properties: dict[str, Any] = {}
    required = []
    for row in [each for each in (rows if isinstance(rows, list) else []) if isinstance(each, dict)][:60]:
        label = str(row.get("fieldLabel") or row.get("fieldName") or "")[:100]
        kind = str(row.get("fieldType") or "text")
        if not label or kind == "html":
            continue
        field: dict[str, Any] = {"type": "number" if kind == "number" else "string", "title": label}
        if kind in {"email", "date"}:
            field["format"] = kind
        elif kind == "file":
            report.adapt(_("A file is asked for as an address where it can be fetched."))
        options = row.get("fieldOptions")
        values = options.get("values") if isinstance(options, dict) else None
        chosen = (
            [str(each.get("option")) for each in values if isinstance(each, dict)]
            if isinstance(values, list)
            else []
        )
        if kind in {"dropdown", "radio", "select", "checkbox"} and chosen:
            field["enum"] = list(dict.fromkeys(chosen))[:200]
        properties[label] = field
        required += [label] if row.get("requiredField") is True else []
    schema = {"type": "object", "properties": properties, **({"required": required} if required else {})}
    title = str(parameters.get("formTitle") or node.name)[:120]
    return {
        **base,
        "type": "form",
        "title": title,
        "description": str(parameters.get("formDescription") or "")[:4000],
        "schema": schema,
    }


def _event(conversion: Conversion, node: Node, base: dict[str, Any]) -> dict[str, Any]:
    provider, event = EVENTS[node.kind]
    report = conversion.reports[node.name]
    report.adapt(
        _("Its data is named as the service names it. Look at a sample and check what later steps read.")
    )
    settings = {}
    for theirs, ours in SETTINGS.get(provider, {}).items():
        raw = node.parameters.get(theirs)
        value = raw.get("value") if isinstance(raw, dict) else raw
        if isinstance(value, str) and value and not value.startswith("="):
            settings[ours] = value[:500]
    return {
        **base,
        "type": "provider",
        "provider": provider,
        "event": event,
        **({"with": settings} if settings else {}),
    }


def _crons(conversion: Conversion, node: Node) -> list[dict[str, Any]]:
    parameters = node.parameters
    if node.kind == "interval":
        rows: list[Any] = [
            {
                "field": parameters.get("unit", "seconds"),
                f"{parameters.get('unit', 'seconds')}Interval": parameters.get("interval", 1),
            }
        ]
    elif node.kind == "cron":
        raw = parameters.get("triggerTimes")
        rows = _rows(raw, "item")
    else:
        raw = parameters.get("rule")
        rows = _rows(raw, "interval") or [{}]
    found = [_cron(conversion, node, row) for row in rows[:10] if isinstance(row, dict)]
    return found or [{"cron": "0 0 * * *"}]


def _rows(raw: Any, key: str) -> list[Any]:
    found = raw.get(key) if isinstance(raw, dict) else None
    return found if isinstance(found, list) else []


def _cron(conversion: Conversion, node: Node, row: dict[str, Any]) -> dict[str, Any]:
    report = conversion.reports[node.name]
    kind = str(row.get("field") or row.get("mode") or "days")
    kind = {
        "everyMinute": "minutes",
        "everyHour": "hours",
        "everyDay": "days",
        "everyWeek": "weeks",
        "everyMonth": "months",
        "custom": "cronExpression",
    }.get(kind, kind)
    hour = _whole(row.get("triggerAtHour", row.get("hour")), 0, 23, 0)
    minute = _whole(row.get("triggerAtMinute", row.get("minute")), 0, 59, 0)
    if kind == "cronExpression":
        words = str(row.get("expression", row.get("cronExpression")) or "").split()
        if len(words) == 6:
            report.adapt(_("Schedules count in minutes here; the seconds are left out."))
            words = words[1:]
        if len(words) == 5 and all(re.fullmatch(r"[\w*/,\-?]+", word) for word in words):
            return {"cron": " ".join(words)}
        report.replace(_("Its plan could not be read. Set when it starts."))
        return {"cron": "0 0 * * *"}
    if kind in UNITS or kind == "everyX":
        unit = str(row.get("unit") or "hours") if kind == "everyX" else kind
        count = _whole(
            row.get(f"{kind}Interval", row.get("value")),
            1,
            100_000,
            5 if kind == "minutes" else 30 if kind == "seconds" else 1,
        )
        seconds = UNITS.get(unit, 3600) * count
        if seconds < 60:
            report.adapt(_("It starts once a minute: more often is not possible."))
        if kind == "hours" and count == 1:
            return {"cron": f"{minute} * * * *"}
        return {"every": f"{max(60, seconds)}s"}
    if kind == "weeks":
        days = row.get("triggerAtDay", row.get("weekday", [0]))
        chosen = [
            str(int(day))
            for day in (days if isinstance(days, list) else [days])
            if str(day).isdigit() and int(day) < 7
        ]
        return {"cron": f"{minute} {hour} * * {','.join(chosen) or '0'}"}
    if kind == "months":
        return {
            "cron": f"{minute} {hour} {_whole(row.get('triggerAtDayOfMonth', row.get('dayOfMonth')), 1, 31, 1)} * *"
        }
    every = _whole(row.get("daysInterval"), 1, 31, 1)
    if every > 1:
        report.adapt(_("Every few days is counted from the first of each month."))
        return {"cron": f"{minute} {hour} */{every} * *"}
    return {"cron": f"{minute} {hour} * * *"}


def _whole(value: Any, low: int, high: int, default: int) -> int:
    if isinstance(value, str) and value.isdecimal() and len(value) < 9:
        value = int(value)
    return (
        value if isinstance(value, int) and not isinstance(value, bool) and low <= value <= high else default
    )
