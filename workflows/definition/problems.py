"""What is wrong with a definition, as data: where, which step and field, a sentence for the author, a suggestion."""

import difflib
import re
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from workflows.definition.wording import gettext as _

Location = tuple[str | int, ...]
_PLAIN_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


@dataclass(frozen=True, slots=True)
class Problem:
    """One fault in a definition or in its triggers.

    code: a stable word for programs ("unknown_step"). location: keys and indexes from the root of the document.
    message: a whole sentence that names step and field. suggestion: the near miss to use instead, or "".
    severity: "error" forbids publishing, "warning" is advice. line and column count from 1, 0 when the text is unknown.
    """

    code: str
    message: str
    location: Location = ()
    step_id: str = ""
    field: str = ""
    suggestion: str = ""
    severity: str = "error"
    line: int = 0
    column: int = 0

    @property
    def path(self) -> str:
        """Where, as people write it: `steps[2].with.channel`."""
        return readable_path(self.location)

    @property
    def pointer(self) -> str:
        """Where, as a JSON Pointer (RFC 6901): `/steps/2/with/channel`."""
        return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in self.location)

    def at(self, line: int, column: int) -> "Problem":
        """Return the same problem with its place in the text."""
        return replace(self, line=line, column=column)

    def as_dict(self) -> dict[str, Any]:
        """Return the problem as JSON data, for the API and the editor."""
        return {**asdict(self), "location": list(self.location), "path": self.path, "pointer": self.pointer}


class DefinitionInvalid(Exception):
    """A definition (or its triggers) cannot be read. `problems` lists every fault found, never empty."""

    def __init__(self, problems: Sequence[Problem]):
        self.problems = list(problems)
        super().__init__("\n".join(problem.message for problem in self.problems))


def readable_path(location: Iterable[str | int]) -> str:
    """Return `steps[2].with.channel` for ("steps", 2, "with", "channel"); odd keys are quoted in brackets."""
    text = ""
    for part in location:
        if isinstance(part, int):
            text += f"[{part}]"
        elif _PLAIN_KEY.fullmatch(part):
            text += f".{part}" if text else part
        else:
            text += f'["{part}"]'
    return text


def near_miss(word: str, candidates: Iterable[str]) -> str:
    """Return the candidate that was probably meant by `word`, or ""."""
    folded = {candidate.lower(): candidate for candidate in candidates if candidate}
    if word.lower() in folded:
        return folded[word.lower()]
    close = difflib.get_close_matches(word.lower()[:100], folded, n=1, cutoff=0.6)
    return folded[close[0]] if close else ""


def did_you_mean(suggestion: str) -> str:
    """Return the sentence that offers `suggestion`, with a leading space, or "" when there is none."""
    return " " + _("Did you mean “{suggestion}”?").format(suggestion=suggestion) if suggestion else ""


def place_text(name: str, step_id: str, field: str = "", number: int | None = None) -> str:
    """Return the words that open a message: `Step “Notify team” (notify_team), field text: `.

    number: position in its list, from 0, for a step or trigger that has no id.
    """
    if name and step_id:
        place = _("Step “{name}” ({id})").format(name=name[:80], id=step_id[:80])
    elif step_id:
        place = _("Step “{id}”").format(id=step_id[:80])
    elif number is not None:
        place = _("Entry {number}").format(number=number + 1)
    else:
        place = ""
    if field and place:
        return _("{place}, field {field}: ").format(place=place, field=field)
    return _("Field {field}: ").format(field=field) if field else (place + ": " if place else "")
