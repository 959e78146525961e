"""Ending the sessions of a person, on every device."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session
from django.utils.translation import gettext as _

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


# The first that a browser names itself by; most also name those they descend from.
BROWSERS = {"Edg": "Edge", "OPR": "Opera", "Firefox": "Firefox", "Chrome": "Chrome", "Safari": "Safari"}
SYSTEMS = {
    "iPhone": "iPhone",
    "iPad": "iPad",
    "Android": "Android",
    "Windows": "Windows",
    "Mac OS X": "macOS",
    "CrOS": "ChromeOS",
    "Linux": "Linux",
}


def browser_name(user_agent: str) -> str:
    """Return what a person would call the browser that names itself so, such as “Firefox on Windows”."""
    browser = next((name for mark, name in BROWSERS.items() if f"{mark}/" in user_agent), "")
    system = next((name for mark, name in SYSTEMS.items() if mark in user_agent), "")
    if browser and system:
        return _("%(browser)s on %(system)s") % {"browser": browser, "system": system}
    return browser or system or user_agent[:60] or _("Unknown browser")


def sessions_of(person: User) -> Any:
    """Return where a person is signed in, the latest first."""
    return UserSession.objects.filter(user_id=person.pk).order_by("-last_seen_at")
