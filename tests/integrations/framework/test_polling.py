"""Polling neither replays nor skips, whatever happens to the items it has seen."""

import asyncio

import pytest

from integrations.framework import (
    CursorPages,
    FollowUp,
    PermanentError,
    Poll,
    Request,
    Response,
    TemporaryError,
)
from integrations.framework.polling import look

POLL = Poll(
    lambda config, since: Request("GET", "/items", query={"since": since}),
    items="data",
    id="id",
    stamp="at",
    pagination=CursorPages(items="data", into="after", last_item="id", more="more"),
)


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


def test_a_long_list_never_forgets_what_it_still_holds():
    poll = Poll(lambda config, since: Request("GET", "/items"), items="data")
    everything = [item(number) for number in range(6_000)]
    _, cursor = looking(poll, None, everything)
    assert looking(poll, cursor, everything)[0] == []


def test_a_value_that_changed_back_counts_again_where_each_look_sees_the_whole():
    poll = Poll(lambda config, since: Request("GET", "/items"), items="data", id=("id", "at"), whole=True)
    _, cursor = looking(poll, None, [item(1, at="open")])
    found, cursor = looking(poll, cursor, [item(1, at="done")])
    assert found == ["i1|done"]
    assert looking(poll, cursor, [item(1, at="open")])[0] == ["i1|open"]


POSITIONED = Poll(
    lambda config, since: (
        Request("GET", "/changes", query={"token": since}) if since else Request("GET", "/start")
    ),
    items="data",
    position="token",
    stale=(410,),
)


def positioned(cursor, answer):
    asked = []

    async def send(request):
        asked.append((request.path, (request.query or {}).get("token")))
        return answer(request)

    return asyncio.run(look(POSITIONED, {}, cursor, send)), asked


def test_a_service_that_hands_out_positions_is_asked_from_the_last_one():
    start, asked = positioned(None, lambda request: Response(200, {"token": "t1"}))
    assert (start.items, asked) == ((), [("/start", None)])
    later, asked = positioned(start.cursor, lambda request: Response(200, {"token": "t2", "data": [item(1)]}))
    assert asked == [("/changes", "t1")]
    assert [identity for identity, _ in later.items] == ["i1"]
    again, asked = positioned(later.cursor, lambda request: Response(200, {"token": "t3", "data": [item(1)]}))
    assert [identity for identity, _ in again.items] == ["i1"]  # changed once more


def test_a_position_too_old_starts_afresh():
    def answer(request):
        if request.path == "/changes":
            raise PermanentError("gone", status=410)
        return Response(200, {"token": "t9"})

    result, asked = positioned({"since": "t1", "seen": []}, answer)
    assert asked == [("/changes", "t1"), ("/start", None)]
    assert (result.items, result.cursor["since"]) == ((), "t9")


def test_new_items_are_fetched_in_full_and_a_vanished_one_stays_as_it_came():
    poll = Poll(
        lambda config, since: Request("GET", "/items"),
        items="data",
        follow_up=FollowUp(
            lambda entry, account: Request("GET", "/items/{id}", at={"id": entry["id"]}),
            into="whole",
            read=lambda response: response.json["text"],
        ),
    )

    async def send(request):
        if request.path == "/items":
            return Response(200, {"data": [item(2), item(1)]})
        if request.at["id"] == "i1":
            raise PermanentError("gone", status=404)
        return Response(200, {"text": "Hello"})

    result = asyncio.run(look(poll, {}, {"since": None, "seen": []}, send))
    assert dict(result.items) == {"i1": item(1), "i2": {**item(2), "whole": "Hello"}}


def test_long_numbers_are_compared_digit_by_digit():
    _, cursor = looking(POLL, None, [item(1, at="1012345678901234521")])
    found, _ = looking(POLL, cursor, [item(3, at="1012345678901234523"), item(2, at="1012345678901234522")])
    assert found == ["i2", "i3"]


def test_a_refusal_may_carry_the_first_position():
    poll = Poll(
        lambda config, since: Request("GET", "/events", query={"sync": since}),
        items="data",
        id="id",
        order="oldest_first",
        position="sync",
        stale=(412,),
        begin=lambda error: error.code or None if error.status == 412 else None,
    )

    async def refuse(request):
        raise PermanentError("No token yet.", status=412, code="token-1")

    async def fail(request):
        raise PermanentError("No access.", status=403, code="no")

    begun = asyncio.run(look(poll, {}, None, refuse))
    assert (begun.items, begun.cursor) == ((), {"since": "token-1", "seen": []})
    # A token that has grown too old is replaced the same way.
    assert asyncio.run(look(poll, {}, {"since": "old"}, refuse)).cursor["since"] == "token-1"
    with pytest.raises(PermanentError, match="No access"):
        asyncio.run(look(poll, {}, None, fail))
