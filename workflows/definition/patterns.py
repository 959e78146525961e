"""Regular expressions written by users, matched with a bound on time so that no pattern can hold up a worker."""

from functools import lru_cache
from typing import Any

import regex

from workflows.definition.limits import MAX_PATTERN_LENGTH
from workflows.definition.wording import gettext as _

MATCH_SECONDS = 0.1  # one match of one value; an honest pattern needs microseconds
MAX_REPEATS_PRODUCT = (
    20_000  # counted repeats multiply when nested, and the compiled pattern grows with the product
)
_COUNTED = regex.compile(r"\{(\d*),?(\d*)\}")


class BadPattern(ValueError):
    """The pattern is no regular expression, or too large a one."""


class PatternTooSlow(ValueError):
    """Matching took longer than MATCH_SECONDS."""


@lru_cache(maxsize=256)
def compile_pattern(pattern: str) -> Any:
    """Return the compiled pattern. Raises BadPattern."""
    if len(pattern) > MAX_PATTERN_LENGTH:
        raise BadPattern(_("the pattern is longer than {limit} characters").format(limit=MAX_PATTERN_LENGTH))
    product = 1
    for low, high in _COUNTED.findall(pattern):
        product *= max(1, int(low[:9] or 0), int(high[:9] or 0))
    if product > MAX_REPEATS_PRODUCT:
        raise BadPattern(_("the pattern repeats too often"))
    try:
        return regex.compile(pattern)
    except (regex.error, OverflowError, RecursionError, ValueError, IndexError, KeyError, TypeError) as error:
        raise BadPattern(_("the pattern is not valid: {reason}").format(reason=error)) from error


def search(pattern: str, text: str) -> Any:
    """Return the first match of `pattern` in `text`, or None. Raises BadPattern, PatternTooSlow."""
    try:
        return compile_pattern(pattern).search(text, timeout=MATCH_SECONDS)
    except TimeoutError as error:
        raise PatternTooSlow(_("the pattern takes too long on this text")) from error


def find_all(pattern: str, text: str, limit: int) -> list[str]:
    """Return up to `limit` matches of `pattern`: the first group when there is one, else the whole match."""
    found = []
    try:
        for match in compile_pattern(pattern).finditer(text, timeout=MATCH_SECONDS):
            found.append((match.group(1) if match.re.groups else match.group(0)) or "")
            if len(found) >= limit:
                break
    except TimeoutError as error:
        raise PatternTooSlow(_("the pattern takes too long on this text")) from error
    return found


def substitute(pattern: str, replacement: str, text: str, limit: int) -> str:
    """Return `text` with every match replaced; `$1` in `replacement` is the first group.

    limit: characters the result may have. Raises BadPattern, PatternTooSlow, OverflowError.
    """
    length = last = 0
    parts: list[str] = []
    pieces = _COUNTED_GROUP.split(replacement)  # text, group number, text, ...
    try:
        for match in compile_pattern(pattern).finditer(text, timeout=MATCH_SECONDS):
            new = "".join(
                piece if index % 2 == 0 else (_group(match, int(piece))) for index, piece in enumerate(pieces)
            )
            parts += (text[last : match.start()], new)
            length += len(parts[-1]) + len(parts[-2])
            if length > limit:
                raise OverflowError("the result is too long")
            last = match.end()
    except TimeoutError as error:
        raise PatternTooSlow(_("the pattern takes too long on this text")) from error
    return "".join((*parts, text[last:]))


_COUNTED_GROUP = regex.compile(r"\$(\d)")


def _group(match: Any, number: int) -> str:
    return (match.group(number) or "") if number <= match.re.groups else ""
