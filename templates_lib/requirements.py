"""What a template needs before it can run: which services it talks to, and whether some AI account is among them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from integrations.framework import registry
from integrations.models import Integration, IntegrationProvider

# In the place of a provider: any of the AI services will do.
AI = "AI"
AI_PROVIDERS = ("OPENAI", "ANTHROPIC", "GOOGLE_GEMINI", "COHERE")


@dataclass(frozen=True, slots=True)
class Need:
    """One service. provider: value of IntegrationProvider, or AI. slug: of the page to connect it, "" without one."""

    provider: str
    name: str
    slug: str
    is_connected: bool
    is_optional: bool = False


def label_of(provider: str) -> str:
    """Return the name people know a provider by."""
    if provider == AI:
        return _("An AI service")
    return IntegrationProvider(provider).label if provider in IntegrationProvider.values else provider.title()


def providers_in(value: Any) -> set[str]:
    """Return the providers that steps and triggers of a definition name, AI for ai steps, in capitals."""
    return {found.upper() for found in _mentions(value)}


def connected_providers() -> set[str]:
    """Return the providers the organization in scope has an active account with; AI when one is an AI service."""
    rows = Integration.objects.active().order_by().values_list("provider", flat=True).distinct()
    found = set(rows)
    return found | {AI} if found & set(AI_PROVIDERS) else found


def needs_of(required: Iterable[str], optional: Iterable[str], connected: set[str]) -> list[Need]:
    """Return everything a template asks for, the required first, and whether it is there."""
    found = [(provider, False) for provider in required] + [(provider, True) for provider in optional]
    return [
        Need(provider, label_of(provider), _connect_slug(provider), provider in connected, is_optional)
        for provider, is_optional in found
    ]


def _connect_slug(provider: str) -> str:
    return provider.lower() if provider.lower() in registry.slugs() else ""


def _mentions(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if value.get("type") == "ai":
            yield AI
        if isinstance(value.get("provider"), str) and (
            "operation" in value or value.get("type") == "provider"
        ):
            yield value["provider"]
        for entry in value.values():
            yield from _mentions(entry)
    elif isinstance(value, list):
        for entry in value:
            yield from _mentions(entry)
