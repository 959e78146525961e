"""Finds what is new in a list we fetch again and again, without ever replaying or skipping.

A position in the list is not remembered: the item there may be deleted. Remembered are the newest stamp and the
ids seen, so a vanished item changes nothing.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from integrations.framework.errors import ConnectorError, PermanentError
from integrations.framework.messages import Request, Response
from integrations.framework.paths import dig
from integrations.framework.triggers import FollowUp, Poll

MOST_SEEN = 5_000  # ids kept; more than any page set we fetch
MOST_PAGES = 100  # one look; ten thousand new items between two looks is beyond any service here


@dataclass(frozen=True)
class Look:
    """One look: the new items, oldest first, each with its id, and the cursor to store with them."""

    items: tuple[tuple[str, Any], ...]
    cursor: dict[str, Any]


async def look(
    poll: Poll,
    config: Mapping[str, Any],
    cursor: Mapping[str, Any] | None,
    send: Callable[[Request], Awaitable[Response]],
    *,
    account: Mapping[str, Any] | None = None,
) -> Look:
    """Return what appeared since the cursor. The first look (cursor None) only notes what is there already.

    cursor: {"since": newest stamp, "seen": ids, newest last}. send: raises on failure, then nothing is advanced.
    account: the integration's account variables. Store the cursor in the same transaction as the deliveries.
    """
    first = cursor is None
    since = (cursor or {}).get("since")
    seen = [] if poll.position else list((cursor or {}).get("seen", ()))
    known = set(seen)
    found: list[tuple[str, Any]] = []
    present: dict[str, None] = {}
    newest = since
    request: Request | None = poll.request(config, since)
    for page in range(1 if first and poll.order == "newest_first" and poll.stamp else MOST_PAGES):
        if request is None:
            break
        try:
            response = await send(request)
        except ConnectorError as error:
            begun = poll.begin(error) if poll.begin and since is None and not page else None
            if begun is not None:
                return Look((), {"since": begun, "seen": []})
            if page or since is None or error.status not in poll.stale:
                raise
            return await look(poll, config, None, send, account=account)
        items = poll.items(response, config) if callable(poll.items) else dig(response.json, poll.items) or []
        if poll.position:
            position = (
                poll.position(response) if callable(poll.position) else dig(response.json, poll.position)
            )
            newest = newest if position is None else position
        fresh = 0
        for item in items:
            identity = item_id(poll, item)
            present[identity] = None
            stamp = dig(item, poll.stamp) if poll.stamp else None
            if not poll.position and stamp is not None and (newest is None or _order(stamp) > _order(newest)):
                newest = stamp
            if identity in known or _older(stamp, since):
                continue
            known.add(identity)
            found.append((identity, item))
            fresh += 1
        if poll.order == "newest_first" and fresh == 0 and not (poll.whole or poll.position):
            break  # everything further down is older still
        request = poll.pagination.next(request, response) if poll.pagination else None
    if poll.order == "newest_first":
        found.reverse()
    if poll.stamp:  # what shares a stamp keeps the service's order
        found.sort(key=lambda entry: _order(dig(entry[1], poll.stamp)))
    if poll.position:
        seen = []
    elif poll.whole:
        seen = list(present)
    else:
        # What is still listed stays known however long the list is; of the rest the newest.
        before = set(seen)
        still = [identity for identity in reversed(present) if identity in before]
        gone = [identity for identity in seen if identity not in present]
        fresh_ids = [identity for identity, _item in found]
        room = max(0, MOST_SEEN - len(still) - len(fresh_ids))
        seen = (gone[-room:] if room else []) + still + fresh_ids
    if first:
        return Look((), {"since": newest, "seen": seen})
    if poll.follow_up:
        found = [
            (identity, await complete(poll.follow_up, item, account or {}, send)) for identity, item in found
        ]
    return Look(tuple(found), {"since": newest, "seen": seen})


async def complete(
    follow_up: FollowUp,
    event: Any,
    account: Mapping[str, Any],
    send: Callable[[Request], Awaitable[Response]],
) -> Any:
    """Return the event with what it names fetched. What is gone by then leaves the event as it came.

    Raises as send does when trying again can help or the connection must be renewed.
    """
    request = follow_up.request(event, account)
    if request is None:
        return event
    try:
        response = await send(request)
    except PermanentError as error:
        if error.status in (404, 410):
            return event
        raise
    answer = follow_up.read(response) if follow_up.read else response.json
    return {**event, follow_up.into: answer} if follow_up.into else answer


def item_id(poll: Poll, item: Any) -> str:
    """Return what identifies an item: one value, or several joined when any change makes it new."""
    paths = (poll.id,) if isinstance(poll.id, str) else poll.id
    return "|".join(str(dig(item, path)) for path in paths)


def _older(stamp: Any, since: Any) -> bool:
    # Equal stamps are not older: two items may share a second, and the ids tell them apart.
    return stamp is not None and since is not None and _order(stamp) < _order(since)


def _order(stamp: Any) -> tuple[int, float, str]:
    """Return a sort key: numbers, also written as text, by value; other text (ISO times) by itself."""
    try:
        if isinstance(stamp, str) and stamp.isdecimal():
            return (0, int(stamp), "")  # exact also where a float would round: ids of 64 bits
        return (0, float(stamp), "")
    except (TypeError, ValueError):
        return (1, 0.0, str(stamp))
