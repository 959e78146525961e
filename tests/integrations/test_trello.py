"""Trello: exact requests, failures in plain text, pages, and the signature over body and address."""

import base64
import hmac
import json

import pytest

from integrations.connectors.trello import connector
from integrations.framework import (
    PermanentError,
    ReconnectError,
    Refused,
    Response,
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

API = "https://api.trello.com/1"
ADDRESS = "https://steward.example/hooks/abc"
SECRET = "secret-for-tests"


def signed(body: bytes, *, secret: str = SECRET, address: str = ADDRESS) -> dict[str, str]:
    digest = hmac.digest(secret.encode(), body + address.encode(), "sha1")
    return {"X-Trello-Webhook": base64.b64encode(digest).decode()}


def verify(inbound, address=ADDRESS):
    return connector.webhooks.signature.verify(inbound, key=SECRET, now=NOW, address=address)


def plain(status: int, text: str) -> Response:
    return Response(status, None, {}, text.encode())


def test_everything_is_described():
    assert_well_described(connector)


@pytest.mark.parametrize(
    ("key", "inputs", "method", "path", "query", "body"),
    [
        (
            "create_card",
            {
                "board": "B",
                "list": "L",
                "name": "Order",
                "description": "Two",
                "labels": ["l1", "l2"],
                "due": "2026-11-30T12:00:00+00:00",
            },
            "POST",
            "cards",
            {
                "idList": "L",
                "name": "Order",
                "due": "2026-11-30T12:00:00+00:00",
                "idLabels": "l1,l2",
            },
            {"desc": "Two"},
        ),
        (
            "update_card",
            {"card": "C", "archived": False, "list": "L2", "due_complete": True},
            "PUT",
            "cards/C",
            {"idList": "L2", "closed": "false", "dueComplete": "true"},
            None,
        ),
        (
            "get_card",
            {"card": "C", "checklists": "all", "custom_fields": True},
            "GET",
            "cards/C",
            {"checklists": "all", "customFieldItems": "true"},
            None,
        ),
        ("add_comment", {"card": "C", "text": "Hi"}, "POST", "cards/C/actions/comments", {}, {"text": "Hi"}),
        (
            "add_checklist",
            {"card": "C", "name": "Packing", "position": "top"},
            "POST",
            "cards/C/checklists",
            {"name": "Packing", "pos": "top"},
            {},
        ),
        (
            "add_checklist_item",
            {"checklist": "K", "name": "Label", "checked": "yes"},
            "POST",
            "checklists/K/checkItems",
            {"name": "Label", "checked": "true"},
            {},
        ),
        (
            "add_attachment",
            {"card": "C", "url": "https://example.com/a", "cover": False},
            "POST",
            "cards/C/attachments",
            {"url": "https://example.com/a", "setCover": "false"},
            {},
        ),
        (
            "add_label",
            {"card": "C", "board": "B", "label": "l1"},
            "POST",
            "cards/C/idLabels",
            {"value": "l1"},
            {},
        ),
        ("add_member", {"card": "C", "member": "m1"}, "POST", "cards/C/idMembers", {"value": "m1"}, {}),
        ("create_list", {"name": "New", "board": "B"}, "POST", "lists", {"name": "New", "idBoard": "B"}, {}),
        (
            "create_board",
            {"name": "Orders", "default_lists": False},
            "POST",
            "boards/",
            {"name": "Orders", "defaultLists": "false"},
            {},
        ),
        (
            "search",
            {"query": "order", "boards": ["b1", "b2"]},
            "GET",
            "search",
            {"query": "order", "idBoards": "b1,b2", "modelTypes": "cards", "cards_limit": "100"},
            None,
        ),
        ("list_boards", {}, "GET", "members/me/boards", {"filter": "open", "fields": "name"}, None),
        ("list_lists", {"board": "B"}, "GET", "boards/B/lists", {"filter": "open"}, None),
        ("list_members", {"board": "B"}, "GET", "boards/B/members", {}, None),
        ("list_labels", {"board": "B"}, "GET", "boards/B/labels", {"limit": "1000"}, None),
        ("list_cards", {"list": "L"}, "GET", "lists/L/cards", {}, None),
    ],
)
def test_each_operation_makes_exactly_this_request(key, inputs, method, path, query, body):
    call = sent(connector, key, inputs)
    assert (call["method"], call["url"]) == (method, f"{API}/{path}")
    assert dict(call["query"]) == query
    assert call["json_body"] == body
    assert call["headers"] == {"Authorization": "Bearer access-token-for-tests"}


def test_key_and_token_travel_in_one_header_and_never_in_the_address():
    credentials = {"auth": "api_key", "api_key": "K", "token": "T"}
    call = sent(connector, "get_card", {"card": "C"}, credentials=credentials)
    assert call["headers"] == {"Authorization": 'OAuth oauth_consumer_key="K", oauth_token="T"'}
    assert call["query"] == []


def test_empty_optional_values_are_not_sent():
    call = sent(connector, "update_card", empty_optionals(connector, "update_card"))
    assert (call["query"], call["json_body"]) == ([], None)


@pytest.mark.parametrize(
    ("response", "error"),
    [
        (plain(429, "API_TOKEN_LIMIT_EXCEEDED"), TemporaryError),
        (plain(429, "API_TOO_MANY_CARDS_REQUESTED"), PermanentError),
        (answer(503, None), TemporaryError),
        (plain(400, "invalid id"), PermanentError),
        (plain(404, "The requested resource was not found."), PermanentError),
        (plain(401, "unauthorized card permission requested"), PermanentError),
        (plain(401, "invalid token"), ReconnectError),
        (plain(400, "invalid key"), ReconnectError),
    ],
)
def test_failures_say_whether_a_retry_can_help(response, error):
    with pytest.raises(error):
        connector.outcome("get_card", response)


def test_the_plain_text_reason_reaches_the_person():
    with pytest.raises(PermanentError, match="invalid value for idList"):
        connector.outcome("create_card", plain(400, "invalid value for idList"))


def test_an_attachment_is_read_from_an_object_or_a_list():
    found = {"id": "a", "name": "Order", "url": "https://example.com/a"}
    assert connector.outcome("add_attachment", answer(200, found)) == found
    assert connector.outcome("add_attachment", answer(200, [found])) == found


def test_labels_without_a_name_are_shown_by_colour():
    labels = [{"id": "1", "name": "", "color": "red"}, {"id": "2", "name": "Late", "color": "blue"}]
    assert connector.outcome("list_labels", answer(200, labels)) == {
        "items": [{"id": "1", "name": "red"}, {"id": "2", "name": "Late"}]
    }


def test_search_reads_three_pages(httpserver):
    pages = [{"cards": [{"id": f"{page}-{n}"} for n in range(100 if page < 2 else 1)]} for page in range(3)]
    arrived = answer_in_turn(httpserver, pages)
    result = run_at(httpserver, connector, "search", {"query": "order", "max_results": 500})
    assert len(result.output["cards"]) == 201
    assert [request.args.get("cards_page") for request in arrived] == [None, "1", "2"]


def test_a_signed_action_is_accepted_and_a_changed_one_is_not():
    body = json.dumps(connector.trigger("card_created").sample).encode()
    assert verify(delivery(body, signed(body))) == Verified()
    assert isinstance(verify(delivery(body + b" ", signed(body))), Refused)
    assert isinstance(verify(delivery(body, signed(body, secret="another"))), Refused)
    assert isinstance(verify(delivery(body, {})), Refused)


def test_an_action_sent_to_another_address_is_refused():
    body = b"{}"
    assert isinstance(verify(delivery(body, signed(body, address="https://steward.example/other"))), Refused)


def test_a_replayed_action_has_the_same_delivery_id():
    # Trello signs no time, so age cannot be told: the action's id is what finds a delivery sent again.
    sample = connector.trigger("card_created").sample
    inbound = delivery(sample)
    assert connector.webhooks.event_id(inbound, sample) == "692191d9e0f1a2b3c4d5e6f7"
    assert connector.webhooks.event_name(inbound, sample) == "createCard"


def test_trello_is_answered_when_it_looks_whether_we_are_there():
    assert connector.webhooks.handshake(delivery(b"", method="HEAD")).status == 200
    assert connector.webhooks.handshake(delivery(b"{}")) is None


def test_the_webhook_watches_the_chosen_board_and_is_removed_again():
    wanted = Subscription(ADDRESS, config={"board": "B"})
    made = connector.webhooks.subscribe(wanted)
    assert (made.method, made.path) == ("POST", "/webhooks/")
    assert made.query == {"callbackURL": ADDRESS, "idModel": "B", "description": "Steward"}
    state = connector.webhooks.read(answer(200, {"id": "W"}), wanted)
    removed = connector.webhooks.unsubscribe(Subscription(ADDRESS, state=state))
    assert (removed.method, removed.path, removed.at) == ("DELETE", "/webhooks/{id}", {"id": "W"})


def test_a_move_is_no_change_and_a_change_is_no_move():
    moved, changed = connector.trigger("card_moved"), connector.trigger("card_updated")
    assert moved.wants("updateCard", moved.sample, {})
    assert not moved.wants("updateCard", changed.sample, {})
    assert changed.wants("updateCard", changed.sample, {})
    assert not changed.wants("updateCard", moved.sample, {})


@pytest.mark.parametrize(
    ("key", "config", "wanted"),
    [
        ("card_created", {"list": "5abbe4b7ddc1b351ef961415"}, True),
        ("card_created", {"list": "another"}, False),
        ("card_moved", {"list": "5abbe4b7ddc1b351ef961415"}, True),
        ("card_moved", {"list": "5abbe4b7ddc1b351ef961421"}, False),
        ("card_updated", {"change": "due"}, True),
        ("card_updated", {"change": "name"}, False),
        ("comment_added", {"card": "H0TZyzbK"}, True),
        ("comment_added", {"card": "another"}, False),
    ],
)
def test_only_what_was_chosen_starts_a_workflow(key, config, wanted):
    trigger = connector.trigger(key)
    assert trigger.wants(trigger.sample["action"]["type"], trigger.sample, config) is wanted


def test_polling_asks_from_the_newest_action_seen():
    poll = connector.trigger("board_actions_poll").poll
    query = poll.request({"board": "B"}, "2026-11-22T10:35:05.000Z").query
    assert query["since"] == "2026-11-22T10:35:05.000Z"
    assert query["filter"] == "createCard,updateCard:idList,commentCard"
