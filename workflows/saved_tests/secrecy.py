"""What is frozen into a test is read by people and kept for long: nothing that looks like a secret goes in."""

from __future__ import annotations

import re
from typing import Any

from integrations.framework.redaction import MARK, redact

SECRET_NAMES = re.compile(
    r"(?i)(^|[_\-.])(pass(word|phrase)|secret|api[_-]?key|x-auth-key|authorization|cookie|private[_-]?key|credentials?|"
    r"(access|refresh|id|auth|bearer|session|client|csrf)[_-]?token)$|^(token|pin|cvc|cvv)$"
)


def without_secrets(value: Any, name: str = "") -> Any:
    """Return JSON data with everything hidden that looks like a secret, by its name or by its shape."""
    if isinstance(value, dict):
        return {key: without_secrets(member, str(key)) for key, member in value.items()}
    if isinstance(value, list):
        return [without_secrets(member, name) for member in value]
    if isinstance(value, str):
        return MARK if value and SECRET_NAMES.search(name) else redact(value)
    return value
