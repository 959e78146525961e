"""From ordinary Django code to the framework's asynchronous calls, and which apps of ours the services know."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from typing import Any, TypeVar
from urllib.parse import urlsplit

from django.conf import settings

from integrations.framework import Connector, OAuth2
from integrations.framework.client import Client

Answer = TypeVar("Answer")

# One app registered at the vendor serves all its services.
FAMILIES = {"accounts.google.com": "GOOGLE", "login.microsoftonline.com": "MICROSOFT"}


def call(
    make: Callable[[Client], Coroutine[Any, Any, Answer]],
    *,
    on_call: Callable[[str, int, float], None] | None = None,
) -> Answer:
    """Run one call to a service and return its answer. Never inside a scope: a scope is a transaction.

    make: gets the HTTP door, returns the coroutine. on_call: told (provider, status or 0, seconds) of each request
    that this takes. Raises what the coroutine raises, normally a ConnectorError.
    """

    async def run() -> Answer:
        client = Client(allow_private=settings.ALLOWED_PRIVATE_HOSTS, on_call=on_call)
        try:
            return await make(client)
        finally:
            await client.aclose()

    return asyncio.run(run())


def app_setting(connector: Connector, name: str) -> str:
    """Return a setting of our own app at a service ("client_id", "signing_secret"), "" when it is not set."""
    for variable in app_variables(connector, name):
        if settings.OAUTH_APPS.get(variable):
            return str(settings.OAUTH_APPS[variable])
    return ""


def app_of(connector: Connector, auth: OAuth2, credentials: Mapping[str, Any]) -> tuple[str, str]:
    """Return client id and secret of the app that asks: ours at the service, or the person's own."""
    if auth.own_app:
        return str(credentials.get("client_id", "")), str(credentials.get("client_secret", ""))
    return app_setting(connector, "client_id"), app_setting(connector, "client_secret")


def app_variables(connector: Connector, name: str) -> tuple[str, ...]:
    """Return the environment variables that may hold a setting, the one for this service first."""
    owners = [connector.provider]
    for auth in connector.auths:
        family = (
            FAMILIES.get(urlsplit(auth.authorize_url).hostname or "") if isinstance(auth, OAuth2) else None
        )
        if family:
            owners.append(family)
    return tuple(f"OAUTH_{owner}_{name.upper()}" for owner in owners)
