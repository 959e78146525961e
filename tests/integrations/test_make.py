"""Make: exact requests, lists over all teams, secret webhook addresses, failures, and data with a token."""

from dataclasses import replace

import pytest

from integrations.connectors.make import connector, lists
from integrations.connectors.make.data import send_to_webhook
from integrations.framework import (
    Call,
    PermanentError,
    ReconnectError,
    Refused,
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

API = "https://eu1.make.com/api/v2"
TOKEN = "a token of sixteen or more"
HOOK = "https://hook.eu1.make.com/1gqnexkk1vwxg2wpj39kg30pzp6uhe7h"


def verify(inbound, key=TOKEN):
    return connector.webhooks.signature.verify(inbound, key=key, now=NOW)


def test_everything_is_described():
    assert_well_described(connector)


@pytest.mark.parametrize(
    ("key", "inputs", "method", "path", "body"),
    [
        (
            "run_scenario",
            {"scenario_id": "7", "data": {"email": "ada@example.com"}, "responsive": "yes"},
            "POST",
            "/scenarios/7/run",
            {"data": {"email": "ada@example.com"}, "responsive": True},
        ),
        ("start_scenario", {"scenario_id": 7}, "POST", "/scenarios/7/start", {}),
        ("stop_scenario", {"scenario_id": 7}, "POST", "/scenarios/7/stop", {}),
        (
            "get_execution",
            {"scenario_id": 7, "execution_id": "9c"},
            "GET",
            "/scenarios/7/executions/9c",
            None,
        ),
        (
            "create_record",
            {"data_store_id": 137, "data": {"name": "Ada"}, "key": "k1"},
            "POST",
            "/data-stores/137/data",
            {"data": {"name": "Ada"}, "key": "k1"},
        ),
        (
            "create_hook",
            {"name": "Orders", "team_id": 4, "headers": "yes"},
            "POST",
            "/hooks",
            {
                "name": "Orders",
                "teamId": 4,
                "typeName": "gateway-webhook",
                "headers": True,
                "method": False,
                "stringify": False,
            },
        ),
        ("send_to_webhook", {"hook_id": 58, "data": {"a": 1}}, "GET", "/hooks/58", None),
    ],
)
def test_each_operation_sends_exactly_this(key, inputs, method, path, body):
    call = sent(connector, key, inputs)
    assert (call["method"], call["url"], call["json_body"]) == (method, API + path, body)
    assert call["headers"] == {"Authorization": "Token api_key-for-tests"}


@pytest.mark.parametrize("key", ["list_scenarios", "list_teams", "list_hooks", "list_data_stores"])
def test_each_list_begins_with_the_organizations(key):
    call = sent(connector, key, {})
    assert (call["method"], call["url"]) == ("GET", f"{API}/organizations")
    assert call["query"] == [("pg[limit]", "100"), ("pg[offset]", "0")]


def test_empty_optional_values_are_not_sent():
    assert sent(connector, "run_scenario", empty_optionals(connector, "run_scenario"))["json_body"] == {}
    record = sent(connector, "create_record", empty_optionals(connector, "create_record"))["json_body"]
    assert record == {"data": {"name": "Alice Brown"}}


def test_a_run_that_is_waited_for_gets_the_time_it_needs():
    assert sent(connector, "run_scenario", {"scenario_id": 7, "responsive": True})["timeout_seconds"] == 60
    assert sent(connector, "run_scenario", {"scenario_id": 7})["timeout_seconds"] is None


@pytest.mark.parametrize(
    ("status", "body", "url", "error", "says"),
    [
        (429, {"message": "Requests limit exceeded"}, API, TemporaryError, "slow down"),
        (503, None, API, TemporaryError, "try again"),
        (429, None, HOOK, TemporaryError, "slow down"),
        (410, None, HOOK, PermanentError, "switched off"),
        (400, None, HOOK, PermanentError, "queue may be full"),
        (403, {"message": "Forbidden"}, API, PermanentError, "all the rights"),
        (
            400,
            {"message": "x", "suberrors": [{"message": "No such key"}]},
            API,
            PermanentError,
            "No such key",
        ),
        (404, {"detail": "Scenario 7 is gone"}, API, PermanentError, "Scenario 7 is gone"),
        (401, {"detail": "Access denied"}, API, ReconnectError, "Reconnect"),
    ],
)
def test_failures_say_whether_a_retry_can_help(status, body, url, error, says):
    with pytest.raises(error, match=says):
        connector.outcome("create_record", replace(answer(status, body), url=url))


def test_scenarios_of_all_organizations_are_read_over_three_pages(httpserver, monkeypatch):
    monkeypatch.setattr(lists, "PAGE_SIZE", 2)
    one, two = {"id": 5, "name": "Shop"}, {"id": 6, "name": "Studio"}
    arrived = answer_in_turn(
        httpserver,
        [
            {"organizations": [one, two]},
            {"organizations": []},
            {"scenarios": [{"id": 1, "name": "A"}, {"id": 2, "name": "B"}]},
            {"scenarios": [{"id": 3, "name": "C"}, {"id": 4, "name": "D"}]},
            {"scenarios": [{"id": 5, "name": "E", "isActive": True}]},
            {"scenarios": [{"id": 6, "name": "F"}]},
        ],
    )
    found = run_at(httpserver, connector, "list_scenarios", {}).output["scenarios"]
    assert [scenario["id"] for scenario in found] == [1, 2, 3, 4, 5, 6]
    assert found[4]["is_active"] is True
    asked = [(request.args.get("organizationId"), request.args["pg[offset]"]) for request in arrived]
    assert asked == [(None, "0"), (None, "2"), ("5", "0"), ("5", "2"), ("5", "4"), ("6", "0")]


def test_webhooks_and_stores_are_named_with_their_team_and_without_their_secret(httpserver):
    way = [{"organizations": [{"id": 5, "name": "Shop"}]}, {"teams": [{"id": 4, "name": "Sales"}]}]
    hooks = {"hooks": [{"id": 58, "name": "Orders", "enabled": True, "url": HOOK}]}
    stores = {"dataStores": [{"id": 137, "name": "Customers"}]}
    arrived = answer_in_turn(httpserver, [*way, hooks, *way, stores, *way])
    assert run_at(httpserver, connector, "list_hooks", {}).output == {
        "hooks": [{"id": 58, "name": "Sales: Orders", "enabled": True}]
    }
    assert arrived[2].args["typeName"] == "gateway-webhook"
    assert run_at(httpserver, connector, "list_data_stores", {}).output == {
        "data_stores": [{"id": 137, "name": "Sales: Customers"}]
    }
    assert run_at(httpserver, connector, "list_teams", {}).output == {"teams": [{"id": 4, "name": "Sales"}]}


def steps_to_webhook(address):
    """Return the second request of “Send data to a webhook”, when Make names this address."""
    steps = send_to_webhook(Call({"hook_id": 58, "data": {"a": 1}}, {"zone": "eu1.make.com"}))
    next(steps)
    return steps, steps.send(answer(200, {"hook": {"url": address}}))


def test_data_goes_to_the_address_that_make_names_and_the_key_does_not():
    steps, request = steps_to_webhook(HOOK)
    assert (request.method, request.path, request.json) == ("POST", HOOK, {"a": 1})
    assert request.authenticate is False
    with pytest.raises(StopIteration) as stop:
        steps.send(replace(answer(200), content=b"Accepted"))
    assert stop.value.value == {"answer": "Accepted"}


@pytest.mark.parametrize(
    "address",
    ["", "http://hook.eu1.make.com/x", "https://evil.example/x", "https://hook.eu1.make.com@evil.example/"],
)
def test_data_goes_nowhere_else(address):
    with pytest.raises(PermanentError):
        steps_to_webhook(address)


def test_a_doubtful_switch_is_looked_up():
    for key, state in (("start_scenario", True), ("stop_scenario", False)):
        look_up = connector.action(key).look_up
        assert look_up.request({"scenario_id": 7}).at == {"scenarioId": 7}
        there = answer(200, {"scenario": {"id": 7, "isActive": state}})
        assert look_up.found(there, {}) == {"id": 7, "is_active": state}
        assert look_up.found(answer(200, {"scenario": {"id": 7, "isActive": not state}}), {}) is None


def test_only_runs_that_ended_the_wanted_way_are_reported():
    trigger = connector.trigger("executions_poll")
    runs = [{"imtId": str(number), "status": number} for number in (3, 2, 1)] + [{"imtId": "0"}]
    response = answer(200, {"scenarioLogs": runs})
    assert [run["result"] for run in trigger.poll.items(response, {})] == ["error", "warning", "success"]
    assert [run["imtId"] for run in trigger.poll.items(response, {"result": "error"})] == ["3"]
    request = trigger.poll.request({"scenario_id": 7}, None)
    assert request.at == {"scenarioId": 7}
    assert request.query == {"pg[limit]": 100, "pg[sortDir]": "desc"}


def test_a_delivery_with_the_token_is_accepted_and_one_without_is_not():
    # Make signs neither body nor time: the token alone proves the scenario, and each delivery counts.
    body = connector.trigger("received_from_make").sample
    assert verify(delivery(body, {"X-Webhook-Token": TOKEN})) == Verified()
    assert isinstance(verify(delivery(body, {"X-Webhook-Token": TOKEN + "x"})), Refused)
    assert isinstance(verify(delivery(body)), Refused)
    assert isinstance(verify(delivery(body, {"X-Webhook-Token": ""}), key=""), Refused)
    assert connector.webhooks.event_id(delivery(body), body) == ""
    assert connector.trigger("received_from_make").output(body) == body
