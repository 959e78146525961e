"""What a value must be before it may be recorded: JSON, storable as text, within its size."""

import json
from typing import Any

from workflows.definition.wording import gettext as _
from workflows.engine.interface import Json
from workflows.engine.limits import MAX_STEP_INPUT_BYTES, MAX_STEP_OUTPUT_BYTES
from workflows.engine.signals import failure

_encode = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode


def storable(value: Json, *, limit: int = MAX_STEP_OUTPUT_BYTES, what: str = "output") -> tuple[Json, str]:
    """Return (value, its JSON text), with characters that no database stores replaced.

    limit: UTF-8 bytes of the text. what: "output" or "input", for the message.
    Raises StepFailed when it is too large or no JSON.
    """
    text = _text(value, what)
    if text.isascii():
        size = len(text)
    else:
        try:
            size = len(text.encode())
        except UnicodeEncodeError:
            return storable(_cleaned(value), limit=limit, what=what)
    if size > limit:
        raise failure(
            _(
                "The {what} of this step is too large: {size} MB of at most {limit} MB. "
                "Ask for fewer items or keep only the fields you need."
            ).format(what=what, size=_megabytes(size), limit=_megabytes(limit)),
            detail=f"{size} bytes, limit {limit}",
        )
    # PostgreSQL's jsonb has no NUL. The text may hold the six characters as data too, hence the second look.
    if "\\u0000" in text and (cleaned := _cleaned(value)) != value:
        return cleaned, _text(cleaned, what)
    return value, text


def check_input(value: Json) -> Json:
    """Return the rendered call as it may be recorded; see storable."""
    return storable(value, limit=MAX_STEP_INPUT_BYTES, what="input")[0]


def _text(value: Json, what: str) -> str:
    try:
        return _encode(value)
    except (TypeError, ValueError, RecursionError) as problem:
        message = _("The {what} of this step is no plain data (JSON).").format(what=what)
        raise failure(message, detail=str(problem)) from None


def _cleaned(value: Any) -> Json:
    if isinstance(value, str):
        return value.replace("\x00", "\ufffd").encode("utf-8", "replace").decode()
    if isinstance(value, dict):
        return {_cleaned(key): _cleaned(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_cleaned(item) for item in value]
    return value


def _megabytes(size: int) -> str:
    return f"{size / 1024 / 1024:.1f}"
