"""Square: exact requests, keys in the body, failures, pages, and deliveries signed over address and body."""

import base64
import hmac
import json

import pytest

from integrations.connectors.square import API_VERSION, connector
from integrations.framework import PermanentError, ReconnectError, Refused, TemporaryError, Verified
from tests.integrations.checks import (
    KEY,
    NOW,
    answer,
    answer_in_turn,
    assert_well_described,
    delivery,
    empty_optionals,
    run_at,
    sent,
)

API = "https://connect.squareup.com"
ADDRESS = "https://steward.example/integrations/inbound/square/"
SECRET = "signature-key-of-the-subscription"
EUROS = {"amount": 4900, "currency": "EUR"}
NEWEST_FIRST = {"sort_field": "CREATED_AT", "sort_order": "DESC"}


def signed(body: bytes, *, address: str = ADDRESS, secret: str = SECRET) -> dict[str, str]:
    digest = hmac.digest(secret.encode(), address.encode() + body, "sha256")
    return {"x-square-hmacsha256-signature": base64.b64encode(digest).decode()}


def verify(inbound):
    return connector.webhooks.signature.verify(inbound, key=SECRET, now=NOW, address=ADDRESS)


def test_everything_is_described():
    assert_well_described(connector)


@pytest.mark.parametrize(
    ("key", "inputs", "method", "path", "body"),
    [
        (
            "create_customer",
            {"email_address": "ada@example.com", "address": {"locality": "London", "country": "GB"}},
            "POST",
            "/v2/customers",
            {
                "email_address": "ada@example.com",
                "address": {"locality": "London", "country": "GB"},
                "idempotency_key": KEY,
            },
        ),
        (
            "update_customer",
            {"customer_id": "C1", "note": "VIP", "version": "2"},
            "PUT",
            "/v2/customers/C1",
            {"note": "VIP", "version": 2},
        ),
        (
            "search_customers",
            {"email_address": "ada@example.com", "similar": "yes"},
            "POST",
            "/v2/customers/search",
            {"limit": 100, "query": {"filter": {"email_address": {"fuzzy": "ada@example.com"}}}},
        ),
        (
            "search_orders",
            {"location_ids": "L1", "states": ["OPEN"], "changed_from": "2026-11-01T00:00:00+00:00"},
            "POST",
            "/v2/orders/search",
            {
                "location_ids": ["L1"],
                "limit": 500,
                "query": {
                    "filter": {
                        "date_time_filter": {"updated_at": {"start_at": "2026-11-01T00:00:00+00:00"}},
                        "state_filter": {"states": ["OPEN"]},
                    },
                    "sort": {"sort_field": "UPDATED_AT", "sort_order": "DESC"},
                },
            },
        ),
        (
            "create_order",
            {
                "location_id": "L1",
                "line_items": [
                    {"name": "Chair", "quantity": 2, "amount": "4900", "currency": "EUR"},
                    {"catalog_object_id": "W62", "quantity": "1"},
                ],
                "reference_id": "1042",
            },
            "POST",
            "/v2/orders",
            {
                "order": {
                    "location_id": "L1",
                    "line_items": [
                        {"name": "Chair", "quantity": "2", "base_price_money": EUROS},
                        {"catalog_object_id": "W62", "quantity": "1"},
                    ],
                    "reference_id": "1042",
                },
                "idempotency_key": KEY,
            },
        ),
        (
            "refund_payment",
            {"payment_id": "P1", **EUROS, "reason": "Returned"},
            "POST",
            "/v2/refunds",
            {"payment_id": "P1", "amount_money": EUROS, "reason": "Returned", "idempotency_key": KEY},
        ),
        (
            "create_invoice",
            {"location_id": "L1", "order_id": "O1", "customer_id": "C1", "due_date": "2026-12-06"},
            "POST",
            "/v2/invoices",
            {
                "invoice": {
                    "location_id": "L1",
                    "order_id": "O1",
                    "primary_recipient": {"customer_id": "C1"},
                    "payment_requests": [{"request_type": "BALANCE", "due_date": "2026-12-06"}],
                    "accepted_payment_methods": {"card": True},
                    "delivery_method": "EMAIL",
                },
                "idempotency_key": KEY,
            },
        ),
        (
            "publish_invoice",
            {"invoice_id": "inv:1", "version": 0},
            "POST",
            "/v2/invoices/inv%3A1/publish",
            {"version": 0, "idempotency_key": KEY},
        ),
        (
            "create_payment_link",
            {"location_id": "L1", "name": "Chair", **EUROS, "buyer_email": "ada@example.com"},
            "POST",
            "/v2/online-checkout/payment-links",
            {
                "quick_pay": {"name": "Chair", "price_money": EUROS, "location_id": "L1"},
                "pre_populated_data": {"buyer_email": "ada@example.com"},
                "idempotency_key": KEY,
            },
        ),
        (
            "create_payment_link",
            {
                "location_id": "L1",
                "name": "Table",
                "amount": 9900,
                "currency": "EUR",
                "line_items": [{"name": "Chair", "quantity": "1", **EUROS}],
            },
            "POST",
            "/v2/online-checkout/payment-links",
            {
                "order": {
                    "location_id": "L1",
                    "line_items": [
                        {
                            "name": "Table",
                            "quantity": "1",
                            "base_price_money": {"amount": 9900, "currency": "EUR"},
                        },
                        {"name": "Chair", "quantity": "1", "base_price_money": EUROS},
                    ],
                },
                "idempotency_key": KEY,
            },
        ),
    ],
)
def test_each_operation_sends_exactly_this(key, inputs, method, path, body):
    call = sent(connector, key, inputs)
    assert (call["method"], call["url"], call["json_body"]) == (method, API + path, body)
    assert call["headers"] == {
        "Square-Version": API_VERSION,
        "Authorization": "Bearer access-token-for-tests",
    }


@pytest.mark.parametrize(
    ("key", "inputs", "path", "query"),
    [
        ("get_order", {"order_id": "O1"}, "/v2/orders/O1", []),
        (
            "list_payments",
            {"begin_time": "2026-11-01T00:00:00+00:00", "location_id": "L1"},
            "/v2/payments",
            [("begin_time", "2026-11-01T00:00:00+00:00"), ("location_id", "L1"), ("limit", "100")],
        ),
        ("list_locations", {}, "/v2/locations", []),
    ],
)
def test_each_reading_operation_asks_exactly_this(key, inputs, path, query):
    call = sent(connector, key, inputs)
    assert (call["method"], call["url"], call["query"]) == ("GET", API + path, query)


def test_empty_optional_values_are_not_sent():
    order = sent(connector, "create_order", empty_optionals(connector, "create_order"))["json_body"]
    assert order == {"order": {"location_id": "L88917AVBK2S5"}, "idempotency_key": KEY}
    found = sent(connector, "search_customers", empty_optionals(connector, "search_customers"))["json_body"]
    assert found == {"limit": 100}
    orders = sent(connector, "search_orders", empty_optionals(connector, "search_orders"))["json_body"]
    assert orders["query"] == {"sort": NEWEST_FIRST}


@pytest.mark.parametrize(
    ("key", "inputs"),
    [
        ("create_order", {"location_id": "L1", "line_items": [{"quantity": "1"}]}),
        ("create_order", {"location_id": "L1", "line_items": [{"name": "a", "quantity": "1", "amount": 5}]}),
    ],
)
def test_what_square_would_refuse_is_said_before(key, inputs):
    with pytest.raises(PermanentError):
        sent(connector, key, inputs)


@pytest.mark.parametrize(
    ("status", "category", "code", "error"),
    [
        (429, "RATE_LIMIT_ERROR", "RATE_LIMITED", TemporaryError),
        (503, "API_ERROR", "SERVICE_UNAVAILABLE", TemporaryError),
        (400, "INVALID_REQUEST_ERROR", "IDEMPOTENCY_KEY_REUSED", PermanentError),
        (403, "AUTHENTICATION_ERROR", "INSUFFICIENT_SCOPES", PermanentError),
        (409, "INVALID_REQUEST_ERROR", "VERSION_MISMATCH", PermanentError),
        (400, "REFUND_ERROR", "REFUND_AMOUNT_INVALID", PermanentError),
        (200, "INVALID_REQUEST_ERROR", "NOT_FOUND", PermanentError),
        (401, "AUTHENTICATION_ERROR", "ACCESS_TOKEN_REVOKED", ReconnectError),
    ],
)
def test_failures_say_whether_a_retry_can_help(status, category, code, error):
    body = {"errors": [{"category": category, "code": code, "detail": "The reason."}]}
    with pytest.raises(error):
        connector.outcome("refund_payment", answer(status, body))


def test_an_answer_that_holds_data_beside_errors_is_a_success():
    body = {"errors": [{"code": "NOT_FOUND"}], "order": {"id": "O1"}}
    assert connector.outcome("get_order", answer(200, body))["id"] == "O1"


def test_customers_are_read_over_three_pages(httpserver):
    pages = [{"customers": [{"id": str(number)}], "cursor": f"c{number}"} for number in (1, 2)]
    arrived = answer_in_turn(httpserver, [*pages, {"customers": [{"id": "3"}]}])
    result = run_at(httpserver, connector, "search_customers", {})
    assert [customer["id"] for customer in result.output["customers"]] == ["1", "2", "3"]
    assert [request.get_json().get("cursor") for request in arrived] == [None, "c1", "c2"]


def test_payments_are_read_over_three_pages(httpserver):
    pages = [{"payments": [{"id": str(number)}], "cursor": f"c{number}"} for number in (1, 2)]
    arrived = answer_in_turn(httpserver, [*pages, {"payments": [{"id": "3"}]}])
    assert len(run_at(httpserver, connector, "list_payments", {}).output["payments"]) == 3
    assert [request.args.get("cursor") for request in arrived] == [None, "c1", "c2"]


def test_polling_asks_for_what_changed_since():
    poll = connector.trigger("payments_poll").poll
    query = poll.request({"location_id": "L1"}, "2026-11-22T09:30:00Z").query
    assert query["updated_at_begin_time"] == "2026-11-22T09:30:00Z"
    assert (query["location_id"], query["sort_field"]) == ("L1", "UPDATED_AT")
    assert poll.request({}, None).query["updated_at_begin_time"] is None


def test_a_signed_delivery_is_accepted_and_a_changed_one_is_not():
    body = json.dumps(connector.trigger("payment_created").sample).encode()
    assert verify(delivery(body, signed(body), url=ADDRESS)) == Verified()
    assert isinstance(verify(delivery(body + b" ", signed(body), url=ADDRESS)), Refused)
    assert isinstance(verify(delivery(body, signed(body, secret="another"), url=ADDRESS)), Refused)
    assert isinstance(verify(delivery(body, signed(body, address="https://else/"), url=ADDRESS)), Refused)
    assert isinstance(verify(delivery(body, {}, url=ADDRESS)), Refused)


def test_a_replay_has_the_same_id_and_the_seller_is_told_by_it():
    # Square signs no time: a delivery sent again, at once or after hours, is told by its event id alone.
    webhooks = connector.webhooks
    inbound = delivery(connector.trigger("payment_created").sample)
    (event,) = webhooks.split(inbound)
    assert webhooks.event_id(inbound, event) == "13b867cf-db3d-4b1c-90b6-2f32a9d78124"
    assert webhooks.event_name(inbound, event) == "payment.created"
    assert event[webhooks.account] == "6SSW7HV8K2ST5"


def test_only_the_wanted_location_and_status_start_a_workflow():
    trigger = connector.trigger("payment_updated")
    event = trigger.sample
    assert trigger.wants("payment.updated", event, {"status": "COMPLETED", "location_id": "L88917AVBK2S5"})
    assert not trigger.wants("payment.updated", event, {"status": "FAILED"})
    assert not trigger.wants("payment.updated", event, {"location_id": "L2"})
    order = connector.trigger("order_created")
    assert order.wants("order.created", order.sample, {})
    assert not order.wants("order.created", order.sample, {"location_id": "L2"})


def test_a_new_order_is_fetched_because_its_event_brings_only_a_number():
    trigger = connector.trigger("order_created")
    request = trigger.follow_up.request(trigger.sample, {})
    assert (request.path, request.at) == (
        "/v2/orders/{order_id}",
        {"order_id": "CAISENgvlJ6jLWAzERDzjyHVybY"},
    )
    output = trigger.output({**trigger.sample, "order": {"total_money": EUROS, "customer_id": "C1"}})
    assert (output["amount"], output["customer_id"], output["state"]) == (4900, "C1", "OPEN")
