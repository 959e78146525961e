"""Further pages of an http step, asked for over loopback: by Link header, cursor and offset."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from integrations.framework.client import Client
from workflows.definition.steps import Pagination
from workflows.engine.interface import EffectCall, EffectClass, EffectKind
from workflows.runner import http_step

PAGES = [[1, 2], [3, 4], [5]]


def pages_of(httpserver: HTTPServer, answer: Any, **pagination: Any) -> tuple[list[int], list[str]]:
    """Return the joined items and the query of each request."""
    asked: list[str] = []

    def respond(request: Request) -> Response:
        asked.append(request.query_string.decode())
        return answer(request)

    httpserver.expect_request("/orders").respond_with_handler(respond)
    inputs = {
        "method": "GET",
        "url": httpserver.url_for("/orders"),
        "query": {"kind": "open"},
        "pagination": Pagination(**pagination).model_dump(),
    }

    async def send() -> Any:
        client = Client(allow_private=frozenset({f"{httpserver.host}:{httpserver.port}"}))
        try:
            return await http_step.send(
                client,
                EffectCall(EffectKind.HTTP, "get", "get", 1, "run:get", EffectClass.READ, inputs, 10.0),
                None,
            )
        finally:
            await client.aclose()

    return asyncio.run(send()).output["body"], asked


def body(value: Any, **headers: str) -> Response:
    return Response(json.dumps(value), content_type="application/json", headers=headers)


def test_a_link_header_is_followed_to_its_end(httpserver: HTTPServer) -> None:
    def answer(request: Request) -> Response:
        page = int(request.args.get("at", "0"))
        first = f'<{httpserver.url_for("/orders")}?at=0>; rel="first"'
        following = f', <{httpserver.url_for("/orders")}?at={page + 1}>; rel="next"' if page < 2 else ""
        return body(PAGES[page], Link=first + following)

    assert pages_of(httpserver, answer, mode="link") == (
        [1, 2, 3, 4, 5],
        ["kind=open", "at=1", "at=2"],
    )


def test_a_cursor_is_sent_back_until_there_is_none(httpserver: HTTPServer) -> None:
    def answer(request: Request) -> Response:
        page = int(request.args.get("after", "c0")[1:])
        return body({"data": {"rows": PAGES[page]}, "next": f"c{page + 1}" if page < 2 else None})

    assert pages_of(
        httpserver, answer, mode="cursor", items="data.rows", cursor="next", parameter="after"
    ) == ([1, 2, 3, 4, 5], ["kind=open", "kind=open&after=c1", "kind=open&after=c2"])


def test_an_offset_moves_by_the_page_size_until_a_page_is_empty(httpserver: HTTPServer) -> None:
    def answer(request: Request) -> Response:
        page = int(request.args.get("skip", "0")) // 2
        return body(PAGES[page] if page < 3 else [])

    assert pages_of(httpserver, answer, mode="offset", parameter="skip", start=0, page_size=2) == (
        [1, 2, 3, 4, 5],
        ["kind=open", "kind=open&skip=2", "kind=open&skip=4", "kind=open&skip=6"],
    )


def test_no_more_pages_are_asked_for_than_the_author_allows(httpserver: HTTPServer) -> None:
    def answer(request: Request) -> Response:
        return body([request.query_string.decode()])

    found, asked = pages_of(httpserver, answer, mode="offset", parameter="skip", max_pages=2)
    assert len(found) == len(asked) == 2
