"""Stripe: bracketed forms, idempotency keys, failures, pages, and the signature of its events."""

import hmac
import json

import pytest

from integrations.connectors.stripe import API_VERSION, connector
from integrations.framework import (
    PermanentError,
    ReconnectError,
    Refused,
    Subscription,
    TemporaryError,
    Verified,
)
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

SECRET = "whsec_test_secret"


def header(body: bytes, *, at: float = NOW, secret: str = SECRET, version: str = "v1") -> dict[str, str]:
    stamp = str(int(at))
    digest = hmac.digest(secret.encode(), stamp.encode() + b"." + body, "sha256").hex()
    return {"Stripe-Signature": f"t={stamp},{version}={digest}"}


def verify(inbound):
    return connector.webhooks.signature.verify(inbound, key=SECRET, now=NOW)


def test_everything_is_described():
    assert_well_described(connector)


def test_a_payment_link_is_sent_as_a_form_with_a_key():
    call = sent(
        connector,
        "create_payment_link",
        {"line_items": [{"price": "price_1", "quantity": "2"}], "metadata": {"order": "1042"}},
    )
    assert call["url"] == "https://api.stripe.com/v1/payment_links"
    assert call["form"] == [
        ("line_items[0][price]", "price_1"),
        ("line_items[0][quantity]", "2"),
        ("metadata[order]", "1042"),
    ]
    assert call["headers"] == {
        "Stripe-Version": API_VERSION,
        "Idempotency-Key": KEY,
        "Authorization": "Bearer api_key-for-tests",
    }


def test_reading_carries_no_key():
    call = sent(connector, "find_customer", {"email": "ada@example.com"})
    assert "Idempotency-Key" not in call["headers"]
    assert call["query"] == [("email", "ada@example.com"), ("limit", "100")]


def test_an_id_cannot_leave_its_place_in_the_path():
    call = sent(connector, "get_payment", {"payment_intent": "../refunds?x=1"})
    assert call["url"] == "https://api.stripe.com/v1/payment_intents/..%2Frefunds%3Fx%3D1"


def test_empty_optional_values_are_not_sent():
    assert sent(connector, "create_customer", empty_optionals(connector, "create_customer"))["form"] == []


@pytest.mark.parametrize(
    ("response", "error"),
    [
        (answer(503, {}), TemporaryError),
        (answer(429, {"error": {"type": "invalid_request_error"}}), TemporaryError),
        (answer(409, {"error": {"code": "lock_timeout"}}), TemporaryError),
        (
            answer(402, {"error": {"code": "card_declined", "message": "Your card was declined."}}),
            PermanentError,
        ),
        (answer(400, {"error": {"message": "No such customer"}}), PermanentError),
        (answer(401, {"error": {"message": "Invalid API Key provided: rk_live_****"}}), ReconnectError),
    ],
)
def test_failures_say_whether_a_retry_can_help(response, error):
    with pytest.raises(error):
        connector.outcome("create_customer", response)


def test_customers_are_read_over_three_pages(httpserver):
    pages = [{"data": [{"id": f"cus_{number}"}], "has_more": number < 3} for number in (1, 2, 3)]
    arrived = answer_in_turn(httpserver, pages)
    result = run_at(httpserver, connector, "find_customer", {"email": "ada@example.com"})
    assert [customer["id"] for customer in result.output["customers"]] == ["cus_1", "cus_2", "cus_3"]
    assert [request.args.get("starting_after") for request in arrived] == [None, "cus_1", "cus_2"]


def test_the_most_results_stop_the_reading(httpserver):
    arrived = answer_in_turn(httpserver, [{"data": [{"id": "cus_1"}, {"id": "cus_2"}], "has_more": True}])
    result = run_at(httpserver, connector, "find_customer", {"email": "ada@example.com", "max_results": 1})
    assert [customer["id"] for customer in result.output["customers"]] == ["cus_1"]
    assert result.meta == {"items": 1, "more": True}
    assert len(arrived) == 1


def test_a_signed_event_is_accepted_and_a_changed_one_is_not():
    body = json.dumps(connector.trigger("invoice_paid").sample).encode()
    assert verify(delivery(body, header(body))) == Verified()
    assert isinstance(verify(delivery(body + b" ", header(body))), Refused)
    assert isinstance(verify(delivery(body, header(body, secret="another"))), Refused)


def test_an_older_signature_version_is_not_enough():
    body = b"{}"
    assert isinstance(verify(delivery(body, header(body, version="v0"))), Refused)


def test_a_stale_event_is_refused():
    body = b"{}"
    assert isinstance(verify(delivery(body, header(body, at=NOW - 301))), Refused)
    assert verify(delivery(body, header(body, at=NOW - 299))) == Verified()


def test_a_replayed_event_has_the_same_delivery_id():
    sample = connector.trigger("invoice_paid").sample
    assert connector.webhooks.event_id(delivery(sample), sample) == "evt_1NG8Du2eZvKYlo2CUI79vXWy"


def test_the_webhook_is_made_and_removed_through_the_api():
    webhooks = connector.webhooks
    subscription = Subscription("https://steward.example/hooks/abc", events=("invoice.paid",))
    made = webhooks.subscribe(subscription)
    assert (made.method, made.path) == ("POST", "/v1/webhook_endpoints")
    state = webhooks.read(answer(200, {"id": "we_1", "secret": SECRET}), subscription)
    assert state == {"id": "we_1", "secret": SECRET}
    removed = webhooks.unsubscribe(Subscription("https://steward.example/hooks/abc", state=state))
    assert (removed.method, removed.path, removed.at) == (
        "DELETE",
        "/v1/webhook_endpoints/{id}",
        {"id": "we_1"},
    )
