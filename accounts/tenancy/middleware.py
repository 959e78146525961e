"""One scope around each request: the signed-in user's organization, and no other."""

from __future__ import annotations

from collections.abc import Callable

from django.conf import settings
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

from accounts.tenancy.scope import organization_scope, system_scope

FRESH_COOKIE = "steward_fresh"
FRESH_SECONDS = 10
REMEMBERED = "organization_id"  # in the session: saves a system scope per page to look the person up


class OrganizationScopeMiddleware:
    """Own the transaction of a request, so that lazy responses render inside the scope.

    Sign-in pages look users up before an organization is known and open a system scope; the admin opens its own;
    paths in settings.SCOPELESS_PATHS (webhook intake, health, API) open theirs as soon as they know whose they are.
    A view that fails leaves nothing behind: its exception became a response inside, so the rollback is asked for here.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        path = request.path_info
        if path.startswith(settings.SCOPELESS_PATHS):
            return self.get_response(request)
        if path.startswith(settings.SIGN_IN_PATHS):
            with system_scope(f"sign-in page {request.method} {path}"):
                return self._answer(request)
        response = self._in_remembered_scope(request)
        if response is None:
            user = request.user
            if not user.is_authenticated or user.organization_id is None:
                return self.get_response(request)
            request.session[REMEMBERED] = str(user.organization_id)
            with organization_scope(user.organization_id, may_read_replica=_may_read_replica(request)):
                response = self._answer(request)
        if request.method not in {"GET", "HEAD", "OPTIONS"} and settings.REPLICA_DATABASE_URL:
            # The replica may be behind: for a moment this browser reads what it has just written from the primary.
            response.set_cookie(FRESH_COOKIE, "1", max_age=FRESH_SECONDS, httponly=True, samesite="Lax")
        return response

    def _in_remembered_scope(self, request: HttpRequest) -> HttpResponseBase | None:
        """Answer in the scope of the organization that the session remembers: the person is read inside it.

        None: it remembers none, or the person is not of it (any more), and nothing has been answered.
        """
        remembered = request.session.get(REMEMBERED)
        if remembered is None:
            return None
        with organization_scope(remembered, may_read_replica=_may_read_replica(request)):
            if str(getattr(request.user, "organization_id", None)) != remembered:
                return None
            return self._answer(request)

    def _answer(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        if isinstance(response, HttpResponse) and not getattr(response, "is_rendered", True):
            response.render()  # type: ignore[attr-defined]
        if response.status_code >= 500:
            transaction.set_rollback(True)
        return response


def _may_read_replica(request: HttpRequest) -> bool:
    return request.method in {"GET", "HEAD"} and FRESH_COOKIE not in request.COOKIES
