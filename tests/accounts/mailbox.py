"""Reading what was mailed in a test."""

from __future__ import annotations

import re
from typing import Any

from django.core import mail


def latest(to: str) -> Any:
    """Return the last message sent to an address; fails when there is none."""
    found = [message for message in mail.outbox if to in message.to]
    assert found, f"nothing was mailed to {to}"
    return found[-1]


def code_in(message: Any) -> str:
    """Return the code that a message asks to type."""
    found = re.search(r"^\s*([A-Z0-9]{3,}-?[A-Z0-9]{3,})\s*$", message.body, re.MULTILINE)
    assert found, message.body
    return found.group(1)


def link_in(message: Any) -> str:
    """Return the path of the first link of a message."""
    found = re.search(r"https?://[^/\s]+(/\S*)", message.body)
    assert found, message.body
    return found.group(1)
