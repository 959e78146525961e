"""Which sessions of a person are active, for the page where they can end one."""

from __future__ import annotations

import time
from collections.abc import Callable

from allauth.usersessions.models import UserSession
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from accounts.tenancy import system_scope

EVERY_SECONDS = 300
SEEN = "activity_seen_at"


class SessionActivityMiddleware:
    """Record a session's address and browser at most every five minutes; allauth's own does so on every request."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        user = request.user
        if user.is_authenticated and request.session.session_key:
            now = int(time.time())
            if now - request.session.get(SEEN, 0) >= EVERY_SECONDS:
                with system_scope("record session activity"):
                    UserSession.objects.create_from_request(request)
                request.session[SEEN] = now
        return self.get_response(request)
