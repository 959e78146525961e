"""Discord: exact requests, failures in plain words, pages, and the signatures it tests us with."""

import asyncio
import json
from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from integrations.connectors.discord import connector, wait
from integrations.framework import (
    PermanentError,
    ReconnectError,
    Refused,
    Response,
    Subscription,
    TemporaryError,
    Verified,
)
from integrations.framework.execute import prepare
from integrations.framework.polling import look
from tests.integrations.checks import (
    NOW,
    answer,
    answer_in_turn,
    assert_well_described,
    credentials_for,
    delivery,
    empty_optionals,
    run_at,
    sent,
)

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
PUBLIC = KEY.public_key().public_bytes_raw().hex()
API = "https://discord.com/api/v10"
SAFE = {"allowed_mentions": {"parse": ["users"]}}


def test_everything_is_described():
    assert_well_described(connector)


def test_a_message_is_sent_with_the_bot_token_and_a_nonce():
    call = sent(connector, "send_message", {"channel": "1", "content": "@everyone hi", "reply_to": "2"})
    assert (call["method"], call["url"]) == ("POST", f"{API}/channels/1/messages")
    assert call["headers"] == {
        "User-Agent": "DiscordBot (Steward, 1.0)",
        "Authorization": "Bot bot_token-for-tests",
    }
    assert len(call["json_body"].pop("nonce")) <= 25
    assert call["json_body"] == {
        "content": "@everyone hi",
        **SAFE,
        "enforce_nonce": True,
        "message_reference": {"message_id": "2"},
    }


def test_empty_optional_values_are_not_sent():
    call = sent(connector, "send_message", empty_optionals(connector, "send_message"))
    assert set(call["json_body"]) == {"content", "allowed_mentions", "enforce_nonce", "nonce"}
    assert sent(connector, "edit_message", empty_optionals(connector, "edit_message"))["json_body"] == {}


@pytest.mark.parametrize(
    ("key", "inputs", "method", "path", "query", "body"),
    [
        (
            "edit_message",
            {"channel": "1", "message": "2", "content": "x"},
            "PATCH",
            "/channels/1/messages/2",
            [],
            {"content": "x"},
        ),
        ("delete_message", {"channel": "1", "message": "2"}, "DELETE", "/channels/1/messages/2", [], None),
        (
            "list_messages",
            {"channel": "1", "before": "9"},
            "GET",
            "/channels/1/messages",
            [("limit", "100"), ("before", "9")],
            None,
        ),
        (
            "create_channel",
            {"server": "1", "name": "orders", "type": "forum"},
            "POST",
            "/guilds/1/channels",
            [],
            {"name": "orders", "type": 15},
        ),
        ("list_channels", {"server": "1"}, "GET", "/guilds/1/channels", [], None),
        ("list_servers", {}, "GET", "/users/@me/guilds", [("limit", "200")], None),
        ("list_roles", {"server": "1"}, "GET", "/guilds/1/roles", [], None),
        (
            "search_members",
            {"server": "1", "query": "ad"},
            "GET",
            "/guilds/1/members/search",
            [("query", "ad"), ("limit", "100")],
            None,
        ),
        (
            "add_role",
            {"server": "1", "user": "2", "role": "3"},
            "PUT",
            "/guilds/1/members/2/roles/3",
            [],
            None,
        ),
        ("open_dm", {"user": "2"}, "POST", "/users/@me/channels", [], {"recipient_id": "2"}),
        (
            "create_thread",
            {"channel": "1", "message": "2", "name": "x", "closes_after": "60"},
            "POST",
            "/channels/1/messages/2/threads",
            [],
            {"name": "x", "auto_archive_duration": 60},
        ),
        (
            "add_reaction",
            {"channel": "1", "message": "2", "emoji": "👍"},
            "PUT",
            "/channels/1/messages/2/reactions/%F0%9F%91%8D/@me",
            [],
            None,
        ),
        (
            "answer_interaction",
            {"application": "1", "token": "t", "content": "x"},
            "POST",
            "/webhooks/1/t",
            [("wait", "true")],
            {"content": "x", **SAFE},
        ),
    ],
)
def test_every_operation_asks_exactly_this(key, inputs, method, path, query, body):
    call = sent(connector, key, inputs)
    assert (call["method"], call["url"]) == (method, API + path)
    assert (call["query"], call["json_body"]) == (query, body)


def test_a_channel_webhook_is_used_without_the_bot_token():
    call = sent(
        connector,
        "send_webhook_message",
        {
            "webhook_url": "https://discord.com/api/webhooks/12/a-b_c?wait=false",
            "content": "Hi",
            "thread": "5",
        },
    )
    assert call["url"] == f"{API}/webhooks/12/a-b_c"
    assert call["query"] == [("wait", "true"), ("thread_id", "5")]
    assert call["headers"] == {}


def test_an_address_elsewhere_is_no_channel_webhook():
    with pytest.raises(PermanentError, match="not the address of a Discord webhook"):
        sent(
            connector,
            "send_webhook_message",
            {"webhook_url": "https://example.com/api/webhooks/12/abc", "content": "Hi"},
        )


@pytest.mark.parametrize(
    ("response", "error", "words"),
    [
        (answer(429, {"retry_after": 0.6}, {"retry-after": "0.6"}), TemporaryError, "slow down"),
        (answer(502, {}), TemporaryError, "try again"),
        (
            answer(403, {"code": 50013, "message": "Missing Permissions"}),
            PermanentError,
            "lacks a permission",
        ),
        (answer(404, {"code": 10003, "message": "Unknown Channel"}), PermanentError, "channel is gone"),
        (answer(400, {"code": 50035, "message": "Invalid Form Body"}), PermanentError, "Invalid Form Body"),
        (answer(401, {"code": 0, "message": "401: Unauthorized"}), ReconnectError, "Reconnect"),
    ],
)
def test_failures_say_what_can_be_done(response, error, words):
    with pytest.raises(error, match=words):
        connector.outcome("send_message", response)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"x-ratelimit-remaining": "0", "x-ratelimit-reset-after": "1.25"}, 1.25),
        ({"x-ratelimit-remaining": "1", "x-ratelimit-reset-after": "1.25"}, None),
        ({"x-ratelimit-remaining": "0"}, None),
        ({}, None),
    ],
)
def test_a_spent_allowance_makes_us_pause(headers, seconds):
    assert wait(Response(200, headers=headers)) == seconds


def test_messages_are_read_over_three_pages(httpserver):
    arrived = answer_in_turn(httpserver, [[{"id": "30"}], [{"id": "20"}], []])
    result = run_at(httpserver, connector, "list_messages", {"channel": "1"})
    assert [message["id"] for message in result.output["messages"]] == ["30", "20"]
    assert [request.args.get("before") for request in arrived] == [None, "30", "20"]


def test_channels_are_offered_with_their_category():
    output = connector.outcome(
        "list_channels",
        answer(
            200,
            [
                {"id": "1", "name": "Shop", "type": 4, "parent_id": None},
                {"id": "2", "name": "orders", "type": 0, "parent_id": "1"},
            ],
        ),
    )
    assert [channel["label"] for channel in output["channels"]] == ["Shop", "Shop / orders"]


INTERACTION = connector.trigger("interaction")
WEBHOOKS = connector.webhooks_of(INTERACTION)


def signed(body, *, at=NOW):
    raw = json.dumps(body).encode()
    stamp = str(int(at))
    return delivery(
        raw, {"X-Signature-Ed25519": KEY.sign(stamp.encode() + raw).hex(), "X-Signature-Timestamp": stamp}
    )


def verify(inbound):
    return WEBHOOKS.signature.verify(inbound, key=PUBLIC, now=NOW)


def test_a_signed_command_is_accepted_and_a_changed_one_is_not():
    genuine = signed(INTERACTION.sample)
    assert verify(genuine) == Verified()
    assert isinstance(verify(replace(genuine, body=genuine.body.replace(b"1042", b"1043"))), Refused)
    assert isinstance(verify(delivery(INTERACTION.sample)), Refused)


def test_a_stale_command_is_refused():
    assert isinstance(verify(signed({}, at=NOW - 301)), Refused)
    assert verify(signed({}, at=NOW - 299)) == Verified()


def test_a_replayed_delivery_is_known():
    assert WEBHOOKS.event_id(signed(INTERACTION.sample), INTERACTION.sample) == "1012345678901234999"
    event = connector.trigger("app_authorized").sample
    events = connector.webhooks_of(connector.trigger("app_authorized"))
    assert (
        events.event_id(signed(event), event)
        == "APPLICATION_AUTHORIZED:2026-11-22T09:30:00.123456:80351110224678912"
    )


def test_pings_are_answered_only_after_their_signature_was_checked():
    assert WEBHOOKS.is_handshake_signed
    assert WEBHOOKS.handshake(signed({"type": 1})).body == b'{"type":1}'
    assert WEBHOOKS.handshake(signed({"type": 0, "version": 1})).status == 204
    assert WEBHOOKS.handshake(signed(INTERACTION.sample)) is None
    assert WEBHOOKS.handshake(signed(connector.trigger("app_authorized").sample)) is None


def test_a_command_shows_thinking_until_the_workflow_answers():
    assert WEBHOOKS.answer.body == b'{"type":5}'
    assert INTERACTION.wants("2", INTERACTION.sample, {"name": "/order"})
    assert not INTERACTION.wants("2", INTERACTION.sample, {"name": "refund"})
    assert not INTERACTION.wants("4", INTERACTION.sample, {})


def test_the_application_is_told_our_address_and_forgets_it():
    asked = Subscription("https://steward.example/hooks/abc", events=("APPLICATION_AUTHORIZED",), now=NOW)
    events = connector.webhooks_of(connector.trigger("app_authorized"))
    assert events.subscribe(asked).json == {
        "event_webhooks_url": asked.address,
        "event_webhooks_status": 2,
        "event_webhooks_types": ["APPLICATION_AUTHORIZED"],
    }
    assert WEBHOOKS.subscribe(asked).json == {"interactions_endpoint_url": asked.address}
    forgotten = prepare(connector, WEBHOOKS.unsubscribe(asked), credentials_for(connector), {})
    assert json.loads(forgotten["content"]) == {"interactions_endpoint_url": None}


def looking(key, config, cursor, *pages):
    left = list(pages)

    async def send(request):
        return Response(200, left.pop(0) if left else [])

    result = asyncio.run(look(connector.trigger(key).poll, config, cursor, send))
    return [identity for identity, _item in result.items], result.cursor


def message(number):
    return {"id": f"10123456789012345{number}"}


def test_new_messages_are_found_when_the_last_seen_is_gone():
    _, cursor = looking("new_message_polling", {"channel": "1"}, None, [message(22), message(21)])
    found, cursor = looking(
        "new_message_polling", {"channel": "1"}, cursor, [message(24), message(23), message(21)]
    )
    assert found == ["1012345678901234523", "1012345678901234524"]
    assert looking("new_message_polling", {"channel": "1"}, cursor, [message(21)])[0] == []


def test_the_bots_own_messages_start_nothing():
    trigger = connector.trigger("new_message_polling")
    assert trigger.wants("", trigger.sample, {}, {"bot_user_id": "1"})
    assert not trigger.wants("", trigger.sample, {}, {"bot_user_id": "80351110224678912"})


def test_a_member_who_comes_back_is_new_again():
    def member(user, moment):
        return {"user": {"id": user}, "joined_at": f"2026-11-22T09:30:0{moment}.000000+00:00"}

    _, cursor = looking("new_member_polling", {"server": "1"}, None, [member("1", 1), member("2", 2)])
    found, _ = looking(
        "new_member_polling", {"server": "1"}, cursor, [member("1", 5), member("2", 2), member("3", 4)]
    )
    assert [identity.partition("|")[0] for identity in found] == ["3", "1"]
