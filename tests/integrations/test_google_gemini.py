"""Google Gemini: exact requests, blocked prompts, images as files, pages, and Standard Webhooks signatures."""

import base64
import hmac
import json

import pytest

from integrations.connectors.google_gemini import connector
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

SECRET = "whsec_" + base64.b64encode(b"a key of twenty-four byt").decode()
BASE = "https://generativelanguage.googleapis.com/v1beta"
HELLO = [{"role": "user", "parts": [{"text": "Hello"}]}]


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


@pytest.mark.parametrize(
    ("key", "inputs", "method", "path", "body"),
    [
        (
            "generate_content",
            {"model": "models/g", "prompt": "Hello", "max_tokens": "9", "system": "Be kind"},
            "POST",
            "/models/g:generateContent",
            {
                "contents": HELLO,
                "systemInstruction": {"parts": [{"text": "Be kind"}]},
                "generationConfig": {"maxOutputTokens": 9},
            },
        ),
        (
            "generate_image",
            {"model": "g", "prompt": "Hello", "aspect_ratio": "1:1"},
            "POST",
            "/models/g:generateContent",
            {
                "contents": HELLO,
                "generationConfig": {
                    "responseModalities": ["TEXT", "IMAGE"],
                    "imageConfig": {"aspectRatio": "1:1"},
                },
            },
        ),
        (
            "count_tokens",
            {"model": "g", "prompt": "Hello"},
            "POST",
            "/models/g:countTokens",
            {"contents": HELLO},
        ),
        (
            "embed_content",
            {"model": "g", "text": "a", "dimensions": 8},
            "POST",
            "/models/g:embedContent",
            {"content": {"parts": [{"text": "a"}]}, "outputDimensionality": 8},
        ),
        (
            "batch_embed_contents",
            {"model": "models/g", "texts": [{"text": "a"}]},
            "POST",
            "/models/g:batchEmbedContents",
            {"requests": [{"model": "models/g", "content": {"parts": [{"text": "a"}]}}]},
        ),
        (
            "create_batch",
            {"model": "g", "name": "n", "prompts": [{"text": "Hello"}]},
            "POST",
            "/models/g:batchGenerateContent",
            {
                "batch": {
                    "displayName": "n",
                    "inputConfig": {"requests": {"requests": [{"request": {"contents": HELLO}}]}},
                }
            },
        ),
        ("get_batch", {"batch": "batches/abc"}, "GET", "/batches/abc", None),
        ("list_files", {}, "GET", "/files", None),
        ("list_models", {}, "GET", "/models", None),
        ("get_model", {"model": "models/g"}, "GET", "/models/g", None),
    ],
)
def test_each_operation_is_sent_as_documented(key, inputs, method, path, body):
    call = sent(connector, key, inputs)
    assert (call["method"], call["url"]) == (method, BASE + path)
    assert call["headers"] == {"x-goog-api-key": "api_key-for-tests"}
    assert call.get("json_body") == body


def test_empty_optional_values_are_not_sent():
    call = sent(connector, "generate_content", empty_optionals(connector, "generate_content"))
    assert set(call["json_body"]) == {"contents"}


def test_an_image_comes_back_as_a_file():
    part = {"inlineData": {"mimeType": "image/png", "data": "SUQz"}}
    body = {"candidates": [{"content": {"parts": [{"text": "Here"}, part]}}]}
    output = connector.outcome("generate_image", answer(200, body))
    assert output["file"] == {"name": "image.png", "content": "SUQz", "content_type": "image/png"}
    with pytest.raises(PermanentError):
        connector.outcome("generate_image", answer(200, {"candidates": []}))


def test_the_text_is_joined_without_thoughts():
    parts = [{"text": "hm", "thought": True}, {"text": "Good "}, {"text": "day"}]
    body = {"candidates": [{"content": {"parts": parts}}]}
    assert connector.outcome("generate_content", answer(200, body))["text"] == "Good day"


@pytest.mark.parametrize(
    ("response", "error"),
    [
        (answer(200, {"promptFeedback": {"blockReason": "SAFETY"}}), PermanentError),
        (answer(400, {"error": {"details": [{"reason": "API_KEY_INVALID"}]}}), ReconnectError),
        (answer(400, {"error": {"message": "bad"}}), PermanentError),
        (answer(503, {}), TemporaryError),
    ],
)
def test_failures_say_whether_a_retry_can_help(response, error):
    with pytest.raises(error):
        connector.outcome("generate_content", response)


def test_the_wait_google_names_is_kept():
    with pytest.raises(TemporaryError) as caught:
        connector.outcome("count_tokens", answer(429, {"error": {"details": [{"retryDelay": "34s"}]}}))
    assert caught.value.retry_after == 34


@pytest.mark.parametrize(("key", "name"), [("list_files", "files"), ("list_models", "models")])
def test_lists_are_read_over_three_pages(httpserver, key, name):
    pages = [{name: [{"name": f"x{n}"}], **({"nextPageToken": f"t{n}"} if n < 3 else {})} for n in (1, 2, 3)]
    arrived = answer_in_turn(httpserver, pages)
    result = run_at(httpserver, connector, key, {})
    assert [entry["name"] for entry in result.output[name]] == ["x1", "x2", "x3"]
    assert [request.args.get("pageToken") for request in arrived] == [None, "t1", "t2"]


@pytest.mark.parametrize("trigger", [entry for entry in connector.triggers if entry.kind == "webhook"])
def test_a_signed_event_is_accepted_and_a_changed_or_old_one_is_not(trigger):
    body = json.dumps(trigger.sample).encode()
    assert verify(delivery(body, headers(body))) == Verified()
    assert isinstance(verify(delivery(body + b" ", headers(body))), Refused)
    assert isinstance(verify(delivery(body, headers(body, at=NOW - 301))), Refused)
    name = connector.webhooks.event_name(delivery(body), trigger.sample)
    assert trigger.wants(name, trigger.sample, {})


def test_a_replayed_event_has_the_same_delivery_id():
    first, second = delivery(b"{}", headers(b"{}")), delivery(b"{}", headers(b"{}", at=NOW - 60))
    assert connector.webhooks.event_id(first, {}) == connector.webhooks.event_id(second, {}) == "wh_1"


def test_the_webhook_is_made_and_removed_through_the_api():
    webhooks = connector.webhooks
    subscription = Subscription("https://steward.example/hooks/abc", events=("batch.succeeded",))
    assert webhooks.subscribe(subscription).json == {
        "uri": "https://steward.example/hooks/abc",
        "subscribed_events": ["batch.succeeded"],
    }
    state = webhooks.read(answer(200, {"name": "webhooks/w1", "new_signing_secret": SECRET}), subscription)
    assert state == {"id": "w1", "secret": SECRET}
    removal = webhooks.unsubscribe(Subscription("", state=state))
    assert (removal.method, removal.at) == ("DELETE", {"id": "w1"})
