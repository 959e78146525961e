"""The services there are: what each can do, and which accounts of ours are connected to it."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe
from django.views.decorators.vary import vary_on_headers

from accounts.permissions import Permission, may, requires
from billing.entitlements import Limit, room
from integrations import connecting, oauth_flow
from integrations.framework import Action, Connector, Field, Output, registry
from integrations.framework.fields import as_output
from integrations.models import Integration
from integrations.views.scopes import connector_or_404, in_scope, person

# What an operation does to the outside world, and what that means when a run is interrupted.
EFFECTS: dict[str, tuple[Any, str]] = {
    "read": (gettext_lazy("Only reads"), "neutral"),
    "key_safe": (gettext_lazy("Safe to repeat"), "success"),
    "checkable": (gettext_lazy("Checked before it is repeated"), "info"),
    "unsafe": (gettext_lazy("Never repeated without asking you"), "warm"),
}


@dataclass(slots=True)
class Service:
    """One service of the gallery and the accounts connected to it."""

    connector: Connector
    accounts: list[Integration] = field(default_factory=list)

    @property
    def counts(self) -> str:
        actions = sum(not action.hidden for action in self.connector.actions)
        triggers = len(self.connector.triggers)
        if triggers:
            return _("%(actions)s actions · %(triggers)s triggers") % {
                "actions": actions,
                "triggers": triggers,
            }
        return _("%(actions)s actions") % {"actions": actions}


@dataclass(frozen=True, slots=True)
class Operation:
    """An action as the documentation shows it."""

    action: Action
    effect: Any
    tone: str
    fields: list[tuple[Field, str]]
    outputs: list[Output]


@require_safe
@requires(Permission.VIEW_INTEGRATIONS)
@vary_on_headers("HX-Request")
@in_scope
def gallery(request: HttpRequest) -> HttpResponse:
    """Show the connected accounts, and all services with a search."""
    text = request.GET.get("q", "").strip()
    category = request.GET.get("category", "")
    connected = request.GET.get("show", "") == "connected"
    accounts = list(Integration.objects.order_by("name", "pk"))
    services = {connector.provider: Service(connector) for connector in registry.all_connectors()}
    for account in accounts:
        if account.provider in services:
            services[account.provider].accounts.append(account)
    found = [
        service
        for service in services.values()
        if (not category or service.connector.category == category)
        and (not connected or service.accounts)
        and _matches(service.connector, text)
    ]
    broken = [account for account in accounts if account.status in ("EXPIRED", "ERROR")]
    context = {
        "accounts": sorted(accounts, key=lambda account: (account.is_usable, account.name.lower())),
        "broken": broken,
        "services": sorted(found, key=lambda service: (not service.accounts, service.connector.name.lower())),
        "categories": sorted(
            {connector.category for connector in registry.all_connectors() if connector.category}
        ),
        "text": text,
        "category": category,
        "connected": connected,
        "is_filtered": bool(text or category or connected),
        "room": room(person(request).organization, Limit.INTEGRATIONS, connecting.counted()),  # type: ignore[arg-type]
    }
    template = "integrations/gallery.html"
    return render(request, f"{template}#services" if request.htmx else template, context)  # type: ignore[attr-defined]


@require_safe
@requires(Permission.VIEW_INTEGRATIONS)
@in_scope
def provider(request: HttpRequest, provider: str) -> HttpResponse:
    """Show what a service can do: its documentation, made from the connector."""
    connector = connector_or_404(provider)
    auths = [(auth, oauth_flow.missing_settings(connector, auth)) for auth in connector.auths]
    context = {
        "connector": connector,
        "accounts": list(Integration.objects.filter(provider=connector.provider).order_by("name", "pk")),
        "operations": [describe(action) for action in connector.actions if not action.hidden],
        "triggers": connector.triggers,
        "ways": [auth.label for auth in connector.auths],
        "missing": [missing for _auth, missing in auths if missing],
        "can_connect": may(request.user, Permission.MANAGE_INTEGRATIONS),
    }
    return render(request, "integrations/provider.html", context)


def describe(action: Action) -> Operation:
    """Return an action with its effect in plain words and its outputs."""
    words, tone = EFFECTS[action.effect]
    outputs = [
        Output(key, kind=output.kind, label=output.label or key.replace("_", " ").capitalize())
        for key, output in ((key, as_output(value)) for key, value in action.returns.items())
    ]
    return Operation(action, words, tone, [(entry, example_of(entry)) for entry in action.fields], outputs)


def example_of(entry: Field) -> str:
    """Return an example as a person would type it; "" where one says nothing."""
    if entry.example is None or entry.kind in ("secret", "boolean", "file"):
        return ""
    text = entry.example if isinstance(entry.example, str) else json.dumps(entry.example, ensure_ascii=False)
    return text if len(text) <= 80 else f"{text[:79]}…"


def _matches(connector: Connector, text: str) -> bool:
    if not text:
        return True
    words = " ".join(
        [
            connector.name,
            connector.category,
            connector.summary,
            *(action.label for action in connector.actions),
        ]
    ).lower()
    return all(word in words for word in text.lower().split())
