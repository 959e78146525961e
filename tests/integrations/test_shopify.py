"""Shopify: exact GraphQL calls, failures inside 200s, cursor pages, stock keys, and the signature of deliveries."""

import base64
import hmac
import json

import pytest

from integrations.connectors.shopify import connector
from integrations.connectors.shopify.calls import PATH, wait
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

SECRET = "shopify-client-secret"
URL = f"https://garden-chairs.myshopify.com{PATH}"
ORDER = "gid://shopify/Order/1"


def headers(body: bytes, topic: str = "orders/create") -> dict[str, str]:
    digest = hmac.digest(SECRET.encode(), body, "sha256")
    return {
        "X-Shopify-Hmac-SHA256": base64.b64encode(digest).decode(),
        "X-Shopify-Topic": topic,
        "X-Shopify-Webhook-Id": "b54557e4",
    }


def verify(inbound):
    return connector.webhooks.signature.verify(inbound, key=SECRET, now=NOW)


def variables(key: str, inputs: dict) -> dict:
    return sent(connector, key, inputs)["json_body"]["variables"]


def test_everything_is_described():
    assert_well_described(connector)


def test_an_order_is_asked_for_at_the_shops_own_address():
    call = sent(connector, "get_order", {"id": ORDER})
    assert (call["method"], call["url"]) == ("POST", URL)
    assert call["headers"] == {"X-Shopify-Access-Token": "access-token-for-tests"}
    assert call["json_body"]["variables"] == {"id": ORDER}


@pytest.mark.parametrize(
    ("key", "inputs", "expected"),
    [
        ("find_order", {"query": "name:#1001"}, {"query": "name:#1001", "first": 50}),
        (
            "update_order",
            {"id": ORDER, "note": "Gift", "custom_attributes": {"gift": "yes"}},
            {
                "input": {
                    "id": ORDER,
                    "note": "Gift",
                    "customAttributes": [{"key": "gift", "value": "yes"}],
                }
            },
        ),
        ("add_tags", {"id": ORDER, "tags": [{"value": "vip"}]}, {"id": ORDER, "tags": ["vip"]}),
        ("remove_tags", {"id": ORDER, "tags": [{"value": "vip"}]}, {"id": ORDER, "tags": ["vip"]}),
        ("find_customer", {"by": "phoneNumber", "value": "+4416"}, {"identifier": {"phoneNumber": "+4416"}}),
        (
            "create_customer",
            {"email": "a@example.com", "first_name": "Ada"},
            {"input": {"email": "a@example.com", "firstName": "Ada"}},
        ),
        (
            "upsert_customer",
            {"email": "a@example.com", "last_name": "King"},
            {
                "identifier": {"email": "a@example.com"},
                "input": {"email": "a@example.com", "lastName": "King"},
            },
        ),
        ("find_product", {"query": "sku:A"}, {"query": "sku:A", "first": 20}),
        (
            "create_draft_order",
            {"items": [{"variant": "v1", "quantity": "2"}]},
            {"input": {"lineItems": [{"variantId": "v1", "quantity": 2}]}},
        ),
        (
            "send_draft_invoice",
            {"id": "d1", "to": "a@example.com"},
            {"id": "d1", "email": {"to": "a@example.com"}},
        ),
        ("list_locations", {}, {"first": 50}),
    ],
)
def test_each_operation_sends_its_variables(key, inputs, expected):
    assert variables(key, inputs) == expected


def test_empty_optional_values_are_not_sent():
    for key in ("update_order", "send_draft_invoice"):
        sent_variables = variables(key, empty_optionals(connector, key))
        assert set(sent_variables.get("input", sent_variables)) == {"id"}


def test_a_change_of_stock_carries_a_key_and_says_that_the_present_number_does_not_matter():
    inputs = {
        "inventory_item": "i",
        "location": "l",
        "delta": "-1",
        "name": "available",
        "reason": "correction",
    }
    first, second = (variables("adjust_inventory", inputs) for _ in range(2))
    assert first["idempotencyKey"] == second["idempotencyKey"]
    assert first["input"]["changes"] == [
        {"delta": -1, "inventoryItemId": "i", "locationId": "l", "changeFromQuantity": None}
    ]


@pytest.mark.parametrize(
    ("response", "error"),
    [
        (answer(200, {"errors": [{"message": "x", "extensions": {"code": "THROTTLED"}}]}), TemporaryError),
        (
            answer(200, {"errors": [{"message": "x", "extensions": {"code": "ACCESS_DENIED"}}]}),
            PermanentError,
        ),
        (answer(200, {"data": {"a": {"userErrors": [{"field": ["x"], "message": "y"}]}}}), PermanentError),
        (answer(503, {}), TemporaryError),
        (answer(402, {}), PermanentError),
        (answer(401, {"errors": "Invalid API key"}), ReconnectError),
        (answer(404, {"errors": "Not Found"}), ReconnectError),
    ],
)
def test_failures_say_whether_a_retry_can_help(response, error):
    with pytest.raises(error):
        connector.outcome("update_order", response)


def test_a_throttled_call_waits_until_the_bucket_holds_enough():
    cost = {
        "requestedQueryCost": 300,
        "throttleStatus": {"currentlyAvailable": 100, "restoreRate": 100},
    }
    assert wait(answer(200, {"extensions": {"cost": cost}})) == 2
    assert wait(answer(200, {})) is None


@pytest.mark.parametrize(
    ("key", "name", "inputs"),
    [
        ("find_order", "orders", {"query": "x"}),
        ("find_product", "products", {}),
        ("list_locations", "locations", {}),
    ],
)
def test_lists_are_read_over_three_pages(httpserver, key, name, inputs):
    pages = [
        {"data": {name: {"nodes": [{"id": n}], "pageInfo": {"hasNextPage": n < 3, "endCursor": f"c{n}"}}}}
        for n in (1, 2, 3)
    ]
    arrived = answer_in_turn(httpserver, pages)
    result = run_at(httpserver, connector, key, inputs)
    assert [entry["id"] for entry in result.output[name]] == [1, 2, 3]
    assert [request.json["variables"].get("after") for request in arrived] == [None, "c1", "c2"]


@pytest.mark.parametrize("trigger", [entry for entry in connector.triggers if entry.kind == "webhook"])
def test_a_signed_delivery_is_accepted_and_a_changed_one_is_not(trigger):
    body = json.dumps(trigger.sample).encode()
    inbound = delivery(body, headers(body, trigger.event))
    assert verify(inbound) == Verified()
    assert isinstance(verify(delivery(body + b" ", headers(body))), Refused)
    assert isinstance(verify(delivery(body)), Refused)
    assert trigger.wants(connector.webhooks.event_name(inbound, trigger.sample), trigger.sample, {})


def test_a_replayed_or_late_delivery_is_known_by_its_id_as_no_time_is_signed():
    body = b"{}"
    first, second = delivery(body, headers(body)), delivery(body, headers(body))
    assert connector.webhooks.event_id(first, {}) == connector.webhooks.event_id(second, {}) == "b54557e4"


def test_the_webhook_is_made_and_removed_through_the_api():
    webhooks = connector.webhooks
    made = webhooks.subscribe(Subscription("https://steward.example/hooks/abc", events=("orders/create",)))
    assert made.json["variables"] == {
        "topic": "ORDERS_CREATE",
        "webhookSubscription": {"uri": "https://steward.example/hooks/abc", "format": "JSON"},
    }
    read = webhooks.read(
        answer(200, {"data": {"webhookSubscriptionCreate": {"webhookSubscription": {"id": "w1"}}}}),
        Subscription("https://steward.example/hooks/abc"),
    )
    assert read == {"id": "w1"}
    assert webhooks.unsubscribe(Subscription("", state=read)).json["variables"] == {"id": "w1"}


def test_polling_asks_from_the_newest_change_on():
    poll = connector.trigger("orders_poll").poll
    assert poll.request({}, None).json["variables"] == {"first": 50}
    assert poll.request({}, "2026-11-20T09:30:00Z").json["variables"]["query"] == (
        "updated_at:>='2026-11-20T09:30:00Z'"
    )
