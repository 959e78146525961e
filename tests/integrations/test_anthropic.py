"""Anthropic: exact requests, the joined text, pages, results as JSON Lines, and signed events."""

import base64
import hmac
import json

import pytest

from integrations.connectors.anthropic import API_VERSION, connector
from integrations.framework import PermanentError, ReconnectError, Refused, Response, TemporaryError, Verified
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

SECRET = "whsec_" + base64.b64encode(b"a key of twenty-four byt").decode()
BASE = "https://api.anthropic.com"


def headers(body: bytes, *, at: float = NOW) -> dict[str, str]:
    key = base64.b64decode(SECRET.removeprefix("whsec_"))
    digest = hmac.digest(key, f"wh_1.{int(at)}.".encode() + body, "sha256")
    return {
        "webhook-id": "wh_1",
        "webhook-timestamp": str(int(at)),
        "webhook-signature": f"v1,{base64.b64encode(digest).decode()}",
    }


def verify(inbound):
    return connector.webhooks.signature.verify(inbound, key=SECRET, now=NOW)


def test_everything_is_described():
    assert_well_described(connector)


def test_a_message_carries_key_and_version_and_no_sampling():
    message = {"role": "user", "content": "Hello"}
    call = sent(
        connector,
        "create_message",
        {"model": "claude-haiku-5-5", "max_tokens": "50", "messages": [message], "user_id": "c-1"},
    )
    assert (call["method"], call["url"]) == ("POST", f"{BASE}/v1/messages")
    assert call["headers"] == {"anthropic-version": API_VERSION, "x-api-key": "api_key-for-tests"}
    assert call["json_body"] == {
        "model": "claude-haiku-5-5",
        "max_tokens": 50,
        "messages": [message],
        "metadata": {"user_id": "c-1"},
    }
    assert not {"temperature", "top_p", "top_k"} & {entry.key for entry in connector.actions[0].fields}


@pytest.mark.parametrize(
    ("key", "method", "path"),
    [
        ("count_tokens", "POST", "/v1/messages/count_tokens"),
        ("create_message_batch", "POST", "/v1/messages/batches"),
        ("get_message_batch", "GET", "/v1/messages/batches/msgbatch_013Zva2CMHLNnXjNJJKqJ2EF"),
        (
            "get_message_batch_results",
            "GET",
            "/v1/messages/batches/msgbatch_013Zva2CMHLNnXjNJJKqJ2EF/results",
        ),
        ("list_message_batches", "GET", "/v1/messages/batches"),
        ("cancel_message_batch", "POST", "/v1/messages/batches/msgbatch_013Zva2CMHLNnXjNJJKqJ2EF/cancel"),
        ("upload_file", "POST", "/v1/files"),
        ("list_models", "GET", "/v1/models"),
        ("get_model", "GET", "/v1/models/claude-haiku-5-5"),
    ],
)
def test_each_operation_goes_to_its_own_address(key, method, path):
    call = sent(connector, key, connector.action(key).example_inputs(complete=False))
    assert (call["method"], call["url"]) == (method, BASE + path)


def test_empty_optional_values_are_not_sent():
    call = sent(connector, "create_message", empty_optionals(connector, "create_message"))
    assert set(call["json_body"]) == {"model", "max_tokens", "messages"}


def test_the_text_of_a_message_is_joined():
    body = {
        "id": "msg_1",
        "content": [
            {"type": "thinking", "thinking": "..."},
            {"type": "text", "text": "Good "},
            {"type": "text", "text": "day"},
        ],
        "usage": {"input_tokens": 3, "output_tokens": 2},
    }
    output = connector.outcome("create_message", answer(200, body))
    assert (output["text"], output["input_tokens"]) == ("Good day", 3)


def test_batch_results_are_read_line_by_line():
    lines = [
        {
            "custom_id": "a",
            "result": {"type": "succeeded", "message": {"content": [{"type": "text", "text": "Yes"}]}},
        },
        {"custom_id": "b", "result": {"type": "errored", "error": {"error": {"message": "Too long"}}}},
    ]
    content = "\n".join(json.dumps(line) for line in lines).encode()
    results = connector.outcome("get_message_batch_results", Response(200, None, {}, content))["results"]
    assert results[0] == {"custom_id": "a", "type": "succeeded", "text": "Yes", "error": None}
    assert results[1]["error"] == "Too long"


@pytest.mark.parametrize(
    ("response", "error"),
    [
        (answer(529, {"error": {"type": "overloaded_error"}}), TemporaryError),
        (answer(429, {"error": {"type": "rate_limit_error"}}, {"retry-after": "7"}), TemporaryError),
        (answer(402, {"error": {"type": "billing_error"}}), PermanentError),
        (answer(400, {"error": {"type": "invalid_request_error", "message": "max_tokens"}}), PermanentError),
        (answer(413, {"error": {"type": "request_too_large"}}), PermanentError),
        (answer(401, {"error": {"type": "authentication_error"}}), ReconnectError),
    ],
)
def test_failures_say_whether_a_retry_can_help(response, error):
    with pytest.raises(error):
        connector.outcome("create_message", response)


@pytest.mark.parametrize(("key", "name"), [("list_message_batches", "batches"), ("list_models", "models")])
def test_lists_are_read_over_three_pages(httpserver, key, name):
    pages = [{"data": [{"id": f"x{n}"}], "has_more": n < 3, "last_id": f"x{n}"} for n in (1, 2, 3)]
    arrived = answer_in_turn(httpserver, pages)
    result = run_at(httpserver, connector, key, {})
    assert [entry["id"] for entry in result.output[name]] == ["x1", "x2", "x3"]
    assert [request.args.get("after_id") for request in arrived] == [None, "x1", "x2"]


def test_only_ended_batches_start_a_workflow():
    poll = connector.trigger("message_batch_ended").poll
    listed = [{"id": "a", "processing_status": "in_progress"}, {"id": "b", "processing_status": "ended"}]
    assert [batch["id"] for batch in poll.items(answer(200, {"data": listed}), {})] == ["b"]
    assert poll.request({}, None).path == "/v1/messages/batches"


@pytest.mark.parametrize("key", ["session_idled", "session_terminated"])
def test_a_signed_event_is_accepted_and_a_changed_or_old_one_is_not(key):
    trigger = connector.trigger(key)
    body = json.dumps(trigger.sample).encode()
    assert verify(delivery(body, headers(body))) == Verified()
    assert isinstance(verify(delivery(body + b" ", headers(body))), Refused)
    assert isinstance(verify(delivery(body, headers(body, at=NOW - 301))), Refused)
    name = connector.webhooks.event_name(delivery(body), trigger.sample)
    assert trigger.wants(name, trigger.sample, {})


def test_a_replayed_event_has_the_same_delivery_id():
    first, second = delivery(b"{}", headers(b"{}")), delivery(b"{}", headers(b"{}", at=NOW - 60))
    assert connector.webhooks.event_id(first, {}) == connector.webhooks.event_id(second, {}) == "wh_1"
