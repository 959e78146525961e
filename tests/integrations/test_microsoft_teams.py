"""Microsoft Teams: exact requests, cards, chats, Workflows addresses, and notices of messages."""

import asyncio
import json

import pytest

from integrations.connectors.microsoft_teams import connector
from integrations.framework import (
    PermanentError,
    ReconnectError,
    Refused,
    Response,
    Subscription,
    TemporaryError,
    Verified,
)
from integrations.framework.polling import complete, look
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

CHANNEL = {"team": "t1", "channel": "19:c@thread.tacv2"}
PATH = "/teams/t1/channels/19%3Ac%40thread.tacv2"
TEXT = {"body": {"contentType": "text", "content": "Hello"}}
MEMBER = {
    "@odata.type": "#microsoft.graph.aadUserConversationMember",
    "roles": ["owner"],
    "user@odata.bind": "https://graph.microsoft.com/v1.0/users('o''hara@example.com')",
}


def test_everything_is_described():
    assert_well_described(connector)


@pytest.mark.parametrize(
    ("key", "inputs", "method", "path", "query", "body"),
    [
        (
            "send_channel_message",
            {**CHANNEL, "content": "Hello", "subject": "New"},
            "POST",
            f"{PATH}/messages",
            [],
            {**TEXT, "subject": "New"},
        ),
        (
            "reply_to_channel_message",
            {**CHANNEL, "message": "1", "content": "Hello"},
            "POST",
            f"{PATH}/messages/1/replies",
            [],
            TEXT,
        ),
        (
            "send_chat_message",
            {"chat": "19:x@thread.v2", "content": "Hello"},
            "POST",
            "/chats/19%3Ax%40thread.v2/messages",
            [],
            TEXT,
        ),
        (
            "create_channel",
            {"team": "t1", "name": "Orders"},
            "POST",
            "/teams/t1/channels",
            [],
            {"displayName": "Orders", "membershipType": "standard"},
        ),
        (
            "create_channel",
            {"team": "t1", "name": "Orders", "membership_type": "private", "owner": "o'hara@example.com"},
            "POST",
            "/teams/t1/channels",
            [],
            {"displayName": "Orders", "membershipType": "private", "members": [MEMBER]},
        ),
        (
            "add_team_member",
            {"team": "t1", "user": "o'hara@example.com", "is_owner": True},
            "POST",
            "/teams/t1/members",
            [],
            MEMBER,
        ),
        ("list_joined_teams", {}, "GET", "/me/joinedTeams", [], None),
        ("list_channels", {"team": "t1"}, "GET", "/teams/t1/channels", [], None),
        ("list_chats", {}, "GET", "/chats", [("$expand", "members"), ("$top", "50")], None),
        (
            "find_user",
            {"user": "ada@example.com"},
            "GET",
            "/users/ada%40example.com",
            [("$select", "id,displayName,mail,userPrincipalName,jobTitle")],
            None,
        ),
        ("list_channel_messages", CHANNEL, "GET", f"{PATH}/messages", [("$top", "50")], None),
    ],
)
def test_every_operation_asks_exactly_this(key, inputs, method, path, query, body):
    call = sent(connector, key, inputs)
    assert (call["method"], call["url"]) == (method, f"https://graph.microsoft.com/v1.0{path}")
    assert (call["query"], call["json_body"]) == (query, body)
    assert call["headers"] == {"Authorization": "Bearer access-token-for-tests"}


def test_empty_optional_values_are_not_sent():
    call = sent(connector, "send_channel_message", empty_optionals(connector, "send_channel_message"))
    assert set(call["json_body"]) == {"body"}


def test_a_card_stands_below_the_text_which_becomes_safe_html():
    body = sent(
        connector, "send_channel_message", {**CHANNEL, "content": "1 < 2", "card": {"type": "AdaptiveCard"}}
    )
    [card] = body["json_body"]["attachments"]
    assert body["json_body"]["body"] == {
        "contentType": "html",
        "content": f'1 &lt; 2<attachment id="{card["id"]}"></attachment>',
    }
    assert json.loads(card["content"]) == {"type": "AdaptiveCard"}


@pytest.mark.parametrize(
    ("members", "topic", "kind"),
    [
        (["ada@example.com"], None, "oneOnOne"),
        (["ada@example.com"], "Order", "group"),
        (["a", "b"], None, "group"),
    ],
)
def test_a_chat_names_oneself_too(httpserver, members, topic, kind):
    arrived = answer_in_turn(httpserver, [{"id": "me"}, {"id": "19:x", "chatType": kind, "webUrl": "u"}])
    result = run_at(httpserver, connector, "create_chat", {"members": members, "topic": topic})
    body = json.loads(arrived[1].get_data())
    assert body["chatType"] == kind
    users = [entry["user@odata.bind"].split("'")[1] for entry in body["members"]]
    assert users == ["me", *members]
    assert result.output == {"id": "19:x", "chat_type": kind, "url": "u"}


def test_a_workflows_address_gets_a_card_and_never_our_token():
    call = sent(
        connector,
        "post_via_workflow",
        {
            "workflow_url": "https://x.environment.api.powerplatform.com/w?sig=1",
            "title": "New",
            "text": "Hello",
        },
    )
    assert call["url"] == "https://x.environment.api.powerplatform.com/w?sig=1"
    assert call["headers"] == {}
    [attachment] = call["json_body"]["attachments"]
    assert [block["text"] for block in attachment["content"]["body"]] == ["New", "Hello"]


def test_a_card_that_is_too_large_is_told_before_anything_is_sent():
    with pytest.raises(PermanentError, match="28 KB"):
        sent(connector, "post_via_workflow", {"workflow_url": "https://x.example/w", "text": "x" * 28_001})


@pytest.mark.parametrize(
    ("response", "error"),
    [
        (answer(429, {"error": {"code": "TooManyRequests"}}, {"retry-after": "2"}), TemporaryError),
        (answer(503, {}), TemporaryError),
        (answer(403, {"error": {"code": "Forbidden", "message": "Missing scope"}}), PermanentError),
        (answer(401, {"error": {"code": "InvalidAuthenticationToken"}}), ReconnectError),
    ],
)
def test_failures_say_whether_a_retry_can_help(response, error):
    with pytest.raises(error):
        connector.outcome("send_channel_message", response)


def test_messages_are_read_over_three_pages(httpserver):
    def page(name, last=False):
        link = {} if last else {"@odata.nextLink": httpserver.url_for(f"/teams?$skiptoken={name}")}
        return {"value": [{"id": name, "from": None, "body": {"content": "x"}}], **link}

    arrived = answer_in_turn(httpserver, [page("1"), page("2"), page("3", last=True)])
    result = run_at(httpserver, connector, "list_channel_messages", CHANNEL)
    assert [message["id"] for message in result.output["messages"]] == ["1", "2", "3"]
    assert [request.args.get("$skiptoken") for request in arrived] == [None, "1", "2"]


def test_chats_without_a_title_go_by_their_people():
    people = [{"displayName": "Ada"}, {"displayName": "Bob"}]
    output = connector.outcome(
        "list_chats",
        answer(
            200,
            {
                "value": [
                    {"id": "1", "topic": "Order", "chatType": "group"},
                    {"id": "2", "topic": None, "chatType": "oneOnOne", "members": people},
                ]
            },
        ),
    )
    assert [chat["name"] for chat in output["chats"]] == ["Order", "Ada, Bob"]


TRIGGER = connector.trigger("new_channel_message")
WEBHOOKS = connector.webhooks_of(TRIGGER)


def verify(body):
    return WEBHOOKS.signature.verify(delivery(body), key="secret", now=NOW)


def test_a_notice_with_our_secret_is_accepted_and_a_changed_one_is_not():
    assert verify({"value": [TRIGGER.sample]}) == Verified()
    assert isinstance(verify({"value": [{**TRIGGER.sample, "clientState": "secret2"}]}), Refused)


def test_a_replayed_notice_has_the_same_delivery_id():
    inbound = delivery({"value": [TRIGGER.sample]})
    [event] = WEBHOOKS.split(inbound)
    assert WEBHOOKS.event_id(inbound, event).endswith(':created:1616989510408:W/"CQAAABYAAAD"')


@pytest.mark.parametrize(
    ("key", "config", "resource"),
    [
        ("new_channel_message", CHANNEL, "teams/t1/channels/19:c@thread.tacv2/messages"),
        ("new_chat_message", {"chat": "19:x"}, "chats/19:x/messages"),
        ("new_channel", {"team": "t1"}, "teams/t1/channels"),
    ],
)
def test_each_trigger_watches_its_own_place_for_three_days(key, config, resource):
    webhooks = connector.webhooks_of(connector.trigger(key))
    asked = Subscription("https://steward.example/hooks/abc", config=config, secret="secret", now=NOW)
    body = webhooks.subscribe(asked).json
    assert (body["resource"], body["changeType"], body["clientState"]) == (resource, "created", "secret")
    assert body["expirationDateTime"] == "2023-11-17T22:03:20Z"
    assert body["lifecycleNotificationUrl"] == asked.address


def test_the_message_a_notice_names_is_read_before_the_workflow_starts():
    bare = {key: value for key, value in TRIGGER.sample.items() if key != "message"}

    async def send(request):
        assert request.path == "/teams('fbe2bf47')/channels('19:4a95@thread.tacv2')/messages('1616989510408')"
        return Response(200, TRIGGER.sample["message"])

    event = asyncio.run(complete(TRIGGER.follow_up, bare, {}, send))
    assert TRIGGER.output(event)["text"] == "Where is order 1042?"
    assert TRIGGER.wants("created", event, {}, {"user_id": "another"})


def test_what_the_connected_person_wrote_starts_nothing_unless_wanted():
    author = {"user_id": "8ea0e38b-efb3-4757-924a-5f94061cf8c2"}
    assert not TRIGGER.wants("created", TRIGGER.sample, {}, author)
    assert TRIGGER.wants("created", TRIGGER.sample, {"own_messages": True}, author)
    polled = connector.trigger("channel_message_polling")
    assert not polled.wants("", polled.sample, {}, author)


def test_polling_finds_a_new_message_when_the_last_seen_is_gone():
    poll = connector.trigger("channel_message_polling").poll

    def page(*numbers):
        async def send(request):
            return Response(
                200,
                {"value": [{"id": f"m{n}", "createdDateTime": f"2026-11-22T09:30:0{n}Z"} for n in numbers]},
            )

        return send

    first = asyncio.run(look(poll, CHANNEL, None, page(2, 1)))
    second = asyncio.run(look(poll, CHANNEL, first.cursor, page(3, 1)))
    assert [identity for identity, _item in second.items] == ["m3"]
