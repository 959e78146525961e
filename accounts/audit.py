"""Writing the audit trail, in the transaction of the change itself."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.http import HttpRequest

from accounts.models import AuditEvent
from accounts.tenancy import current_scope

SECRET_NAMES = ("password", "secret", "token", "credential", "key_hash", "api_key", "private")


def record(
    action: str,
    *,
    actor: Any,
    target: models.Model | None = None,
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
    request: HttpRequest | None = None,
    organization_id: Any = None,
) -> AuditEvent:
    """Append one event to the trail of the organization in scope.

    action: `noun.verb`, such as `member.role_changed`. before, after: the changed fields; values whose names look like
    secrets are replaced. organization_id: needed in a system scope only. actor None means the system itself.
    """
    owner: Any = organization_id or current_scope().organization_id
    event = AuditEvent(
        organization_id=owner,
        action=action,
        actor_id=actor.pk if actor else None,
        actor_label=_label(actor, request),
        target_type=target._meta.model_name or "" if target is not None else "",
        target_id=str(target.pk) if target is not None else "",
        target_label=str(target)[:254] if target is not None else "",
        before=_without_secrets(before),
        after=_without_secrets(after),
        ip_address=client_address(request) if request is not None else None,
    )
    event.save(force_insert=True)
    return event


def client_address(request: HttpRequest) -> str | None:
    """Return the address the request came from; gunicorn has already applied the trusted proxies."""
    return request.META.get("REMOTE_ADDR") or None


def _label(actor: Any, request: HttpRequest | None) -> str:
    if not actor:
        return "Steward"
    label = f"{actor.name} <{actor.email}>" if actor.name else actor.email
    key = getattr(request, "api_key", None)
    return str(f"{label[:160]} ({key.name})" if key is not None else label)[:254]


def _without_secrets(values: dict[str, Any] | None) -> dict[str, Any] | None:
    if values is None:
        return None
    return {
        name: "(secret)" if any(word in name.lower() for word in SECRET_NAMES) else _plain(value)
        for name, value in values.items()
    }


def _plain(value: Any) -> Any:
    return value if isinstance(value, str | int | float | bool | list | dict | None) else str(value)
