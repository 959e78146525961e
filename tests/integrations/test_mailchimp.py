"""Mailchimp: exact requests, failures, pages, the webhook of an audience and its signature."""

import hmac
from urllib.parse import urlencode

import pytest

from integrations.connectors.mailchimp import connector
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

SECRET = "signing-secret-for-tests"
API = "https://us19.api.mailchimp.com/3.0"
MEMBER = {"list_id": "57afe96172", "email": "Ada@Example.com"}
FORM = urlencode(
    {
        "type": "subscribe",
        "fired_at": "2026-11-22 09:30:00",
        "data[id]": "8a25ff1d98",
        "data[list_id]": "57afe96172",
        "data[email]": "ada@example.com",
        "data[merges][FNAME]": "Ada",
    }
).encode()


def member_url(tail: str = "") -> str:
    import hashlib

    return f"{API}/lists/57afe96172/members/{hashlib.md5(b'ada@example.com').hexdigest()}{tail}"  # noqa: S324


def signed(body: bytes, *, at: float = NOW, secret: str = SECRET) -> dict[str, str]:
    stamp = str(int(at))
    digest = hmac.digest(secret.encode(), stamp.encode() + b"." + body, "sha256").hex()
    return {
        "X-Mailchimp-Signature": f"t={stamp},v1={digest}",
        "Content-Type": "application/x-www-form-urlencoded",
    }


def verify(inbound):
    return connector.webhooks.signature.verify(inbound, key=SECRET, now=NOW)


def test_everything_is_described():
    assert_well_described(connector)


@pytest.mark.parametrize(
    ("key", "inputs", "method", "url", "body"),
    [
        (
            "upsert_member",
            {**MEMBER, "status_if_new": "pending", "merge_fields": {"FNAME": "Ada"}},
            "PUT",
            member_url(),
            {
                "email_address": "Ada@Example.com",
                "status_if_new": "pending",
                "merge_fields": {"FNAME": "Ada"},
            },
        ),
        (
            "create_member",
            {**MEMBER, "status": "subscribed", "tags": "a, b"},
            "POST",
            f"{API}/lists/57afe96172/members",
            {"email_address": "Ada@Example.com", "status": "subscribed", "tags": ["a", "b"]},
        ),
        ("get_member", MEMBER, "GET", member_url(), None),
        (
            "update_member",
            {**MEMBER, "status": "unsubscribed"},
            "PATCH",
            member_url(),
            {"status": "unsubscribed"},
        ),
        (
            "tag_member",
            {**MEMBER, "add": ["a"], "remove": ["b"]},
            "POST",
            member_url("/tags"),
            {"tags": [{"name": "a", "status": "active"}, {"name": "b", "status": "inactive"}]},
        ),
        ("add_note", {**MEMBER, "note": "Called"}, "POST", member_url("/notes"), {"note": "Called"}),
        (
            "add_event",
            {**MEMBER, "name": "shipped", "properties": {"order": 1042}},
            "POST",
            member_url("/events"),
            {"name": "shipped", "properties": {"order": "1042"}},
        ),
        ("archive_member", MEMBER, "DELETE", member_url(), None),
        (
            "create_campaign",
            {"type": "regular", "list_id": "57afe96172", "subject": "News"},
            "POST",
            f"{API}/campaigns",
            {
                "type": "regular",
                "recipients": {"list_id": "57afe96172"},
                "settings": {"subject_line": "News"},
            },
        ),
        (
            "set_campaign_content",
            {"campaign_id": "42694e9e57", "html": "<p>"},
            "PUT",
            f"{API}/campaigns/42694e9e57/content",
            {"html": "<p>"},
        ),
        (
            "send_campaign",
            {"campaign_id": "42694e9e57"},
            "POST",
            f"{API}/campaigns/42694e9e57/actions/send",
            {},
        ),
        ("list_audiences", {}, "GET", f"{API}/lists", None),
        ("list_merge_fields", {"list_id": "57afe96172"}, "GET", f"{API}/lists/57afe96172/merge-fields", None),
    ],
)
def test_each_operation_sends_exactly_this(key, inputs, method, url, body):
    call = sent(connector, key, inputs)
    assert (call["method"], call["url"], call["json_body"]) == (method, url, body)
    assert call["headers"] == {"Authorization": "Basic OmFwaV9rZXktZm9yLXRlc3Rz"}


def test_empty_optional_values_are_not_sent():
    call = sent(connector, "create_campaign", empty_optionals(connector, "create_campaign"))
    assert call["json_body"] == {"type": "regular"}
    call = sent(connector, "upsert_member", empty_optionals(connector, "upsert_member"))
    assert call["json_body"] == {"email_address": "ada@example.com", "status_if_new": "subscribed"}
    assert call["query"] == []


@pytest.mark.parametrize(
    ("response", "error"),
    [
        (answer(429, {"title": "Too Many Requests"}), TemporaryError),
        (answer(403, None), TemporaryError),
        (answer(500, {}), TemporaryError),
        (answer(403, {"title": "User Disabled"}), PermanentError),
        (answer(400, {"title": "Member Exists", "detail": "use PUT"}), PermanentError),
        (answer(400, {"title": "Forgotten Email Not Subscribed"}), PermanentError),
        (answer(401, {"title": "API Key Invalid"}), ReconnectError),
    ],
)
def test_failures_say_whether_a_retry_can_help(response, error):
    with pytest.raises(error):
        connector.outcome("create_member", response)


def test_the_field_that_was_refused_is_named():
    with pytest.raises(PermanentError, match="Please enter a number"):
        connector.outcome(
            "create_member",
            answer(
                400,
                {
                    "title": "Invalid Resource",
                    "detail": "See errors",
                    "errors": [{"message": "Please enter a number"}],
                },
            ),
        )


def test_audiences_are_read_over_three_pages(httpserver):
    arrived = answer_in_turn(
        httpserver,
        [{"lists": [{"id": f"l{number}", "name": "News"}], "total_items": 3} for number in (1, 2, 3)],
    )
    result = run_at(httpserver, connector, "list_audiences", {})
    assert [audience["id"] for audience in result.output["audiences"]] == ["l1", "l2", "l3"]
    assert [request.args.get("offset") for request in arrived] == [None, "1", "2"]


def test_a_signed_event_is_accepted_and_a_changed_one_is_not():
    assert verify(delivery(FORM, signed(FORM))) == Verified()
    assert isinstance(verify(delivery(FORM + b"&x=1", signed(FORM))), Refused)
    assert isinstance(verify(delivery(FORM, signed(FORM, secret="another"))), Refused)
    assert isinstance(verify(delivery(FORM)), Refused)


def test_a_stale_event_is_refused():
    assert isinstance(verify(delivery(FORM, signed(FORM, at=NOW - 301))), Refused)
    assert verify(delivery(FORM, signed(FORM, at=NOW - 299))) == Verified()


def test_the_form_is_read_and_a_replay_has_the_same_delivery_id():
    inbound = delivery(FORM, signed(FORM))
    [event] = connector.webhooks.split(inbound)
    assert connector.webhooks.event_name(inbound, event) == "subscribe"
    assert connector.webhooks.event_id(inbound, event) == "subscribe:8a25ff1d98:2026-11-22 09:30:00"
    output = connector.trigger("subscribed").output(event)
    assert (output["email"], output["first_name"]) == ("ada@example.com", "Ada")


def test_the_question_whether_we_are_there_is_answered():
    assert connector.webhooks.handshake(delivery(b"", method="GET")).status == 200
    assert connector.webhooks.handshake(delivery(FORM)) is None


def test_the_webhook_is_made_and_removed_through_the_api():
    webhooks = connector.webhooks
    wanted = Subscription("https://steward.example/hooks/abc", ("subscribe",), {"list_id": "57afe96172"})
    made = webhooks.subscribe(wanted)
    assert made.json == {
        "url": "https://steward.example/hooks/abc",
        "events": {"subscribe": True},
        "sources": {"user": True, "admin": True, "api": False},
    }
    state = webhooks.read(
        answer(200, {"id": "ab12", "signing_secret": SECRET, "signing_enabled": True}), wanted
    )
    assert state == {"id": "ab12", "secret": SECRET, "list_id": "57afe96172"}
    removed = webhooks.unsubscribe(Subscription("https://steward.example/hooks/abc", state=state))
    assert (removed.method, removed.at) == ("DELETE", {"list_id": "57afe96172", "webhook_id": "ab12"})


def test_polling_asks_for_the_newest_changes_first():
    request = connector.trigger("members_poll").poll.request({"list_id": "l1"}, "2026-11-22T09:30:00+00:00")
    assert request.query == {
        "since_last_changed": "2026-11-22T09:30:00+00:00",
        "sort_field": "last_changed",
        "sort_dir": "DESC",
        "count": 500,
    }
