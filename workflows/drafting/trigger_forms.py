"""The form of each trigger; a schedule is asked for the way people say it, and kept as cron or an interval."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from workflows.drafting.durations import read_duration, shown_duration
from workflows.drafting.fields import Field, FieldFault, Sent
from workflows.drafting.operation_forms import operation_fields

DAYS = (
    ("1", gettext_lazy("Monday")),
    ("2", gettext_lazy("Tuesday")),
    ("3", gettext_lazy("Wednesday")),
    ("4", gettext_lazy("Thursday")),
    ("5", gettext_lazy("Friday")),
    ("6", gettext_lazy("Saturday")),
    ("0", gettext_lazy("Sunday")),
)
MODES = (
    ("daily", gettext_lazy("Every day")),
    ("workdays", gettext_lazy("Every working day, Monday to Friday")),
    ("weekly", gettext_lazy("On days of the week")),
    ("monthly", gettext_lazy("On a day of the month")),
    ("every", gettext_lazy("Every so often")),
    ("cron", gettext_lazy("By a cron expression")),
)
_CLOCK = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)")


def trigger_fields(trigger: Mapping[str, Any], document: Mapping[str, Any]) -> list[Field]:
    """Return the fields of a trigger without values. The schedule's own part is asked for apart; see `schedule_of`."""
    kind = str(trigger.get("type"))
    name = Field(("name",), _("Name"), _("What people read."))
    fields = [name]
    if kind == "webhook":
        fields += _webhook(trigger)
    elif kind == "schedule":
        fields += _schedule()
    elif kind == "form":
        fields += _form()
    elif kind == "provider":
        only_if = _("Only events for which this holds start a run. The event is “trigger”.")
        fields += [
            *operation_fields(trigger, "trigger"),
            Field(("filter",), _("Only when"), only_if, "condition", is_advanced=True),
        ]
    return fields


def inputs_field() -> Field:
    """Return the field that says what a run by hand asks for; it stands on the workflow, not on the trigger."""
    text = _("The person fills this in when they press Run. Steps use it as inputs.<name>.")
    return Field(("inputs",), _("Ask for"), text, "schema")


def _webhook(trigger: Mapping[str, Any]) -> list[Field]:
    auth = trigger.get("auth") if isinstance(trigger.get("auth"), dict) else {}
    method = str((auth or {}).get("method", "none"))
    fields = [
        Field(
            ("respond",),
            _("Answer the caller"),
            "",
            "choice",
            default="immediately",
            choices=(
                ("immediately", _("At once: “accepted”")),
                ("when_done", _("When the run is done, with its result")),
                ("by_step", _("With the step “Answer the webhook”")),
            ),
        ),
        Field(
            ("auth", "method"),
            _("Who may call it"),
            _("The secret itself is set on the page “Triggers”, after publishing."),
            "choice",
            default="none",
            is_reshaping=True,
            choices=(
                ("none", _("Anybody who knows the address")),
                ("header", _("Whoever sends a secret header")),
                ("basic", _("Whoever knows user and password")),
                ("hmac", _("Whoever signs the request")),
                ("provider", _("A service, by its own signature")),
            ),
        ),
    ]
    if method in ("header", "hmac"):
        fields.append(
            Field(("auth", "header"), _("Name of the header"), example="X-Signature", is_required=True)
        )
    if method == "hmac":
        fields += [
            Field(
                ("auth", "algorithm"),
                _("Algorithm"),
                "",
                "choice",
                default="sha256",
                choices=tuple((each, each.upper()) for each in ("sha1", "sha256", "sha512")),
            ),
            Field(
                ("auth", "encoding"),
                _("Encoding"),
                "",
                "choice",
                default="hex",
                choices=(("hex", "Hex"), ("base64", "Base64")),
            ),
            Field(("auth", "prefix"), _("Text before the signature"), example="sha256="),
            Field(
                ("auth", "timestamp_header"), _("Header with the time that is signed too"), is_advanced=True
            ),
            Field(
                ("auth", "tolerance"),
                _("How old a request may be"),
                "",
                "duration",
                example=_("5 minutes"),
                is_advanced=True,
            ),
        ]
    if method == "provider":
        fields.append(Field(("auth", "provider"), _("Service"), example="stripe", is_required=True))
    methods = tuple((each, each) for each in ("GET", "POST", "PUT", "PATCH", "DELETE"))
    return [
        *fields,
        Field(
            ("filter",),
            _("Only when"),
            _("Other requests start no run. The request is “trigger”, like {{ trigger.body.type }}."),
            "condition",
            is_advanced=True,
        ),
        Field(
            ("dedupe_key",),
            _("Start one run for each"),
            _("Requests with the same value start one run only."),
            example="{{ trigger.body.id }}",
            is_templated=True,
            is_advanced=True,
        ),
        Field(("methods",), _("Methods"), "", "several", choices=methods, default="POST", is_advanced=True),
        Field(
            ("respond_timeout",),
            _("Wait for the answer at most"),
            _("Then the caller gets “accepted” (202)."),
            "duration",
            example=_("30 seconds"),
            is_advanced=True,
        ),
    ]


def _schedule() -> list[Field]:
    return [
        Field(
            ("timezone",),
            _("Time zone"),
            _("Empty: your organization's."),
            example="Europe/Paris",
            is_advanced=True,
        ),
        Field(
            ("missed",),
            _("After an outage"),
            "",
            "choice",
            default="run_once",
            is_advanced=True,
            choices=(
                ("run_once", _("Make up for it once")),
                ("run_all", _("Make up for every missed time")),
                ("skip", _("Skip what was missed")),
            ),
        ),
        Field(
            ("overlap",),
            _("When the last run is not done"),
            "",
            "choice",
            default="queue",
            is_advanced=True,
            choices=(
                ("queue", _("Wait for it, then run")),
                ("skip", _("Skip this time")),
                ("allow", _("Run at the same time")),
            ),
        ),
        Field(
            ("pause",),
            _("Rest on these days"),
            _("Both days included."),
            "json",
            example='[{"start": "2026-12-24", "end": "2027-01-01"}]',
            is_advanced=True,
        ),
    ]


def _form() -> list[Field]:
    return [
        Field(("title",), _("Heading"), is_required=True),
        Field(("description",), _("Text below the heading"), "", "long_text"),
        Field(("schema",), _("Questions"), "", "schema", is_required=True),
        Field(("submit_label",), _("Words on the button"), example=_("Send")),
        Field(
            ("thanks",),
            _("Shown after sending"),
            "",
            "long_text",
            example=_("Thank you. Your answers have arrived."),
        ),
        Field(
            ("require_login",),
            _("Only members of the organization may send it"),
            "",
            "checkbox",
            is_advanced=True,
        ),
    ]


def shown_schedule(trigger: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the schedule's form shows: mode, clock, days, day, every, cron."""
    shown = {
        "mode": "cron",
        "clock": "09:00",
        "days": [],
        "day": "1",
        "every": "",
        "cron": str(trigger.get("cron") or ""),
    }
    every, parts = trigger.get("every"), str(trigger.get("cron") or "").split()
    if isinstance(every, str) and every:
        return {**shown, "mode": "every", "every": shown_duration(every)}
    if len(parts) != 5 or not (parts[0].isdigit() and parts[1].isdigit() and parts[3] == "*"):
        return shown
    shown["clock"] = f"{int(parts[1]):02d}:{int(parts[0]):02d}"
    if parts[2] == "*" and parts[4] == "*":
        return {**shown, "mode": "daily"}
    if parts[2] == "*" and parts[4].upper() in ("1-5", "MON-FRI"):
        return {**shown, "mode": "workdays"}
    days = parts[4].replace("7", "0").split(",")
    if parts[2] == "*" and all(day in dict(DAYS) for day in days):
        return {**shown, "mode": "weekly", "days": days}
    if parts[4] == "*" and (parts[2].isdigit() or parts[2] == "L"):
        return {**shown, "mode": "monthly", "day": parts[2]}
    return shown


def schedule_of(sent: Sent, old: Mapping[str, Any]) -> dict[str, Any]:
    """Return {"cron": ...} or {"every": ...} of what was sent, the old one when nothing was. Raises FieldFault."""
    mode = sent.get("s:mode")
    kept = {key: old[key] for key in ("cron", "every") if key in old}
    if mode is None:
        return kept
    if mode == "every":
        text = str(sent.get("s:every", "")).strip()
        if kept.get("every") and text == shown_duration(kept["every"]):
            return {"every": kept["every"]}
        try:
            return {"every": read_duration(text)}
        except ValueError:
            raise FieldFault(_("Write how often, like “15 minutes” or “2 hours”.")) from None
    if mode == "cron":
        text = " ".join(str(sent.get("s:cron", "")).split())
        if not text:
            raise FieldFault(_("Write five fields: minute, hour, day, month, weekday."))
        return {"cron": text}
    match = _CLOCK.fullmatch(str(sent.get("s:clock", "")).strip())
    if match is None:
        raise FieldFault(_("Write a time of day, like 09:00."))
    hour, minute = int(match[1]), int(match[2])
    if mode == "weekly":
        days = [day for day, _name in DAYS if day in sent.getlist("s:days")]  # type: ignore[attr-defined]
        if not days:
            raise FieldFault(_("Choose at least one day of the week."))
        return {"cron": f"{minute} {hour} * * {','.join(days)}"}
    if mode == "monthly":
        day = str(sent.get("s:day", "1"))
        if day != "L" and not (day.isdigit() and 1 <= int(day) <= 31):
            raise FieldFault(_("Choose a day from 1 to 31."))
        return {"cron": f"{minute} {hour} {day} * *"}
    return {"cron": f"{minute} {hour} * * {'1-5' if mode == 'workdays' else '*'}"}
