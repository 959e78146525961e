"""Resend: exact requests, idempotency keys, failures, pages, and Svix signatures."""

import base64
import hmac
import json

import pytest

from integrations.connectors.resend import connector
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

API = "https://api.resend.com"
SECRET = "whsec_" + base64.b64encode(b"twenty-four secret bytes").decode()
PLAIN = {"User-Agent": "Steward", "Authorization": "Bearer api_key-for-tests"}


def signed(body: bytes, *, at: float = NOW, secret: bytes = b"twenty-four secret bytes") -> dict[str, str]:
    stamp = str(int(at))
    digest = hmac.digest(secret, b"msg_1." + stamp.encode() + b"." + body, "sha256")
    return {
        "svix-id": "msg_1",
        "svix-timestamp": stamp,
        "svix-signature": "v1," + base64.b64encode(digest).decode(),
    }


def verify(inbound):
    return connector.webhooks.signature.verify(inbound, key=SECRET, now=NOW)


def test_everything_is_described():
    assert_well_described(connector)


MAIL = {"sender": "o@example.com", "to": "ada@example.com", "subject": "Hi"}


@pytest.mark.parametrize(
    ("key", "inputs", "method", "url", "body"),
    [
        (
            "send_email",
            {
                **MAIL,
                "template_id": "t1",
                "template_variables": {"NAME": "Ada"},
                "tags": {"order": 7},
                "attachments": [{"name": "a.csv", "content": "YSxi"}],
            },
            "POST",
            f"{API}/emails",
            {
                "from": "o@example.com",
                "to": ["ada@example.com"],
                "subject": "Hi",
                "template": {"id": "t1", "variables": {"NAME": "Ada"}},
                "tags": [{"name": "order", "value": "7"}],
                "attachments": [{"filename": "a.csv", "content": "YSxi"}],
            },
        ),
        (
            "send_batch",
            {"emails": [{**MAIL, "text": "-"}]},
            "POST",
            f"{API}/emails/batch",
            [{"from": "o@example.com", "to": ["ada@example.com"], "subject": "Hi", "text": "-"}],
        ),
        ("cancel_email", {"email_id": "e1"}, "POST", f"{API}/emails/e1/cancel", {}),
        (
            "create_contact",
            {"email": "ada@example.com", "segments": ["s1"]},
            "POST",
            f"{API}/contacts",
            {"email": "ada@example.com", "segments": ["s1"]},
        ),
        (
            "update_contact",
            {"id": "ada@example.com", "unsubscribed": "true"},
            "PATCH",
            f"{API}/contacts/ada%40example.com",
            {"unsubscribed": True},
        ),
        (
            "add_contact_to_segment",
            {"contact_id": "c1", "segment_id": "s1"},
            "POST",
            f"{API}/contacts/c1/segments/s1",
            {},
        ),
        (
            "create_broadcast",
            {"segment_id": "s1", "sender": "o@example.com", "subject": "News"},
            "POST",
            f"{API}/broadcasts",
            {"from": "o@example.com", "segment_id": "s1", "subject": "News"},
        ),
        ("send_broadcast", {"id": "b1"}, "POST", f"{API}/broadcasts/b1/send", {}),
        (
            "create_webhook",
            {"endpoint": "https://example.com/", "events": ["email.sent"]},
            "POST",
            f"{API}/webhooks",
            {"endpoint": "https://example.com/", "events": ["email.sent"]},
        ),
    ],
)
def test_each_operation_sends_exactly_this(key, inputs, method, url, body):
    call = sent(connector, key, inputs)
    assert (call["method"], call["url"], call["json_body"]) == (method, url, body)
    with_key = connector.action(key).effect == "key_safe"
    assert call["headers"] == ({**PLAIN, "Idempotency-Key": KEY} if with_key else PLAIN)


@pytest.mark.parametrize(
    ("key", "inputs", "url", "query"),
    [
        ("get_email", {"email_id": "e1"}, f"{API}/emails/e1", []),
        ("list_emails", {}, f"{API}/emails", [("limit", "100")]),
        ("get_received_email", {"email_id": "e1"}, f"{API}/emails/receiving/e1", []),
        ("list_contacts", {"segment_id": "s1"}, f"{API}/contacts", [("segment_id", "s1"), ("limit", "100")]),
        ("list_domains", {}, f"{API}/domains", [("limit", "100")]),
        ("list_segments", {}, f"{API}/segments", [("limit", "100")]),
        ("list_templates", {}, f"{API}/templates", [("limit", "100")]),
    ],
)
def test_each_reading_operation_asks_exactly_this(key, inputs, url, query):
    call = sent(connector, key, inputs)
    assert (call["method"], call["url"], call["query"], call["headers"]) == ("GET", url, query, PLAIN)


def test_empty_optional_values_are_not_sent():
    assert sent(connector, "send_email", empty_optionals(connector, "send_email"))["json_body"] == {
        "from": "Alder Chairs <orders@example.com>",
        "to": ["ada@example.com"],
        "subject": "Your order 1042",
    }


@pytest.mark.parametrize(
    ("response", "error"),
    [
        (
            answer(
                429, {"name": "rate_limit_exceeded", "message": "Too many requests"}, {"retry-after": "1"}
            ),
            TemporaryError,
        ),
        (answer(500, {"name": "application_error"}), TemporaryError),
        (answer(429, {"name": "daily_quota_exceeded"}), PermanentError),
        (answer(422, {"name": "validation_error", "message": "Invalid `to` field"}), PermanentError),
        (answer(401, {"name": "restricted_api_key"}), PermanentError),
        (answer(401, {"name": "missing_api_key"}), ReconnectError),
        (answer(403, {"name": "invalid_api_key"}), ReconnectError),
    ],
)
def test_failures_say_whether_a_retry_can_help(response, error):
    with pytest.raises(error):
        connector.outcome("send_email", response)


def test_contacts_are_read_over_three_pages(httpserver):
    arrived = answer_in_turn(
        httpserver, [{"data": [{"id": f"c{number}"}], "has_more": number < 3} for number in (1, 2, 3)]
    )
    result = run_at(httpserver, connector, "list_contacts", {})
    assert [contact["id"] for contact in result.output["contacts"]] == ["c1", "c2", "c3"]
    assert [request.args.get("after") for request in arrived] == [None, "c1", "c2"]


def test_a_signed_event_is_accepted_and_a_changed_one_is_not():
    body = json.dumps(connector.trigger("email_bounced").sample).encode()
    assert verify(delivery(body, signed(body))) == Verified()
    assert isinstance(verify(delivery(body + b" ", signed(body))), Refused)
    assert isinstance(verify(delivery(body, signed(body, secret=b"another"))), Refused)
    assert isinstance(verify(delivery(body, {**signed(body), "svix-id": "msg_2"})), Refused)


def test_a_stale_event_is_refused():
    assert isinstance(verify(delivery(b"{}", signed(b"{}", at=NOW - 301))), Refused)
    assert verify(delivery(b"{}", signed(b"{}", at=NOW - 299))) == Verified()


def test_a_replayed_event_has_the_same_delivery_id():
    sample = connector.trigger("email_received").sample
    inbound = delivery(sample, signed(b""))
    assert connector.webhooks.event_id(inbound, sample) == "msg_1"
    assert connector.webhooks.event_name(inbound, sample) == "email.received"


def test_the_webhook_is_made_and_removed_through_the_api():
    webhooks = connector.webhooks
    wanted = Subscription("https://steward.example/hooks/abc", ("email.bounced", "email.complained"))
    assert webhooks.subscribe(wanted).json == {
        "endpoint": "https://steward.example/hooks/abc",
        "events": ["email.bounced", "email.complained"],
    }
    state = webhooks.read(answer(201, {"id": "w1", "signing_secret": SECRET}), wanted)
    assert state == {"id": "w1", "secret": SECRET}
    removed = webhooks.unsubscribe(Subscription("", state=state))
    assert (removed.method, removed.at) == ("DELETE", {"webhook_id": "w1"})


def test_the_text_of_a_received_email_is_fetched():
    trigger = connector.trigger("email_received")
    request = trigger.follow_up.request(trigger.sample, {})
    assert (request.path, request.at) == (
        "/emails/receiving/{email_id}",
        {"email_id": "56761188-7520-42d8-8898-ff6fc54ce618"},
    )
    assert trigger.output({**trigger.sample, "received": {"text": "Hello"}})["text"] == "Hello"
    assert trigger.follow_up.request({"data": {}}, {}) is None
