"""Looking into services over many looks: vanished items, many pages, refusals, renewals and looks at the same time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request as Arrived
from werkzeug import Response as Answer

from accounts.tenancy import system_scope
from billing.models import UsageEntry
from integrations.models import Integration
from tests.workflows.triggers.publishing import trigger_of
from tests.workflows.triggers.test_services import (
    answer,
    connected,
    item,
    listening,
    reasons,
    runs,
    stripe,
)
from tests.worlds import World
from workflows import publishing
from workflows.triggers import polling

__all__ = ["stripe"]
NOW = datetime.now(UTC)


class Till:
    """Stripe's list of events, newest first, in pages."""

    def __init__(self, server: HTTPServer, size: int = 100) -> None:
        self.numbers: list[int] = []
        self.size, self.pages, self.fails_at = size, 0, 0
        server.clear()
        server.expect_request("/v1/events").respond_with_handler(self.page)

    def page(self, request: Arrived) -> Answer:
        import json

        self.pages += 1
        if self.fails_at and self.pages == self.fails_at:
            return Answer(
                '{"error": {"message": "slow down"}}', status=429, headers={"Retry-After": "900"},
                content_type="application/json",
            )  # fmt: skip
        after = request.args.get("starting_after", "")
        since = int(request.args.get("created[gte]", 0))
        known = [n for n in sorted(self.numbers, reverse=True) if 1_700_000_000 + n >= since]
        begin = known.index(int(after.removeprefix("evt_"))) + 1 if after else 0
        shown = known[begin : begin + self.size]
        body = {"data": [item(n) for n in shown], "has_more": begin + self.size < len(known)}
        return Answer(json.dumps(body), content_type="application/json")


@pytest.fixture
def till(alder: World, stripe: HTTPServer) -> tuple[Any, str, str]:
    connected(alder)
    workflow = listening(alder, "events_poll")
    row = trigger_of(workflow, alder, "till")
    return workflow, str(row.organization_id), str(row.pk)


def numbers(world: World, workflow: Any) -> list[int]:
    return [seen["body"]["object"]["n"] for seen in runs(world, workflow)]


def test_many_pages_are_read_and_start_oldest_first(alder: World, stripe: HTTPServer, till: Any) -> None:
    workflow, organization, trigger = till
    service = Till(stripe, size=3)
    service.numbers = [1, 2]
    polling.poll_once(organization, trigger, NOW)
    service.numbers += range(3, 13)
    assert polling.poll_once(organization, trigger, NOW) == 10
    assert numbers(alder, workflow) == list(range(3, 13))


def test_a_vanished_last_seen_item_neither_replays_nor_skips(
    alder: World, stripe: HTTPServer, till: Any
) -> None:
    workflow, organization, trigger = till
    service = Till(stripe)
    service.numbers = [1, 2, 3]
    polling.poll_once(organization, trigger, NOW)
    for present in ([1, 2, 4], [1, 2], [1, 2, 5], [5, 6]):
        service.numbers = present
        polling.poll_once(organization, trigger, NOW)
    assert numbers(alder, workflow) == [4, 5, 6]


def test_a_refusal_in_the_middle_of_the_pages_starts_nothing_and_loses_nothing(
    alder: World, stripe: HTTPServer, till: Any
) -> None:
    workflow, organization, trigger = till
    service = Till(stripe, size=2)
    service.numbers = [1]
    polling.poll_once(organization, trigger, NOW)
    service.numbers += [2, 3, 4, 5]
    service.pages, service.fails_at = 0, 2
    assert polling.poll_once(organization, trigger, NOW) == 0
    assert numbers(alder, workflow) == []
    row = trigger_of(workflow, alder, "till")
    assert row.next_fire_at >= NOW + timedelta(seconds=899)  # not before the service wants to be asked
    assert reasons(alder, workflow)[-1] == "INTEGRATION_BROKEN"
    service.fails_at = 0
    assert polling.poll_once(organization, trigger, NOW) == 4
    assert polling.poll_once(organization, trigger, NOW) == 0


def test_two_looks_at_once_start_each_item_once(
    alder: World, stripe: HTTPServer, till: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    workflow, organization, trigger = till
    service = Till(stripe)
    service.numbers = [1]
    polling.poll_once(organization, trigger, NOW)
    service.numbers = [1, 2, 3]
    real = polling._take

    def slow(*arguments: Any) -> int:
        monkeypatch.setattr(polling, "_take", real)
        assert polling.poll_once(organization, trigger, NOW) == 2  # another worker is faster
        return real(*arguments)

    monkeypatch.setattr(polling, "_take", slow)
    assert polling.poll_once(organization, trigger, NOW) == 0
    assert numbers(alder, workflow) == [2, 3]


def test_what_appeared_while_the_account_was_broken_is_found_after_it(
    alder: World, stripe: HTTPServer, till: Any
) -> None:
    workflow, organization, trigger = till
    service = Till(stripe)
    service.numbers = [1]
    polling.poll_once(organization, trigger, NOW)
    with alder.scope():
        Integration.objects.update(status="EXPIRED", status_reason="dead")
    service.numbers += [2]
    asked = service.pages
    assert polling.poll_once(organization, trigger, NOW) == 0
    assert service.pages == asked  # a dead credential is not tried
    with alder.scope():
        Integration.objects.update(status="ACTIVE")
    assert polling.poll_once(organization, trigger, NOW) == 1
    assert numbers(alder, workflow) == [2]


def test_a_refused_credential_expires_the_account(alder: World, stripe: HTTPServer, till: Any) -> None:
    _workflow, organization, trigger = till
    stripe.clear()
    stripe.expect_request("/v1/events").respond_with_json({"error": {"message": "no such key"}}, status=401)
    polling.poll_once(organization, trigger, NOW)
    with alder.scope():
        assert Integration.objects.get().status == "EXPIRED"


def test_what_happens_while_a_workflow_rests_is_not_made_up_for(
    alder: World, stripe: HTTPServer, till: Any
) -> None:
    workflow, organization, trigger = till
    answer(stripe, 1)
    polling.poll_once(organization, trigger, NOW)
    with alder.scope():
        publishing.pause(workflow, alder.owner)
    answer(stripe, 1, 2)
    assert polling.poll_once(organization, trigger, NOW) == 0
    with alder.scope():
        publishing.resume(workflow, alder.owner)
    assert polling.poll_once(organization, trigger, NOW) == 0
    answer(stripe, 1, 2, 3)
    assert polling.poll_once(organization, trigger, NOW) == 1
    assert numbers(alder, workflow) == [3]


def test_looks_are_metered(alder: World, stripe: HTTPServer, till: Any) -> None:
    _workflow, organization, trigger = till
    service = Till(stripe, size=2)
    service.numbers = [1]
    polling.poll_once(organization, trigger, NOW)
    service.numbers = [1, 2, 3, 4]
    polling.poll_once(organization, trigger, NOW)
    with system_scope("read usage"):
        entries = UsageEntry.objects.filter(metric="API_CALLS_MADE", organization_id=organization)
        assert sum(entry.quantity for entry in entries) == service.pages
