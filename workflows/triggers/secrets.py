"""Secrets of triggers: what a webhook's callers must know. Encrypted, bound to the row, never in a definition."""

from __future__ import annotations

from functools import lru_cache

from django.conf import settings

from integrations.framework.crypto import DecryptionFailed, KeyRing, row_binding
from workflows.models import Trigger

STATE_KEY = "secret"


def keep(trigger: Trigger, secret: str) -> None:
    """Store the secret of a trigger: header value, `user:password`, or signing key. Empty removes it. Saves the row."""
    state = {name: value for name, value in trigger.state.items() if name != STATE_KEY}
    if secret:
        state[STATE_KEY] = _keys(settings.ENCRYPTION_KEY).encrypt(secret, bound_to=_binding(trigger))
    trigger.state = state
    trigger.save(update_fields=["state", "updated_at"])


def is_kept(trigger: Trigger) -> bool:
    """Return whether a secret is stored: all that a page may show of it."""
    return STATE_KEY in trigger.state


def read(trigger: Trigger) -> str:
    """Return the secret in clear, "" when none is stored or it can no longer be read."""
    value = trigger.state.get(STATE_KEY)
    if not value:
        return ""
    try:
        return _keys(settings.ENCRYPTION_KEY).decrypt(value, bound_to=_binding(trigger))
    except DecryptionFailed:
        return ""


def _binding(trigger: Trigger) -> bytes:
    return row_binding(trigger.organization_id, trigger.pk)


@lru_cache(maxsize=4)
def _keys(setting: str) -> KeyRing:
    return KeyRing.from_setting(setting)
