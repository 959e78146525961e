"""Zapier: data to a Zap's secret address, data from a Zap with a token, and the Workflow API beside them."""

from dataclasses import replace

import pytest

from integrations.connectors.zapier import connector
from integrations.framework import PermanentError, ReconnectError, Refused, TemporaryError, Verified
from integrations.framework.inputs import prepare_inputs
from integrations.framework.redaction import secrets_in
from tests.integrations.checks import (
    NOW,
    answer,
    answer_in_turn,
    assert_well_described,
    delivery,
    run_at,
    sent,
)

HOOK = "https://hooks.zapier.com/hooks/catch/1234567/abc12de"
ADDRESS_ONLY = {"auth": "catch_hook", "hook_url": f"{HOOK}/", "inbound_token": "a token of sixteen or more"}
API = "https://api.zapier.com"


def verify(inbound, key=ADDRESS_ONLY["inbound_token"]):
    return connector.webhooks.signature.verify(inbound, key=key, now=NOW)


def test_everything_is_described():
    assert_well_described(connector)


@pytest.mark.parametrize(
    ("key", "url"), [("send_to_catch_hook", f"{HOOK}/"), ("send_to_catch_hook_silent", f"{HOOK}/silent/")]
)
def test_data_goes_to_the_zaps_address_and_nothing_else_does(key, url):
    data = {"name": "Ada", "lines": [{"sku": "A"}], "none": None}
    for credentials in (ADDRESS_ONLY, {**ADDRESS_ONLY, "auth": "oauth2", "access_token": "t"}):
        call = sent(connector, key, {"data": data}, credentials=credentials)
        assert (call["method"], call["url"], call["headers"], call["query"]) == ("POST", url, {}, [])
        assert call["json_body"] == {"name": "Ada", "lines": [{"sku": "A"}]}


@pytest.mark.parametrize(
    ("address", "fits"),
    [
        (f"{HOOK}/", True),
        (HOOK, True),
        ("http://hooks.zapier.com/hooks/catch/1/a/", False),
        ("https://hooks.zapier.com.evil.example/hooks/catch/1/a/", False),
        ("https://evil.example/hooks/catch/1/a/", False),
        (f"{HOOK}/../x/", False),
    ],
)
def test_only_addresses_of_zaps_can_be_connected(address, fits):
    _values, problems = prepare_inputs(connector.auths[0].fields, {"hook_url": address})
    assert ("hook_url" not in problems) is fits


def test_the_address_is_kept_out_of_errors_and_logs():
    assert ADDRESS_ONLY["hook_url"] in secrets_in(ADDRESS_ONLY)


@pytest.mark.parametrize(
    ("key", "inputs", "url", "query"),
    [
        ("list_zaps", {}, f"{API}/v2/zaps", [("limit", "100")]),
        (
            "list_zap_runs",
            {"zap_id": "7", "statuses": ["error", "held"], "from_date": "2026-11-01T00:00:00+00:00"},
            f"{API}/v2/zap-runs",
            [
                ("zap_id", "7"),
                ("from_date", "2026-11-01T00:00:00+00:00"),
                ("statuses", "error,held"),
                ("limit", "100"),
            ],
        ),
        ("list_zap_runs", {"zap_id": "", "statuses": ""}, f"{API}/v2/zap-runs", [("limit", "100")]),
    ],
)
def test_reading_needs_a_connection_that_is_signed_in(key, inputs, url, query):
    call = sent(connector, key, inputs)
    assert (call["method"], call["url"], call["query"]) == ("GET", url, query)
    assert call["headers"] == {"Authorization": "Bearer access-token-for-tests"}
    # Not a dead credential: the connection must stay usable for what it is for.
    with pytest.raises(PermanentError, match="signing in"):
        sent(connector, key, inputs, credentials=ADDRESS_ONLY)


def test_zaps_are_read_over_three_pages(httpserver):
    # The list's address is absolute: here it stands below the local server.
    action = connector.action("list_zaps")
    here = replace(
        connector,
        actions=(replace(action, request=lambda inputs: replace(action.request(inputs), path="/v2/zaps")),),
    )
    following = [httpserver.url_for(f"/v2/zaps?limit=100&offset={number}") for number in (100, 200)]
    pages = [{"data": [{"id": "1"}], "links": {"next": address}} for address in following]
    arrived = answer_in_turn(httpserver, [*pages, {"data": [{"id": "3"}], "links": {"next": None}}])
    zaps = run_at(httpserver, here, "list_zaps", {}).output["zaps"]
    assert [zap["id"] for zap in zaps] == ["1", "1", "3"]
    assert [request.args.get("offset") for request in arrived] == [None, "100", "200"]


@pytest.mark.parametrize(
    ("response", "error", "says"),
    [
        (answer(429, {}), TemporaryError, "slow down"),
        (answer(502, None), TemporaryError, "try again"),
        (answer(404, None), PermanentError, "Copy the Zap's present address"),
        (answer(410, None), PermanentError, "Copy the Zap's present address"),
        (answer(413, None), PermanentError, "10 MB"),
        (answer(200, {"status": "error"}), PermanentError, "did not take"),
        (answer(401, {"errors": [{"detail": "Invalid token"}]}), ReconnectError, "Reconnect"),
        (
            replace(answer(404, {"errors": [{"detail": "No such Zap"}]}), url=f"{API}/v2/zap-runs"),
            PermanentError,
            "No such Zap",
        ),
    ],
)
def test_failures_say_whether_a_retry_can_help(response, error, says):
    with pytest.raises(error, match=says):
        connector.outcome("send_to_catch_hook", response)


def test_an_accepted_delivery_is_a_success():
    body = {"status": "success", "id": "1", "request_id": "2", "attempt": "3"}
    assert connector.outcome("send_to_catch_hook", answer(200, body)) == body
    assert connector.outcome("send_to_catch_hook_silent", answer(200, None)) == {}


def test_a_delivery_with_the_token_is_accepted_and_one_without_is_not():
    # Zapier signs neither body nor time: the token alone proves the Zap, and each delivery counts.
    body = connector.trigger("received_from_zap").sample
    token = {"X-Webhook-Token": ADDRESS_ONLY["inbound_token"]}
    assert verify(delivery(body, token)) == Verified()
    assert isinstance(verify(delivery(body, {"X-Webhook-Token": "another token of that length"})), Refused)
    assert isinstance(verify(delivery(body)), Refused)
    assert isinstance(verify(delivery(body, {"X-Webhook-Token": ""}), key=""), Refused)
    assert connector.webhooks.event_id(delivery(body), body) == ""


def test_a_zap_may_send_one_object_a_list_or_a_form():
    webhooks, trigger = connector.webhooks, connector.trigger("received_from_zap")
    assert webhooks.split(delivery({"name": "Ada"})) == [{"name": "Ada"}]
    assert webhooks.split(delivery([{"id": 1}, {"id": 2}])) == [{"id": 1}, {"id": 2}]
    form = delivery(b"name=Ada", {"Content-Type": "application/x-www-form-urlencoded"})
    assert webhooks.split(form) == [{"name": "Ada"}]
    assert trigger.wants("", {"name": "Ada"}, {})
    assert trigger.output({"name": "Ada"}) == {"name": "Ada"}
