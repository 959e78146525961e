"""Pipedrive: exact requests, failures, pages, and webhooks that prove themselves by a password."""

import base64

import pytest

from integrations.connectors.pipedrive import connector
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

API = "https://acme.pipedrive.com/api"
SECRET = "password-made-for-this-webhook"


def basic(user: str = "steward", password: str = SECRET) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()}


def verify(inbound, at=NOW):
    return connector.webhooks.signature.verify(inbound, key=SECRET, now=at)


def test_everything_is_described():
    assert_well_described(connector)


@pytest.mark.parametrize(
    ("key", "inputs", "method", "url", "body"),
    [
        (
            "create_person",
            {"name": "Ada", "emails": "ada@example.com, a@example.com", "org_id": "7"},
            "POST",
            f"{API}/v2/persons",
            {
                "name": "Ada",
                "org_id": 7,
                "emails": [
                    {"value": "ada@example.com", "primary": True},
                    {"value": "a@example.com", "primary": False},
                ],
            },
        ),
        (
            "update_person",
            {"id": 42, "phones": ["1"]},
            "PATCH",
            f"{API}/v2/persons/42",
            {"phones": [{"value": "1", "primary": True}]},
        ),
        (
            "create_organization",
            {"name": "Engines", "address": "Main Street 1"},
            "POST",
            f"{API}/v2/organizations",
            {"name": "Engines", "address": {"value": "Main Street 1"}},
        ),
        (
            "create_deal",
            {"title": "Chairs", "value": "49.5", "currency": "EUR", "stage_id": "2", "pipeline_id": 1},
            "POST",
            f"{API}/v2/deals",
            {"title": "Chairs", "value": 49.5, "currency": "EUR", "pipeline_id": 1, "stage_id": 2},
        ),
        (
            "update_deal",
            {"id": 101, "status": "lost", "lost_reason": "Price"},
            "PATCH",
            f"{API}/v2/deals/101",
            {"status": "lost", "lost_reason": "Price"},
        ),
        (
            "create_activity",
            {"subject": "Call", "type": "call", "person_id": 42},
            "POST",
            f"{API}/v2/activities",
            {"subject": "Call", "type": "call", "participants": [{"person_id": 42, "primary": True}]},
        ),
        (
            "add_note",
            {"content": "Hi", "deal_id": 101, "pinned_to_deal_flag": True},
            "POST",
            f"{API}/v1/notes",
            {"content": "Hi", "deal_id": 101, "pinned_to_deal_flag": 1},
        ),
        (
            "create_lead",
            {"title": "Offer", "person_id": 42, "amount": 10, "currency": "EUR"},
            "POST",
            f"{API}/v1/leads",
            {"title": "Offer", "person_id": 42, "value": {"amount": 10, "currency": "EUR"}},
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
            "search_persons",
            {"term": "ada", "exact_match": "yes"},
            f"{API}/v2/persons/search",
            [("limit", "100"), ("term", "ada"), ("exact_match", "true")],
        ),
        (
            "get_deal",
            {"id": 101, "custom_fields": ["a", "b"]},
            f"{API}/v2/deals/101",
            [("custom_fields", "a,b")],
        ),
        ("list_stages", {"pipeline_id": 1}, f"{API}/v2/stages", [("pipeline_id", "1"), ("limit", "500")]),
        ("list_pipelines", {}, f"{API}/v2/pipelines", [("limit", "500")]),
        ("list_deal_fields", {}, f"{API}/v2/dealFields", [("limit", "500")]),
        ("list_person_fields", {}, f"{API}/v2/personFields", [("limit", "500")]),
        ("list_users", {}, f"{API}/v1/users", []),
        ("list_activity_types", {}, f"{API}/v1/activityTypes", []),
    ],
)
def test_each_reading_operation_asks_exactly_this(key, inputs, url, query):
    call = sent(connector, key, inputs)
    assert (call["method"], call["url"], call["query"]) == ("GET", url, query)


def test_an_api_token_goes_into_its_own_header():
    call = sent(connector, "list_users", {}, credentials={"auth": "api_key", "api_key": "token-for-tests"})
    assert call["headers"] == {"x-api-token": "token-for-tests"}


def test_empty_optional_values_are_not_sent():
    assert sent(connector, "create_deal", empty_optionals(connector, "create_deal"))["json_body"] == {
        "title": "200 garden chairs"
    }
    assert sent(connector, "create_person", empty_optionals(connector, "create_person"))["json_body"] == {
        "name": "Ada Lovelace"
    }


def test_an_amount_without_its_currency_is_told_to_the_person():
    with pytest.raises(PermanentError, match="currency"):
        sent(connector, "create_lead", {"title": "Offer", "amount": 10})


@pytest.mark.parametrize(
    ("response", "error"),
    [
        (answer(429, {"success": False}, {"x-ratelimit-reset": "2"}), TemporaryError),
        (answer(403, None), TemporaryError),
        (answer(503, {}), TemporaryError),
        (answer(429, {"success": False}, {"x-daily-ratelimit-token-remaining": "0"}), PermanentError),
        (answer(200, {"success": False, "error": "Deal not found"}), PermanentError),
        (answer(400, {"success": False, "error": "Validation failed"}), PermanentError),
        (answer(403, {"success": False, "error": "Scope and URL mismatch"}), PermanentError),
        (answer(401, {"success": False, "error": "unauthorized access"}), ReconnectError),
    ],
)
def test_failures_say_whether_a_retry_can_help(response, error):
    with pytest.raises(error):
        connector.outcome("create_deal", response)


def test_the_rate_limit_says_how_long_to_wait():
    with pytest.raises(TemporaryError) as caught:
        connector.outcome("get_deal", answer(429, {}, {"x-ratelimit-reset": "2"}))
    assert caught.value.retry_after == 2
    assert connector.wait(answer(200, {}, {"x-ratelimit-remaining": "0", "x-ratelimit-reset": "1"})) == 1
    assert connector.wait(answer(200, {}, {"x-ratelimit-remaining": "5", "x-ratelimit-reset": "1"})) is None


def test_people_are_found_over_three_pages(httpserver):
    def page(number, cursor):
        return {
            "success": True,
            "data": {"items": [{"item": {"id": number, "name": "Ada"}}]},
            "additional_data": {"next_cursor": cursor},
        }

    arrived = answer_in_turn(httpserver, [page(1, "b"), page(2, "c"), page(3, None)])
    result = run_at(
        httpserver,
        connector,
        "search_persons",
        {"term": "ada"},
        account={"api_domain": "https://acme.pipedrive.com"},
    )
    assert [person["id"] for person in result.output["people"]] == [1, 2, 3]
    assert [request.args.get("cursor") for request in arrived] == [None, "b", "c"]


def test_a_delivery_with_the_password_is_accepted_and_others_are_not():
    sample = connector.trigger("deal_created").sample
    assert verify(delivery(sample, basic())) == Verified()
    for headers in (
        basic(password="another"),
        basic(user="another"),
        {},
        {"Authorization": "Bearer x"},
        {"Authorization": "Basic ***"},
    ):
        assert isinstance(verify(delivery(sample, headers)), Refused)


def test_age_proves_nothing_here_so_a_replay_is_known_by_its_id():
    # Pipedrive signs no time: an old delivery is genuine, and the same one has the same id.
    sample = connector.trigger("deal_created").sample
    inbound = delivery(sample, basic())
    assert verify(inbound, at=NOW + 86_400) == Verified()
    [event] = connector.webhooks.split(inbound)
    assert connector.webhooks.event_id(inbound, event) == "f3c1b6c2-4f0a-4b53-9e0c-5f8f6c7f0c11"
    assert connector.webhooks.event_name(inbound, event) == "create.deal"


def test_changes_by_software_do_not_start_a_workflow_unless_wanted():
    trigger = connector.trigger("deal_created")
    event = {**trigger.sample, "meta": {**trigger.sample["meta"], "change_source": "api"}}
    assert trigger.wants("create.deal", trigger.sample, {})
    assert not trigger.wants("create.deal", event, {})
    assert trigger.wants("create.deal", event, {"also_software": True})


def test_only_a_move_into_the_wanted_stage_starts_a_workflow():
    trigger = connector.trigger("deal_updated")
    assert trigger.wants("change.deal", trigger.sample, {"stage_id": 2})
    assert not trigger.wants("change.deal", trigger.sample, {"stage_id": 3})
    assert not trigger.wants("change.deal", {**trigger.sample, "previous": {"value": 1}}, {"stage_id": 2})
    assert not trigger.wants("change.deal", trigger.sample, {"status": "open"})


def test_the_webhook_is_made_and_removed_through_the_api():
    webhooks = connector.webhooks
    wanted = Subscription("https://steward.example/hooks/abc", ("change.deal",), secret=SECRET)
    assert webhooks.subscribe(wanted).json == {
        "subscription_url": "https://steward.example/hooks/abc",
        "event_action": "change",
        "event_object": "deal",
        "name": "Steward: change deal",
        "version": "2.0",
        "http_auth_user": "steward",
        "http_auth_password": SECRET,
    }
    state = webhooks.read(answer(201, {"success": True, "data": {"id": 380943}}), wanted)
    assert state == {"id": 380943, "secret": SECRET}
    removed = webhooks.unsubscribe(Subscription("", state=state))
    assert (removed.method, removed.at) == ("DELETE", {"id": 380943})


def test_polling_asks_for_what_changed_since():
    poll = connector.trigger("deal_updated_poll").poll
    assert poll.request({}, "2026-11-22T09:30:00Z").query == {
        "updated_since": "2026-11-22T09:30:00Z",
        "sort_by": "update_time",
        "sort_direction": "desc",
        "limit": 500,
    }
