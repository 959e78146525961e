"""Lengths of time as people write them: “5 minutes” and “1 h 30 min” are 5m and 1h30m."""

from __future__ import annotations

import re

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from workflows.definition.durations import InvalidDuration, format_duration, parse_duration
from workflows.definition.shapes import is_template

_PART = re.compile(r"(\d+(?:[.,]\d+)?)\s*([^\W\d_]+)")
# English, German and Spanish words; only their beginnings count.
_UNITS = (
    (("mo",), 0),
    (("mi", "m"), 60),
    (("h", "st"), 3600),
    (("d", "t"), 86_400),
)


def read_duration(text: str) -> str:
    """Return a duration as definitions hold it. Raises ValueError for what is none."""
    bare = text.strip()
    if is_template(bare):
        return bare
    try:
        parse_duration(bare)
    except InvalidDuration:
        pass
    else:
        return bare
    seconds, rest = 0.0, bare.lower()
    for amount, unit in _PART.findall(rest):
        seconds += float(amount.replace(",", ".")) * _unit(unit)
    if not seconds or _PART.sub("", rest).strip(" ,+").replace("and", "").replace("und", "").strip():
        raise ValueError(text)
    return _compact(round(seconds))


def shown_duration(text: str) -> str:
    """Return a duration in words: “2 hours”. What is none stays as it is."""
    if is_template(text):
        return text
    try:
        compact = format_duration(parse_duration(text))
    except (InvalidDuration, TypeError):
        return str(text)
    words = []
    for amount, unit in re.findall(r"(\d+)([dhms])", compact):
        number = int(amount)
        words.append(
            {
                "d": ngettext("%d day", "%d days", number),
                "h": ngettext("%d hour", "%d hours", number),
                "m": ngettext("%d minute", "%d minutes", number),
                "s": ngettext("%d second", "%d seconds", number),
            }[unit]
            % number
        )
    return " ".join(words) or compact


def fault() -> str:
    """Return the sentence for a text that is no duration."""
    return _("Write a length of time, like “30 seconds”, “5 minutes”, “2 hours” or “3 days”.")


def _unit(word: str) -> int:
    if word.startswith(("second", "sek", "segundo")) or word in ("s", "sec", "secs", "seg"):
        return 1
    if word.startswith(("semana", "week", "woche")) or word == "w":
        return 604_800
    for beginnings, seconds in _UNITS:
        if word.startswith(beginnings):
            if not seconds:
                break
            return seconds
    raise ValueError(word)


def _compact(seconds: int) -> str:
    text = ""
    for letter, length in (("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1)):
        amount, seconds = divmod(seconds, length)
        text += f"{amount}{letter}" if amount else ""
    return text
