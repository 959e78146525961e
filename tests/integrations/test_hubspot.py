"""HubSpot: exact requests, failures, pages, polling, and the signature of its batches of events."""

import base64
import hmac
import json

import pytest

from integrations.connectors.hubspot import connector
from integrations.framework import PermanentError, ReconnectError, Refused, TemporaryError, Verified
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

SECRET = "client-secret-for-tests"
ADDRESS = "https://steward.example/hooks/hubspot"
API = "https://api.hubapi.com"
OBJECTS = f"{API}/crm/objects/2026-03"


def link(to, kind):
    return {
        "to": {"id": to},
        "types": [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": kind}],
    }


def signed(body: bytes, *, at: float = NOW, secret: str = SECRET, url: str = ADDRESS) -> dict[str, str]:
    stamp = str(int(at * 1000))
    digest = hmac.digest(secret.encode(), b"POST" + url.encode() + body + stamp.encode(), "sha256")
    return {"X-HubSpot-Signature-v3": base64.b64encode(digest).decode(), "X-HubSpot-Request-Timestamp": stamp}


def verify(inbound):
    return connector.webhooks.signature.verify(inbound, key=SECRET, now=NOW, address=ADDRESS)


def test_everything_is_described():
    assert_well_described(connector)


@pytest.mark.parametrize(
    ("key", "inputs", "method", "url", "body"),
    [
        (
            "create_contact",
            {"email": "ada@example.com", "first_name": "Ada", "company": "2044", "properties": {"vip": True}},
            "POST",
            f"{OBJECTS}/contacts",
            {
                "properties": {"email": "ada@example.com", "firstname": "Ada", "vip": "true"},
                "associations": [link("2044", 279)],
            },
        ),
        (
            "update_contact",
            {"contact_id": "512", "lifecycle_stage": "customer"},
            "PATCH",
            f"{OBJECTS}/contacts/512",
            {"properties": {"lifecyclestage": "customer"}},
        ),
        (
            "upsert_contact",
            {"email": "ada@example.com", "last_name": "King"},
            "POST",
            f"{OBJECTS}/contacts/batch/upsert",
            {
                "inputs": [
                    {
                        "id": "ada@example.com",
                        "idProperty": "email",
                        "properties": {"email": "ada@example.com", "lastname": "King"},
                    }
                ]
            },
        ),
        (
            "search_contacts",
            {"filters": [{"property": "email", "value": "ada@example.com"}], "sort_by": "createdate"},
            "POST",
            f"{OBJECTS}/contacts/search",
            {
                "filterGroups": [
                    {"filters": [{"propertyName": "email", "operator": "EQ", "value": "ada@example.com"}]}
                ],
                "sorts": [{"propertyName": "createdate", "direction": "ASCENDING"}],
                "properties": [],
                "limit": 100,
                "after": "0",
            },
        ),
        (
            "create_company",
            {"name": "Engines", "domain": "example.com"},
            "POST",
            f"{OBJECTS}/companies",
            {"properties": {"name": "Engines", "domain": "example.com"}, "associations": []},
        ),
        (
            "create_deal",
            {"name": "Chairs", "amount": "49.5", "stage": "won", "contact": "512", "company": "2044"},
            "POST",
            f"{OBJECTS}/0-3",
            {
                "properties": {"dealname": "Chairs", "dealstage": "won", "amount": "49.5"},
                "associations": [link("512", 3), link("2044", 341)],
            },
        ),
        (
            "update_deal",
            {"deal_id": "9001", "stage": "lost"},
            "PATCH",
            f"{OBJECTS}/0-3/9001",
            {"properties": {"dealstage": "lost"}},
        ),
        (
            "create_note",
            {"body": "Called", "when": "2026-11-22T09:30:00+00:00", "deal": "9001"},
            "POST",
            f"{OBJECTS}/notes",
            {
                "properties": {"hs_note_body": "Called", "hs_timestamp": "2026-11-22T09:30:00+00:00"},
                "associations": [link("9001", 214)],
            },
        ),
        (
            "create_task",
            {"subject": "Send", "due": "2026-11-24T09:00:00+00:00", "priority": "HIGH", "contact": "512"},
            "POST",
            f"{OBJECTS}/tasks",
            {
                "properties": {
                    "hs_task_subject": "Send",
                    "hs_timestamp": "2026-11-24T09:00:00+00:00",
                    "hs_task_priority": "HIGH",
                },
                "associations": [link("512", 204)],
            },
        ),
        (
            "associate_records",
            {"from_type": "contacts", "from_id": "512", "to_type": "deals", "to_id": "9001"},
            "PUT",
            f"{OBJECTS}/contacts/512/associations/default/deals/9001",
            {},
        ),
    ],
)
def test_each_operation_sends_exactly_this(key, inputs, method, url, body):
    call = sent(connector, key, inputs)
    assert (call["method"], call["url"]) == (method, url)
    assert (call["json_body"] or {}) == body
    assert call["headers"] == {"Authorization": "Bearer access-token-for-tests"}


@pytest.mark.parametrize(
    ("key", "inputs", "url", "query"),
    [
        (
            "get_contact",
            {"contact_id": "ada@example.com", "id_property": "email", "properties": ["email", "phone"]},
            f"{OBJECTS}/contacts/ada%40example.com",
            [("idProperty", "email"), ("properties", "email,phone")],
        ),
        ("list_owners", {}, f"{API}/crm/owners/2026-03", [("limit", "100")]),
        ("list_pipelines", {}, f"{API}/crm/pipelines/2026-03/deals", []),
        ("list_deal_stages", {}, f"{API}/crm/pipelines/2026-03/deals", []),
        ("list_contact_properties", {}, f"{API}/crm/properties/2026-03/contacts", []),
    ],
)
def test_each_reading_operation_asks_exactly_this(key, inputs, url, query):
    call = sent(connector, key, inputs)
    assert (call["method"], call["url"], call["query"]) == ("GET", url, query)


def test_empty_optional_values_are_not_sent():
    body = sent(connector, "create_contact", empty_optionals(connector, "create_contact"))["json_body"]
    assert body == {"properties": {}, "associations": []}


@pytest.mark.parametrize(
    ("response", "error"),
    [
        (answer(429, {"policyName": "TEN_SECONDLY_ROLLING"}), TemporaryError),
        (answer(423, {}), TemporaryError),
        (answer(477, {}, {"retry-after": "7200"}), TemporaryError),
        (answer(503, {}), TemporaryError),
        (answer(429, {"policyName": "DAILY"}), PermanentError),
        (answer(409, {"message": "Contact already exists"}), PermanentError),
        (answer(207, {"errors": [{"message": "Property values were not valid"}]}), PermanentError),
        (answer(401, {"category": "EXPIRED_AUTHENTICATION"}), ReconnectError),
    ],
)
def test_failures_say_whether_a_retry_can_help(response, error):
    with pytest.raises(error):
        connector.outcome("upsert_contact", response)


def test_the_ten_seconds_of_the_rate_limit_are_waited_out():
    with pytest.raises(TemporaryError) as caught:
        connector.outcome("get_contact", answer(429, {"policyName": "TEN_SECONDLY_ROLLING"}))
    assert caught.value.retry_after == 10
    spent = {"X-HubSpot-RateLimit-Remaining": "0", "X-HubSpot-RateLimit-Interval-Milliseconds": "10000"}
    assert connector.wait(answer(200, {}, spent)) == 10
    assert connector.wait(answer(200, {}, {**spent, "X-HubSpot-RateLimit-Remaining": "3"})) is None


def test_a_search_is_read_over_three_pages(httpserver):
    def page(number, after):
        return {
            "total": 3,
            "results": [{"id": str(number), "properties": {"email": "ada@example.com"}}],
            **({"paging": {"next": {"after": after}}} if after else {}),
        }

    arrived = answer_in_turn(httpserver, [page(1, "1"), page(2, "2"), page(3, "")])
    result = run_at(httpserver, connector, "search_contacts", {"query": "ada"})
    assert [contact["id"] for contact in result.output["contacts"]] == ["1", "2", "3"]
    assert result.output["contacts"][0]["email"] == "ada@example.com"
    assert [request.get_json()["after"] for request in arrived] == ["0", "1", "2"]


def test_stages_are_offered_with_the_pipeline_they_belong_to():
    body = {"results": [{"id": "p", "label": "Sales", "stages": [{"id": "won", "label": "Won"}]}]}
    assert connector.outcome("list_deal_stages", answer(200, body)) == {
        "stages": [{"id": "won", "label": "Sales: Won"}]
    }


def test_polling_asks_for_what_changed_since_in_milliseconds():
    request = connector.trigger("contact_updated_poll").poll.request({}, "2026-11-22T09:30:00.123Z")
    assert request.json["filterGroups"] == [
        {"filters": [{"propertyName": "lastmodifieddate", "operator": "GTE", "value": "1795339800123"}]}
    ]
    assert connector.trigger("contact_updated_poll").poll.request({}, None).json["filterGroups"] == []


def test_a_signed_batch_is_accepted_and_a_changed_one_is_not():
    body = json.dumps([connector.trigger("contact_created").sample]).encode()
    assert verify(delivery(body, signed(body), url=ADDRESS)) == Verified()
    assert isinstance(verify(delivery(body + b" ", signed(body), url=ADDRESS)), Refused)
    assert isinstance(verify(delivery(body, signed(body, secret="another"), url=ADDRESS)), Refused)
    assert isinstance(verify(delivery(body, signed(body, url="https://else.example/"), url=ADDRESS)), Refused)


def test_a_stale_batch_is_refused():
    body = b"[]"
    assert isinstance(verify(delivery(body, signed(body, at=NOW - 301))), Refused)
    assert verify(delivery(body, signed(body, at=NOW - 299))) == Verified()


def test_a_batch_is_split_and_a_replay_has_the_same_ids():
    webhooks = connector.webhooks
    samples = [connector.trigger("contact_created").sample, connector.trigger("deal_stage_changed").sample]
    inbound = delivery(samples)
    events = webhooks.split(inbound)
    assert [webhooks.event_name(inbound, event) for event in events] == [
        "contact.creation",
        "deal.propertyChange",
    ]
    assert [webhooks.event_id(inbound, event) for event in events] == ["3816279340:25", "3816279340:25"]


def test_only_the_wanted_property_or_stage_starts_a_workflow():
    changed = connector.trigger("contact_property_changed")
    assert changed.wants("contact.propertyChange", changed.sample, {"property": "lifecyclestage"})
    assert not changed.wants("contact.propertyChange", changed.sample, {"property": "email"})
    moved = connector.trigger("deal_stage_changed")
    assert moved.wants("deal.propertyChange", moved.sample, {})
    assert not moved.wants("deal.propertyChange", moved.sample, {"stage": "closedlost"})
    assert not moved.wants("deal.propertyChange", {**moved.sample, "propertyName": "amount"}, {})


def test_a_new_record_is_fetched_because_its_event_brings_only_a_number():
    for key, path in (
        ("contact_created", "/crm/objects/2026-03/contacts/{id}"),
        ("deal_created", "/crm/objects/2026-03/0-3/{id}"),
    ):
        trigger = connector.trigger(key)
        request = trigger.follow_up.request(trigger.sample, {})
        assert (request.path, request.at) == (path, {"id": trigger.sample["objectId"]})
        record = {"properties": {"email": "ada@example.com", "dealname": "Chairs"}}
        output = trigger.output({**trigger.sample, "record": record})
        assert output.get("email", output.get("name")) in ("ada@example.com", "Chairs")
        assert trigger.follow_up.request({}, {}) is None
