"""Answers to the requests by which services make sure that an address wants their deliveries."""

from __future__ import annotations

import json
from collections.abc import Callable

from integrations.framework.messages import Inbound, Reply
from integrations.framework.paths import dig

LONGEST = 2_000  # characters of a token we repeat


def echo_header(name: str, keep_as: str) -> Callable[[Inbound], Reply | None]:
    """Asana: send a header back, and keep it: it is the key of all later signatures."""

    def handshake(inbound: Inbound) -> Reply | None:
        value = inbound.headers.get(name, "")
        if not value or len(value) > LONGEST:
            return None
        return Reply(200, headers={name: value}, keep={keep_as: value})

    return handshake


def echo_query(name: str) -> Callable[[Inbound], Reply | None]:
    """Microsoft Graph: send a query parameter back as plain text."""

    def handshake(inbound: Inbound) -> Reply | None:
        value = inbound.query.get(name, "")
        if not value or len(value) > LONGEST:
            return None
        return Reply(200, value.encode())

    return handshake


def echo_json(name: str) -> Callable[[Inbound], Reply | None]:
    """monday: send a member of the JSON body back as the same JSON."""

    def handshake(inbound: Inbound) -> Reply | None:
        value = dig(inbound.json, name)
        if not isinstance(value, str) or not value or len(value) > LONGEST:
            return None
        return Reply(200, json.dumps({name: value}).encode(), content_type="application/json")

    return handshake


def keep_json(name: str, keep_as: str) -> Callable[[Inbound], Reply | None]:
    """Notion: keep a token that a person enters at the service."""

    def handshake(inbound: Inbound) -> Reply | None:
        value = dig(inbound.json, name)
        if not isinstance(value, str) or not value or len(value) > LONGEST:
            return None
        return Reply(200, keep={keep_as: value})

    return handshake


def answer_methods(*methods: str) -> Callable[[Inbound], Reply | None]:
    """Trello (HEAD), Mailchimp (GET): a request by that method only asks whether we are there."""
    return lambda inbound: Reply(200) if inbound.method.upper() in methods else None


def first_of(*handshakes: Callable[[Inbound], Reply | None]) -> Callable[[Inbound], Reply | None]:
    """Try several handshakes in order."""

    def handshake(inbound: Inbound) -> Reply | None:
        return next((reply for one in handshakes if (reply := one(inbound)) is not None), None)

    return handshake
