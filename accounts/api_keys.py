"""Keys for the API: made, looked up and taken back."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.http import HttpRequest
from django.utils import timezone

from accounts.audit import record
from accounts.models import ApiKey, User
from accounts.models.api_key import KEY_PREFIX, hash_secret
from accounts.tenancy import system_scope

USE_NOTED_EVERY = timedelta(minutes=5)


def issue(
    actor: User, name: str, scopes: Sequence[str], expires_at: datetime | None, *, request: HttpRequest
) -> tuple[ApiKey, str]:
    """Make a key and return it with its secret, which cannot be had again."""
    key, secret = ApiKey.issue(name=name, scopes=list(scopes), expires_at=expires_at, created_by=actor)
    after = {"name": name, "scopes": list(scopes), "expires_at": expires_at}
    record("key.created", actor=actor, target=key, after=after, request=request)
    return key, secret


def revoke(actor: User, key: ApiKey, *, request: HttpRequest) -> None:
    """Make a key stop working at once, for good."""
    if key.revoked_at is not None:
        return
    key.revoked_at = timezone.now()
    key.save(update_fields=["revoked_at"])
    record("key.revoked", actor=actor, target=key, request=request)


def authenticate(secret: str) -> ApiKey | None:
    """Return the usable key with its organization and maker, or None; notes when it was last used.

    Opens a system scope: a program tells its organization by its key alone.
    """
    if not secret.startswith(KEY_PREFIX):
        return None
    with system_scope("look an API key up"):
        key = (
            ApiKey.objects.usable()
            .select_related("organization", "created_by")
            .filter(secret_hash=hash_secret(secret))
            .first()
        )
        now = timezone.now()
        if key is not None and (key.last_used_at is None or now - key.last_used_at > USE_NOTED_EVERY):
            key.last_used_at = now
            ApiKey.objects.filter(pk=key.pk).update(last_used_at=now)
    return key
