"""Which pages the sidebar offers to whom, which one is open, and the theme a browser asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils.functional import SimpleLazyObject
from django.utils.translation import gettext_lazy as _

from accounts.tenancy import within

THEME_COOKIE = "theme"  # written by static/js/theme.js
THEMES = ("light", "dark")
EVERYBODY = frozenset({"OWNER", "ADMIN", "MEMBER", "VIEWER"})
MANAGERS = frozenset({"OWNER", "ADMIN"})
OWNERS = frozenset({"OWNER"})


@dataclass(frozen=True)
class Place:
    """One entry of the sidebar. roles only hides what a person could not open; each view checks for itself."""

    url_name: str
    label: Any
    icon: str
    roles: frozenset[str] = EVERYBODY


PLACES: tuple[tuple[Place, ...], ...] = (
    (
        Place("workflows:dashboard", _("Dashboard"), "layout-dashboard"),
        Place("workflows:list", _("Workflows"), "workflow"),
        Place("workflows:runs", _("Runs"), "activity"),
        Place("workflows:approvals", _("Approvals"), "inbox"),
    ),
    (
        Place("templates_lib:gallery", _("Templates"), "shapes"),
        Place("integrations:gallery", _("Integrations"), "plug"),
    ),
    (
        Place("accounts:team", _("Team"), "users", MANAGERS),
        Place("billing:overview", _("Billing & usage"), "credit-card", OWNERS),
        Place("accounts:settings", _("Settings"), "settings", MANAGERS),
        Place("help", _("Help"), "life-buoy"),
    ),
)

_counts: dict[str, Callable[[HttpRequest], int]] = {}


def register_count(url_name: str, count: Callable[[HttpRequest], int]) -> None:
    """Show a number beside a place: an app calls this in ready(); count runs once per page, in the page's scope."""
    _counts[url_name] = count


def navigation(request: HttpRequest) -> dict[str, Any]:
    """Context processor. Return `navigation`, groups of {url, label, icon, is_current, count}, read only when a
    template asks for it, and `theme`, which is "light", "dark" or "" for what the system says.
    """
    theme = request.COOKIES.get(THEME_COOKIE, "")
    return {
        "navigation": SimpleLazyObject(lambda: [group for group in _groups(request) if group]),
        "theme": theme if theme in THEMES else "",
    }


def _groups(request: HttpRequest) -> Iterator[list[dict[str, Any]]]:
    user = getattr(request, "user", None)
    role = None if getattr(user, "is_staff", False) else getattr(user, "role", None)
    entries = [[_entry(place, request) for place in group if role in place.roles] for group in PLACES]
    present = [[entry for entry in group if entry] for group in entries]
    # The longest address that begins the present path is the open place: "/" begins them all.
    candidates = [entry for group in present for entry in group if _is_under(request.path, entry["url"])]
    if candidates:
        max(candidates, key=lambda entry: len(entry["url"]))["is_current"] = True
    yield from present


def _entry(place: Place, request: HttpRequest) -> dict[str, Any] | None:
    try:
        url = reverse(place.url_name)
    except NoReverseMatch:  # an installation may leave an app's pages out; its entry goes with them
        return None
    count = _counts.get(place.url_name)
    return {
        "url": url,
        "label": place.label,
        "icon": place.icon,
        "is_current": False,
        "count": _counted(count, request) if count else 0,
    }


def _counted(count: Callable[[HttpRequest], int], request: HttpRequest) -> int:
    """Return the count of the person's own organization: pages of signing in see all of them."""
    organization_id = getattr(request.user, "organization_id", None)
    if organization_id is None:
        return count(request)
    with within(organization_id):
        return count(request)


def _is_under(path: str, url: str) -> bool:
    return path == url or (url != "/" and path.startswith(url))
