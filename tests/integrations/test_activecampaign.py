"""ActiveCampaign: exact requests, failures, pages, and webhooks whose address carries the secret."""

from urllib.parse import urlencode

import pytest

from integrations.connectors.activecampaign import connector
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

API = "https://acme.api-us1.com/api/3"
ADDRESS = "https://steward.example/hooks/abc"
SECRET = "made-for-this-webhook"
FORM = urlencode(
    {
        "type": "contact_tag_added",
        "date_time": "2026-11-22T09:30:00-06:00",
        "contact[id]": "113",
        "contact[email]": "ada@example.com",
        "contact[fields][1]": "gold",
        "tag": "customer",
    }
).encode()


def verify(inbound, at=NOW):
    return connector.webhooks.signature.verify(inbound, key=SECRET, now=at)


def test_everything_is_described():
    assert_well_described(connector)


@pytest.mark.parametrize(
    ("key", "inputs", "method", "url", "body"),
    [
        (
            "sync_contact",
            {"email": "ada@example.com", "first_name": "Ada", "fields": {"1": 5}},
            "POST",
            f"{API}/contact/sync",
            {
                "contact": {
                    "email": "ada@example.com",
                    "firstName": "Ada",
                    "fieldValues": [{"field": "1", "value": "5"}],
                }
            },
        ),
        (
            "tag_contact",
            {"contact": "113", "tag": "20"},
            "POST",
            f"{API}/contactTags",
            {"contactTag": {"contact": 113, "tag": 20}},
        ),
        ("untag_contact", {"id": 1}, "DELETE", f"{API}/contactTags/1", None),
        (
            "set_list_status",
            {"contact": 113, "list": 2, "status": "unsubscribe"},
            "POST",
            f"{API}/contactLists",
            {"contactList": {"list": "2", "contact": "113", "status": "2"}},
        ),
        (
            "set_list_status",
            {"contact": 113, "list": 2, "status": "subscribe", "came_back": True},
            "POST",
            f"{API}/contactLists",
            {"contactList": {"list": "2", "contact": "113", "status": "1", "sourceid": 4}},
        ),
        (
            "add_to_automation",
            {"contact": 113, "automation": 3},
            "POST",
            f"{API}/contactAutomations",
            {"contactAutomation": {"contact": 113, "automation": 3}},
        ),
        (
            "create_note",
            {"note": "Hi", "reltype": "Deal", "relid": 14},
            "POST",
            f"{API}/notes",
            {"note": {"note": "Hi", "reltype": "Deal", "relid": 14}},
        ),
        (
            "create_deal",
            {"title": "Chairs", "value": "490000", "currency": "eur", "contact": "113", "status": "open"},
            "POST",
            f"{API}/deals",
            {"deal": {"title": "Chairs", "value": 490000, "currency": "eur", "contact": "113", "status": 0}},
        ),
        ("update_deal", {"id": 14, "status": "won"}, "PUT", f"{API}/deals/14", {"deal": {"status": 1}}),
    ],
)
def test_each_operation_sends_exactly_this(key, inputs, method, url, body):
    call = sent(connector, key, inputs)
    assert (call["method"], call["url"], call["json_body"]) == (method, url, body)
    assert call["headers"] == {"Api-Token": "api_key-for-tests"}


@pytest.mark.parametrize(
    ("key", "inputs", "url", "query"),
    [
        ("get_contact", {"id": 113}, f"{API}/contacts/113", []),
        (
            "find_contact",
            {"email": "a@example.com"},
            f"{API}/contacts",
            [("email", "a@example.com"), ("limit", "100")],
        ),
        ("list_tags", {}, f"{API}/tags", [("limit", "100")]),
        ("list_lists", {}, f"{API}/lists", [("limit", "100")]),
        ("list_automations", {}, f"{API}/automations", [("limit", "100")]),
        ("list_fields", {}, f"{API}/fields", [("limit", "100")]),
        ("list_stages", {}, f"{API}/dealStages", [("limit", "100")]),
        ("list_pipelines", {}, f"{API}/dealGroups", [("limit", "100")]),
    ],
)
def test_each_reading_operation_asks_exactly_this(key, inputs, url, query):
    call = sent(connector, key, inputs)
    assert (call["method"], call["url"], call["query"]) == ("GET", url, query)


def test_empty_optional_values_are_not_sent():
    assert sent(connector, "create_deal", empty_optionals(connector, "create_deal"))["json_body"] == {
        "deal": {"title": "200 garden chairs", "value": 490000, "currency": "eur"}
    }
    assert sent(connector, "sync_contact", empty_optionals(connector, "sync_contact"))["json_body"] == {
        "contact": {"email": "ada@example.com"}
    }


@pytest.mark.parametrize(
    ("response", "error"),
    [
        (answer(429, {}, {"Retry-After": "3"}), TemporaryError),
        (answer(503, {}), TemporaryError),
        (answer(422, {"errors": [{"title": "Email address already exists in the system"}]}), PermanentError),
        (answer(404, {"message": "No Result found for Subscriber with id 1"}), PermanentError),
        (answer(403, {"errors": [{"title": "You do not have permission"}]}), PermanentError),
        (answer(403, {"message": "You cannot access this account"}), ReconnectError),
    ],
)
def test_failures_say_whether_a_retry_can_help(response, error):
    with pytest.raises(error):
        connector.outcome("sync_contact", response)


def test_contacts_are_read_over_three_pages(httpserver):
    arrived = answer_in_turn(
        httpserver,
        [
            {"contacts": [{"id": str(number), "email": "ada@example.com"}], "meta": {"total": "3"}}
            for number in (1, 2, 3)
        ],
    )
    result = run_at(httpserver, connector, "find_contact", {"search": "ada"})
    assert [contact["id"] for contact in result.output["contacts"]] == ["1", "2", "3"]
    assert [request.args.get("offset") for request in arrived] == [None, "1", "2"]


def test_a_delivery_to_the_secret_address_is_accepted_and_others_are_not():
    assert verify(delivery(FORM, url=f"{ADDRESS}?key={SECRET}")) == Verified()
    for url in (ADDRESS, f"{ADDRESS}?key=", f"{ADDRESS}?key=another", f"{ADDRESS}?other={SECRET}"):
        assert isinstance(verify(delivery(FORM, url=url)), Refused)


def test_age_proves_nothing_here_so_a_replay_is_known_by_what_it_tells():
    inbound = delivery(FORM, url=f"{ADDRESS}?key={SECRET}")
    assert verify(inbound, at=NOW + 86_400) == Verified()
    [event] = connector.webhooks.split(inbound)
    assert connector.webhooks.event_name(inbound, event) == "contact_tag_added"
    assert connector.webhooks.event_id(inbound, event) == (
        "contact_tag_added:113:customer:2026-11-22T09:30:00-06:00"
    )
    output = connector.trigger("tag_added").output(event)
    assert (output["email"], output["tag"], output["fields"]) == (
        "ada@example.com",
        "customer",
        {"1": "gold"},
    )


def test_the_webhook_is_made_and_removed_through_the_api():
    webhooks = connector.webhooks
    wanted = Subscription(ADDRESS, ("subscribe",), {"list": 2}, secret=SECRET)
    assert webhooks.subscribe(wanted).json == {
        "webhook": {
            "name": "Steward",
            "url": f"{ADDRESS}?key={SECRET}",
            "events": ["subscribe"],
            "sources": ["public", "admin", "system"],
            "listid": 2,
        }
    }
    also = Subscription(ADDRESS, ("subscribe",), {"also_software": True}, secret=SECRET)
    assert webhooks.subscribe(also).json["webhook"]["sources"][-1] == "api"
    state = webhooks.read(answer(201, {"webhook": {"id": "7"}}), wanted)
    assert state == {"id": "7", "secret": SECRET}
    removed = webhooks.unsubscribe(Subscription(ADDRESS, state=state))
    assert (removed.method, removed.at) == ("DELETE", {"id": "7"})


def test_polling_reads_again_from_the_day_before_the_newest_change():
    query = connector.trigger("contacts_poll").poll.request({}, "2026-11-22T09:30:00-06:00").query
    assert query == {"filters[updated_after]": "2026-11-21", "orders[id]": "desc", "limit": 100}
