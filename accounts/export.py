"""Everything an organization owns as one JSON document, without secrets."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from uuid import UUID

from django.contrib.postgres.search import SearchVectorField
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.utils import timezone

from accounts.models import Organization
from accounts.owned import owned_models
from accounts.tenancy import organization_scope

VERSION = 1
BATCH = 100  # a row may be a delivery of a megabyte
# Columns that open something: they are left out of the export whatever table they stand in.
SECRET_COLUMNS = frozenset(
    {
        "credentials",
        "password",
        "secret",
        "secret_hash",
        "token",
        "token_hash",
        "token_secret",
        "webhook_token",
    }
)
# Keys inside JSON columns, such as a webhook trigger's address and its password, or a request's headers.
SECRET_KEYS = frozenset(
    {
        "api_key",
        "apikey",
        "authorization",
        "cookie",
        "password",
        "private_key",
        "proxy-authorization",
        "secret",
        "token",
        "x-api-key",
    }
)
HIDDEN = "(not exported)"


def export(organization_id: UUID) -> Iterator[str]:
    """Yield the text of a JSON document: {"format", "version", "exported_at", "organization", "rows": {table: [..]}}.

    Opens its own scope for each batch, because a streamed answer outlives the request's; no row is held in memory
    longer than its batch.
    """
    with organization_scope(organization_id):
        organization = _plain(Organization.objects.get(pk=organization_id))
    head = {"format": "steward-export", "version": VERSION, "exported_at": timezone.now()}
    yield _text(head)[:-1] + ', "organization": ' + _text(organization) + ', "rows": {'
    for number, model in enumerate(reversed(owned_models())):
        yield ("," if number else "") + f'\n"{model._meta.label}": ['
        for index, row in enumerate(_rows(model, organization_id)):
            yield (",\n" if index else "\n") + _text(row)
        yield "]"
    yield "\n}}\n"


def _rows(model: type[models.Model], organization_id: UUID) -> Iterator[dict[str, Any]]:
    last: Any = None
    while True:
        with organization_scope(organization_id):
            rows = model._default_manager.filter(organization_id=organization_id).order_by("pk")
            batch = list((rows if last is None else rows.filter(pk__gt=last))[:BATCH])
            plain = [_plain(row) for row in batch]
        yield from plain
        if len(batch) < BATCH:
            return
        last = batch[-1].pk


def _plain(row: models.Model) -> dict[str, Any]:
    return {
        field.attname: without_secrets(_readable(field.value_from_object(row)))
        for field in row._meta.local_concrete_fields
        if field.attname not in SECRET_COLUMNS and not isinstance(field, SearchVectorField)
    }


def _readable(value: Any) -> Any:
    """Return the raw body of a request as text; JSON knows no bytes."""
    return bytes(value).decode(errors="replace") if isinstance(value, bytes | memoryview) else value


def without_secrets(value: Any) -> Any:
    """Return a JSON value in which what stands under the name of a secret is replaced."""
    if isinstance(value, dict):
        return {
            key: HIDDEN if key.lower() in SECRET_KEYS and inner else without_secrets(inner)
            for key, inner in value.items()
        }
    return [without_secrets(inner) for inner in value] if isinstance(value, list) else value


def _text(value: Any) -> str:
    return json.dumps(value, cls=DjangoJSONEncoder, ensure_ascii=False)
