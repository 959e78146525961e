"""Asana: exact requests, failures, pages, the handshake's secret and what its compact events become."""

import asyncio
import hmac
import json

import pytest

from integrations.connectors.asana import TASK_FIELDS, connector
from integrations.framework import (
    PermanentError,
    ReconnectError,
    Refused,
    Request,
    Response,
    Subscription,
    TemporaryError,
    Verified,
)
from integrations.framework.polling import complete, look
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

API = "https://app.asana.com/api/1.0"
SECRET = "hook-secret-for-tests"
FIELDS = {"opt_fields": TASK_FIELDS}


def signed(body: bytes, *, secret: str = SECRET) -> dict[str, str]:
    return {"X-Hook-Signature": hmac.digest(secret.encode(), body, "sha256").hex()}


def verify(inbound):
    return connector.webhooks.signature.verify(inbound, key=SECRET, now=NOW)


def test_everything_is_described():
    assert_well_described(connector)


@pytest.mark.parametrize(
    ("key", "inputs", "method", "path", "query", "data"),
    [
        (
            "create_task",
            {"workspace": "W", "name": "Order", "projects": ["P"], "due_on": "2026-11-30"},
            "POST",
            "tasks",
            FIELDS,
            {"name": "Order", "projects": ["P"], "due_on": "2026-11-30"},
        ),
        (
            "create_task",
            {"workspace": "W", "name": "Order"},
            "POST",
            "tasks",
            FIELDS,
            {"name": "Order", "workspace": "W"},
        ),
        (
            "update_task",
            {"task": "T", "completed": True, "custom_fields": {"1": "x"}},
            "PUT",
            "tasks/T",
            FIELDS,
            {"completed": True, "custom_fields": {"1": "x"}},
        ),
        (
            "create_subtask",
            {"task": "T", "name": "Part", "assignee": "me"},
            "POST",
            "tasks/T/subtasks",
            FIELDS,
            {"name": "Part", "assignee": "me"},
        ),
        ("add_comment", {"task": "T", "text": "Hi"}, "POST", "tasks/T/stories", {}, {"text": "Hi"}),
        (
            "add_to_project",
            {"task": "T", "project": "P", "section": "S"},
            "POST",
            "tasks/T/addProject",
            {},
            {"project": "P", "section": "S"},
        ),
        (
            "move_to_section",
            {"task": "T", "project": "P", "section": "S"},
            "POST",
            "sections/S/addTask",
            {},
            {"task": "T"},
        ),
        ("add_tag", {"task": "T", "tag": "G"}, "POST", "tasks/T/addTag", {}, {"tag": "G"}),
        (
            "create_project",
            {"name": "Orders", "workspace": "W", "default_view": "board"},
            "POST",
            "projects",
            {},
            {"name": "Orders", "workspace": "W", "default_view": "board"},
        ),
    ],
)
def test_each_writing_operation_makes_exactly_this_request(key, inputs, method, path, query, data):
    call = sent(connector, key, inputs)
    assert (call["method"], call["url"]) == (method, f"{API}/{path}")
    assert dict(call["query"]) == query
    assert call["json_body"] == {"data": data}
    assert call["headers"] == {"Authorization": "Bearer access-token-for-tests"}


@pytest.mark.parametrize(
    ("key", "inputs", "path", "query"),
    [
        ("get_task", {"task": "T"}, "tasks/T", FIELDS),
        (
            "search_tasks",
            {
                "workspace": "W",
                "assignees": ["a", "b"],
                "completed": False,
                "modified_after": "2026-11-22T00:00:00+00:00",
            },
            "workspaces/W/tasks/search",
            {
                "assignee.any": "a,b",
                "completed": "false",
                "modified_at.after": "2026-11-22T00:00:00+00:00",
                **FIELDS,
            },
        ),
        ("list_workspaces", {}, "workspaces", {"limit": "100"}),
        (
            "list_projects",
            {"workspace": "W"},
            "projects",
            {"archived": "false", "limit": "100", "workspace": "W"},
        ),
        ("list_sections", {"project": "P"}, "projects/P/sections", {"limit": "100"}),
        ("list_users", {"workspace": "W"}, "users", {"limit": "100", "workspace": "W"}),
    ],
)
def test_each_reading_operation_asks_exactly_this(key, inputs, path, query):
    call = sent(connector, key, inputs)
    assert (call["method"], call["url"], dict(call["query"])) == ("GET", f"{API}/{path}", query)


def test_empty_optional_values_are_not_sent():
    call = sent(connector, "create_task", empty_optionals(connector, "create_task"))
    assert call["json_body"] == {"data": {"name": "Order 1042"}}


@pytest.mark.parametrize(
    ("response", "error"),
    [
        (answer(429, {"errors": [{"message": "slow down"}]}, {"Retry-After": "30"}), TemporaryError),
        (answer(500, {"errors": [{"message": "oops", "phrase": "6 sad squid"}]}), TemporaryError),
        (answer(400, {"errors": [{"message": "project: Not a recognized ID"}]}), PermanentError),
        (answer(402, {"errors": [{"message": "pay"}]}), PermanentError),
        (answer(403, {"errors": [{"message": "no"}]}), PermanentError),
        (answer(401, {"errors": [{"message": "Not Authorized"}]}), ReconnectError),
    ],
)
def test_failures_say_whether_a_retry_can_help(response, error):
    with pytest.raises(error):
        connector.outcome("get_task", response)


def test_a_missing_paid_plan_is_named():
    with pytest.raises(PermanentError, match="paid plan"):
        connector.outcome("search_tasks", answer(402, {}))


def test_projects_are_read_over_three_pages(httpserver):
    pages = [
        {"data": [{"gid": "1", "name": "A"}], "next_page": {"offset": "o1"}},
        {"data": [{"gid": "2", "name": "B"}], "next_page": {"offset": "o2"}},
        {"data": [{"gid": "3", "name": "C"}], "next_page": None},
    ]
    arrived = answer_in_turn(httpserver, pages)
    result = run_at(httpserver, connector, "list_projects", {"workspace": "W"})
    assert [item["gid"] for item in result.output["items"]] == ["1", "2", "3"]
    assert [request.args.get("offset") for request in arrived] == [None, "o1", "o2"]


def test_the_handshake_sends_the_secret_back_and_keeps_it():
    reply = connector.webhooks.handshake(delivery(b"", {"X-Hook-Secret": SECRET}))
    assert (reply.status, reply.headers, reply.keep) == (200, {"X-Hook-Secret": SECRET}, {"secret": SECRET})
    assert connector.webhooks.handshake(delivery(b"{}", signed(b"{}"))) is None


def test_signed_events_are_accepted_and_changed_ones_are_not():
    body = json.dumps({"events": [connector.trigger("task_added").sample]}).encode()
    assert verify(delivery(body, signed(body))) == Verified()
    assert isinstance(verify(delivery(body + b" ", signed(body))), Refused)
    assert isinstance(verify(delivery(body, signed(body, secret="another"))), Refused)
    assert isinstance(verify(delivery(body, {})), Refused)


def test_a_heartbeat_is_genuine_and_holds_nothing():
    body = b'{"events": []}'
    inbound = delivery(body, signed(body))
    assert verify(inbound) == Verified()
    assert connector.webhooks.split(inbound) == []


def test_a_replayed_event_has_the_same_delivery_id_and_another_has_not():
    # Asana signs no time, so age cannot be told: what is sent again is known by what it says.
    first = connector.trigger("task_completed").sample
    other = {**first, "created_at": "2026-11-22T10:35:06.000Z"}
    inbound = delivery({"events": [first, other]})
    ids = [connector.webhooks.event_id(inbound, event) for event in connector.webhooks.split(inbound)]
    assert ids[0] == connector.webhooks.event_id(delivery({"events": [first]}), first) != ids[1]


@pytest.mark.parametrize(
    ("key", "name", "wanted"),
    [
        ("task_added", "task.added", {"resource_type": "task", "action": "added"}),
        (
            "task_completed",
            "task.changed",
            {"resource_type": "task", "action": "changed", "fields": ["completed"]},
        ),
        (
            "comment_added",
            "story.added",
            {"resource_type": "story", "resource_subtype": "comment_added", "action": "added"},
        ),
    ],
)
def test_each_webhook_asks_for_its_own_events_only(key, name, wanted):
    trigger = connector.trigger(key)
    made = connector.webhooks.subscribe(
        Subscription("https://steward.example/hooks/abc", trigger.events, {"project": "P"})
    )
    assert made.json == {
        "data": {"resource": "P", "target": "https://steward.example/hooks/abc", "filters": [wanted]}
    }
    assert connector.webhooks.event_name(delivery(trigger.sample), trigger.sample) == name
    assert trigger.wants(name, trigger.sample, {})


def test_the_webhook_is_kept_with_its_secret_and_removed_again():
    state = connector.webhooks.read(
        answer(201, {"data": {"gid": "W"}, "X-Hook-Secret": SECRET}), Subscription("")
    )
    assert state == {"id": "W", "secret": SECRET}
    removed = connector.webhooks.unsubscribe(Subscription("", state=state))
    assert (removed.method, removed.path, removed.at) == (
        "DELETE",
        "/webhooks/{webhook_gid}",
        {"webhook_gid": "W"},
    )


def test_a_task_that_is_reopened_is_not_finished():
    trigger = connector.trigger("task_completed")
    reopened = {**trigger.sample, "task": {**trigger.sample["task"], "completed": False}}
    assert not trigger.wants("task.changed", reopened, {})


def test_a_task_that_enters_a_section_is_not_new_once_more():
    trigger = connector.trigger("task_added")
    entered = {**trigger.sample, "parent": {"gid": "11223", "resource_type": "section"}}
    assert not trigger.wants("task.added", entered, {})


def test_an_event_is_completed_with_its_task():
    asked = []

    async def send(request: Request) -> Response:
        asked.append((request.path, request.at))
        return answer(200, {"data": {"gid": "67890", "name": "Order 1042"}})

    event = {key: value for key, value in connector.trigger("task_added").sample.items() if key != "task"}
    whole = asyncio.run(complete(connector.trigger("task_added").follow_up, event, {}, send))
    assert whole["task"]["name"] == "Order 1042"
    assert asked == [("/tasks/{task_gid}", {"task_gid": "67890"})]


def test_changes_are_listed_from_the_token_of_the_first_refusal():
    poll = connector.trigger("events_poll").poll

    async def refuse(request: Request) -> Response:
        assert request.query == {"resource": "P", "sync": None}
        response = answer(412, {"errors": [{"message": "Sync token invalid or too old"}], "sync": "s1"})
        connector.raise_for(response)
        return response

    begun = asyncio.run(look(poll, {"project": "P"}, None, refuse))
    assert begun.cursor["since"] == "s1"

    changed = connector.trigger("events_poll").sample
    pages = [
        {"data": [{**changed, "action": "added"}], "sync": "s2", "has_more": True},
        {"data": [{**changed, "action": "removed"}], "sync": "s3", "has_more": True},
        {"data": [changed], "sync": "s4", "has_more": False},
    ]
    syncs = []

    async def list_changes(request: Request) -> Response:
        if request.path.startswith("/tasks"):
            return answer(200, {"data": {"gid": "67890"}})
        syncs.append(request.query["sync"])
        return answer(200, pages[len(syncs) - 1])

    found = asyncio.run(look(poll, {"project": "P"}, begun.cursor, list_changes))
    assert [event["action"] for _, event in found.items] == ["added", "removed", "changed"]
    assert syncs == ["s1", "s2", "s3"]
    assert found.cursor["since"] == "s4"


def test_changed_tasks_are_asked_for_from_the_newest_change_seen():
    query = connector.trigger("tasks_modified_poll").poll.request({"project": "P"}, "2026-11-22").query
    assert query == {"project": "P", "modified_since": "2026-11-22", **FIELDS, "limit": 100}
