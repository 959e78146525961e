"""Notion: exact requests, its failures, pages in the body, and the signature of its notices."""

import hmac
import json
from dataclasses import replace

import pytest

from integrations.connectors.notion import connector
from integrations.framework import PermanentError, ReconnectError, Refused, TemporaryError, Verified
from tests.integrations.checks import (
    NOW,
    answer,
    answer_in_turn,
    assert_well_described,
    delivery,
    empty_optionals,
    run_at,
    sent,
)

SECRET = "secret_tMrlL1qK5vuQAh1b6cZGhFChZTSYJlce98V0pYn7yBl"
PAGE = "59833787-2cf9-4fdf-8782-e53db20768a5"
SOURCE = "d9824bdc-8445-4327-be8b-5b47500af6ce"
PROPERTIES = {"Name": {"title": [{"text": {"content": "Order 1042"}}]}}
BLOCKS = [{"type": "paragraph", "paragraph": {"rich_text": []}}]


def signed(body: bytes) -> dict[str, str]:
    return {"X-Notion-Signature": "sha256=" + hmac.digest(SECRET.encode(), body, "sha256").hex()}


def verify(inbound):
    return connector.webhooks.signature.verify(inbound, key=SECRET, now=NOW)


def test_everything_is_described():
    assert_well_described(connector)


@pytest.mark.parametrize(
    ("key", "inputs", "method", "path", "body"),
    [
        (
            "create_database_item",
            {"data_source_id": SOURCE, "properties": PROPERTIES},
            "POST",
            "/v1/pages",
            {"parent": {"type": "data_source_id", "data_source_id": SOURCE}, "properties": PROPERTIES},
        ),
        (
            "create_page",
            {"page_id": PAGE, "title": "Notes"},
            "POST",
            "/v1/pages",
            {
                "parent": {"type": "page_id", "page_id": PAGE},
                "properties": {"title": {"title": [{"text": {"content": "Notes"}}]}},
            },
        ),
        (
            "update_page",
            {"page_id": PAGE, "in_trash": True},
            "PATCH",
            f"/v1/pages/{PAGE}",
            {"in_trash": True},
        ),
        ("get_page", {"page_id": PAGE}, "GET", f"/v1/pages/{PAGE}", None),
        (
            "query_data_source",
            {"data_source_id": SOURCE, "filter": {"property": "Done", "checkbox": {"equals": True}}},
            "POST",
            f"/v1/data_sources/{SOURCE}/query",
            {"page_size": 100, "filter": {"property": "Done", "checkbox": {"equals": True}}},
        ),
        (
            "append_blocks",
            {"block_id": PAGE, "children": BLOCKS},
            "PATCH",
            f"/v1/blocks/{PAGE}/children",
            {"children": BLOCKS},
        ),
        ("get_page_markdown", {"page_id": PAGE}, "GET", f"/v1/pages/{PAGE}/markdown", None),
        (
            "update_page_markdown",
            {"page_id": PAGE, "type": "replace_content", "content": "# Plan"},
            "PATCH",
            f"/v1/pages/{PAGE}/markdown",
            {"type": "replace_content", "replace_content": {"new_str": "# Plan"}},
        ),
        (
            "update_page_markdown",
            {"page_id": PAGE, "type": "update_content", "old_text": "a", "content": "b"},
            "PATCH",
            f"/v1/pages/{PAGE}/markdown",
            {
                "type": "update_content",
                "update_content": {
                    "content_updates": [{"old_str": "a", "new_str": "b", "replace_all_matches": False}]
                },
            },
        ),
        (
            "add_comment",
            {"page_id": PAGE, "text": "Hello"},
            "POST",
            "/v1/comments",
            {"parent": {"page_id": PAGE}, "rich_text": [{"text": {"content": "Hello"}}]},
        ),
        (
            "search",
            {"query": "Orders", "kind": "page"},
            "POST",
            "/v1/search",
            {"query": "Orders", "filter": {"property": "object", "value": "page"}, "page_size": 100},
        ),
        (
            "list_data_sources",
            {},
            "POST",
            "/v1/search",
            {"filter": {"property": "object", "value": "data_source"}, "page_size": 100},
        ),
        ("list_users", {}, "GET", "/v1/users", None),
    ],
)
def test_each_operation_makes_exactly_this_request(key, inputs, method, path, body):
    call = sent(connector, key, inputs)
    assert (call["method"], call["url"].partition("?")[0]) == (method, f"https://api.notion.com{path}")
    assert call.get("json_body") == body
    assert call["headers"]["Notion-Version"] == "2025-09-03"
    assert call["headers"]["Authorization"] == "Bearer access-token-for-tests"


def test_empty_optional_values_are_not_sent():
    assert sent(connector, "update_page", empty_optionals(connector, "update_page"))["json_body"] == {}
    assert sent(connector, "search", empty_optionals(connector, "search"))["json_body"] == {"page_size": 100}


def test_long_text_is_cut_into_the_pieces_notion_takes():
    body = sent(connector, "add_comment", {"page_id": PAGE, "text": "x" * 4500})["json_body"]
    assert [len(piece["text"]["content"]) for piece in body["rich_text"]] == [2000, 2000, 500]


def test_replacing_a_text_needs_the_text():
    with pytest.raises(PermanentError, match="Text to find"):
        sent(connector, "update_page_markdown", {"page_id": PAGE, "type": "update_content", "content": "b"})


@pytest.mark.parametrize(
    ("response", "error"),
    [
        (answer(429, {"code": "rate_limited"}, {"retry-after": "7"}), TemporaryError),
        (answer(529, {"code": "service_overload"}), TemporaryError),
        (answer(409, {"code": "conflict_error"}), TemporaryError),
        (answer(400, {"code": "validation_error", "message": "bad"}), PermanentError),
        (answer(404, {"code": "object_not_found"}), PermanentError),
        (answer(401, {"code": "unauthorized"}), ReconnectError),
    ],
)
def test_failures_say_whether_a_retry_can_help(response, error):
    with pytest.raises(error):
        connector.outcome("get_page", response)


def test_a_page_that_is_not_shared_says_what_to_do():
    with pytest.raises(PermanentError, match="share it with this connection"):
        connector.outcome("get_page", answer(404, {"code": "object_not_found", "message": "Could not find"}))


def test_database_items_are_read_over_three_pages(httpserver):
    def page(name, cursor):
        return {"results": [{"id": name}], "has_more": cursor is not None, "next_cursor": cursor}

    arrived = answer_in_turn(httpserver, [page("a", "one"), page("b", "two"), page("c", None)])
    result = run_at(httpserver, connector, "query_data_source", {"data_source_id": SOURCE})
    assert [item["id"] for item in result.output["items"]] == ["a", "b", "c"]
    assert [json.loads(request.get_data()).get("start_cursor") for request in arrived] == [None, "one", "two"]


def test_databases_are_offered_by_their_title(httpserver):
    titled = {"id": SOURCE, "title": [{"plain_text": "Our "}, {"plain_text": "orders"}]}
    answer_in_turn(httpserver, [{"results": [titled, {"id": "x", "title": []}], "has_more": False}])
    result = run_at(httpserver, connector, "list_data_sources", {})
    assert result.output["data_sources"] == [
        {"id": SOURCE, "name": "Our orders"},
        {"id": "x", "name": "Untitled"},
    ]


def test_the_verification_token_becomes_the_signing_secret():
    reply = connector.webhooks.handshake(delivery({"verification_token": SECRET}))
    assert reply.keep == {"secret": SECRET}
    assert connector.webhooks.handshake(delivery({"type": "page.created"})) is None


@pytest.mark.parametrize("key", ["page_created", "page_updated", "comment_created"])
def test_a_signed_notice_is_accepted_and_a_changed_one_is_not(key):
    trigger = connector.trigger(key)
    body = json.dumps(trigger.sample).encode()
    genuine = delivery(body, signed(body))
    assert verify(genuine) == Verified()
    assert isinstance(verify(replace(genuine, body=body.replace(b"Alder", b"Birch"))), Refused)
    assert isinstance(verify(delivery(body)), Refused)
    assert trigger.wants(connector.webhooks.event_name(genuine, trigger.sample), trigger.sample, {})
    assert not trigger.wants("page.moved", trigger.sample, {})


def test_an_old_or_repeated_notice_is_told_by_its_id():
    """Notion signs no time, so a replay is caught by the delivery id alone, at any age."""
    sample = connector.trigger("page_created").sample
    retried = {**sample, "attempt_number": 2}
    ids = {connector.webhooks.event_id(delivery(one), one) for one in (sample, retried)}
    assert ids == {"367cba44-b6f3-4c92-81e7-6a2e9659efd4"}


def test_polling_asks_from_the_last_minute_on():
    poll = connector.trigger("item_updated_poll").poll
    first = poll.request({"data_source_id": SOURCE}, None)
    assert "filter" not in first.json
    later = poll.request({"data_source_id": SOURCE}, "2026-11-20T10:30:42.000Z")
    assert later.json["filter"]["last_edited_time"] == {"on_or_after": "2026-11-20T10:30:00.000Z"}
    assert poll.id == ("id", "last_edited_time")
