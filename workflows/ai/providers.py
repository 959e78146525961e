"""One vendor's model as pydantic-ai's `Model`, its requests led through our door."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic_ai.models import Model

from integrations.framework import registry
from integrations.framework.client import Client
from integrations.framework.errors import PermanentError
from integrations.framework.redaction import secrets_in
from integrations.health import Usable
from workflows.ai.door import Door
from workflows.ai.prices import DEFAULTS, FALLBACKS, VENDORS
from workflows.definition.wording import gettext as _

# Answers held to a schema: by the vendor's own means where every current model has them, else as a tool's arguments.
NATIVE_SCHEMA = frozenset({"OPENAI", "GOOGLE_GEMINI"})
NEWER_FIELD_HOSTS = ("api.openai.com/v1", "azure.com/openai/v1")


def settings_of(account: Usable) -> dict[str, Any]:
    """Return what the connect form asked besides the key: base_url, model, fallback_model and prices."""
    known = ("base_url", "model", "fallback_model", "price_input", "price_output", "organization", "project")
    found: dict[str, Any] = {}
    for name in known:
        value = account.credentials.get(name) or account.account.get(name)
        if value:
            found[name] = value
    return found


def default_model(account: Usable, wanted: str | None = None) -> str:
    """Return the model to ask: what the step says, what the connection says, or the provider's default."""
    settings = settings_of(account)
    if wanted or settings.get("model"):
        return str(wanted or settings["model"])
    if settings.get("base_url"):
        raise PermanentError(
            _("Name the model in the step or in the connection: a server of your own has no default one.")
        )
    return DEFAULTS[account.provider]


def fallback_model(account: Usable, model: str) -> str | None:
    """Return what to ask when `model` is overloaded, or None. A server of one's own has none unless it is named."""
    settings = settings_of(account)
    found = settings.get("fallback_model") or (
        None if settings.get("base_url") else FALLBACKS[account.provider]
    )
    return str(found) if found and found != model else None


def model_of(client: Client, account: Usable, model: str, *, timeout_seconds: float) -> Model[Any]:
    """Return the model, ready for one step. Raises PermanentError for an account that is no AI account."""
    if account.provider not in VENDORS:
        raise PermanentError(_("This connection has no models to ask. Choose an AI connection in the step."))
    connector = registry.get(account.provider)
    settings = settings_of(account)
    service = _("Your model server") if settings.get("base_url") else connector.name
    door = Door(
        client,
        connector,
        service,
        secrets_in(account.credentials),
        _account_headers(account.provider, settings),
        timeout_seconds,
    )
    key = str(account.credentials.get("api_key") or "") or "none"
    return _MAKERS[account.provider](door, key, model, str(settings.get("base_url") or ""))


def _openai(door: Door, key: str, model: str, base_url: str) -> Model[Any]:
    from openai import AsyncOpenAI
    from pydantic_ai.models.openai import OpenAIChatModel
    from pydantic_ai.profiles.openai import OpenAIModelProfile
    from pydantic_ai.providers.openai import OpenAIProvider

    base = base_url or "https://api.openai.com/v1"
    vendor = AsyncOpenAI(api_key=key, base_url=base, http_client=door.for_httpx2(), max_retries=0)
    profile = None
    if base_url and not base_url.rstrip("/").endswith(NEWER_FIELD_HOSTS):
        # Servers that only look like OpenAI's know the older name of the limit.
        profile = OpenAIModelProfile(openai_chat_supports_max_completion_tokens=False)
    return OpenAIChatModel(model, provider=OpenAIProvider(openai_client=vendor), profile=profile)


def _anthropic(door: Door, key: str, model: str, base_url: str) -> Model[Any]:
    from anthropic import AsyncAnthropic
    from pydantic_ai.models.anthropic import AnthropicModel
    from pydantic_ai.providers.anthropic import AnthropicProvider

    base = base_url or "https://api.anthropic.com"
    vendor = AsyncAnthropic(api_key=key, base_url=base, http_client=door.for_httpx2(), max_retries=0)
    return AnthropicModel(model, provider=AnthropicProvider(anthropic_client=vendor))


def _google(door: Door, key: str, model: str, base_url: str) -> Model[Any]:
    from pydantic_ai.models.google import GoogleModel
    from pydantic_ai.providers.google import GoogleProvider

    base = base_url or "https://generativelanguage.googleapis.com"
    return GoogleModel(
        model, provider=GoogleProvider(api_key=key, http_client=door.for_httpx2(), base_url=base)
    )


def _cohere(door: Door, key: str, model: str, base_url: str) -> Model[Any]:
    from cohere import AsyncClientV2
    from pydantic_ai.models.cohere import CohereModel
    from pydantic_ai.providers.cohere import CohereProvider

    base = base_url or "https://api.cohere.com"
    vendor = AsyncClientV2(api_key=key, base_url=base, httpx_client=door.for_httpx())
    return CohereModel(model, provider=CohereProvider(cohere_client=vendor))


_MAKERS = {"OPENAI": _openai, "ANTHROPIC": _anthropic, "GOOGLE_GEMINI": _google, "COHERE": _cohere}


def _account_headers(provider: str, settings: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    names = (
        {"OpenAI-Organization": "organization", "OpenAI-Project": "project"} if provider == "OPENAI" else {}
    )
    return tuple((header, str(settings[name])) for header, name in names.items() if settings.get(name))
