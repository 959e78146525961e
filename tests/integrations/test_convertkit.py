"""Kit: exact requests, failures, pages, and the signature of its batches of events."""

import hmac
import json

import pytest

from integrations.connectors.convertkit import connector
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

API = "https://api.kit.com/v4"
SECRET = "endpoint-secret-for-tests"


def signed(body: bytes, *, at: float = NOW, secret: str = SECRET) -> dict[str, str]:
    stamp = str(int(at))
    digest = hmac.digest(secret.encode(), stamp.encode() + b"." + body, "sha256").hex()
    return {"X-Kit-Signature": f"t={stamp},v1={'0' * 64},v1={digest}", "X-Kit-Delivery": "d-1"}


def verify(inbound):
    return connector.webhooks.signature.verify(inbound, key=SECRET, now=NOW)


def test_everything_is_described():
    assert_well_described(connector)


BROADCAST = {
    "subject": "S",
    "content": "C",
    "preview_text": "P",
    "description": "D",
    "published_at": "2026-11-22T09:00:00+00:00",
}


@pytest.mark.parametrize(
    ("key", "inputs", "method", "url", "body"),
    [
        (
            "upsert_subscriber",
            {"email_address": "ada@example.com", "fields": {"age": 36}},
            "POST",
            f"{API}/subscribers",
            {"email_address": "ada@example.com", "fields": {"age": "36"}},
        ),
        (
            "update_subscriber",
            {"id": 5, "email_address": "a@example.com", "first_name": "A"},
            "PUT",
            f"{API}/subscribers/5",
            {"email_address": "a@example.com", "first_name": "A"},
        ),
        ("unsubscribe", {"id": 5}, "POST", f"{API}/subscribers/5/unsubscribe", {}),
        (
            "tag_by_email",
            {"tag_id": "11", "email_address": "a@example.com"},
            "POST",
            f"{API}/tags/11/subscribers",
            {"email_address": "a@example.com"},
        ),
        ("tag_subscriber", {"tag_id": 11, "id": 5}, "POST", f"{API}/tags/11/subscribers/5", {}),
        ("untag_subscriber", {"tag_id": 11, "id": 5}, "DELETE", f"{API}/tags/11/subscribers/5", None),
        ("create_tag", {"name": "Customer"}, "POST", f"{API}/tags", {"name": "Customer"}),
        (
            "add_to_form",
            {"form_id": 53, "email_address": "a@example.com"},
            "POST",
            f"{API}/forms/53/subscribers",
            {"email_address": "a@example.com"},
        ),
        (
            "add_to_sequence",
            {"sequence_id": 4, "email_address": "a@example.com"},
            "POST",
            f"{API}/sequences/4/subscribers",
            {"email_address": "a@example.com"},
        ),
        (
            "create_broadcast",
            {**BROADCAST, "only_tags": ["11", "12"]},
            "POST",
            f"{API}/broadcasts",
            {
                **BROADCAST,
                "public": False,
                "subscriber_filter": [{"all": [{"type": "tag", "ids": [11, 12]}], "any": [], "none": []}],
            },
        ),
    ],
)
def test_each_operation_sends_exactly_this(key, inputs, method, url, body):
    call = sent(connector, key, inputs)
    assert (call["method"], call["url"], call["json_body"]) == (method, url, body)
    assert call["headers"] == {"Authorization": "Bearer access-token-for-tests"}


@pytest.mark.parametrize(
    ("key", "inputs", "url", "query"),
    [
        (
            "find_subscriber",
            {"email_address": "a@example.com"},
            f"{API}/subscribers",
            [("email_address", "a@example.com"), ("status", "all"), ("include", "tags")],
        ),
        ("list_tags", {}, f"{API}/tags", [("per_page", "500")]),
        ("list_forms", {}, f"{API}/forms", [("per_page", "500")]),
        ("list_sequences", {}, f"{API}/sequences", [("per_page", "500")]),
        ("list_custom_fields", {}, f"{API}/custom_fields", [("per_page", "500")]),
    ],
)
def test_each_reading_operation_asks_exactly_this(key, inputs, url, query):
    call = sent(connector, key, inputs)
    assert (call["method"], call["url"], call["query"]) == ("GET", url, query)


def test_an_api_key_goes_into_its_own_header():
    call = sent(connector, "list_tags", {}, credentials={"auth": "api_key", "api_key": "kit-key"})
    assert call["headers"] == {"X-Kit-Api-Key": "kit-key"}


def test_empty_optional_values_are_not_sent():
    assert sent(connector, "upsert_subscriber", empty_optionals(connector, "upsert_subscriber"))[
        "json_body"
    ] == {"email_address": "ada@example.com"}
    body = sent(connector, "create_broadcast", empty_optionals(connector, "create_broadcast"))["json_body"]
    assert body["subscriber_filter"] == []
    assert "send_at" not in body


@pytest.mark.parametrize(
    ("response", "error"),
    [
        (answer(429, None), TemporaryError),
        (answer(413, {"errors": ["too many jobs"]}), TemporaryError),
        (answer(502, {}), TemporaryError),
        (answer(422, {"errors": ["Email address is invalid"]}), PermanentError),
        (answer(401, {"errors": ["Your plan does not include the API"]}), PermanentError),
        (answer(401, {"errors": ["The access token is invalid"]}), ReconnectError),
    ],
)
def test_failures_say_whether_a_retry_can_help(response, error):
    with pytest.raises(error):
        connector.outcome("upsert_subscriber", response)


def test_kits_own_words_are_repeated():
    with pytest.raises(PermanentError, match="Email address is invalid"):
        connector.outcome("upsert_subscriber", answer(422, {"errors": ["Email address is invalid"]}))


def test_tags_are_read_over_three_pages(httpserver):
    def page(number):
        return {
            "tags": [{"id": number, "name": "T"}],
            "pagination": {"has_next_page": number < 3, "end_cursor": f"c{number}"},
        }

    arrived = answer_in_turn(httpserver, [page(1), page(2), page(3)])
    result = run_at(httpserver, connector, "list_tags", {})
    assert [tag["id"] for tag in result.output["tags"]] == [1, 2, 3]
    assert [request.args.get("after") for request in arrived] == [None, "c1", "c2"]


def batch(*samples):
    return json.dumps({"delivery_id": "d-1", "events": list(samples)}).encode()


def test_a_signed_batch_is_accepted_and_a_changed_one_is_not():
    body = batch(connector.trigger("tag_added").sample)
    assert verify(delivery(body, signed(body))) == Verified()
    assert isinstance(verify(delivery(body + b" ", signed(body))), Refused)
    assert isinstance(verify(delivery(body, signed(body, secret="another"))), Refused)


def test_a_stale_batch_is_refused():
    body = batch()
    assert isinstance(verify(delivery(body, signed(body, at=NOW - 301))), Refused)
    assert verify(delivery(body, signed(body, at=NOW - 299))) == Verified()


def test_a_batch_is_split_and_a_replay_has_the_same_ids():
    sample = connector.trigger("tag_added").sample
    inbound = delivery(batch(sample, {**sample, "id": "e2"}))
    events = connector.webhooks.split(inbound)
    assert [connector.webhooks.event_id(inbound, event) for event in events] == [sample["id"], "e2"]
    assert connector.webhooks.event_name(inbound, events[0]) == "subscriber.tag_added"


def test_only_the_wanted_tag_starts_a_workflow():
    trigger = connector.trigger("tag_added")
    assert trigger.wants("subscriber.tag_added", trigger.sample, {"tag_id": 11})
    assert not trigger.wants("subscriber.tag_added", trigger.sample, {"tag_id": 12})
    assert trigger.output(trigger.sample)["tag"] == "Customer"


def test_the_webhook_is_made_and_removed_through_the_api():
    webhooks = connector.webhooks
    wanted = Subscription("https://steward.example/hooks/abc", ("subscriber.created",))
    assert webhooks.subscribe(wanted).json == {
        "url": "https://steward.example/hooks/abc",
        "events": ["subscriber.created"],
        "name": "Steward",
    }
    state = webhooks.read(answer(201, {"webhook_endpoint": {"id": 9, "secret": SECRET}}), wanted)
    assert state == {"id": 9, "secret": SECRET}
    removed = webhooks.unsubscribe(Subscription("", state=state))
    assert (removed.method, removed.at) == ("DELETE", {"id": 9})


def test_polling_asks_for_subscribers_created_since():
    query = connector.trigger("subscribers_poll").poll.request({}, "2026-11-22T09:29:59Z").query
    assert query == {
        "created_after": "2026-11-22T09:29:59Z",
        "sort_field": "created_at",
        "sort_order": "desc",
        "status": "all",
        "per_page": 500,
    }
