"""Lengths of time as people write them in a definition: "30s", "5m", "2h", "3d", "1h30m", or ISO 8601."""

import re
from datetime import timedelta

from workflows.definition.limits import MAX_WAIT_DAYS
from workflows.definition.wording import gettext as _

_SHORT = re.compile(
    r"(?:(\d{1,9})w)?(?:(\d{1,9})d)?(?:(\d{1,9})h)?(?:(\d{1,9})m)?(?:(\d{1,9}(?:\.\d{1,6})?)s)?"
)
_ISO = re.compile(
    r"P(?:(\d{1,9})W)?(?:(\d{1,9})D)?(?:T(?:(\d{1,9})H)?(?:(\d{1,9})M)?(?:(\d{1,9}(?:\.\d{1,6})?)S)?)?",
    re.IGNORECASE,
)


class InvalidDuration(ValueError):
    """The text is no length of time, or a longer one than a workflow may wait."""


def parse_duration(text: str) -> timedelta:
    """Return the length of time that `text` names.

    text: "30s", "5m", "2h", "3d", "2w", several units from large to small ("1h30m"), or ISO 8601 ("PT1H30M", "P3D").
    ISO months and years are refused, because their length depends on when they start.
    Raises InvalidDuration for anything else and for more than MAX_WAIT_DAYS days.
    """
    written = text.strip() if isinstance(text, str) else ""
    compact = written.replace(" ", "").lower()
    match = _ISO.fullmatch(written) if written[:1] in {"P", "p"} else _SHORT.fullmatch(compact)
    if match is None or not any(match.groups()):
        raise InvalidDuration(
            _("“{text}” is not a length of time. Write it like 30s, 5m, 2h or 3d.").format(text=text)
        )
    weeks, days, hours, minutes, seconds = (float(part or 0) for part in match.groups())
    total = timedelta(weeks=weeks, days=days, hours=hours, minutes=minutes, seconds=seconds)
    if total > timedelta(days=MAX_WAIT_DAYS):
        raise InvalidDuration(_("“{text}” is longer than {days} days.").format(text=text, days=MAX_WAIT_DAYS))
    return total


def format_duration(length: timedelta) -> str:
    """Return the shortest way to write `length`, from days down: timedelta(minutes=90) gives "1h30m"."""
    whole, rest = divmod(length // timedelta(microseconds=1), 1_000_000)
    parts = []
    for unit, size in (("d", 86_400), ("h", 3_600), ("m", 60)):
        count, whole = divmod(whole, size)
        if count:
            parts.append(f"{count}{unit}")
    if rest:
        parts.append(f"{whole}.{rest:06d}".rstrip("0") + "s")
    elif whole or not parts:
        parts.append(f"{whole}s")
    return "".join(parts)
