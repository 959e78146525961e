"""monday.com: exact variables, failures inside status 200, cursor pages, the challenge and the signed token."""

import base64
import hmac
import json

import pytest

from integrations.connectors.monday import connector
from integrations.framework import (
    PermanentError,
    ReconnectError,
    Refused,
    Subscription,
    TemporaryError,
    Verified,
)
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

ADDRESS = "https://steward.example/hooks/abc"
SECRET = "signing-secret-for-tests"


def token(*, secret=SECRET, audience=ADDRESS, expires=NOW + 60):
    def part(value: bytes) -> str:
        return base64.urlsafe_b64encode(value).decode().rstrip("=")

    claims = json.dumps({"aud": audience, "exp": expires}).encode()
    text = part(json.dumps({"alg": "HS256"}).encode()) + "." + part(claims)
    return {"Authorization": f"{text}.{part(hmac.digest(secret.encode(), text.encode(), 'sha256'))}"}


def verify(headers):
    return connector.webhooks.signature.verify(delivery({}, headers), key=SECRET, now=NOW, address=ADDRESS)


def test_everything_is_described():
    assert_well_described(connector)


@pytest.mark.parametrize(
    ("key", "inputs", "name", "variables"),
    [
        (
            "create_item",
            {"board": "1", "name": "Order", "column_values": {"status": {"label": "Done"}}},
            "create_item",
            {"board_id": "1", "item_name": "Order", "column_values": '{"status": {"label": "Done"}}'},
        ),
        (
            "update_item",
            {"board": "1", "item": "2", "column_values": {"name": "New"}},
            "change_multiple_column_values",
            {"board_id": "1", "item_id": "2", "column_values": '{"name": "New"}'},
        ),
        ("get_item", {"item": "2"}, "items", {"ids": ["2"]}),
        ("create_update", {"item": "2", "body": "Hi"}, "create_update", {"item_id": "2", "body": "Hi"}),
        ("move_item", {"item": "2", "group": "g"}, "move_item_to_group", {"item_id": "2", "group_id": "g"}),
        (
            "create_subitem",
            {"item": "2", "name": "P"},
            "create_subitem",
            {"parent_item_id": "2", "item_name": "P"},
        ),
        ("create_group", {"board": "1", "name": "G"}, "create_group", {"board_id": "1", "group_name": "G"}),
        ("archive_item", {"item": "2"}, "archive_item", {"item_id": "2"}),
        ("list_boards", {}, "boards", {"limit": 500, "page": 1}),
        ("list_groups", {"board": "1"}, "boards", {"ids": ["1"]}),
    ],
)
def test_each_operation_sends_exactly_these_variables(key, inputs, name, variables):
    call = sent(connector, key, inputs)
    assert (call["method"], call["url"]) == ("POST", "https://api.monday.com/v2")
    assert f" {name}(" in call["json_body"]["query"]
    assert call["json_body"]["variables"] == variables
    assert call["headers"] == {"API-Version": "2026-10", "Authorization": "access-token-for-tests"}


def test_empty_optional_values_are_not_sent():
    body = sent(connector, "create_item", empty_optionals(connector, "create_item"))["json_body"]
    assert body["variables"] == {"board_id": "1234567890", "item_name": "Order 1042"}


@pytest.mark.parametrize("status", [200, 400])
@pytest.mark.parametrize(
    ("code", "error"),
    [
        ("COMPLEXITY_BUDGET_EXHAUSTED", TemporaryError),
        ("DAILY_LIMIT_EXCEEDED", TemporaryError),
        ("INTERNAL_SERVER_ERROR", TemporaryError),
        ("InvalidColumnIdException", PermanentError),
        ("UserUnauthorizedException", PermanentError),
        ("NOT_AUTHENTICATED", ReconnectError),
    ],
)
def test_failures_are_told_apart_by_their_code_whatever_the_status(status, code, error):
    with pytest.raises(error):
        connector.outcome(
            "get_item", answer(status, {"errors": [{"message": "W", "extensions": {"code": code}}]})
        )


def test_an_item_that_is_not_there_is_a_failure():
    with pytest.raises(PermanentError, match="no such item"):
        connector.outcome("get_item", answer(200, {"data": {"items": []}}))


def test_items_are_read_over_three_pages(httpserver):
    pages = [
        {"data": {"boards": [{"items_page": {"cursor": "c1", "items": [{"id": "1"}]}}]}},
        {"data": {"next_items_page": {"cursor": "c2", "items": [{"id": "2"}]}}},
        {"data": {"next_items_page": {"cursor": None, "items": [{"id": "3"}]}}},
    ]
    arrived = answer_in_turn(httpserver, pages)
    result = run_at(httpserver, connector, "list_items", {"board": "1"})
    assert [item["id"] for item in result.output["items"]] == ["1", "2", "3"]
    assert [request.json["variables"].get("cursor") for request in arrived] == [None, "c1", "c2"]


def test_only_a_fresh_token_for_our_address_is_accepted():
    assert verify(token()) == Verified()
    for headers in (token(secret="x"), token(audience="https://x.example/"), token(expires=NOW - 1), {}):
        assert isinstance(verify(headers), Refused)


def test_the_challenge_is_sent_back_and_a_replay_is_known_by_its_id():
    assert json.loads(connector.webhooks.handshake(delivery({"challenge": "abc"})).body) == {
        "challenge": "abc"
    }
    event = connector.trigger("item_created").sample
    assert connector.webhooks.handshake(delivery(event)) is None
    assert connector.webhooks.event_id(delivery(event), event) == "b5ed2e17c530f43668de130142445cba"


def test_the_webhook_watches_one_board_or_one_column_and_is_removed_again():
    events = connector.trigger("column_changed").events
    made = connector.webhooks.subscribe(Subscription(ADDRESS, events, {"board": "1", "column": "status"}))
    assert made.json["variables"] == {
        "board_id": "1",
        "url": ADDRESS,
        "event": "change_specific_column_value",
        "config": '{"columnId": "status"}',
    }
    plain = connector.webhooks.subscribe(Subscription(ADDRESS, events, {"board": "1"}))
    assert plain.json["variables"]["event"] == "change_column_value"
    assert connector.webhooks.unsubscribe(Subscription("", state={"id": "7"})).json["variables"] == {
        "id": "7"
    }
