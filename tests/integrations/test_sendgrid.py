"""SendGrid: exact requests, failures, pages, signed events, and e-mail that comes in."""

import base64
import json

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from integrations.connectors.sendgrid import connector
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

API = "https://api.sendgrid.com"
KEY = ec.generate_private_key(ec.SECP256R1())
PUBLIC = base64.b64encode(
    KEY.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
).decode()
DAY = 24 * 3600


def signed(body: bytes, *, at: float = NOW, key=KEY) -> dict[str, str]:
    stamp = str(int(at))
    signature = key.sign(stamp.encode() + body, ec.ECDSA(hashes.SHA256()))
    return {
        "X-Twilio-Email-Event-Webhook-Signature": base64.b64encode(signature).decode(),
        "X-Twilio-Email-Event-Webhook-Timestamp": stamp,
    }


def verify(inbound):
    return connector.webhooks.signature.verify(inbound, key=PUBLIC, now=NOW)


def test_everything_is_described():
    assert_well_described(connector)


MAIL = {"to": "ada@example.com, bob@example.com", "from_email": "orders@example.com"}


@pytest.mark.parametrize(
    ("key", "inputs", "method", "url", "body"),
    [
        (
            "send_email",
            {
                **MAIL,
                "subject": "Hi",
                "html": "<p>",
                "text": "-",
                "send_at": "2023-11-14T22:13:20",
                "custom_args": {"order": 7},
                "attachments": [{"name": "a.csv", "content": "YSxi"}],
            },
            "POST",
            f"{API}/v3/mail/send",
            {
                "personalizations": [
                    {
                        "to": [{"email": "ada@example.com"}, {"email": "bob@example.com"}],
                        "custom_args": {"order": "7"},
                    }
                ],
                "from": {"email": "orders@example.com"},
                "subject": "Hi",
                "content": [{"type": "text/plain", "value": "-"}, {"type": "text/html", "value": "<p>"}],
                "attachments": [{"content": "YSxi", "filename": "a.csv"}],
                "send_at": 1700000000,
            },
        ),
        (
            "upsert_contacts",
            {"contacts": [{"email": "ada@example.com"}], "list_ids": ["l1"]},
            "PUT",
            f"{API}/v3/marketing/contacts",
            {"contacts": [{"email": "ada@example.com"}], "list_ids": ["l1"]},
        ),
        (
            "find_contacts_by_email",
            {"emails": ["ada@example.com"]},
            "POST",
            f"{API}/v3/marketing/contacts/search/emails",
            {"emails": ["ada@example.com"]},
        ),
        (
            "search_contacts",
            {"query": "email LIKE 'a%'"},
            "POST",
            f"{API}/v3/marketing/contacts/search",
            {"query": "email LIKE 'a%'"},
        ),
        ("create_contact_list", {"name": "News"}, "POST", f"{API}/v3/marketing/lists", {"name": "News"}),
        (
            "add_global_unsubscribe",
            {"recipient_emails": "ada@example.com"},
            "POST",
            f"{API}/v3/asm/suppressions/global",
            {"recipient_emails": ["ada@example.com"]},
        ),
        (
            "create_event_webhook",
            {"url": "https://example.com/", "events": ["open"]},
            "POST",
            f"{API}/v3/user/webhooks/event/settings",
            {"url": "https://example.com/", "enabled": True, "open": True},
        ),
    ],
)
def test_each_operation_sends_exactly_this(key, inputs, method, url, body):
    call = sent(connector, key, inputs)
    assert (call["method"], call["url"], call["json_body"]) == (method, url, body)
    assert call["headers"] == {"Authorization": "Bearer api_key-for-tests"}


@pytest.mark.parametrize(
    ("key", "inputs", "url", "query"),
    [
        ("list_contact_lists", {}, f"{API}/v3/marketing/lists", [("page_size", "500")]),
        ("list_templates", {}, f"{API}/v3/templates", [("page_size", "200"), ("generations", "dynamic")]),
        (
            "list_bounces",
            {"start": "2023-11-14T22:13:20+00:00"},
            f"{API}/v3/suppression/bounces",
            [("start_time", "1700000000"), ("limit", "500")],
        ),
        (
            "get_stats",
            {"start_date": "2026-11-01", "aggregated_by": "week"},
            f"{API}/v3/stats",
            [("start_date", "2026-11-01"), ("aggregated_by", "week")],
        ),
    ],
)
def test_each_reading_operation_asks_exactly_this(key, inputs, url, query):
    call = sent(connector, key, inputs)
    assert (call["method"], call["url"], call["query"]) == ("GET", url, query)


def test_an_eu_key_goes_to_the_eu():
    call = sent(connector, "get_stats", {"start_date": "2026-11-01"}, account={"host": "api.eu.sendgrid.com"})
    assert call["url"] == "https://api.eu.sendgrid.com/v3/stats"


def test_empty_optional_values_are_not_sent():
    body = sent(connector, "send_email", empty_optionals(connector, "send_email"))["json_body"]
    assert body == {
        "personalizations": [{"to": [{"email": "ada@example.com"}]}],
        "from": {"email": "orders@example.com"},
    }


@pytest.mark.parametrize(
    ("response", "error"),
    [
        (answer(429, {"errors": [{"message": "too many requests"}]}), TemporaryError),
        (answer(503, {}), TemporaryError),
        (
            answer(400, {"errors": [{"message": "Does not contain a valid address.", "field": "to"}]}),
            PermanentError,
        ),
        (answer(403, {"errors": [{"message": "access forbidden"}]}), PermanentError),
        (answer(401, {"errors": [{"message": "authorization required"}]}), ReconnectError),
    ],
)
def test_failures_say_whether_a_retry_can_help(response, error):
    with pytest.raises(error):
        connector.outcome("send_email", response)


def test_the_wait_is_counted_by_sendgrids_own_clock():
    headers = {
        "X-RateLimit-Reset": "1700000030",
        "Date": "Tue, 14 Nov 2023 22:13:20 GMT",
        "X-RateLimit-Remaining": "0",
    }
    with pytest.raises(TemporaryError) as caught:
        connector.outcome("get_stats", answer(429, {}, headers))
    assert caught.value.retry_after == 30
    assert connector.wait(answer(200, [], headers)) == 30
    assert connector.wait(answer(200, [])) is None


def test_a_sent_email_gives_its_message_id():
    assert connector.outcome("send_email", answer(202, None, {"X-Message-Id": "14c5d75ce93"})) == {
        "message_id": "14c5d75ce93"
    }


def test_contacts_found_by_address_become_a_list():
    body = {
        "result": {
            "ada@example.com": {"contact": {"id": "c1", "email": "ada@example.com"}},
            "x@example.com": {"error": "contact not found"},
        }
    }
    [contact] = connector.outcome("find_contacts_by_email", answer(200, body))["contacts"]
    assert (contact["id"], contact["email"], contact["first_name"]) == ("c1", "ada@example.com", None)


def test_lists_are_read_over_three_pages(httpserver):
    def page(number):
        following = (
            {"next": httpserver.url_for(f"/v3/marketing/lists?page_token=t{number}")} if number < 3 else {}
        )
        return {"result": [{"id": f"l{number}", "name": "News"}], "_metadata": following}

    arrived = answer_in_turn(httpserver, [page(1), page(2), page(3)])
    result = run_at(httpserver, connector, "list_contact_lists", {}, account={"host": "ignored.example"})
    assert [entry["id"] for entry in result.output["lists"]] == ["l1", "l2", "l3"]
    assert [request.args.get("page_token") for request in arrived] == [None, "t1", "t2"]
    assert all(request.headers["Authorization"] for request in arrived)


def test_bounces_are_read_over_three_pages(httpserver):
    full = [{"email": f"a{number}@example.com", "created": number} for number in range(500)]
    arrived = answer_in_turn(httpserver, [full, full, full[:1]])
    result = run_at(httpserver, connector, "list_bounces", {"max_results": 2000})
    assert len(result.output["bounces"]) == 1001
    assert [request.args.get("offset") for request in arrived] == [None, "500", "1000"]
    assert all(request.headers["Accept"] == "application/json" for request in arrived)


def test_signed_events_are_accepted_and_changed_ones_are_not():
    body = json.dumps([connector.trigger("email_bounced").sample]).encode()
    assert verify(delivery(body, signed(body))) == Verified()
    assert isinstance(verify(delivery(body + b" ", signed(body))), Refused)
    assert isinstance(
        verify(delivery(body, signed(body, key=ec.generate_private_key(ec.SECP256R1())))), Refused
    )


def test_stale_events_are_refused_but_those_of_a_days_retries_are_not():
    body = b"[]"
    assert isinstance(verify(delivery(body, signed(body, at=NOW - DAY - 301))), Refused)
    assert verify(delivery(body, signed(body, at=NOW - DAY))) == Verified()


def test_a_batch_is_split_and_a_replay_has_the_same_ids():
    samples = [connector.trigger("email_delivered").sample, connector.trigger("email_opened").sample]
    inbound = delivery(samples)
    events = connector.webhooks.split(inbound)
    assert [connector.webhooks.event_name(inbound, event) for event in events] == ["delivered", "click"]
    assert {connector.webhooks.event_id(inbound, event) for event in events} == {"ZyjLMj8xSkKq5r2zUuDmRw"}


def test_the_webhook_is_made_then_signed_then_removed_through_the_api():
    webhooks = connector.webhooks
    wanted = Subscription("https://steward.example/hooks/abc", ("bounce", "dropped"))
    assert webhooks.subscribe(wanted).json == {
        "enabled": True,
        "url": "https://steward.example/hooks/abc",
        "friendly_name": "Steward",
        "bounce": True,
        "dropped": True,
    }
    state = webhooks.read(answer(201, {"id": "w1"}), wanted)
    assert state == {"id": "w1"}
    known = Subscription("https://steward.example/hooks/abc", state=state)
    request = webhooks.follow_up(known)
    assert (request.method, request.at, request.json) == ("PATCH", {"id": "w1"}, {"enabled": True})
    assert webhooks.read(answer(200, {"id": "w1", "public_key": PUBLIC}), known) == {
        "id": "w1",
        "secret": PUBLIC,
    }
    removed = webhooks.unsubscribe(known)
    assert (removed.method, removed.at) == ("DELETE", {"id": "w1"})


def test_an_incoming_email_is_read_from_its_multipart_form():
    body = (
        b'--b\r\nContent-Disposition: form-data; name="from"\r\n\r\nAda <ada@example.com>\r\n'
        b'--b\r\nContent-Disposition: form-data; name="headers"\r\n\r\nSubject: Q\nMessage-ID: <CAB1@x>\n\r\n'
        b'--b\r\nContent-Disposition: form-data; name="attachment1"; filename="a.csv"\r\n'
        b"Content-Type: text/csv\r\n\r\na,b\r\n--b--\r\n"
    )
    inbound = delivery(body, {"Content-Type": "multipart/form-data; boundary=b"})
    trigger = connector.trigger("inbound_email")
    [event] = trigger.webhooks.split(inbound)
    assert trigger.webhooks.event_id(inbound, event) == "<CAB1@x>"
    output = trigger.output(event)
    assert output["from"] == "Ada <ada@example.com>"
    assert output["attachment1"] == {"name": "a.csv", "content": "YSxi", "content_type": "text/csv"}


def test_the_domain_of_incoming_email_is_set_and_removed_through_the_api():
    webhooks = connector.trigger("inbound_email").webhooks
    wanted = Subscription("https://steward.example/hooks/abc", config={"hostname": "in.example.com"})
    assert webhooks.subscribe(wanted).json["hostname"] == "in.example.com"
    state = webhooks.read(answer(201, {"hostname": "in.example.com"}), wanted)
    removed = webhooks.unsubscribe(Subscription("", state=state))
    assert (removed.method, removed.at) == ("DELETE", {"hostname": "in.example.com"})


def test_polling_asks_for_bounces_since_the_last_one():
    poll = connector.trigger("new_bounce_polling").poll
    assert poll.request({}, 1700000000).query == {"start_time": 1700000000, "end_time": None, "limit": 500}
