"""Keeps secrets out of everything that is logged, stored or shown."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import quote, quote_plus

MARK = "[hidden]"
SHORTEST = 6  # shorter values would hide ordinary words

SHAPES = (
    re.compile(r"(?i)\b(bearer|basic|bot|token)\s+[A-Za-z0-9._~+/=-]{8,}"),
    re.compile(
        r"(?i)([?&](?:access_token|refresh_token|api_?key|key|token|secret|client_secret|code|password|"
        r"signature|sig)=)[^&\s\"']+"
    ),
    re.compile(r"\b(?:sk|rk|pk|whsec|xox[abprs]|ghp|gho|re|SG)[_-][A-Za-z0-9._-]{10,}"),
    re.compile(r"//[^/\s:@]+:[^/\s@]+@"),
)


def secrets_in(credentials: Mapping[str, Any]) -> tuple[str, ...]:
    """Return every text in stored credentials that must not be seen, longest first; nested values included."""
    found: set[str] = set()

    def collect(value: Any, name: str) -> None:
        if isinstance(value, Mapping):
            for key, member in value.items():
                collect(member, str(key))
        elif isinstance(value, list | tuple):
            for member in value:
                collect(member, name)
        elif isinstance(value, str) and len(value) >= SHORTEST and name not in PUBLIC:
            found.add(value)

    collect(credentials, "")
    return tuple(sorted(found, key=len, reverse=True))


PUBLIC = frozenset(
    {
        "auth",
        "token_type",
        "scope",
        "expires_at",
        "client_id",
        # Where somebody's own server is: what people need to see when it cannot be reached.
        "host",
        "database",
        "encryption",
        "smtp_host",
        "imap_host",
    }
)


def redact(text: str, secrets: Iterable[str] = ()) -> str:
    """Return the text without the given secrets, in clear, quoted or base64, and without what looks like one."""
    for secret in secrets:
        for form in {
            secret,
            quote(secret, safe=""),
            quote_plus(secret),
            base64.b64encode(secret.encode()).decode(),
        }:
            text = text.replace(form, MARK)
    text = SHAPES[0].sub(lambda match: f"{match.group(1)} {MARK}", text)
    text = SHAPES[1].sub(lambda match: f"{match.group(1)}{MARK}", text)
    text = SHAPES[2].sub(MARK, text)
    return SHAPES[3].sub(f"//{MARK}@", text)
