"""OpenAI: exact requests, files, the spent quota, rate-limit headers, and Standard Webhooks signatures."""

import base64
import hmac
import json

import pytest

from integrations.connectors.openai import connector, duration_seconds, wait
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


def headers(body: bytes, *, at: float = NOW, message_id: str = "wh_1") -> dict[str, str]:
    key = base64.b64decode(SECRET.removeprefix("whsec_"))
    digest = hmac.digest(key, f"{message_id}.{int(at)}.".encode() + body, "sha256")
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(int(at)),
        "webhook-signature": f"v1,bm9wZQ== v1,{base64.b64encode(digest).decode()}",
    }


def verify(inbound):
    return connector.webhooks.signature.verify(inbound, key=SECRET, now=NOW)


def test_everything_is_described():
    assert_well_described(connector)


def test_a_response_is_asked_for_with_key_and_project():
    call = sent(
        connector,
        "create_response",
        {"model": "gpt-5-mini", "input": "Hello", "max_output_tokens": "50"},
        credentials={"auth": "api_key", "api_key": "sk-for-tests", "project": "proj_1"},
    )
    assert call["url"] == "https://api.openai.com/v1/responses"
    assert call["headers"] == {"Authorization": "Bearer sk-for-tests", "OpenAI-Project": "proj_1"}
    assert call["json_body"] == {"model": "gpt-5-mini", "input": "Hello", "max_output_tokens": 50}


def test_empty_optional_values_are_not_sent():
    call = sent(connector, "create_response", empty_optionals(connector, "create_response"))
    assert set(call["json_body"]) == {"model", "input"}


def test_a_recording_is_uploaded_as_a_file(httpserver):
    arrived = answer_in_turn(httpserver, [{"text": "Hello"}])
    content = base64.b64encode(b"sound").decode()
    result = run_at(
        httpserver,
        connector,
        "transcribe_audio",
        {"file": {"name": "call.mp3", "content": content}, "model": "whisper-1"},
    )
    assert result.output["text"] == "Hello"
    assert b'filename="call.mp3"' in arrived[0].get_data()
    assert b"sound" in arrived[0].get_data()


def test_the_text_of_a_response_is_joined():
    body = {
        "id": "resp_1",
        "status": "completed",
        "output": [
            {"type": "reasoning", "summary": []},
            {
                "type": "message",
                "content": [{"type": "output_text", "text": "Good "}, {"type": "output_text", "text": "day"}],
            },
        ],
        "usage": {"input_tokens": 3, "output_tokens": 2, "total_tokens": 5},
    }
    output = connector.outcome("create_response", answer(200, body))
    assert output["text"] == "Good day"
    assert output["total_tokens"] == 5


def test_speech_comes_back_as_a_file():
    output = connector.outcome("create_speech", Response(200, None, {"content-type": "audio/mpeg"}, b"ID3"))
    assert output["file"] == {"name": "speech", "content": "SUQz", "content_type": "audio/mpeg"}


@pytest.mark.parametrize(
    ("response", "error"),
    [
        (answer(429, {"error": {"code": "rate_limit_exceeded"}}, {"retry-after-ms": "1500"}), TemporaryError),
        (answer(429, {"error": {"code": "insufficient_quota"}}), PermanentError),
        (answer(500, {}), TemporaryError),
        (answer(400, {"error": {"message": "Unknown model"}}), PermanentError),
        (answer(401, {"error": {"code": "invalid_api_key"}}), ReconnectError),
    ],
)
def test_failures_say_whether_a_retry_can_help(response, error):
    with pytest.raises(error):
        connector.outcome("create_response", response)


def test_the_wait_is_read_from_the_headers():
    assert wait(answer(429, {}, {"retry-after-ms": "1500"})) == 1.5
    assert (
        wait(answer(200, {}, {"x-ratelimit-remaining-tokens": "0", "x-ratelimit-reset-tokens": "6m0s"}))
        == 360
    )
    assert (
        wait(answer(200, {}, {"x-ratelimit-remaining-tokens": "9", "x-ratelimit-reset-tokens": "6m0s"}))
        is None
    )
    assert duration_seconds("1h2m3.5s") == 3723.5
    assert duration_seconds("250ms") == 0.25


def test_a_signed_event_is_accepted_and_a_changed_one_is_not():
    body = json.dumps(connector.trigger("batch_completed").sample).encode()
    assert verify(delivery(body, headers(body))) == Verified()
    assert isinstance(verify(delivery(body + b" ", headers(body))), Refused)
    assert isinstance(verify(delivery(body, {**headers(body), "webhook-id": "wh_2"})), Refused)


def test_a_stale_event_is_refused():
    body = b"{}"
    assert isinstance(verify(delivery(body, headers(body, at=NOW - 301))), Refused)


def test_a_replayed_event_has_the_same_delivery_id():
    body = b"{}"
    first, second = delivery(body, headers(body)), delivery(body, headers(body, at=NOW - 60))
    assert connector.webhooks.event_id(first, {}) == connector.webhooks.event_id(second, {}) == "wh_1"
