"""Short messages after a change, with a way back."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest


def offer_undo(request: HttpRequest, text: str, url: str) -> None:
    """Say what was done, with a button that posts to `url` to take it back; components/toasts.html draws it."""
    messages.success(request, text, extra_tags=url)
