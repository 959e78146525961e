"""Slack: exact requests, failures inside HTTP 200, pages, uploads, and the signature of its events."""

import hmac
import json
from dataclasses import replace

import pytest

from integrations.connectors.slack import connector
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

SECRET = "8f742231b10e8888abcd99yyyzzz85a5"


def signed(body: bytes, *, at: float = NOW) -> dict[str, str]:
    stamp = str(int(at))
    digest = hmac.digest(SECRET.encode(), b"v0:" + stamp.encode() + b":" + body, "sha256").hex()
    return {"X-Slack-Signature": f"v0={digest}", "X-Slack-Request-Timestamp": stamp}


def verify(inbound):
    return connector.webhooks.signature.verify(inbound, key=SECRET, now=NOW)


def test_everything_is_described():
    assert_well_described(connector)


def test_a_message_is_sent_as_json_with_the_bot_token():
    call = sent(connector, "send_message", {"channel": "C024BE91L", "text": "Hello", "mrkdwn": "true"})
    assert call["method"] == "POST"
    assert call["url"] == "https://slack.com/api/chat.postMessage"
    assert call["headers"]["Authorization"] == "Bearer access-token-for-tests"
    assert call["json_body"] == {"channel": "C024BE91L", "text": "Hello", "mrkdwn": True}


def test_empty_optional_values_are_not_sent():
    call = sent(connector, "send_message", empty_optionals(connector, "send_message"))
    assert call["json_body"] == {"channel": "C024BE91L"}


@pytest.mark.parametrize(
    ("response", "error"),
    [
        (answer(429, {"ok": False, "error": "ratelimited"}, {"retry-after": "30"}), TemporaryError),
        (answer(200, {"ok": False, "error": "internal_error"}), TemporaryError),
        (answer(200, {"ok": False, "error": "channel_not_found"}), PermanentError),
        (answer(200, {"ok": False, "error": "token_revoked"}), ReconnectError),
    ],
)
def test_failures_say_whether_a_retry_can_help(response, error):
    with pytest.raises(error):
        connector.outcome("send_message", response)


def test_a_rate_limit_says_how_long_to_wait():
    with pytest.raises(TemporaryError) as caught:
        connector.outcome("send_message", answer(429, {}, {"retry-after": "30"}))
    assert caught.value.retry_after == 30


def test_channels_are_read_over_three_pages(httpserver):
    def page(name, cursor):
        return {
            "ok": True,
            "channels": [{"id": name, "name": name.lower()}],
            "response_metadata": {"next_cursor": cursor},
        }

    arrived = answer_in_turn(httpserver, [page("C1", "one"), page("C2", "two"), page("C3", "")])
    result = run_at(httpserver, connector, "list_channels", {})
    assert [channel["id"] for channel in result.output["channels"]] == ["C1", "C2", "C3"]
    assert [request.args.get("cursor") for request in arrived] == [None, "one", "two"]


def test_an_upload_sends_the_bytes_without_our_token(httpserver):
    place = {"ok": True, "upload_url": httpserver.url_for("/upload/v1/abc"), "file_id": "F123"}
    done = {"ok": True, "files": [{"id": "F123", "title": "orders.csv"}]}
    arrived = answer_in_turn(httpserver, [place, "OK - 3", done])
    result = run_at(httpserver, connector, "upload_file", {"content": "a,b", "filename": "orders.csv"})
    assert result.output == {"file_id": "F123", "title": "orders.csv"}
    assert arrived[1].get_data() == b"a,b"
    assert "Authorization" not in arrived[1].headers
    assert json.loads(arrived[2].form["files"]) == [{"id": "F123", "title": "orders.csv"}]


def test_the_url_challenge_is_answered():
    reply = connector.webhooks.handshake(delivery({"type": "url_verification", "challenge": "3eZbrw1a"}))
    assert reply.body == b"3eZbrw1a"
    assert connector.webhooks.handshake(delivery({"type": "event_callback"})) is None


def test_a_signed_event_is_accepted_and_a_changed_one_is_not():
    body = json.dumps(connector.trigger("new_message").sample).encode()
    genuine = delivery(body, signed(body))
    assert verify(genuine) == Verified()
    assert isinstance(verify(replace(genuine, body=body.replace(b"Hello", b"Hallo"))), Refused)


@pytest.mark.parametrize("age", [301, -301])
def test_a_stale_event_is_refused(age):
    body = b"{}"
    assert isinstance(verify(delivery(body, signed(body, at=NOW - age))), Refused)
    assert verify(delivery(body, signed(body, at=NOW - 299))) == Verified()


def test_a_replayed_event_has_the_same_delivery_id():
    webhooks = connector.webhooks
    inbound = delivery(connector.trigger("new_message").sample)
    [event] = webhooks.split(inbound)
    assert webhooks.event_id(inbound, event) == "Ev0PV52K21"
    assert webhooks.event_name(inbound, event) == "message"


def test_our_own_messages_do_not_start_a_workflow():
    trigger = connector.trigger("new_message")
    event = trigger.sample
    assert trigger.wants("message", event, {}, {"bot_user_id": "U0LAN0Z89"})
    assert not trigger.wants("message", event, {}, {"bot_user_id": "U2147483697"})
    assert not trigger.wants("message", event, {"channel": "C-elsewhere"}, {})
    assert not trigger.wants("reaction_added", event, {}, {})
