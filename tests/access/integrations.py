"""Who may open the pages of the integrations app."""

from __future__ import annotations

from typing import Any

from accounts.tenancy import uuid7
from integrations import credentials
from integrations.models import Integration
from tests.access import EDITORS, MANAGERS, PUBLIC, Rule
from tests.worlds import World


def an_integration(world: World) -> list[Any]:
    """Return the key of a Slack account of the world, switched off so that no page calls the service."""
    row = Integration(
        organization=world.organization,
        provider="SLACK",
        name=f"Team {uuid7()}",
        status="DISABLED",
    )
    credentials.write(row, {"auth": "oauth2", "access_token": "never-shown"})
    row.save()
    return [row.pk]


def channels(world: World) -> list[Any]:
    """Return the arguments of the choices of a Slack channel."""
    return ["slack", *an_integration(world), "send_message", "channel"]


def a_service(world: World) -> list[Any]:
    return ["slack"]


RULES: dict[str, Rule] = {
    "gallery": Rule(),
    "integration": Rule(allow=MANAGERS, arguments=an_integration),
    "test": Rule(allow=MANAGERS, arguments=an_integration, method="POST"),
    "rename": Rule(allow=MANAGERS, arguments=an_integration, method="POST", data={"name": "Renamed"}),
    "reconnect": Rule(allow=MANAGERS, arguments=an_integration),
    "disable": Rule(allow=MANAGERS, arguments=an_integration, method="POST"),
    "enable": Rule(allow=MANAGERS, arguments=an_integration, method="POST"),
    "disconnect": Rule(allow=MANAGERS, arguments=an_integration, method="POST"),
    "webhook-secret": Rule(
        allow=MANAGERS, arguments=an_integration, method="POST", data={"secret": "s3cret"}
    ),
    "options": Rule(allow=EDITORS, arguments=channels),
    "oauth-callback": Rule(allow=MANAGERS),
    # About services, not about anybody's rows: the same for every organization.
    "provider": Rule(arguments=a_service, is_common=True),
    "connect": Rule(allow=MANAGERS, arguments=a_service, is_common=True),
    "operation-schema": Rule(arguments=lambda world: ["slack", "send_message"], is_common=True),
    "inbound": PUBLIC,
    "inbound-account": PUBLIC,
}
