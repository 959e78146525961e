"""What goes over the wire, as plain values: requests we build, responses we get, deliveries sent to us."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any
from urllib.parse import parse_qsl

from integrations.framework.forms import read_form


class Headers(Mapping[str, str]):
    """Read-only headers whose names compare without case; the last value of a repeated name wins."""

    def __init__(self, items: Mapping[str, str] | None = None) -> None:
        self._items = {str(name).lower(): str(value) for name, value in (items or {}).items()}

    def __getitem__(self, name: str) -> str:
        return self._items[name.lower()]

    def __iter__(self):
        return iter(self._items)

    def __len__(self) -> int:
        return len(self._items)

    def __repr__(self) -> str:
        # Values may be secrets; names are enough to debug with.
        return f"Headers({sorted(self._items)})"


@dataclass(frozen=True, slots=True)
class File:
    """A file to upload. content is bytes; name and content_type are told to the service."""

    content: bytes
    name: str = "file"
    content_type: str = "application/octet-stream"


@dataclass(frozen=True)
class Request:
    """One call to build: no secrets, no host. The framework adds base URL and credentials and sends it.

    path: relative to the connector's base URL, or an absolute URL; `{name}` is filled, quoted, from `at`.
    query, form: text, number, boolean or list values. json: any JSON value. Give at most one body.
    None values at the top level of query, form, headers and json are left out; use `given()` deeper down.
    nested: form values that are objects or lists are written with brackets (`metadata[a]=b`), as Stripe wants.
    authenticate: False for pre-signed addresses that must not see our credentials.
    """

    method: str
    path: str
    at: Mapping[str, Any] = field(default_factory=dict)
    query: Mapping[str, Any] | None = None
    headers: Mapping[str, str | None] | None = None
    json: Any = None
    form: Mapping[str, Any] | None = None
    files: Mapping[str, File] | None = None
    content: bytes | None = None
    content_type: str | None = None
    authenticate: bool = True
    timeout_seconds: float | None = None

    def with_query(self, **values: Any) -> Request:
        """Return the same request with these query parameters added or replaced."""
        return replace(self, query={**(self.query or {}), **values})

    def with_headers(self, values: Mapping[str, str]) -> Request:
        return replace(self, headers={**(self.headers or {}), **values})

    def with_json(self, **values: Any) -> Request:
        return replace(self, json={**(self.json or {}), **values})

    def with_form(self, **values: Any) -> Request:
        return replace(self, form={**(self.form or {}), **values})


@dataclass(frozen=True)
class Response:
    """What a service answered. json is the parsed body, or None when the body is not JSON."""

    status: int
    json: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    content: bytes = b""
    url: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "headers", Headers(self.headers))

    @property
    def text(self) -> str:
        return self.content.decode("utf-8", "replace")


@dataclass(frozen=True)
class Inbound:
    """One HTTP request a service sent to us, kept byte for byte because signatures cover bytes.

    url: the address as the sender called it, query included. received_at: Unix seconds, passed in.
    """

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes
    received_at: float

    def __post_init__(self) -> None:
        object.__setattr__(self, "headers", Headers(self.headers))

    @cached_property
    def json(self) -> Any:
        """The parsed body, or None when it is not JSON."""
        try:
            return json.loads(self.body)
        except ValueError:
            return None

    @cached_property
    def form(self) -> dict[str, str]:
        """The body read as a form; empty when it is not one."""
        try:
            return dict(parse_qsl(self.body.decode("utf-8"), keep_blank_values=True))
        except UnicodeDecodeError:
            return {}

    @property
    def query(self) -> dict[str, str]:
        return dict(parse_qsl(self.url.partition("?")[2], keep_blank_values=True))

    @property
    def payload(self) -> Any:
        """JSON when the body is JSON, otherwise the form fields, brackets in their names read as nesting."""
        if self.json is not None:
            return self.json
        return read_form(self.body, self.headers.get("content-type", ""))


@dataclass(frozen=True)
class Reply:
    """What we answer a service with. keep: values to store with the subscription (a handshake's secret)."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    content_type: str = "text/plain"
    keep: Mapping[str, Any] = field(default_factory=dict)


def given(values: Mapping[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    """Return the values that are not None: for optional members of nested objects."""
    return {key: value for key, value in {**(values or {}), **more}.items() if value is not None}


def read_file(value: Mapping[str, Any]) -> File:
    """Return the file an input of kind `file` holds: {"name", "content": base64 text, "content_type"}.

    Raises ValueError when the content is not base64.
    """
    return File(
        base64.b64decode(value["content"], validate=True),
        value.get("name") or "file",
        value.get("content_type") or "application/octet-stream",
    )


def file_value(response: Response, *, name: str) -> dict[str, str]:
    """Return a binary answer in the shape later steps pass on as a file."""
    return {
        "name": name,
        "content": base64.b64encode(response.content).decode(),
        "content_type": response.headers.get("content-type", "application/octet-stream"),
    }
