"""Whether a request asks for a part of a page, to be put into the one that is open."""

from __future__ import annotations

from django.http import HttpRequest


def wants_part(request: HttpRequest) -> bool:
    """Return whether htmx sent the request; without it, whole pages and redirects are the answers."""
    return bool(getattr(request, "htmx", False))
