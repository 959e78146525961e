"""A connector as data: what one provider is, how it is reached, and everything it can do for a workflow."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Generator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from integrations.framework import errors
from integrations.framework.auth import Auth, NoAuth
from integrations.framework.client import Client
from integrations.framework.fields import Field, Output, as_output, object_schema, output_schema
from integrations.framework.messages import Request, Response
from integrations.framework.pagination import DEFAULT_RESULTS, MAX_RESULTS, Pagination
from integrations.framework.paths import dig, put
from integrations.framework.triggers import Trigger, Webhooks

# Carries one request: (request, credentials, account variables, the door that checks addresses) -> answer.
# Raises ConnectorError.
Transport = Callable[[Request, Mapping[str, Any], Mapping[str, Any], Client], Awaitable[Response]]

EFFECTS = ("read", "key_safe", "checkable", "unsafe")

MAX_RESULTS_FIELD = Field(
    "max_results",
    label="Most results",
    kind="integer",
    default=DEFAULT_RESULTS,
    minimum=1,
    maximum=MAX_RESULTS,
    help="Stop after this many.",
    place="none",
    advanced=True,
)


@dataclass(frozen=True)
class Idempotency:
    """Where a service takes the key that makes a repeated call harmless.

    place: header, json, form or query. format: "text", or "uuid" where the service insists on one.
    max_length: longer keys are replaced by their hash.
    """

    name: str
    place: str = "header"
    format: str = "text"
    max_length: int = 255


@dataclass(frozen=True)
class LookUp:
    """How to find out whether a call that may have happened did.

    request: builds the search from the same inputs. found: reads the answer: the output of the earlier call,
    or None when it did not happen.
    """

    request: Callable[[Mapping[str, Any]], Request]
    found: Callable[[Response, Mapping[str, Any]], Any]


@dataclass(frozen=True)
class Offers:
    """Marks a listing action as the source of a field's choices.

    items: the name of the list among its `returns`. value, label: members of each item.
    """

    items: str
    value: str = "id"
    label: str = "name"


@dataclass(frozen=True)
class Call:
    """What a `run` generator gets: the validated inputs and the account variables of the integration."""

    inputs: Mapping[str, Any]
    account: Mapping[str, Any]


@dataclass(frozen=True)
class Action:
    """One operation of a provider.

    Say what it sends in one of three ways:
    - call="POST /contacts/{id}": every given field goes where its `send` and `place` say;
    - request=function of the inputs that returns a Request, where the body is shaped differently;
    - run=generator function of a Call that yields Requests, receives Responses and returns the output, for
      operations of several calls. Its effect must be that of the whole.
    body: json or form, for `call`; empty takes the connector's.
    returns: what later steps get; with `output`, only the declared shape while the function does the work.
    effect: read, key_safe (repeats are harmless with the same key), checkable (see look_up) or unsafe.
    hidden: not offered as a step: only feeds choices.
    """

    key: str
    label: str
    description: str = ""
    fields: tuple[Field, ...] = ()
    call: str = ""
    body: str = ""
    request: Callable[[Mapping[str, Any]], Request] | None = None
    run: Callable[[Call], Generator[Request, Response, Any]] | None = None
    returns: Mapping[str, Output | str] = field(default_factory=dict)
    output: Callable[[Response], Any] | None = None
    effect: str = "unsafe"
    idempotency: Idempotency | None = None
    look_up: LookUp | None = None
    pagination: Pagination | None = None
    offers: Offers | None = None
    example: Mapping[str, Any] = field(default_factory=dict)
    docs_url: str = ""
    hidden: bool = False

    def __post_init__(self) -> None:
        if sum(way is not None and way != "" for way in (self.call, self.request, self.run)) != 1:
            raise ValueError(f"action {self.key}: give exactly one of call, request, run")
        if self.effect not in EFFECTS:
            raise ValueError(f"action {self.key}: unknown effect {self.effect!r}")
        if (self.effect == "checkable") != (self.look_up is not None):
            raise ValueError(f"action {self.key}: checkable actions, and only they, have a look_up")

    @property
    def all_fields(self) -> tuple[Field, ...]:
        """The declared fields, and how many results to fetch where the operation lists."""
        return (*self.fields, MAX_RESULTS_FIELD) if self.pagination else self.fields

    @property
    def input_schema(self) -> dict[str, Any]:
        return object_schema(self.all_fields)

    @property
    def returns_schema(self) -> dict[str, Any]:
        return output_schema(self.returns)

    def example_inputs(self, *, complete: bool = True) -> dict[str, Any]:
        """Return realistic inputs from the fields' examples: all of them, or only what is required."""
        values = {
            entry.key: entry.example if entry.example is not None else entry.default
            for entry in self.fields
            if complete or entry.required
        }
        if complete:
            values.update(self.example)
        else:
            values.update({key: value for key, value in self.example.items() if key in values})
        return {key: value for key, value in values.items() if value is not None}


@dataclass(frozen=True)
class Test:
    """A cheap call that proves a credential works.

    request: the call, or a function of the account variables that returns it, None when there is nothing to call.
    account: account variable -> path in the answer, kept with the integration. label: path of the name that tells
    this account from another; shown to people.
    """

    __test__ = False  # not a test case, whatever pytest makes of the name

    request: Request | Callable[[Mapping[str, Any]], Request | None]
    account: Mapping[str, str] = field(default_factory=dict)
    label: str = ""


@dataclass(frozen=True)
class RateLimit:
    """The pace the service allows: `calls` in every `seconds`, for each integration or for our whole app."""

    calls: float
    seconds: float = 1.0
    per: str = "integration"


@dataclass(frozen=True)
class Connector:
    """One provider.

    slug: the schema's provider value in lower case, also the module's name. account: what the connect form asks
    beside the secret (shop domain, data centre); `{name}` in base_url and in OAuth addresses is filled from it.
    auth: one kind, or several the person chooses from. body: json or form, how `call` sends values.
    check: looks at answers below status 400 and raises when the service hides a failure in the body.
    on_error: looks at answers from 400 on; returns the right error, or None for the usual rules.
    error_paths: where the service's own words are, when not in a usual place.
    wait: reads rate-limit headers of any answer; seconds to pause before the next call, or None.
    headers: sent with every call (API version). credential_hosts: other hosts that may get the credentials.
    transport: carries requests to services that do not speak HTTP; method and path are then words of its own.
    """

    slug: str
    name: str
    category: str = ""
    summary: str = ""
    docs_url: str = ""
    base_url: str = ""
    auth: Auth | tuple[Auth, ...] = field(default_factory=NoAuth)
    account: tuple[Field, ...] = ()
    actions: tuple[Action, ...] = ()
    triggers: tuple[Trigger, ...] = ()
    webhooks: Webhooks | None = None
    test: Test | None = None
    body: str = "json"
    headers: Mapping[str, str] = field(default_factory=dict)
    idempotency: Idempotency | None = None
    check: Callable[[Response], None] | None = None
    on_error: Callable[[Response], errors.ConnectorError | None] | None = None
    error_paths: tuple[str, ...] = ()
    rate_limit: RateLimit | None = None
    wait: Callable[[Response], float | None] | None = None
    credential_hosts: tuple[str, ...] = ()
    transport: Transport | None = None

    def __post_init__(self) -> None:
        for what, entries in (("action", self.actions), ("trigger", self.triggers)):
            keys = [entry.key for entry in entries]
            if len(keys) != len(set(keys)):
                raise ValueError(f"{self.slug}: {what} keys must be unique")

    @property
    def provider(self) -> str:
        """The schema's provider value, such as WOO_COMMERCE."""
        return self.slug.upper()

    @property
    def auths(self) -> tuple[Auth, ...]:
        return self.auth if isinstance(self.auth, tuple) else (self.auth,)

    def auth_for(self, credentials: Mapping[str, Any]) -> Auth:
        """Return the auth kind these credentials were made with: their "auth" member names it."""
        for auth in self.auths:
            if auth.key == credentials.get("auth"):
                return auth
        return self.auths[0]

    def action(self, key: str) -> Action:
        """Return the action of that key. Raises KeyError."""
        for action in self.actions:
            if action.key == key:
                return action
        raise KeyError(f"{self.slug} has no operation {key!r}")

    def trigger(self, key: str) -> Trigger:
        """Return the trigger of that key. Raises KeyError."""
        for trigger in self.triggers:
            if trigger.key == key:
                return trigger
        raise KeyError(f"{self.slug} has no trigger {key!r}")

    def webhooks_of(self, trigger: Trigger) -> Webhooks | None:
        return trigger.webhooks or self.webhooks

    @property
    def account_webhooks(self) -> dict[str, Webhooks]:
        """Return the ways events reach an address that is not a trigger's own, by a name that stays the same.

        "" is the connector's; others are named after the first trigger that has them. Most services have one way at
        most, Discord has two that share the address.
        """
        found: dict[str, Webhooks] = {}
        for name, webhooks in (
            ("", self.webhooks),
            *((trigger.key, trigger.webhooks) for trigger in self.triggers),
        ):
            shared = webhooks is not None and webhooks.address in ("app", "integration")
            if webhooks is not None and shared and not any(webhooks is other for other in found.values()):
                found[name] = webhooks
        return found

    def raise_for(self, response: Response, *, now: datetime | None = None) -> None:
        """Raise the error this answer stands for; return when it is a success."""
        if response.status >= 400:
            error = self.on_error(response) if self.on_error else None
            error = error or errors.classify(
                response, service=self.name, now=now or datetime.now(UTC), message_paths=self.error_paths
            )
            if error is not None:
                raise error
        elif self.check is not None:
            self.check(response)

    def outcome(self, action_key: str, response: Response) -> Any:
        """Return what a step gets out of this answer. Raises ConnectorError when it is a failure."""
        self.raise_for(response)
        action = self.action(action_key)
        return action.output(response) if action.output else extract(response.json, action.returns)

    def idempotency_of(self, action: Action) -> Idempotency | None:
        return action.idempotency or (self.idempotency if action.effect == "key_safe" else None)

    def build(self, action: Action, inputs: Mapping[str, Any]) -> Request:
        """Return the request of a single-call action, before credentials and host are added."""
        if action.request is not None:
            return action.request(inputs)
        if action.run is not None:
            return next(action.run(Call(inputs, {})))
        return request_from_fields(action, inputs, body=action.body or self.body)


def fields_schema(action: Action) -> dict[str, Any]:
    """Return the JSON Schema of an action's inputs with form hints under `x-ui`."""
    return action.input_schema


def extract(body: Any, returns: Mapping[str, Output | str]) -> dict[str, Any]:
    """Return the declared values out of an answer; what the service left out is None."""
    result: dict[str, Any] = {}
    for key, declared in returns.items():
        output = as_output(declared)
        value = dig(body, output.path)
        if output.of and isinstance(value, list):
            value = [extract(item, output.of) for item in value]
        elif output.of and isinstance(value, dict):
            value = extract(value, output.of)
        result[key] = value
    return result


def request_from_fields(action: Action, inputs: Mapping[str, Any], *, body: str) -> Request:
    """Build the request of an action declared by `call`. body: json or form."""
    method, _, path = action.call.partition(" ")
    places: dict[str, dict[str, Any]] = {"path": {}, "query": {}, "body": {}, "header": {}}
    for entry in action.fields:
        if entry.place == "none" or entry.key not in inputs:
            continue
        place = entry.place or _usual_place(method, path, entry)
        if place == "body":
            put(places["body"], entry.wire_name, inputs[entry.key])
        else:
            places[place][entry.wire_name] = inputs[entry.key]
    sends_body = method not in ("GET", "DELETE", "HEAD") or bool(places["body"])
    return Request(
        method,
        path,
        at=places["path"],
        query=places["query"] or None,
        headers=places["header"] or None,
        json=places["body"] if sends_body and body == "json" else None,
        form=places["body"] if sends_body and body == "form" else None,
    )


def _usual_place(method: str, path: str, entry: Field) -> str:
    if f"{{{entry.wire_name}}}" in path:
        return "path"
    return "query" if method in ("GET", "DELETE", "HEAD") else "body"
