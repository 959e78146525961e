"""Credentials at rest: written and read for one row at a time, never shown; and the key that opens them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from uuid import UUID

from django.conf import settings
from django.core.checks import CheckMessage, Critical, Tags, register
from django.db import DatabaseError, connections

from integrations.framework.crypto import DecryptionFailed, KeyProblem, KeyRing, row_binding
from integrations.models import EncryptionCanary, Integration

CANARY_TEXT = "steward"
HOW_TO_FIX = (
    "Set ENCRYPTION_KEY to what it was, new keys in front: new:base64key,old:base64key. See .env.example."
)

# Values that other apps keep under the same keys: rotated with ours. Called with the ring and how many to do at most,
# each returns how many it did; 0 when all are done.
_others: dict[str, Callable[[KeyRing, int], int]] = {}


def key_ring() -> KeyRing:
    """Return the keys of ENCRYPTION_KEY, parsed once. Raises KeyProblem, which never repeats what was set."""
    return _parsed(settings.ENCRYPTION_KEY)


def read(integration: Integration) -> dict[str, Any]:
    """Return the credentials in clear: for the call that needs them, and nothing else.

    Raises DecryptionFailed when the value belongs to another row or key.
    """
    return _open(integration, integration.credentials)


def write(integration: Integration, credentials: Mapping[str, Any]) -> None:
    """Put the credentials into the row's field, encrypted; the caller saves it. The row must have its key already."""
    integration.credentials = _seal(integration, credentials)


def read_webhook_state(integration: Integration) -> dict[str, Any]:
    """Return what deliveries to the account need: {"secret": ...} and what a handshake gave us to keep."""
    return _open(integration, integration.webhook_state)


def write_webhook_state(integration: Integration, state: Mapping[str, Any]) -> None:
    """Put it into the row's field, encrypted; the caller saves it."""
    integration.webhook_state = _seal(integration, state)


def rotate(integration: Integration) -> bool:
    """Encrypt the row's values anew where they are of an older key; return whether any was. The caller saves."""
    ring, changed = key_ring(), False
    for name in ("credentials", "webhook_state"):
        value = getattr(integration, name)
        if value and ring.needs_rotation(value):
            setattr(integration, name, _seal(integration, _open(integration, value)))
            changed = True
    return changed


def register_rotation(name: str, rotate_some: Callable[[KeyRing, int], int]) -> None:
    """Let `rotate_encryption_key` rotate an app's own values too.

    rotate_some: (ring, most) -> how many it did, 0 when none is left; called in a system scope.
    """
    _others[name] = rotate_some


def other_rotations() -> dict[str, Callable[[KeyRing, int], int]]:
    return dict(_others)


# --- The right key ------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class WrongKey:
    """A key id whose canary says that something is amiss. why: "different" or "missing"."""

    key_id: str
    why: str


def ensure_canary() -> None:
    """Keep a known text under the key that encrypts, unless there is one: what a wrong key is found by."""
    ring = key_ring()
    value = ring.encrypt(CANARY_TEXT, bound_to=_canary_binding(ring.current))
    EncryptionCanary.objects.bulk_create(
        [EncryptionCanary(key_id=ring.current, value=value)], ignore_conflicts=True
    )


def wrong_keys() -> list[WrongKey]:
    """Return the key ids that this database was written with and ENCRYPTION_KEY lacks, or has with another key."""
    ring, found = key_ring(), []
    for canary in EncryptionCanary.objects.all():
        if canary.key_id not in ring.keys:
            found.append(WrongKey(canary.key_id, "missing"))
            continue
        try:
            ring.decrypt(canary.value, bound_to=_canary_binding(canary.key_id))
        except DecryptionFailed:
            found.append(WrongKey(canary.key_id, "different"))
    return found


@register(Tags.security)
def encryption_key_is_well_formed(**kwargs: Any) -> list[CheckMessage]:
    """Refuse to start without a usable key."""
    try:
        key_ring()
    except KeyProblem as problem:
        return [Critical(str(problem), hint=HOW_TO_FIX, id="integrations.E001")]
    return []


@register(Tags.database)
def encryption_key_is_the_right_one(databases: Any = None, **kwargs: Any) -> list[CheckMessage]:
    """Refuse a key that cannot open what is stored, before anybody is told to reconnect everything."""
    if not databases or "default" not in databases or encryption_key_is_well_formed():
        return []
    try:
        if EncryptionCanary._meta.db_table not in connections["default"].introspection.table_names():
            return []  # before the first migration
        wrong = wrong_keys()
    except DatabaseError:
        return []  # an unreachable database has checks of its own
    messages = {
        "missing": "ENCRYPTION_KEY lacks the key {key!r}, with which stored credentials are encrypted.",
        "different": "ENCRYPTION_KEY holds under the id {key!r} another key than stored credentials were written with.",
    }
    return [
        Critical(messages[entry.why].format(key=entry.key_id), hint=HOW_TO_FIX, id="integrations.E002")
        for entry in wrong
    ]


# --- Inner --------------------------------------------------------------------------------------------------


@lru_cache(maxsize=4)
def _parsed(setting: str) -> KeyRing:
    return KeyRing.from_setting(setting)


def _seal(integration: Integration, values: Mapping[str, Any]) -> str:
    _note_current_key()
    return key_ring().encrypt_json(dict(values), bound_to=_binding(integration))


def _open(integration: Integration, value: str) -> dict[str, Any]:
    return dict(key_ring().decrypt_json(value, bound_to=_binding(integration))) if value else {}


def _binding(integration: Integration) -> bytes:
    organization_id: UUID | None = integration.organization_id
    if organization_id is None:
        raise ValueError("credentials are bound to an organization: set it before writing them")
    return row_binding(organization_id, integration.pk)


def _note_current_key() -> None:
    if not EncryptionCanary.objects.filter(pk=key_ring().current).exists():
        ensure_canary()


def _canary_binding(key_id: str) -> bytes:
    return f"canary/{key_id}".encode()
