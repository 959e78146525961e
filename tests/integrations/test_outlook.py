"""Outlook: exact requests, failures of Graph, pages by link, and notices of changes."""

import asyncio
import base64
import json

import pytest

from integrations.connectors._microsoft import notice_id
from integrations.connectors.outlook import connector
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

MAIL = {"to": "Ada <ada@example.com>, bob@example.com", "subject": "Hello", "body": "Hi"}
ADA = {"emailAddress": {"address": "ada@example.com", "name": "Ada"}}
BOB = {"emailAddress": {"address": "bob@example.com"}}
WRITTEN = {"subject": "Hello", "body": {"contentType": "Text", "content": "Hi"}, "toRecipients": [ADA, BOB]}


def test_everything_is_described():
    assert_well_described(connector)


@pytest.mark.parametrize(
    ("key", "inputs", "method", "path", "query", "body"),
    [
        ("send_mail", MAIL, "POST", "/me/sendMail", [], {"message": WRITTEN, "saveToSentItems": True}),
        (
            "create_draft",
            {**MAIL, "cc": "bob@example.com", "importance": "high"},
            "POST",
            "/me/messages",
            [],
            {**WRITTEN, "ccRecipients": [BOB], "importance": "high"},
        ),
        ("send_draft", {"id": "a/b="}, "POST", "/me/messages/a%2Fb%3D/send", [], None),
        (
            "reply",
            {"id": "m", "comment": "Thanks", "to": "bob@example.com"},
            "POST",
            "/me/messages/m/reply",
            [],
            {"comment": "Thanks", "message": {"toRecipients": [BOB]}},
        ),
        (
            "forward",
            {"id": "m", "to": "bob@example.com"},
            "POST",
            "/me/messages/m/forward",
            [],
            {"toRecipients": [BOB]},
        ),
        (
            "move_message",
            {"id": "m", "folder": "archive"},
            "POST",
            "/me/messages/m/move",
            [],
            {"destinationId": "archive"},
        ),
        (
            "update_message",
            {"id": "m", "is_read": "yes", "flag": "flagged"},
            "PATCH",
            "/me/messages/m",
            [],
            {"isRead": True, "flag": {"flagStatus": "flagged"}},
        ),
        (
            "list_folders",
            {"include_hidden": True},
            "GET",
            "/me/mailFolders",
            [("$top", "100"), ("includeHiddenFolders", "true")],
            None,
        ),
        ("get_message", {"id": "m"}, "GET", "/me/messages/m", [], None),
        ("list_attachments", {"id": "m"}, "GET", "/me/messages/m/attachments", [], None),
    ],
)
def test_every_operation_asks_exactly_this(key, inputs, method, path, query, body):
    call = sent(connector, key, inputs)
    assert (call["method"], call["url"]) == (method, f"https://graph.microsoft.com/v1.0{path}")
    assert (call["query"], call["json_body"]) == (query, body)
    assert call["headers"]["Authorization"] == "Bearer access-token-for-tests"
    assert 'IdType="ImmutableId"' in call["headers"]["Prefer"]


def test_a_file_travels_inside_the_message():
    content = base64.b64encode(b"a,b").decode()
    file = {"name": "a.csv", "content": content, "content_type": "text/csv"}
    wire = {
        "@odata.type": "#microsoft.graph.fileAttachment",
        "name": "a.csv",
        "contentType": "text/csv",
        "contentBytes": content,
    }
    call = sent(connector, "send_mail", {**MAIL, "attachments": [{"file": file}]})
    assert call["json_body"]["message"]["attachments"] == [wire]
    assert sent(connector, "add_attachment", {"id": "m", "file": file})["json_body"] == wire


def test_a_file_that_is_too_large_is_told_before_anything_is_sent():
    large = base64.b64encode(b"x" * 3_000_001).decode()
    with pytest.raises(PermanentError, match="larger than 3 MB"):
        sent(connector, "add_attachment", {"id": "m", "file": {"name": "a", "content": large}})


def test_a_search_goes_without_sorting_and_never_with_a_filter():
    call = sent(connector, "list_messages", {"search": 'subject:"invoice"'})
    assert dict(call["query"])["$search"] == '"subject:invoice"'
    assert "$orderby" not in dict(call["query"])
    with pytest.raises(PermanentError, match="either a search or a filter"):
        sent(connector, "list_messages", {"search": "x", "filter": "isRead eq false"})


def test_empty_optional_values_are_not_sent():
    call = sent(connector, "send_mail", empty_optionals(connector, "send_mail"))
    assert set(call["json_body"]["message"]) == {"subject", "body", "toRecipients"}
    assert sent(connector, "reply", empty_optionals(connector, "reply"))["json_body"].keys() == {"comment"}


@pytest.mark.parametrize(
    ("response", "error"),
    [
        (answer(429, {"error": {"code": "ApplicationThrottled"}}, {"retry-after": "10"}), TemporaryError),
        (answer(503, {"error": {"code": "MailboxConcurrency"}}), TemporaryError),
        (answer(400, {"error": {"code": "ErrorInvalidRecipients", "message": "No"}}), PermanentError),
        (answer(404, {"error": {"code": "MailboxNotEnabledForRESTAPI"}}), PermanentError),
        (answer(401, {"error": {"code": "InvalidAuthenticationToken"}}), ReconnectError),
    ],
)
def test_failures_say_whether_a_retry_can_help(response, error):
    with pytest.raises(error):
        connector.outcome("send_mail", response)


def test_an_accepted_mail_has_no_output():
    assert connector.outcome("send_mail", Response(202)) == {}


@pytest.mark.parametrize(("is_draft", "found"), [(True, None), (False, {})])
def test_a_draft_that_may_have_been_sent_is_looked_up(is_draft, found):
    look_up = connector.action("send_draft").look_up
    assert look_up.request({"id": "m"}).query == {"$select": "id,isDraft"}
    assert look_up.found(answer(200, {"isDraft": is_draft}), {"id": "m"}) == found


def test_messages_are_read_over_three_pages(httpserver):
    def page(name, last=False):
        link = {} if last else {"@odata.nextLink": httpserver.url_for(f"/me/messages?$skip={name}")}
        return {"value": [{"id": name, "from": {"emailAddress": {"address": "ada@example.com"}}}], **link}

    arrived = answer_in_turn(httpserver, [page("1"), page("2"), page("3", last=True)])
    result = run_at(httpserver, connector, "list_messages", {})
    assert [message["id"] for message in result.output["messages"]] == ["1", "2", "3"]
    assert result.output["messages"][0]["from"] == "ada@example.com"
    assert [request.args.get("$skip") for request in arrived] == [None, "1", "2"]


def test_attachments_come_as_files():
    output = connector.outcome(
        "list_attachments",
        answer(
            200,
            {
                "value": [
                    {
                        "id": "a",
                        "name": "a.txt",
                        "contentType": "text/plain",
                        "size": 2,
                        "contentBytes": "SGk=",
                    },
                    {"id": "b"},
                ]
            },
        ),
    )
    assert output["attachments"][0]["file"] == {
        "name": "a.txt",
        "content": "SGk=",
        "content_type": "text/plain",
    }
    assert output["attachments"][1]["file"] is None


WEBHOOKS = connector.webhooks_of(connector.trigger("new_email"))
EVENT = connector.trigger("new_email").sample


def verify(body):
    return WEBHOOKS.signature.verify(delivery(body), key="secret", now=NOW)


def test_notices_with_our_secret_are_accepted_and_one_false_among_them_refuses_all():
    assert verify({"value": [EVENT, EVENT]}) == Verified()
    assert isinstance(verify({"value": [EVENT, {**EVENT, "clientState": "other"}]}), Refused)
    assert isinstance(verify({"value": [{**EVENT, "clientState": None}]}), Refused)
    assert isinstance(verify({"value": []}), Refused)


def test_the_address_is_proved_with_the_token_as_plain_text():
    reply = WEBHOOKS.handshake(
        delivery(b"", url="https://steward.example/hooks/abc?validationToken=a%20b%3A1")
    )
    assert (reply.status, reply.body, reply.content_type) == (200, b"a b:1", "text/plain")
    assert WEBHOOKS.handshake(delivery({"value": []})) is None


def test_a_replayed_notice_is_known_and_a_second_change_is_not():
    first = connector.trigger("email_updated").sample
    inbound = delivery({"value": [first]})
    [event] = WEBHOOKS.split(inbound)
    changed = {**first, "resourceData": {**first["resourceData"], "@odata.etag": 'W/"2"'}}
    assert WEBHOOKS.event_id(inbound, event) == notice_id(inbound, json.loads(json.dumps(first))) != ""
    assert WEBHOOKS.event_id(inbound, event) != notice_id(inbound, changed)
    unversioned = {**first, "resourceData": {"id": first["resourceData"]["id"]}}
    assert notice_id(inbound, unversioned) == ""  # two changes without a version must not pass for one
    assert notice_id(inbound, {**unversioned, "changeType": "created"}) != ""


def test_a_lifecycle_notice_starts_nothing():
    event = {"lifecycleEvent": "reauthorizationRequired", "clientState": "secret"}
    assert not connector.trigger("new_email").wants(
        WEBHOOKS.event_name(delivery({"value": [event]}), event), event, {}
    )


def test_a_subscription_is_made_renewed_and_removed():
    asked = Subscription(
        "https://steward.example/hooks/abc", config={"folder": "Ada's"}, secret="secret", now=NOW
    )
    made = WEBHOOKS.subscribe(asked)
    assert (made.method, made.path) == ("POST", "/subscriptions")
    assert made.json == {
        "changeType": "created",
        "notificationUrl": asked.address,
        "lifecycleNotificationUrl": asked.address,
        "resource": "me/mailFolders('Ada''s')/messages",
        "expirationDateTime": "2023-11-21T22:03:20Z",
        "clientState": "secret",
    }
    state = WEBHOOKS.read(answer(201, {"id": "s1", "expirationDateTime": "2023-11-21T22:03:20Z"}), asked)
    assert state == {"id": "s1", "secret": "secret", "expires_at": "2023-11-21T22:03:20Z"}
    later = Subscription(asked.address, state=state, now=NOW + 60)
    renewed = WEBHOOKS.renew(later)
    assert (renewed.method, renewed.json) == ("PATCH", {"expirationDateTime": "2023-11-21T22:04:20Z"})
    assert WEBHOOKS.read(answer(200, {"id": "s1", "expirationDateTime": "x"}), later)["secret"] == "secret"
    assert WEBHOOKS.unsubscribe(later).method == "DELETE"


def test_the_mail_a_notice_names_is_read_before_the_workflow_starts():
    trigger = connector.trigger("new_email")
    bare = {key: value for key, value in EVENT.items() if key != "message"}

    async def send(request):
        assert request.at == {"id": EVENT["resourceData"]["id"]}
        return Response(200, EVENT["message"])

    output = trigger.output(asyncio.run(complete(trigger.follow_up, bare, {}, send)))
    assert (output["subject"], output["from"], output["to"]) == (
        "Invoice 1042",
        "ada@example.com",
        ["you@example.com"],
    )
    assert trigger.output(bare)["id"] == EVENT["resourceData"]["id"]


def test_polling_asks_from_the_newest_mail_seen():
    poll = connector.trigger("search_polling").poll
    asked = []

    async def send(request):
        asked.append(request.query["$filter"])
        number = len(asked)
        return Response(
            200, {"value": [{"id": f"m{number}", "receivedDateTime": f"2026-11-22T09:30:0{number}Z"}]}
        )

    config = {"filter": "isRead eq false or hasAttachments eq true"}
    first = asyncio.run(look(poll, config, None, send))
    second = asyncio.run(look(poll, config, first.cursor, send))
    assert asked[0].startswith("receivedDateTime ge 1970-01-01T00:00:00Z and (isRead")
    assert asked[1].startswith("receivedDateTime ge 2026-11-22T09:30:01Z and (")
    assert [identity for identity, _item in second.items] == ["m2"]
