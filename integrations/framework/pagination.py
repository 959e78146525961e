"""How services hand out long lists, and how we walk them: each style turns an answer into the next request."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Protocol

from integrations.framework.messages import Request, Response
from integrations.framework.paths import dig

MAX_PAGES = 100  # a ceiling no honest list reaches
DEFAULT_RESULTS = 100
MAX_RESULTS = 10_000


class Pagination(Protocol):
    """items: path of the list in each answer. next(): the request for the following page, None at the end."""

    @property
    def items(self) -> str: ...

    def next(self, request: Request, response: Response) -> Request | None: ...


@dataclass(frozen=True)
class CursorPages:
    """The answer names a cursor or token; it goes into a query, form or JSON member of the same request.

    cursor: path of the token in the answer; absent, null or "" ends the list. into: the parameter's name.
    more: path of a flag that must be true to go on, where the service has one.
    last_item: path inside the last item that serves as cursor (Stripe, OpenAI), in place of `cursor`.
    place: query, form or json.
    """

    items: str
    into: str
    cursor: str = ""
    more: str = ""
    last_item: str = ""
    place: str = "query"

    def next(self, request: Request, response: Response) -> Request | None:
        if self.more and not dig(response.json, self.more):
            return None
        if self.last_item:
            items = dig(response.json, self.items) or []
            token = dig(items[-1], self.last_item) if items else None
        else:
            token = dig(response.json, self.cursor)
        return _place(request, self.place, self.into, token) if token not in (None, "") else None


@dataclass(frozen=True)
class NumberedPages:
    """Pages are counted. The list ends with a short page, or where `total_pages` (path or header) says so."""

    items: str
    size: int
    into: str = "page"
    size_into: str = "per_page"
    first: int = 1
    total_pages: str = ""
    total_pages_header: str = ""
    place: str = "query"

    def next(self, request: Request, response: Response) -> Request | None:
        sent = _sent(request, self.place)
        page = int(sent.get(self.into) or self.first)
        total = response.headers.get(self.total_pages_header) if self.total_pages_header else None
        if total is None and self.total_pages:
            total = dig(response.json, self.total_pages)
        if total is not None:
            ended = page - self.first + 1 >= int(total)
        else:
            ended = len(dig(response.json, self.items) or []) < int(sent.get(self.size_into) or self.size)
        return None if ended else _place(request, self.place, self.into, page + 1)


@dataclass(frozen=True)
class OffsetPages:
    """A number of items to skip. Ends at `total` (path) when the service tells it, else with a short page.

    size: items per page when the request does not say so in `size_into`.
    """

    items: str
    size: int
    into: str = "offset"
    size_into: str = "limit"
    total: str = ""
    place: str = "query"

    def next(self, request: Request, response: Response) -> Request | None:
        sent = _sent(request, self.place)
        count = len(dig(response.json, self.items) or [])
        offset = int(sent.get(self.into) or 0) + count
        total = dig(response.json, self.total) if self.total else None
        if total is not None:
            ended = count == 0 or offset >= int(total)
        else:
            ended = count < int(sent.get(self.size_into) or self.size)
        return None if ended else _place(request, self.place, self.into, offset)


@dataclass(frozen=True)
class LinkPages:
    """The next address is given whole: in a `Link: <...>; rel="next"` header, or at a path in the body.

    The address must stay on the same host as the first page; client.py refuses to send credentials elsewhere.
    """

    items: str
    path: str = ""

    def next(self, request: Request, response: Response) -> Request | None:
        address = dig(response.json, self.path) if self.path else next_link(response.headers.get("link", ""))
        if not address:
            return None
        return Request(
            request.method,
            address,
            headers=request.headers,
            json=request.json,
            authenticate=request.authenticate,
            timeout_seconds=request.timeout_seconds,
        )


def next_link(header: str) -> str | None:
    """Return the address marked rel="next" in a Link header (RFC 8288), or None."""
    for address, parameters in re.findall(r"<([^>]*)>([^<]*)", header):
        if re.search(r'rel\s*=\s*"?[^";]*\bnext\b', parameters, re.IGNORECASE):
            return address
    return None


def _sent(request: Request, place: str) -> dict[str, Any]:
    return dict({"query": request.query, "form": request.form, "json": request.json}[place] or {})


def _place(request: Request, place: str, name: str, value: Any) -> Request:
    if place == "json" and "." in name:  # nested, as in {"variables": {"after": ...}}
        import copy

        from integrations.framework.paths import put

        body = copy.deepcopy(request.json or {})
        put(body, name, value)
        return request.with_json(**body)
    add = {"query": request.with_query, "form": request.with_form, "json": request.with_json}[place]
    return add(**{name: value})
