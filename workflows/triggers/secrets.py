"""Secrets of triggers: what a webhook's callers must know. Encrypted, bound to the row, never in a definition."""

from __future__ import annotations

from functools import lru_cache
from typing import Any
from uuid import UUID

from django.conf import settings

from integrations.framework.crypto import DecryptionFailed, KeyRing, row_binding
from workflows.models import Trigger

STATE_KEY = "secret"
SUBSCRIPTION = "subscription"


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


def seal(trigger: Trigger, values: dict[str, Any]) -> str:
    """Return a subscription's state encrypted for this row; it may hold the key that deliveries are signed with."""
    return _keys(settings.ENCRYPTION_KEY).encrypt_json(values, bound_to=_binding(trigger))


def unseal(trigger: Trigger, value: str) -> dict[str, Any]:
    """Return what seal() hid; empty when it can no longer be read."""
    try:
        found = _keys(settings.ENCRYPTION_KEY).decrypt_json(value, bound_to=_binding(trigger))
    except DecryptionFailed:
        return {}
    return found if isinstance(found, dict) else {}


def readable() -> tuple[int, list[UUID]]:
    """Return how many stored values open, and the triggers whose values do not. In a system scope."""
    ring, opened, unreadable = _keys(settings.ENCRYPTION_KEY), 0, list[UUID]()
    for trigger in Trigger.objects.order_by("pk").iterator(chunk_size=500):
        for name in (STATE_KEY, SUBSCRIPTION):
            if isinstance(value := trigger.state.get(name), str):
                try:
                    ring.decrypt(value, bound_to=_binding(trigger))
                    opened += 1
                except DecryptionFailed:
                    unreadable.append(trigger.pk)
    return opened, unreadable


def rotate_some(ring: KeyRing, most: int) -> int:
    """Encrypt up to `most` values of triggers with the newest key; return how many. In a system scope."""
    done = 0
    for trigger in Trigger.objects.select_for_update(of=("self",)).order_by("pk").iterator(chunk_size=200):
        held = {
            name: trigger.state[name]
            for name in (STATE_KEY, SUBSCRIPTION)
            if isinstance(trigger.state.get(name), str)
        }
        old = {name: value for name, value in held.items() if ring.needs_rotation(value)}
        if not old:
            continue
        bound_to = _binding(trigger)
        fresh = {
            name: ring.encrypt(ring.decrypt(value, bound_to=bound_to), bound_to=bound_to)
            for name, value in old.items()
        }
        trigger.state = {**trigger.state, **fresh}
        trigger.save(update_fields=["state", "updated_at"])
        done += len(fresh)
        if done >= most:
            break
    return done


def _binding(trigger: Trigger) -> bytes:
    return row_binding(trigger.organization_id, trigger.pk)


@lru_cache(maxsize=4)
def _keys(setting: str) -> KeyRing:
    return KeyRing.from_setting(setting)
