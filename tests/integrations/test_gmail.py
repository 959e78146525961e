"""Gmail: messages as they are sent, read and found; failures of Google; mail and labels looked for."""

import asyncio
import base64
from email import message_from_bytes, policy

import pytest

from integrations.connectors.gmail import connector, labelled_messages, read_message
from integrations.framework import PermanentError, ReconnectError, Response, TemporaryError
from integrations.framework.polling import look
from tests.integrations.checks import (
    answer,
    answer_in_turn,
    assert_well_described,
    empty_optionals,
    run_at,
    sent,
)

MAIL = {"to": "Ada Lovelace <ada@example.com>, bob@example.com", "subject": "Hello", "body": "Grüße"}


def message_in(call, *path):
    value = call["json_body"]
    for part in (*path, "raw"):
        value = value[part]
    return message_from_bytes(base64.urlsafe_b64decode(value), policy=policy.default)


def test_everything_is_described():
    assert_well_described(connector)


def test_a_message_is_sent_with_its_attachment():
    file = {"name": "a.csv", "content": base64.b64encode(b"a,b").decode(), "content_type": "text/csv"}
    call = sent(connector, "send_email", {**MAIL, "thread_id": "t1", "attachments": [{"file": file}]})
    assert (call["method"], call["url"]) == (
        "POST",
        "https://gmail.googleapis.com/gmail/v1/users/me/messages/send",
    )
    assert call["headers"]["Authorization"] == "Bearer access-token-for-tests"
    assert call["json_body"]["threadId"] == "t1"
    message = message_in(call)
    assert message["To"] == "Ada Lovelace <ada@example.com>, bob@example.com"
    assert message.get_body().get_content() == "Grüße\r\n"
    [attachment] = message.iter_attachments()
    assert (attachment.get_filename(), attachment.get_content()) == ("a.csv", "a,b")


def test_empty_optional_values_are_not_sent():
    call = sent(connector, "send_email", empty_optionals(connector, "send_email"))
    assert set(call["json_body"]) == {"raw"}
    assert set(message_in(call).keys()) == {
        "To",
        "Subject",
        "Content-Type",
        "Content-Transfer-Encoding",
        "MIME-Version",
    }


def test_a_line_break_never_becomes_another_header():
    message = message_in(sent(connector, "send_email", {**MAIL, "subject": "Hello\r\nBcc: spy@example.com"}))
    assert message["Bcc"] is None
    assert message["Subject"] == "Hello Bcc: spy@example.com"


@pytest.mark.parametrize("wrong", ["ada", "@example.com", "ada@", "Ada Lovelace"])
def test_a_wrong_address_is_told_before_anything_is_sent(wrong):
    with pytest.raises(PermanentError, match="not an e-mail address"):
        sent(connector, "send_email", {**MAIL, "to": wrong})


@pytest.mark.parametrize(
    ("key", "inputs", "method", "path", "query", "body"),
    [
        (
            "search_messages",
            {"query": "is:unread", "label_ids": ["INBOX", "X"]},
            "GET",
            "/messages",
            [("q", "is:unread"), ("labelIds", "INBOX"), ("labelIds", "X")],
            None,
        ),
        ("get_message", {"id": "m1"}, "GET", "/messages/m1", [("format", "full")], None),
        (
            "modify_labels",
            {"id": "m1", "remove_label_ids": "UNREAD,INBOX"},
            "POST",
            "/messages/m1/modify",
            [],
            {"removeLabelIds": ["UNREAD", "INBOX"]},
        ),
        ("trash_message", {"id": "m1"}, "POST", "/messages/m1/trash", [], None),
        ("send_draft", {"id": "r1"}, "POST", "/drafts/send", [], {"id": "r1"}),
        ("get_thread", {"id": "t1"}, "GET", "/threads/t1", [("format", "full")], None),
        (
            "get_attachment",
            {"message_id": "m1", "attachment_id": "a1"},
            "GET",
            "/messages/m1/attachments/a1",
            [],
            None,
        ),
        ("list_labels", {}, "GET", "/labels", [], None),
        ("create_label", {"name": "Orders"}, "POST", "/labels", [], {"name": "Orders"}),
    ],
)
def test_every_operation_asks_exactly_this(key, inputs, method, path, query, body):
    call = sent(connector, key, inputs)
    assert (call["method"], call["url"]) == (method, f"https://gmail.googleapis.com/gmail/v1/users/me{path}")
    assert (call["query"], call["json_body"]) == (query, body)


def test_a_draft_holds_the_same_message():
    assert message_in(sent(connector, "create_draft", MAIL), "message")["Subject"] == "Hello"


def failure(status, reason, message="No"):
    return answer(status, {"error": {"code": status, "message": message, "errors": [{"reason": reason}]}})


@pytest.mark.parametrize(
    ("response", "error"),
    [
        (failure(429, "rateLimitExceeded"), TemporaryError),
        (failure(403, "userRateLimitExceeded"), TemporaryError),
        (failure(403, "dailyLimitExceeded"), TemporaryError),
        (failure(503, "backendError"), TemporaryError),
        (failure(403, "forbidden"), PermanentError),
        (failure(400, "invalidArgument", "Invalid To header"), PermanentError),
        (failure(403, "accessNotConfigured"), PermanentError),
        (failure(404, "notFound"), PermanentError),
        (failure(401, "authError"), ReconnectError),
        (failure(403, "insufficientPermissions"), ReconnectError),
    ],
)
def test_failures_say_whether_a_retry_can_help(response, error):
    with pytest.raises(error):
        connector.outcome("send_email", response)


def test_messages_are_found_over_three_pages(httpserver):
    pages = [
        {"messages": [{"id": f"m{number}", "threadId": "t"}], "nextPageToken": token}
        for number, token in ((1, "one"), (2, "two"), (3, ""))
    ]
    arrived = answer_in_turn(httpserver, pages)
    result = run_at(httpserver, connector, "search_messages", {"query": "x"})
    assert [message["id"] for message in result.output["messages"]] == ["m1", "m2", "m3"]
    assert [request.args.get("pageToken") for request in arrived] == [None, "one", "two"]


def full(name="m1"):
    def part(kind, text, **more):
        return {
            "mimeType": kind,
            "filename": "",
            "body": {"data": base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")},
            **more,
        }

    return {
        "id": name,
        "threadId": "t1",
        "labelIds": ["INBOX"],
        "snippet": "Hi",
        "internalDate": "1",
        "payload": {
            "mimeType": "multipart/mixed",
            "filename": "",
            "body": {"size": 0},
            "headers": [{"name": "From", "value": "ada@example.com"}, {"name": "SUBJECT", "value": "Hello"}],
            "parts": [
                {
                    "mimeType": "multipart/alternative",
                    "filename": "",
                    "body": {},
                    "parts": [part("text/plain", "Grüße"), part("text/html", "<p>Grüße</p>")],
                },
                {
                    "mimeType": "application/pdf",
                    "filename": "a.pdf",
                    "body": {"attachmentId": "att", "size": 3},
                },
            ],
        },
    }


def test_a_message_is_read_into_plain_values():
    message = read_message(full())
    assert (message["from"], message["subject"]) == ("ada@example.com", "Hello")
    assert (message["text"], message["html"]) == ("Grüße", "<p>Grüße</p>")
    assert message["attachments"] == [
        {"attachment_id": "att", "name": "a.pdf", "content_type": "application/pdf", "size": 3}
    ]


def test_an_attachment_becomes_a_file(httpserver):
    answer_in_turn(httpserver, [{"data": "__79", "size": 3}])
    result = run_at(
        httpserver, connector, "get_attachment", {"message_id": "m", "attachment_id": "a", "name": "x.bin"}
    )
    assert base64.b64decode(result.output["file"]["content"]) == b"\xff\xfe\xfd"
    assert result.output["file"]["name"] == "x.bin"


def looking(key, config, cursor, answer_to):
    asked = []

    async def send(request):
        asked.append(request)
        return Response(200, answer_to(request))

    return asyncio.run(look(connector.trigger(key).poll, config, cursor, send)), asked


def test_new_mail_comes_in_full_even_when_the_last_seen_is_gone():
    def inbox(*names):
        return lambda request: (
            {"messages": [{"id": name} for name in names]}
            if request.path.endswith("/messages")
            else full(request.at["id"])
        )

    first, _ = looking("new_email", {}, None, inbox("m2", "m1"))
    second, asked = looking("new_email", {}, first.cursor, inbox("m3", "m1"))
    assert [(identity, mail["subject"]) for identity, mail in second.items] == [("m3", "Hello")]
    assert asked[0].query["q"] == "in:inbox newer_than:7d"
    assert connector.trigger("new_email").output(second.items[0][1])["text"] == "Grüße"


def test_a_search_stays_one_group():
    request = connector.trigger("email_matching_search").poll.request({"query": "a OR b"}, None)
    assert request.query["q"] == "(a OR b) newer_than:30d"


def test_labels_are_followed_from_the_last_history_number():
    config = {"label": "L1"}
    first, asked = looking("label_added", config, None, lambda request: {"historyId": "100"})
    assert asked[0].path.endswith("/profile")
    history = {
        "historyId": "120",
        "history": [
            {"id": "110", "labelsAdded": [{"message": {"id": "m1", "threadId": "t"}, "labelIds": ["L1"]}]},
            {"id": "111", "labelsAdded": [{"message": {"id": "m2", "threadId": "t"}, "labelIds": ["L2"]}]},
        ],
    }
    second, asked = looking(
        "label_added",
        config,
        first.cursor,
        lambda request: history if request.path.endswith("/history") else full(request.at["id"]),
    )
    assert asked[0].query["startHistoryId"] == "100"
    assert [mail["id"] for _identity, mail in second.items] == ["m1"]
    assert second.cursor["since"] == "120"
    assert labelled_messages(Response(200, {}), config) == []
