"""Ending the sessions of a person, on every device."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session

from accounts.models import User


def end_sessions(people: Iterable[User], *, but: str | None = None) -> int:
    """Sign people out everywhere, and return how many sessions that were.

    but: the key of a session that stays, as that of the person who asks.
    """
    rows = UserSession.objects.filter(user_id__in=[person.pk for person in people])
    if but:
        rows = rows.exclude(session_key=but)
    keys = list(rows.values_list("session_key", flat=True))
    Session.objects.filter(session_key__in=keys).delete()
    rows.delete()
    return len(keys)


def sessions_of(person: User) -> Any:
    """Return where a person is signed in, the latest first."""
    return UserSession.objects.filter(user_id=person.pk).order_by("-last_seen_at")
