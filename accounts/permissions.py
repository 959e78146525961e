"""Which role may do what: the one place that says so."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from functools import wraps
from typing import Any

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from accounts.models import User

ROLE = User.Role
EVERYONE = frozenset({ROLE.OWNER, ROLE.ADMIN, ROLE.MEMBER, ROLE.VIEWER})
EDITORS = frozenset({ROLE.OWNER, ROLE.ADMIN, ROLE.MEMBER})
MANAGERS = frozenset({ROLE.OWNER, ROLE.ADMIN})
OWNERS = frozenset({ROLE.OWNER})


class Permission(Enum):
    """Something a person may do. Members see, edit and run the workflows assigned to them; see workflows.access."""

    VIEW_WORKFLOW = ("view workflow", EVERYONE)
    EDIT_WORKFLOW = ("edit workflow", EDITORS)
    RUN_WORKFLOW = ("run workflow", EDITORS)
    CREATE_WORKFLOW = ("create workflow", EDITORS)
    ASSIGN_WORKFLOW = ("assign workflow", MANAGERS)
    DELETE_WORKFLOW = ("delete workflow", MANAGERS)
    PUBLISH_ANYWAY = ("publish despite failing tests", MANAGERS)
    ANSWER_APPROVAL = ("answer approval", EDITORS)
    VIEW_TEMPLATES = ("view templates", EVERYONE)
    INSTALL_TEMPLATE = ("install template", EDITORS)
    RATE_TEMPLATE = ("rate template", EVERYONE)
    VIEW_INTEGRATIONS = ("view integrations", EVERYONE)
    MANAGE_INTEGRATIONS = ("manage integrations", MANAGERS)
    VIEW_TEAM = ("view team", EVERYONE)
    MANAGE_TEAM = ("manage team", MANAGERS)
    MANAGE_API_KEYS = ("manage API keys", MANAGERS)
    VIEW_AUDIT = ("view audit trail", MANAGERS)
    MANAGE_ORGANIZATION = ("manage organization", MANAGERS)
    DELETE_ORGANIZATION = ("delete organization", OWNERS)
    TRANSFER_OWNERSHIP = ("transfer ownership", OWNERS)
    VIEW_USAGE = ("view usage", MANAGERS)
    MANAGE_BILLING = ("manage billing", OWNERS)
    OWN_SETTINGS = ("own settings", EVERYONE)

    def __init__(self, label: str, roles: frozenset[User.Role]) -> None:
        self.label = label
        self.roles = roles


def may(user: Any, permission: Permission) -> bool:
    """Return whether a signed-in member's role allows it; staff without an organization may nothing here."""
    return bool(
        getattr(user, "is_authenticated", False)
        and getattr(user, "organization_id", None) is not None
        and user.role in permission.roles
    )


def requires(
    permission: Permission,
) -> Callable[[Callable[..., HttpResponseBase]], Callable[..., HttpResponseBase]]:
    """Let a view be called by members whose role allows `permission`: others sign in, or get a 403."""

    def decorate(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if not may(request.user, permission):
                raise PermissionDenied(permission.label)
            return view(request, *args, **kwargs)

        wrapped = login_required(guarded)
        wrapped.permission = permission  # type: ignore[attr-defined]  # the access table test reads it
        return wrapped

    return decorate
