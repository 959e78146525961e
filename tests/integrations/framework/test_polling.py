"""Polling neither replays nor skips, whatever happens to the items it has seen."""

import asyncio

import pytest

from integrations.framework import CursorPages, Poll, Request, Response, TemporaryError
from integrations.framework.polling import look

POLL = Poll(lambda config, since: Request("GET", "/items", query={"since": since}), items="data", id="id", stamp="at",
            pagination=CursorPages(items="data", into="after", last_item="id", more="more"))


def item(number, at=None):
    return {"id": f"i{number}", "at": at if at is not None else number}


def looking(poll, cursor, *pages):
    """Look at a list given as pages; returns the ids found and the new cursor."""
    left = list(pages)

    async def send(request):
        data = left.pop(0)
        return Response(200, {"data": data, "more": bool(left)})
    result = asyncio.run(look(poll, {}, cursor, send))
    return [identity for identity, _ in result.items], result.cursor


def test_the_first_look_only_notes_what_is_there():
    found, cursor = looking(POLL, None, [item(2), item(1)])
    assert found == []
    assert cursor == {"since": 2, "seen": ["i1", "i2"]}


def test_new_items_come_oldest_first_and_once():
    _, cursor = looking(POLL, None, [item(2), item(1)])
    found, cursor = looking(POLL, cursor, [item(4), item(3), item(2), item(1)])
    assert found == ["i3", "i4"]
    assert looking(POLL, cursor, [item(4), item(3), item(2), item(1)])[0] == []


def test_the_last_seen_item_may_vanish():
    _, cursor = looking(POLL, None, [item(2), item(1)])
    found, cursor = looking(POLL, cursor, [item(3), item(1)])
    assert found == ["i3"]
    assert looking(POLL, cursor, [item(1)])[0] == []
    assert looking(POLL, cursor, [item(4), item(1)])[0] == ["i4"]


def test_every_item_may_vanish():
    _, cursor = looking(POLL, None, [item(2), item(1)])
    assert looking(POLL, cursor, [])[0] == []
    assert looking(POLL, cursor, [item(3)])[0] == ["i3"]


def test_two_items_of_one_moment_are_two_items():
    _, cursor = looking(POLL, None, [item(1, at=5)])
    found, cursor = looking(POLL, cursor, [item(2, at=5), item(1, at=5)])
    assert found == ["i2"]


def test_reading_goes_on_until_a_page_holds_nothing_new():
    _, cursor = looking(POLL, None, [item(1)])
    found, _ = looking(POLL, cursor, [item(5), item(4)], [item(3), item(2)], [item(1)], [item(0)])
    assert found == ["i2", "i3", "i4", "i5"]


def test_a_list_that_starts_empty_reports_its_first_item():
    _, cursor = looking(POLL, None, [])
    assert looking(POLL, cursor, [item(1)])[0] == ["i1"]


def test_without_stamps_the_ids_alone_decide_and_a_change_of_status_is_new():
    poll = Poll(lambda config, since: Request("GET", "/items"), items="data", id=("id", "status"))
    _, cursor = looking(poll, None, [{"id": "a", "status": "running"}])
    found, cursor = looking(poll, cursor, [{"id": "b", "status": "running"}, {"id": "a", "status": "done"}])
    assert found == ["a|done", "b|running"]
    assert looking(poll, cursor, [{"id": "a", "status": "done"}])[0] == []


def test_a_failed_look_advances_nothing():
    async def send(request):
        raise TemporaryError("down")
    with pytest.raises(TemporaryError):
        asyncio.run(look(POLL, {}, {"since": 1, "seen": ["i1"]}, send))
