"""WooCommerce: exact requests, numbered pages, failures, and the signature of deliveries."""

import base64
import hmac
import json

import pytest

from integrations.connectors.woo_commerce import connector
from integrations.framework import PermanentError, Refused, TemporaryError, Verified
from tests.integrations.checks import (
    NOW,
    answer,
    answer_in_turn,
    assert_well_described,
    delivery,
    run_at,
    sent,
)

BASE = "https://shop.example.com/wp-json/wc/v3"


def test_everything_is_described():
    assert_well_described(connector)


def test_a_status_is_put_with_the_keys_and_nothing_empty():
    call = sent(connector, "update_order", {"id": 727, "status": "completed", "customer_note": ""})
    assert (call["method"], call["url"]) == ("PUT", f"{BASE}/orders/727")
    assert call["headers"]["Authorization"].startswith("Basic ")
    assert call["json_body"] == {"status": "completed"}


@pytest.mark.parametrize(("status", "error"), [(503, TemporaryError), (400, PermanentError)])
def test_failures_say_whether_a_retry_can_help(status, error):
    with pytest.raises(error):
        connector.outcome("create_order", answer(status, {"message": "no"}))


@pytest.mark.parametrize("trigger", [entry for entry in connector.triggers if entry.kind == "webhook"])
def test_a_signed_delivery_is_accepted_and_a_changed_one_is_not(trigger):
    body = json.dumps(trigger.sample).encode()
    signature = base64.b64encode(hmac.digest(b"key", body, "sha256")).decode()
    scheme = connector.webhooks.signature
    headers = {"X-WC-Webhook-Signature": signature}
    assert scheme.verify(delivery(body, headers), key="key", now=NOW) == Verified()
    assert isinstance(scheme.verify(delivery(body + b" ", headers), key="key", now=NOW), Refused)


def test_the_greeting_of_a_new_webhook_is_answered():
    assert connector.webhooks.handshake(delivery(b"webhook_id=5")).status == 200
    assert connector.webhooks.handshake(delivery({"id": 1})) is None


@pytest.mark.parametrize(
    ("key", "name", "inputs"),
    [
        ("list_orders", "orders", {}),
        ("find_customer", "customers", {"email": "ada@example.com"}),
        ("list_products", "products", {}),
    ],
)
def test_lists_are_read_over_three_pages(httpserver, key, name, inputs):
    arrived = answer_in_turn(
        httpserver, [[{"id": n}] for n in (1, 2, 3)], headers=[{"X-WP-TotalPages": "3"}] * 3
    )
    result = run_at(httpserver, connector, key, inputs)
    assert [entry["id"] for entry in result.output[name]] == [1, 2, 3]
    assert [request.args.get("page") for request in arrived] == [None, "2", "3"]


def test_a_replayed_delivery_has_the_same_id():
    inbound = delivery({}, {"X-WC-Webhook-Delivery-ID": "d1"})
    assert connector.webhooks.event_id(inbound, {}) == "d1"
