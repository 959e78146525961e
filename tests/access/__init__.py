"""Who may open what: one table per app, checked for every address, role and organization by test_access.py."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.worlds import World

EVERYONE = frozenset({"OWNER", "ADMIN", "MEMBER", "VIEWER"})
EDITORS = frozenset({"OWNER", "ADMIN", "MEMBER"})
MANAGERS = frozenset({"OWNER", "ADMIN"})
OWNERS = frozenset({"OWNER"})


def no_arguments(world: World) -> list[Any]:
    return []


@dataclass(frozen=True, slots=True)
class Rule:
    """What an address expects of its visitor.

    allow: the roles that may use it in their own organization; the others get a 403.
    arguments: makes the URL's arguments out of a world; called in a system scope, so it may create what it names.
      An address with arguments is tried with the other organization's object as well, and answers 404.
    is_common: the arguments name nothing of an organization (a service, say): everybody gets the same answer.
    method, data: the request. is_public: needs no sign-in and is not about the visitor's organization.
    """

    allow: frozenset[str] = EVERYONE
    arguments: Callable[[World], list[Any]] = no_arguments
    method: str = "GET"
    data: dict[str, Any] = field(default_factory=dict)
    is_public: bool = False
    is_common: bool = False


PUBLIC = Rule(is_public=True)
