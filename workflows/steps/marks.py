"""Where in a rendered prompt the values from outside stand, so that a model can be told that they are data."""

from __future__ import annotations

import re
import secrets

from workflows.engine.interface import Json

# Characters of private use around a number that nobody outside this process knows: data cannot hold a mark.
# Digits only: no filter that changes letters can change a mark.
_SECRET = str(secrets.randbelow(10**20))
BEGIN, END = f"\ue000{_SECRET}\ue001", f"\ue001{_SECRET}\ue000"
_PIECES = re.compile(
    r"\{%-?\s*(raw|comment)\s*-?%\}.*?\{%-?\s*end\1\s*-?%\}|(?P<output>\{\{.*?\}\})", re.DOTALL
)
# Values that the organization and we ourselves set.
_OURS = re.compile(r"\{\{-?\s*(organization|workflow|execution|now|loop)\b")
_MARK = re.compile(f"{re.escape(BEGIN)}|{re.escape(END)}")


def with_marks(template: str) -> str:
    """Return a Liquid template whose output carries marks around every value from outside."""

    def marked(found: re.Match[str]) -> str:
        output = found["output"]
        if output is None or _OURS.match(output):
            return found[0]
        return f"{BEGIN}{output}{END}"

    return _PIECES.sub(marked, template)


def taken_out(text: Json) -> tuple[str, list[list[int]]]:
    """Return (the text without marks, [[start, end], ...] of what stood between them, in characters)."""
    pieces: list[str] = []
    spans: list[list[int]] = []
    size, at, begun, depth = 0, 0, 0, 0
    for mark in _MARK.finditer(str(text)):
        piece = str(text)[at : mark.start()]
        pieces.append(piece)
        size, at = size + len(piece), mark.end()
        # A captured text carries marks of its own inside those of the place that shows it.
        if mark[0] == BEGIN:
            begun, depth = (begun if depth else size), depth + 1
        elif depth:
            depth -= 1
            if not depth and size > begun:
                spans.append([begun, size])
    pieces.append(str(text)[at:])
    return "".join(pieces), spans
