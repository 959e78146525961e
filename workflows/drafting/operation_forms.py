"""Fields of a connector's operation or event, from its declaration; choices come live from the connected account."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.urls import reverse
from django.utils.translation import gettext as _

from integrations.framework import Connector, registry
from integrations.framework import Field as Declared
from integrations.models import Integration
from workflows.definition.shapes import is_template
from workflows.drafting.fields import Field
from workflows.drafting.values import shown

KINDS = {
    "text": "text",
    "long_text": "long_text",
    "number": "number",
    "integer": "integer",
    "boolean": "choice",
    "select": "choice",
    "multi_select": "lines",
    "date": "text",
    "datetime": "text",
    "email": "text",
    "url": "text",
    "json": "json",
    "list": "json",
    "object": "rows",
    "secret": "text",
    "key_value": "rows",
    "file": "value",
}
AI_PROVIDERS = ("ANTHROPIC", "OPENAI", "GOOGLE_GEMINI", "COHERE")
TYPED = frozenset({"json", "list", "object"})
HINTS = {"date": "2027-03-01", "datetime": "2027-03-01T09:00"}


def connector_of(step: Mapping[str, Any]) -> Connector | None:
    """Return the connector that a step or trigger names, None for an unknown one."""
    try:
        return registry.get(str(step.get("provider", "")))
    except KeyError:
        return None


def operation_fields(step: Mapping[str, Any], role: str) -> list[Field]:
    """Return the account chooser's neighbours: the declared fields of an action ("action") or event ("trigger")."""
    connector = connector_of(step)
    if connector is None:
        return []
    key = str(step.get("operation" if role == "action" else "event", ""))
    try:
        declared = connector.action(key).all_fields if role == "action" else connector.trigger(key).fields
    except KeyError:
        return []
    given = step.get("with") if isinstance(step.get("with"), dict) else {}
    account = account_of(step, connector)
    found: list[Field] = []
    for each in declared:
        found += _fields(each, ("with",), connector, key, account, given or {}, each.advanced)
    return found


def account_of(step: Mapping[str, Any], connector: Connector) -> UUID | None:
    """Return the connected account that a step would use: the one it names, else the only one there is."""
    rows = Integration.objects.filter(provider=connector.provider).only("id", "name", "organization_id")
    wanted = step.get("integration")
    if isinstance(wanted, str) and wanted:
        return next((row.pk for row in rows if wanted in (str(row.pk), row.name)), None)
    found = [row.pk for row in rows[:2]]
    return found[0] if len(found) == 1 else None


def integration_field(step: Mapping[str, Any], provider: str) -> Field:
    """Return the chooser of the connected account, with the link that connects one."""
    rows = list(Integration.objects.filter(provider=provider).order_by("name"))
    choices = [
        (str(row.pk), row.name if row.is_usable else f"{row.name} ({row.get_status_display()})")
        for row in rows
    ]
    chosen = step.get("integration")
    if isinstance(chosen, str) and chosen and chosen not in dict(choices):
        by_name = next((row for row in rows if row.name == chosen), None)
        choices.append((chosen, chosen if by_name else _("An account that is gone")))
    connector = registry.get(provider)
    return Field(
        ("integration",),
        _("Account"),
        "" if rows else _("Connect an account first. You can fill in the rest already."),
        "choice",
        choices=tuple(choices),
        default=_("The only one there is") if len(rows) == 1 else "",
        is_reshaping=True,
        link_url=reverse("integrations:connect", args=[connector.slug]),
        link_text=_("Connect another account") if rows else _("Connect %(name)s") % {"name": connector.name},
        extra={
            "empty": _("The only one: %(name)s") % {"name": rows[0].name} if len(rows) == 1 else _("Choose …")
        },
    )


def any_account(step: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    """Return the accounts that an AI step (models only) or a web request may use, and what the step names already."""
    rows = Integration.objects.order_by("provider", "name")
    if step.get("type") == "ai":
        rows = rows.filter(provider__in=AI_PROVIDERS)
    choices = [(str(row.pk), str(row)) for row in rows]
    chosen = step.get("integration")
    if isinstance(chosen, str) and chosen and chosen not in dict(choices):
        choices.append((chosen, chosen))
    return tuple(choices)


def _fields(
    each: Declared,
    parent: tuple[str, ...],
    connector: Connector,
    operation: str,
    account: UUID | None,
    given: Mapping[str, Any],
    is_advanced: bool,
) -> list[Field]:
    path = (*parent, each.key)
    if each.kind == "object" and each.fields:
        inner = given.get(each.key) if isinstance(given.get(each.key), dict) else {}
        return [
            _in_group(field, each.title)
            for one in each.fields
            for field in _fields(
                one, path, connector, operation, account, inner or {}, is_advanced or one.advanced
            )
        ]
    choices: tuple[tuple[Any, str], ...] = each.choice_pairs
    if each.kind == "boolean":
        choices = ((True, _("Yes")), (False, _("No")))
    kind = KINDS[each.kind]
    if (each.options and each.kind in ("text", "select")) or (each.kind == "text" and choices):
        kind = "choice"
    elif each.kind == "list" and not each.fields and _lists_texts(each):
        kind = "lines"
    elif each.kind == "multi_select" and choices and not is_template(given.get(each.key)):
        kind = "several"
    return [
        Field(
            path,
            each.title,
            each.help,
            kind,
            is_required=each.required,
            example=_example(each),
            choices=choices,
            options_url=_options_url(each, path, connector, operation, account, given)
            if kind == "choice"
            else "",
            is_templated=True,
            is_advanced=is_advanced,
            is_reshaping=bool(each.options) and kind == "choice",
            default=each.default,
            extra={"typed": each.kind in TYPED, "options": bool(each.options)},
        )
    ]


def _lists_texts(each: Declared) -> bool:
    return isinstance(each.example, list) and all(isinstance(item, str) for item in each.example)


def _in_group(field: Field, group: str) -> Field:
    return replace(field, group=field.group or group)


def _example(each: Declared) -> str:
    if each.example is None:
        return HINTS.get(each.kind, "")
    if each.kind in ("list", "multi_select") and not each.fields and _lists_texts(each):
        return "\n".join(each.example[:2])
    return shown(each.example)[:200]


def _options_url(
    each: Declared,
    path: tuple[str, ...],
    connector: Connector,
    operation: str,
    account: UUID | None,
    given: Mapping[str, Any],
) -> str:
    if not each.options or account is None:
        return ""
    needed = {key: given.get(key) for key in each.depends_on}
    if any(value in (None, "") or is_template(value) for value in needed.values()):
        return ""  # what it depends on is not known before the run
    url = reverse("integrations:options", args=[connector.slug, account, operation, ".".join(path[1:])])
    query = {**needed, "selected": given.get(each.key) or ""}
    return f"{url}?{urlencode(query)}"
