"""Primary keys: UUIDv7, time-ordered, made anywhere without coordination."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime

import uuid_utils


def uuid7() -> uuid.UUID:
    """Return a new UUIDv7 (RFC 9562): 48 bits of Unix milliseconds, then random bits."""
    return uuid.UUID(bytes=uuid_utils.uuid7().bytes)


def first_uuid7(moment: datetime) -> uuid.UUID:
    """Return the smallest UUIDv7 of the millisecond of `moment`: the lower bound of a time range over ids."""
    milliseconds = int(moment.timestamp() * 1000)
    return uuid.UUID(int=(milliseconds << 80) | (0x7 << 76) | (0b10 << 62))


def uuid7_moment(value: uuid.UUID) -> datetime:
    """Return the instant (UTC) that a UUIDv7 carries."""
    return datetime.fromtimestamp((value.int >> 80) / 1000, tz=UTC)
