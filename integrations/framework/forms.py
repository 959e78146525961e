"""Bodies that are forms, read as nested values: `data[merges][FNAME]=Ada` and multipart with files."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable
from email.message import Message
from email.parser import BytesParser
from typing import Any
from urllib.parse import parse_qsl

MAX_FIELDS = 5_000  # no service sends as many; more is an attack
BRACKETED = re.compile(r"([^\[\]]+)((?:\[[^\[\]]*\])+)")


def read_form(body: bytes, content_type: str) -> dict[str, Any]:
    """Return the members of a form body, brackets as nesting; empty when it is not a form.

    A file of a multipart form has the shape of a file input: {"name", "content": base64 text, "content_type"}.
    """
    if content_type.lower().startswith("multipart/form-data"):
        return nested(_parts(body, content_type))
    try:
        return nested(parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=MAX_FIELDS))
    except ValueError:  # not UTF-8, or too many fields
        return {}


def nested(pairs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    """Return name-value pairs as one object. `a[b]` is a member, `a[]` an element; `a[0]` a member named "0".

    A name that contradicts an earlier one (`a=1` and `a[b]=2`) stays as it was written.
    """
    result: dict[str, Any] = {}
    for name, value in pairs:
        match = BRACKETED.fullmatch(name)
        if match is None or not _put(result, [match[1], *re.findall(r"\[([^\[\]]*)\]", match[2])], value):
            result[name] = value
    return result


def _put(target: dict[str, Any], keys: list[str], value: Any) -> bool:
    *parents, last = keys
    if "" in parents:
        return False
    if last == "":
        *parents, last = parents
    for key in parents:
        inner: Any = target.setdefault(key, {})
        if not isinstance(inner, dict):
            return False
        target = inner
    if keys[-1] != "":
        target[last] = value
        return True
    elements = target.setdefault(last, [])
    if not isinstance(elements, list):
        return False
    elements.append(value)
    return True


def _parts(body: bytes, content_type: str) -> list[tuple[str, Any]]:
    message = BytesParser().parsebytes(b"Content-Type: " + content_type.encode() + b"\r\n\r\n" + body)
    if not message.is_multipart():
        return []
    pairs: list[tuple[str, Any]] = []
    payload: Any = message.get_payload()
    for part in payload[:MAX_FIELDS]:
        name = part.get_param("name", header="content-disposition") if isinstance(part, Message) else None
        if isinstance(name, str):
            pairs.append((name, _value(part)))
    return pairs


def _value(part: Message) -> Any:
    content = part.get_payload(decode=True)
    content = content if isinstance(content, bytes) else b""
    filename = part.get_filename()
    if filename is None:
        try:
            return content.decode(part.get_content_charset("utf-8"), "replace")
        except LookupError:  # a charset nobody knows
            return content.decode("utf-8", "replace")
    return {
        "name": filename,
        "content": base64.b64encode(content).decode(),
        "content_type": part.get_content_type(),
    }
