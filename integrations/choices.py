"""Choices that a service offers live (its channels, boards, sheets), kept for a few minutes."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.core.cache import cache

from integrations import health
from integrations.framework import Connector, Field
from integrations.framework.execute import dynamic_options

FRESH_SECONDS = 180


def field_of(connector: Connector, operation: str, path: str) -> Field:
    """Return a field of an action or trigger; "rows.sheet" is the field `sheet` within `rows`. Raises KeyError."""
    try:
        fields = connector.action(operation).fields
    except KeyError:
        fields = connector.trigger(operation).fields
    found: Field | None = None
    for key in path.split("."):
        found = next((entry for entry in fields if entry.key == key), None)
        if found is None:
            raise KeyError(f"{operation} has no field {path!r}")
        fields = found.fields
    assert found is not None  # noqa: S101 - a split always has a first part
    return found


def choices_for(
    organization_id: UUID,
    integration_id: UUID,
    connector: Connector,
    field: Field,
    inputs: Mapping[str, Any],
    *,
    afresh: bool = False,
) -> list[dict[str, str]]:
    """Return [{"value", "label"}] of a field. Calls the service unless it was asked a moment ago: no scope.

    inputs: values of the fields it depends on. Raises ConnectorError.
    """
    needed = {key: inputs[key] for key in field.depends_on if inputs.get(key)}
    key = _cache_key(organization_id, integration_id, connector.slug, field.options, needed)
    kept = None if afresh else cache.get(key)
    if kept is not None:
        return list(kept)
    usable = health.credentials_for_use(organization_id, integration_id)
    found = health.call_with(
        usable,
        lambda account, client: dynamic_options(
            connector,
            field.options,
            needed,
            account.credentials,
            account.account,
            client=client,
            pace_key=str(integration_id),
        ),
    )
    cache.set(key, found, FRESH_SECONDS)
    return found


def _cache_key(
    organization_id: UUID, integration_id: UUID, slug: str, action: str, needed: Mapping[str, Any]
) -> str:
    # The organization is part of the key, so that not even a mistake above could show another's channels.
    parts = json.dumps(
        [str(organization_id), str(integration_id), slug, action, needed], sort_keys=True, default=str
    )
    return f"choices/{hashlib.sha256(parts.encode()).hexdigest()}"
