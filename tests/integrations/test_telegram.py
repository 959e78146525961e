"""Telegram: exact requests, failures in plain words, and updates proved by the token we chose."""

import base64

import pytest

from integrations.connectors.telegram import connector
from integrations.framework import (
    PermanentError,
    ReconnectError,
    Refused,
    Subscription,
    TemporaryError,
    Verified,
)
from tests.integrations.checks import NOW, answer, assert_well_described, delivery, empty_optionals, sent

API = "https://api.telegram.org/botbot_token-for-tests"
FILE = {"name": "a.txt", "content": base64.b64encode(b"Hello").decode(), "content_type": "text/plain"}


def test_everything_is_described():
    assert_well_described(connector)


@pytest.mark.parametrize(
    ("key", "inputs", "path", "body"),
    [
        (
            "send_message",
            {
                "chat": "1",
                "text": "Hi",
                "format": "HTML",
                "reply_to": "5",
                "buttons": '{"inline_keyboard": []}',
            },
            "/sendMessage",
            {
                "chat_id": "1",
                "text": "Hi",
                "parse_mode": "HTML",
                "reply_parameters": {"message_id": 5},
                "reply_markup": {"inline_keyboard": []},
            },
        ),
        (
            "edit_message",
            {"chat": "1", "message": 2, "text": "Hi"},
            "/editMessageText",
            {"chat_id": "1", "message_id": 2, "text": "Hi"},
        ),
        ("delete_message", {"chat": "1", "message": 2}, "/deleteMessage", {"chat_id": "1", "message_id": 2}),
        (
            "pin_message",
            {"chat": "1", "message": 2, "is_silent": True},
            "/pinChatMessage",
            {"chat_id": "1", "message_id": 2, "disable_notification": True},
        ),
        (
            "answer_button",
            {"query": "q", "text": "Thanks"},
            "/answerCallbackQuery",
            {"callback_query_id": "q", "text": "Thanks"},
        ),
        ("get_chat", {"chat": "@shop"}, "/getChat", {"chat_id": "@shop"}),
    ],
)
def test_every_operation_asks_exactly_this(key, inputs, path, body):
    call = sent(connector, key, inputs)
    assert (call["method"], call["url"], call["json_body"]) == ("POST", API + path, body)
    assert call["headers"] == {}


@pytest.mark.parametrize(
    ("key", "path", "part"),
    [("send_photo", "/sendPhoto", "photo"), ("send_document", "/sendDocument", "document")],
)
def test_a_file_is_uploaded_with_its_text(key, path, part):
    call = sent(connector, key, {"chat": "1", "file": FILE, "caption": "Plans"})
    assert call["url"] == API + path
    assert call["form"] == [("chat_id", "1"), ("caption", "Plans")]
    assert (call["files"][part].name, call["files"][part].content) == ("a.txt", b"Hello")


def test_empty_optional_values_are_not_sent():
    call = sent(connector, "send_message", empty_optionals(connector, "send_message"))
    assert set(call["json_body"]) == {"chat_id", "text"}


def failure(status, words, **parameters):
    return answer(status, {"ok": False, "error_code": status, "description": words, "parameters": parameters})


@pytest.mark.parametrize(
    ("response", "error", "words"),
    [
        (failure(429, "Too Many Requests: retry after 7", retry_after=7), TemporaryError, "slow down"),
        (answer(502, {}), TemporaryError, "try again"),
        (failure(400, "Bad Request: chat not found"), PermanentError, "chat not found"),
        (
            failure(400, "Bad Request: group chat was upgraded", migrate_to_chat_id=-100),
            PermanentError,
            "new id is -100",
        ),
        (failure(403, "Forbidden: bot was blocked by the user"), PermanentError, "blocked by the user"),
        (failure(401, "Unauthorized"), ReconnectError, "Reconnect"),
        (failure(404, "Not Found"), ReconnectError, "Reconnect"),
    ],
)
def test_failures_say_what_can_be_done(response, error, words):
    with pytest.raises(error, match=words):
        connector.outcome("send_message", response)


def test_a_rate_limit_says_how_long_to_wait():
    with pytest.raises(TemporaryError) as caught:
        connector.outcome("send_message", failure(429, "Too Many Requests", retry_after=7))
    assert caught.value.retry_after == 7


WEBHOOKS = connector.webhooks


def verify(headers):
    return WEBHOOKS.signature.verify(
        delivery(connector.trigger("command").sample, headers), key="token", now=NOW
    )


def test_an_update_with_our_token_is_accepted_and_any_other_is_not():
    assert verify({"X-Telegram-Bot-Api-Secret-Token": "token"}) == Verified()
    assert isinstance(verify({"X-Telegram-Bot-Api-Secret-Token": "tokens"}), Refused)
    assert isinstance(verify({}), Refused)


@pytest.mark.parametrize(
    ("key", "name"),
    [("new_message", "message"), ("button_pressed", "callback_query"), ("channel_post", "channel_post")],
)
def test_a_replayed_update_is_known_and_told_by_what_it_holds(key, name):
    event = connector.trigger(key).sample
    assert WEBHOOKS.event_id(delivery(event), event) == "10000"
    assert WEBHOOKS.event_name(delivery(event), event) == name


@pytest.mark.parametrize(
    ("text", "starts"),
    [("/order 1042", True), ("/order@our_bot 1042", True), ("/orders", False), ("order", False), ("", False)],
)
def test_a_command_is_told_by_its_first_word(text, starts):
    assert (
        connector.trigger("command").wants("message", {"message": {"text": text}}, {"command": "/order"})
        is starts
    )


def test_messages_of_bots_and_of_other_chats_start_nothing():
    trigger = connector.trigger("new_message")
    event = trigger.sample
    assert trigger.wants("message", event, {"chat": "123456789"})
    assert not trigger.wants("message", event, {"chat": "5"})
    assert not trigger.wants("message", {"message": {**event["message"], "from": {"is_bot": True}}}, {})


def test_only_the_buttons_meant_start_a_workflow():
    trigger = connector.trigger("button_pressed")
    assert trigger.wants("callback_query", trigger.sample, {"begins_with": "paid:"})
    assert not trigger.wants("callback_query", trigger.sample, {"begins_with": "sent:"})
    assert trigger.output(trigger.sample)["query"] == "4382bfdwdsb323b2d9"


def test_the_largest_of_a_picture_is_offered():
    output = connector.trigger("new_message").output(
        {"message": {"photo": [{"file_id": "s"}, {"file_id": "l"}]}}
    )
    assert output["photo_id"] == "l"


def test_the_bot_is_told_our_address_with_a_token_and_forgets_it():
    asked = Subscription("https://steward.example/hooks/abc", secret="token", now=NOW)
    made = WEBHOOKS.subscribe(asked)
    assert made.path == "/setWebhook"
    assert (made.json["url"], made.json["secret_token"]) == (asked.address, "token")
    assert WEBHOOKS.read(answer(200, {"ok": True, "result": True}), asked)["secret"] == "token"
    assert WEBHOOKS.unsubscribe(asked).path == "/deleteWebhook"
