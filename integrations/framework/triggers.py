"""What starts a workflow from a service: declared as data, sent to us (webhook) or fetched by us (polling)."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from integrations.framework.errors import ConnectorError
from integrations.framework.fields import Field, Output, output_schema
from integrations.framework.messages import Inbound, Reply, Request, Response
from integrations.framework.pagination import Pagination
from integrations.framework.paths import dig
from integrations.framework.signatures import Scheme


@dataclass(frozen=True)
class Subscription:
    """What a webhook subscription needs and what we know about it.

    address: our public URL for the deliveries. events: the vendor's names of the events wanted.
    config: what the person filled in for the trigger. account: the integration's account variables.
    secret: a random text made by us, for services that let the subscriber choose the signing key.
    state: what `read` returned when it was made (id, secret, expires_at and whatever else is needed later).
    now: Unix seconds, for services that want to be told when the subscription shall end.
    """

    address: str
    events: tuple[str, ...] = ()
    config: Mapping[str, Any] = field(default_factory=dict)
    account: Mapping[str, Any] = field(default_factory=dict)
    secret: str = ""
    state: Mapping[str, Any] = field(default_factory=dict)
    now: float = field(default_factory=time.time)


@dataclass(frozen=True)
class Webhooks:
    """How a service delivers events.

    address: whose URL it is: "app" (one for our whole application, tenant told by `account`),
      "integration" (one per connected account) or "trigger" (one per workflow trigger).
    signature: the scheme that proves who sent it; None when the service signs nothing: then the URL is the secret.
    secret: where the key comes from: "app" (our application's setting of that name, see `secret_name`),
      "subscription" (state["secret"] of the subscription) or "credentials" (credentials[secret_name]).
    event: path of the event name in one event, or a function of (inbound, event).
    events: path of the list when one delivery carries several events ("" when the body itself is the list and
      `is_list`), or a function of the delivery, else None.
    delivery_id: path in one event, or "header:<name>": what duplicates are found by.
    account: path in the payload of what tells the account, for address "app"; compared with account[account_key].
    handshake: answers the service's proof-of-ownership request; None when this delivery is not one. With
      `is_handshake_signed` the signature is checked first: Discord sends false ones to see whether we look.
    subscribe/read/unsubscribe/renew: requests through the vendor's API; without them `setup` tells the person what
      to do by hand. follow_up: a second request after subscribe, for services that switch signing on apart: `state`
      holds what `read` returned, its answer goes through `read` too and is added. renew_before_seconds: how long
      before state["expires_at"] to renew.
    answer: what we answer an accepted delivery with.
    shows_kept_secret: a person must enter the secret that a handshake left with us at the service (Notion): the
      integration's page shows it until the first delivery that it proves.
    """

    address: str = "trigger"
    signature: Scheme | None = None
    secret: str = "subscription"
    secret_name: str = "signing_secret"
    event: str | Callable[[Inbound, Any], str] = ""
    events: str | Callable[[Inbound], list[Any]] | None = None
    delivery_id: str | Callable[[Inbound, Any], str] = ""
    account: str = ""
    account_key: str = ""
    handshake: Callable[[Inbound], Reply | None] | None = None
    is_handshake_signed: bool = False
    subscribe: Callable[[Subscription], Request] | None = None
    read: Callable[[Response, Subscription], dict[str, Any]] | None = None
    unsubscribe: Callable[[Subscription], Request] | None = None
    renew: Callable[[Subscription], Request] | None = None
    renew_before_seconds: int = 0
    follow_up: Callable[[Subscription], Request] | None = None
    setup: str = ""
    answer: Reply = field(default_factory=Reply)
    shows_kept_secret: bool = False

    def split(self, inbound: Inbound) -> list[Any]:
        """Return the events in one delivery, in order."""
        if self.events is None:
            return [inbound.payload]
        if callable(self.events):
            return self.events(inbound)
        found = dig(inbound.payload, self.events)
        return found if isinstance(found, list) else []

    def event_name(self, inbound: Inbound, event: Any) -> str:
        return _read(self.event, inbound, event)

    def event_id(self, inbound: Inbound, event: Any) -> str:
        """What the same event carries each time it is sent; empty when the service gives nothing."""
        return _read(self.delivery_id, inbound, event)


@dataclass(frozen=True)
class FollowUp:
    """How to fetch what a notice or a list entry only names by its id.

    request: builds the call from (event, account); None when there is nothing to fetch. into: the member of the
    event that gets the answer ("message"); "" replaces the event. read: shapes the answer first.
    polling.complete() does it.
    """

    request: Callable[[Any, Mapping[str, Any]], Request | None]
    into: str = ""
    read: Callable[[Response], Any] | None = None


@dataclass(frozen=True)
class Poll:
    """How to fetch what is new.

    request: builds the first page from (config, since); since is the newest `stamp` seen, None on the first look.
    items: path of the list; "" when the body is the list. id: path of what identifies an item; several paths make
      an item count again when any of them changes (("id", "status") reports every change of status).
    stamp: path of a value that grows with newness (time or number), "" when there is none.
    order: the service's own: newest_first allows to stop at the first page that holds nothing new.
    items may be a function of (answer, config), where the list must be put together first.
    position: path in the answer (or function of it) of where to go on, for services that tell what changed since a
      token of theirs: it is the next look's `since`, and what is listed counts as new. stale: statuses that say the
      token is too old; the look then starts afresh. begin: reads the first token out of the refusal of a call
      without one (Asana), None when that is another failure.
    whole: each look sees everything, and an item that went and came back is new again (a value changed and changed
      back). follow_up: fetches each new item in full.
    """

    request: Callable[[Mapping[str, Any], Any], Request]
    items: str | Callable[[Response, Mapping[str, Any]], list[Any]] = ""
    id: str | tuple[str, ...] = "id"
    stamp: str = ""
    order: str = "newest_first"
    pagination: Pagination | None = None
    interval_seconds: int = 300
    position: str | Callable[[Response], Any] = ""
    stale: tuple[int, ...] = ()
    begin: Callable[[ConnectorError], Any] | None = None
    whole: bool = False
    follow_up: FollowUp | None = None


@dataclass(frozen=True)
class Trigger:
    """One thing that can start a workflow.

    kind: webhook or polling. event: the vendor's name, or several; empty takes every event.
    accepts: refines the choice with (event payload, config, account); False means "not this one".
    sample: a realistic event as the service sends it; shown while building, and used by tests.
    root: path of the part of the event that workflows see; "" is the whole event.
    returns: values offered to later steps, with paths relative to `root`; empty offers the whole part.
    webhooks: only when this trigger differs from its connector's. follow_up: fetches what a delivery only names,
      before `accepts` and `returns` are read.
    fetch: for webhooks that only say that something is new: what is then looked through, from where the last look
      ended. Its config holds besides what the author filled in "subscription", what `read` returned without secrets.
    """

    key: str
    label: str
    kind: str = "webhook"
    description: str = ""
    fields: tuple[Field, ...] = ()
    event: str | tuple[str, ...] = ()
    accepts: Callable[[Any, Mapping[str, Any], Mapping[str, Any]], bool] | None = None
    sample: Any = None
    root: str = ""
    returns: Mapping[str, Output | str] = field(default_factory=dict)
    poll: Poll | None = None
    webhooks: Webhooks | None = None
    follow_up: FollowUp | None = None
    fetch: Poll | None = None

    def __post_init__(self) -> None:
        if self.kind not in ("webhook", "polling"):
            raise ValueError(f"trigger {self.key}: unknown kind {self.kind!r}")
        if (self.kind == "polling") != (self.poll is not None):
            raise ValueError(f"trigger {self.key}: polling triggers, and only they, have a poll")
        if self.kind == "polling" and self.fetch is not None:
            raise ValueError(f"trigger {self.key}: only webhook triggers have a fetch")

    @property
    def events(self) -> tuple[str, ...]:
        return (self.event,) if isinstance(self.event, str) else tuple(self.event)

    def wants(
        self,
        name: str,
        event: Any,
        config: Mapping[str, Any],
        account: Mapping[str, Any] | None = None,
    ) -> bool:
        """Whether an event of that name starts a workflow with this configuration."""
        return self.hears(name) and self.is_for(event, config, account)

    def hears(self, name: str) -> bool:
        """Whether events of that name are meant for this trigger at all."""
        return not self.events or name in self.events

    def is_for(self, event: Any, config: Mapping[str, Any], account: Mapping[str, Any] | None = None) -> bool:
        """Whether a complete event fits this configuration."""
        return self.accepts is None or self.accepts(event, config, account or {})

    @property
    def looks(self) -> Poll | None:
        """What is looked through for this trigger, by the clock or when a delivery says so."""
        return self.poll or self.fetch

    def output(self, event: Any) -> Any:
        """Return what the workflow sees of one event."""
        from integrations.framework.definition import extract

        part = dig(event, self.root)
        return extract(part, self.returns) if self.returns else part

    @property
    def returns_schema(self) -> dict[str, Any]:
        return output_schema(self.returns) if self.returns else {"type": "object"}


def _read(source: str | Callable[[Inbound, Any], str], inbound: Inbound, event: Any) -> str:
    if callable(source):
        return source(inbound, event)
    if source.startswith("header:"):
        return inbound.headers.get(source[len("header:") :], "")
    value = dig(event, source) if source else None
    if value is None and source:
        value = dig(inbound.payload, source)  # delivery-wide values of a batch
    return "" if value is None else str(value)
