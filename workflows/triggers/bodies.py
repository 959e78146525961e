"""Reading what was sent: a request body as the data that steps see, and headers without their secrets."""

from __future__ import annotations

import base64
import json
import math
import re
from collections.abc import Mapping
from email.message import Message
from email.parser import BytesParser
from typing import Any
from urllib.parse import parse_qsl

SECRET_HEADERS = frozenset({"authorization", "cookie", "proxy-authorization", "x-api-key", "x-auth-key"})
SECRET_WORDS = ("signature", "token", "secret", "password", "api-key", "apikey", "svix-", "webhook-id")
HIDDEN = "(secret)"
UNSAFE = re.compile(rb"\\u(?:0000|[dD][89a-fA-F])")
MAX_PARTS = 200
MAX_FIELDS = 2_000


class BadBody(ValueError):
    """The body is not what its content type says; the message names the place."""


def parse(body: bytes, content_type: str) -> Any:
    """Return the body as data: JSON as it is, forms as objects, text as text, anything else as base64 with its type.

    A field that a form sends several times becomes a list. Raises BadBody.
    """
    kind, _, _parameters = content_type.partition(";")
    kind = kind.strip().lower()
    if not body:
        return None
    if kind == "application/json" or kind.endswith("+json"):
        return _json(body)
    if kind == "application/x-www-form-urlencoded":
        return _pairs(_text(body))
    if kind == "multipart/form-data":
        return _multipart(body, content_type)
    if not kind and body.lstrip()[:1] in (b"{", b"["):
        return _json(body)
    if not kind or kind.startswith("text/") or kind.endswith(("/xml", "+xml")):
        return _text(body)
    return {"content": base64.b64encode(body).decode(), "content_type": kind}


def query_values(query: str) -> dict[str, Any]:
    """Return the query string as an object; a name that comes several times has a list."""
    try:
        return _pairs(query)
    except BadBody:
        return {}


def public_headers(headers: Mapping[str, str], also: str = "") -> dict[str, str]:
    """Return the headers, names in small letters, secret values replaced. also: one more secret name."""
    hidden = also.lower()
    return {
        name: HIDDEN
        if name in SECRET_HEADERS or name == hidden or any(word in name for word in SECRET_WORDS)
        else value
        for name, value in ((name.lower(), value) for name, value in headers.items())
    }


def _json(body: bytes) -> Any:
    try:
        data = json.loads(body, parse_constant=_refuse, parse_float=_finite)
    except json.JSONDecodeError as error:
        raise BadBody(f"line {error.lineno}, column {error.colno}: {error.msg}") from None
    except UnicodeDecodeError as error:
        raise BadBody(f"byte {error.start} is not UTF-8") from None
    except RecursionError:
        raise BadBody("the JSON is nested too deeply") from None
    except BadBody:
        raise
    except ValueError:
        raise BadBody("a number has too many digits") from None
    if UNSAFE.search(body):
        _require_storable(data)
    return data


def _require_storable(data: Any) -> None:
    # What JSON allows and PostgreSQL's JSON cannot hold.
    if isinstance(data, str) and ("\0" in data or any("\ud800" <= letter <= "\udfff" for letter in data)):
        raise BadBody("a text holds a NUL or half a character")
    if isinstance(data, dict):
        for name, value in data.items():
            _require_storable(name)
            _require_storable(value)
    if isinstance(data, list):
        for value in data:
            _require_storable(value)


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise BadBody(f"the number {text[:40]} is too large")
    return number


def _refuse(word: str) -> Any:
    raise BadBody(f"{word} is not JSON")


def _text(body: bytes) -> str:
    try:
        return body.decode("utf-8").replace("\0", "")
    except UnicodeDecodeError as error:
        raise BadBody(f"byte {error.start} is not UTF-8") from None


def _pairs(text: str) -> dict[str, Any]:
    try:
        pairs = parse_qsl(text, keep_blank_values=True, max_num_fields=MAX_FIELDS)
    except ValueError:
        raise BadBody(f"more than {MAX_FIELDS} fields") from None
    return _gathered([(name.replace("\0", ""), value.replace("\0", "")) for name, value in pairs])


def _gathered(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    several: set[str] = set()
    for name, value in pairs:
        if name not in found:
            found[name] = value
        elif name in several:
            found[name].append(value)
        else:
            several.add(name)
            found[name] = [found[name], value]
    return found


def _multipart(body: bytes, content_type: str) -> dict[str, Any]:
    message = BytesParser().parsebytes(
        b"Content-Type: " + content_type.encode("latin-1", "replace") + b"\r\n\r\n" + body
    )
    parts = message.get_payload() if message.is_multipart() else None
    if not isinstance(parts, list):
        raise BadBody("the boundary of the form's parts is missing")
    if len(parts) > MAX_PARTS:
        raise BadBody(f"more than {MAX_PARTS} parts")
    return _gathered([_part(part) for part in parts if isinstance(part, Message)])


def _part(part: Message) -> tuple[str, Any]:
    name = str(part.get_param("name", "", header="content-disposition"))
    content = part.get_payload(decode=True)
    raw = content if isinstance(content, bytes) else b""
    file_name = part.get_filename()
    if file_name is None:
        return name, _text(raw)
    return name, {
        "name": file_name,
        "content": base64.b64encode(raw).decode(),
        "content_type": part.get_content_type(),
    }
