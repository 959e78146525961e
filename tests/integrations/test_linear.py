"""Linear: exact documents and variables, failures of any status, pages, and its signed deliveries."""

import hmac
import json

import pytest

from integrations.connectors.linear import connector
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

SECRET = "signing-secret-for-tests"


def signed(body: bytes, *, secret: str = SECRET) -> dict[str, str]:
    return {"Linear-Signature": hmac.digest(secret.encode(), body, "sha256").hex(), "Linear-Delivery": "d-1"}


def verify(inbound, now=NOW):
    return connector.webhooks.signature.verify(inbound, key=SECRET, now=now)


def test_everything_is_described():
    assert_well_described(connector)


@pytest.mark.parametrize(
    ("key", "inputs", "name", "variables"),
    [
        (
            "create_issue",
            {"team": "T", "title": "Late", "priority": "2", "labels": ["a"], "due_date": "2026-11-30"},
            "issueCreate",
            {
                "input": {
                    "teamId": "T",
                    "title": "Late",
                    "priority": 2,
                    "labelIds": ["a"],
                    "dueDate": "2026-11-30",
                }
            },
        ),
        (
            "update_issue",
            {"issue": "ENG-1", "state": "S", "add_labels": ["b"]},
            "issueUpdate",
            {"id": "ENG-1", "input": {"stateId": "S", "addedLabelIds": ["b"]}},
        ),
        ("get_issue", {"issue": "ENG-1"}, "issue", {"id": "ENG-1"}),
        ("search_issues", {"term": "late"}, "searchIssues", {"term": "late", "first": 50}),
        (
            "list_issues",
            {"team": "T", "filter": {"state": {"type": {"eq": "started"}}}},
            "issues",
            {"filter": {"state": {"type": {"eq": "started"}}, "team": {"id": {"eq": "T"}}}, "first": 50},
        ),
        (
            "create_comment",
            {"issue": "I", "body": "Hi"},
            "commentCreate",
            {"input": {"issueId": "I", "body": "Hi"}},
        ),
        (
            "link_url",
            {"issue": "I", "url": "https://example.com/a"},
            "attachmentLinkURL",
            {"issueId": "I", "url": "https://example.com/a"},
        ),
        ("add_label", {"issue": "I", "label": "L"}, "issueAddLabel", {"id": "I", "labelId": "L"}),
        (
            "create_project",
            {"name": "P", "teams": ["T"], "target_date": "2027-03-01"},
            "projectCreate",
            {"input": {"name": "P", "teamIds": ["T"], "targetDate": "2027-03-01"}},
        ),
        ("archive_issue", {"issue": "I"}, "issueArchive", {"id": "I"}),
        ("list_states", {"team": "T"}, "workflowStates", {"filter": {"team": {"id": {"eq": "T"}}}}),
        ("list_teams", {}, "teams", {}),
    ],
)
def test_each_operation_sends_exactly_these_variables(key, inputs, name, variables):
    call = sent(connector, key, inputs)
    assert (call["method"], call["url"]) == ("POST", "https://api.linear.app/graphql")
    assert f" {name}(" in call["json_body"]["query"]
    assert call["json_body"]["variables"] == variables
    assert call["headers"]["Authorization"] == "Bearer access-token-for-tests"


def test_an_api_key_goes_without_bearer():
    call = sent(connector, "list_teams", {}, credentials={"auth": "api_key", "api_key": "lin_1"})
    assert call["headers"]["Authorization"] == "lin_1"


def test_empty_optional_values_are_not_sent():
    body = sent(connector, "update_issue", empty_optionals(connector, "update_issue"))["json_body"]
    assert body["variables"] == {"id": "ENG-12", "input": {}}


def failed(status: int, code: str):
    return answer(status, {"errors": [{"message": "Why", "extensions": {"code": code}}], "data": None})


@pytest.mark.parametrize("status", [200, 400])
@pytest.mark.parametrize(
    ("code", "error"),
    [
        ("RATELIMITED", TemporaryError),
        ("INTERNAL_SERVER_ERROR", TemporaryError),
        ("INPUT_ERROR", PermanentError),
        ("FORBIDDEN", PermanentError),
        ("AUTHENTICATION_ERROR", ReconnectError),
    ],
)
def test_failures_are_told_apart_by_their_code_whatever_the_status(status, code, error):
    with pytest.raises(error):
        connector.outcome("get_issue", failed(status, code))


def test_a_change_that_was_not_carried_out_is_a_failure():
    with pytest.raises(PermanentError):
        connector.outcome("archive_issue", answer(200, {"data": {"issueArchive": {"success": False}}}))


@pytest.mark.parametrize(("key", "name"), [("list_issues", "issues"), ("search_issues", "searchIssues")])
def test_issues_are_read_over_three_pages(httpserver, key, name):
    pages = [
        {
            "data": {
                name: {"nodes": [{"id": f"i{n}"}], "pageInfo": {"hasNextPage": n < 3, "endCursor": f"c{n}"}}
            }
        }
        for n in (1, 2, 3)
    ]
    arrived = answer_in_turn(httpserver, pages)
    result = run_at(httpserver, connector, key, {"term": "late"} if key == "search_issues" else {})
    assert [item["id"] for item in result.output["issues"]] == ["i1", "i2", "i3"]
    assert [request.json["variables"].get("after") for request in arrived] == [None, "c1", "c2"]


def test_a_signed_event_is_accepted_and_a_changed_or_stale_one_is_not():
    body = json.dumps(connector.trigger("issue_created").sample).encode()
    assert verify(delivery(body, signed(body))) == Verified()
    assert isinstance(verify(delivery(body + b" ", signed(body))), Refused)
    assert isinstance(verify(delivery(body, signed(body, secret="another"))), Refused)
    assert isinstance(verify(delivery(body, signed(body)), NOW + 61), Refused)


def test_a_replayed_event_has_the_same_delivery_id():
    event = connector.trigger("issue_created").sample
    assert connector.webhooks.event_id(delivery(event, signed(b"")), event) == "d-1"
    assert connector.webhooks.event_name(delivery(event), event) == "Issue.create"


def test_only_what_was_chosen_starts_a_workflow():
    trigger = connector.trigger("issue_updated")
    renamed = {**trigger.sample, "updatedFrom": {"title": "Old"}}
    assert trigger.wants("Issue.update", trigger.sample, {"only_state": True})
    assert not trigger.wants("Issue.update", renamed, {"only_state": True})
    assert trigger.wants("Issue.update", renamed, {})
    assert not trigger.wants("Issue.update", renamed, {"team": "another"})


def test_polling_asks_from_the_newest_change_seen():
    request = connector.trigger("issues_updated_poll").poll.request({"team": "T"}, "2026-11-22T10:35:05.000Z")
    assert request.json["variables"]["filter"] == {
        "team": {"id": {"eq": "T"}},
        "updatedAt": {"gte": "2026-11-22T10:35:05.000Z"},
    }
