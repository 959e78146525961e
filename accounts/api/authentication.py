"""Who asks: an API key, what its scopes allow, and what the role of the person who made it allows."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import HttpRequest
from ninja.operation import Operation
from ninja.security import HttpBearer

from accounts import api_keys
from accounts.api import idempotency, pace
from accounts.api.problems import Problem, unauthorized
from accounts.models import ApiKey
from accounts.models.api_key import Scope
from accounts.permissions import Permission, may
from accounts.tenancy import organization_scope


def sign_in(request: HttpRequest, secret: str) -> ApiKey:
    """Let a key ask: `request.user` becomes who made it, `request.api_key` the key, `request.pace` what it has left.

    Outside of a scope. Raises Problem for a key that does not work, whose maker is gone, or that asks too often.
    """
    key = api_keys.authenticate(secret)
    if key is None:
        raise unauthorized("This API key does not work: it is misspelt, expired or revoked. Make a new one.")
    person = key.created_by
    if person is None or not person.is_active or person.organization_id != key.organization_id:
        raise unauthorized(
            "Whoever made this API key is no longer a member. Let somebody else make a new one."
        )
    person.organization = key.organization
    request.user = person
    request.api_key = key  # type: ignore[attr-defined]
    taken = pace.take(key)
    request.pace = taken  # type: ignore[attr-defined]
    if taken.retry_after:
        wait = f"This API key may ask {taken.limit} times a minute. Wait {taken.retry_after} s."
        raise Problem("rate_limited", wait, headers=taken.headers)
    return key


def check(key: ApiKey, person: Any, scope: Scope, permission: Permission) -> None:
    """Raise Problem unless the key has the scope and its maker's role the permission."""
    if scope not in key.scopes:
        raise Problem("missing_scope", f"This needs the scope “{scope}”. Make a key that has it.")
    if not may(person, permission):
        raise Problem("forbidden", "The role of the person who made the API key does not allow this.")


class ApiKeyBearer(HttpBearer):
    """`Authorization: Bearer stw_…`, with what one endpoint asks of the key."""

    def __init__(self, scope: Scope, permission: Permission) -> None:
        super().__init__()
        self.scope, self.permission = scope, permission

    def authenticate(self, request: HttpRequest, token: str) -> ApiKey:
        key = sign_in(request, token.strip())
        check(key, request.user, self.scope, self.permission)
        return key


def endpoint(
    scope: Scope, permission: Permission, *, in_scope: bool = True, is_idempotent: bool = False
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Let a function answer requests whose key has `scope` and whose maker has `permission`, in their organization.

    in_scope: the whole function is one transaction in the organization's scope; a function that calls a service opens
    its own. is_idempotent: an Idempotency-Key makes the same request sent again get the first one's answer.
    """

    def decorate(view: Callable[..., Any]) -> Callable[..., Any]:
        known: set[str] = set()

        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
            _refuse_unknown(request, known)
            key: ApiKey = request.api_key  # type: ignore[attr-defined]
            if not in_scope:
                return view(request, *args, **kwargs)
            kept: Problem | None = None
            with organization_scope(key.organization_id):
                try:
                    if is_idempotent:
                        return idempotency.once(request, key, lambda: view(request, *args, **kwargs))
                    return view(request, *args, **kwargs)
                except Problem as problem:
                    if not problem.keeps:
                        raise
                    kept = problem  # a decision was recorded: let the scope commit
            raise kept

        def contribute(operation: Operation) -> None:
            for model in operation.models:
                if model.__ninja_param_source__ == "query":
                    known.update(model.__ninja_flatten_map__)
            operation.auth_param = [ApiKeyBearer(scope, permission)]
            operation._set_auth(operation.auth_param)
            words = f"Scope `{scope}`; role {', '.join(sorted(role.value for role in permission.roles))}."
            operation.description = f"{(operation.description or '').strip()}\n\n{words}"
            more = {"x-scope": str(scope), "x-roles": sorted(role.value for role in permission.roles)}
            operation.openapi_extra = {
                **(operation.openapi_extra or {}), **more, **({"x-idempotent": True} if is_idempotent else {})
            }  # fmt: skip

        # The framework reads annotations in the wrapper's module, so they are read here, in the function's own.
        guarded.__signature__ = inspect.signature(view, eval_str=True)  # type: ignore[attr-defined]
        guarded._ninja_contribute_to_operation = [contribute]  # type: ignore[attr-defined]
        return guarded

    return decorate


def _refuse_unknown(request: HttpRequest, known: set[str]) -> None:
    """Raise Problem for a query parameter that is not known: a misspelt filter would find everything."""
    if unknown := sorted(set(request.GET) - known):
        found = [(f"query.{name}", "This parameter is not known.") for name in unknown]
        raise Problem("invalid", "Take out what is not known, or correct its name.", errors=found)


def set_header(request: HttpRequest, name: str, value: str) -> None:
    """Send a header with the answer, the answer to the same request sent again included."""
    request.__dict__.setdefault("api_headers", {})[name] = value
