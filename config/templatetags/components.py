"""Template tags of the components: icons, status badges, avatars, times."""

from __future__ import annotations

import datetime
import functools
import re
from collections.abc import Mapping
from typing import Any

from django import template
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from lucide.templatetags.lucide import lucide as render_lucide

register = template.Library()

# What a status is called, which tone and icon it has. Statuses of all domains share one list, so that
# the same word always looks the same.
STATUSES: Mapping[str, tuple[Any, str, str]] = {
    "ACTIVE": (_("Active"), "success", "check"),
    "PAUSED": (_("Paused"), "warning", "pause"),
    "ARCHIVED": (_("Archived"), "neutral", "archive"),
    "DRAFT": (_("Draft"), "neutral", "pencil"),
    "PENDING": (_("Queued"), "neutral", "clock"),
    "RUNNING": (_("Running"), "info", "loader-circle"),
    "WAITING": (_("Waiting"), "warm", "hourglass"),
    "COMPLETED": (_("Completed"), "success", "check"),
    "SUCCESS": (_("Succeeded"), "success", "check"),
    "PARTIAL": (_("Partly succeeded"), "warning", "circle-alert"),
    "FAILED": (_("Failed"), "danger", "x"),
    "FAILURE": (_("Failed"), "danger", "x"),
    "CANCELLED": (_("Cancelled"), "neutral", "ban"),
    "TIMEOUT": (_("Timed out"), "danger", "timer-off"),
    "SKIPPED": (_("Skipped"), "neutral", "skip-forward"),
    "EXPIRED": (_("Reconnect needed"), "danger", "unplug"),
    "ERROR": (_("Problem"), "danger", "triangle-alert"),
    "DISABLED": (_("Switched off"), "neutral", "power-off"),
    "TRIALING": (_("Trial"), "info", "sparkles"),
    "PAST_DUE": (_("Payment due"), "warning", "triangle-alert"),
    "UNPAID": (_("Unpaid"), "danger", "triangle-alert"),
    "INCOMPLETE": (_("Incomplete"), "warning", "circle-alert"),
    "APPROVED": (_("Approved"), "success", "check"),
    "REJECTED": (_("Rejected"), "danger", "x"),
}


@functools.lru_cache(maxsize=512)
def icon_svg(name: str, classes: str = "") -> SafeString:
    """Return one Lucide icon as inline SVG, hidden from screen readers and sized by CSS.

    Raises lucide.IconDoesNotExist for a name Lucide does not have.
    """
    svg = render_lucide(name, size=None)
    opening, rest = svg.split(">", 1)
    # Lucide's own size, colour and stroke attributes go: base.css decides them for every icon at once.
    kept = (
        f'<svg class="{f"icon {classes}".strip()}" viewBox="0 0 24 24" aria-hidden="true" focusable="false">'
    )
    if not opening.startswith("<svg"):
        raise ValueError(f"icon {name!r} is not an svg element")
    return mark_safe(kept + " ".join(rest.split()))  # noqa: S308 - markup of an installed package, no user data


@register.simple_tag
def icon(name: str, classes: str = "") -> SafeString:
    """`{% icon "play" %}`: an inline icon. Give the control around it a text or an aria-label."""
    return icon_svg(name, classes)


@register.simple_tag
def status_badge(status: str, label: str | None = None) -> SafeString:
    """`{% status_badge execution.status %}`: a badge with the icon, tone and words of a status."""
    words, tone, icon_name = STATUSES.get(
        status, (status.replace("_", " ").capitalize(), "neutral", "circle")
    )
    return format_html('<span class="badge {}">{}{}</span>', tone, icon_svg(icon_name), label or words)


@register.filter
def status_tone(status: str) -> str:
    """Return the tone class of a status: neutral, success, warning, danger, info or warm."""
    return STATUSES.get(status, ("", "neutral", ""))[1]


@register.filter
def status_icon(status: str) -> str:
    """Return the icon name of a status."""
    return STATUSES.get(status, ("", "", "circle"))[2]


@register.filter
def monogram(name: object) -> str:
    """Return two letters that stand for a service: "MT" of Microsoft Teams, "PP" of PayPal, "Sl" of Slack."""
    words = re.findall(r"[^\W\d_]+", re.sub(r"\(.*?\)|-", "", str(name)).partition(".")[0])
    if len(words) > 1:
        return (words[0][0] + words[1][0]).upper()
    word = words[0] if words else "?"
    capitals = re.findall(r"[A-Z]", word)
    return "".join(capitals[:2]) if 1 < len(capitals) < len(word) else word[:2].capitalize()


@register.filter
def initials(name: object) -> str:
    """Return up to two letters that stand for a person or an organization in an avatar."""
    words = str(name).replace("@", " ").split()
    return "".join(word[0] for word in ([*words[:1], *words[-1:]] if len(words) > 1 else words[:1]))


@register.simple_tag
def relative_time(instant: datetime.datetime | None, empty: str = "–") -> str:
    """`{% relative_time execution.started_at %}`: "3 minutes ago", exact on hover, kept current by relative-time.js."""
    if instant is None:
        return empty
    local = timezone.localtime(instant)
    return format_html(
        '<time datetime="{}" title="{}" data-relative>{}</time>',
        instant.isoformat(),
        date_format(local, "DATETIME_FORMAT"),
        _distance(timezone.now() - instant, local),
    )


@register.filter
def duration(milliseconds: int | None) -> str:
    """Return a length of time as people say it: 850 ms, 12.4 s, 3 min 5 s, 2 h 10 min."""
    if milliseconds is None:
        return "–"
    if milliseconds < 1000:
        return f"{milliseconds:.0f} ms"
    seconds = milliseconds / 1000
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, seconds = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {seconds} s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min"


def _distance(age: datetime.timedelta, local: datetime.datetime) -> str:
    """Return the age in words, or the date when it is more than a week away; instants ahead read "in 3 hours"."""
    seconds = abs(age.total_seconds())
    if seconds < 60:
        return str(_("just now")) if age.total_seconds() >= 0 else str(_("in a moment"))
    if seconds >= 7 * 86400:
        return date_format(local, "DATE_FORMAT")
    if seconds < 3600:
        number = int(seconds // 60)
        words = ngettext("%d minute", "%d minutes", number) % number
    elif seconds < 86400:
        number = int(seconds // 3600)
        words = ngettext("%d hour", "%d hours", number) % number
    else:
        number = int(seconds // 86400)
        words = ngettext("%d day", "%d days", number) % number
    sentence = _("%(time)s ago") if age.total_seconds() >= 0 else _("in %(time)s")
    return str(sentence) % {"time": words}
