"""Holds one call we build against the vendor's description and says what does not fit."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlsplit

from integrations.framework import (
    Action,
    Call,
    Connector,
    Output,
    Request,
    Subscription,
    dig,
)
from integrations.framework.execute import prepare
from integrations.framework.fields import as_output
from integrations.framework.inputs import prepare_inputs
from tests.contract.descriptions import Document, Operation, documents, graphql_schema
from tests.integrations.checks import account_for, credentials_for

FORM = ("application/x-www-form-urlencoded", "multipart/form-data")


@dataclass(frozen=True)
class Case:
    """One call to judge. key: the action's or trigger's. returns: declared outputs, where they are of this answer."""

    connector: Connector
    key: str
    variant: str
    request: Request
    returns: Mapping[str, Output | str]

    @property
    def id(self) -> str:
        return f"{self.connector.slug}.{self.key}[{self.variant}]"


def cases(connector: Connector) -> Iterator[Case]:
    """Yield every call of a connector: each action with all and with required inputs only, polls, subscriptions."""
    account = account_for(connector)
    for action in connector.actions:
        for variant, complete in (("all", True), ("required", False)):
            values, problems = prepare_inputs(action.all_fields, action.example_inputs(complete=complete))
            if problems:
                raise AssertionError(f"{connector.slug}.{action.key}: examples do not fit: {problems}")
            if action.run is None:
                yield Case(connector, action.key, variant, connector.build(action, values), action.returns)
            else:
                yield Case(connector, action.key, variant, first_request(action, values, account), {})
            if action.look_up is not None:
                yield Case(connector, action.key, f"look up, {variant}", action.look_up.request(values), {})
    for trigger in connector.triggers:
        values, problems = prepare_inputs(
            trigger.fields,
            {entry.key: entry.example for entry in trigger.fields if entry.example is not None},
        )
        if problems:
            raise AssertionError(f"{connector.slug}.{trigger.key}: examples do not fit: {problems}")
        if trigger.poll is not None:
            since = dig(trigger.sample, trigger.poll.stamp) if trigger.poll.stamp else None
            yield Case(connector, trigger.key, "first look", trigger.poll.request(values, None), {})
            yield Case(connector, trigger.key, "later look", trigger.poll.request(values, since), {})
            continue
        webhooks = connector.webhooks_of(trigger)
        if webhooks is None:
            continue
        subscription = Subscription(
            "https://steward.example/hooks/abc",
            trigger.events,
            values,
            account,
            "a-secret-for-tests-0123456789",
        )
        if webhooks.subscribe is not None:
            yield Case(connector, trigger.key, "subscribe", webhooks.subscribe(subscription), {})
        state = {
            "id": "1",
            "secret": "s",
            **(dict(trigger.sample) if isinstance(trigger.sample, dict) else {}),
        }
        known = replace(subscription, state={**state, "id": "1"})
        for variant, build in (
            ("follow up", webhooks.follow_up),
            ("unsubscribe", webhooks.unsubscribe),
            ("renew", webhooks.renew),
        ):
            if build is not None:
                yield Case(connector, trigger.key, variant, build(known), {})


def first_request(action: Action, values: Mapping[str, Any], account: Mapping[str, Any]) -> Request:
    return next(action.run(Call(values, account)))  # type: ignore[misc] # the caller checked


def judge(case: Case, *, ignored_parameters: frozenset[str] = frozenset()) -> list[str]:
    """Return what does not fit; each problem begins with what it is about ("query limit", "output id")."""
    connector = case.connector
    call = prepare(connector, case.request, credentials_for(connector), account_for(connector))
    schema = graphql_schema(connector.slug)
    if schema is not None and isinstance(call["json_body"], dict) and "query" in call["json_body"]:
        return judge_graphql(schema, call["json_body"], case)
    operation = find(connector, call["method"], call["url"])
    if operation is None:
        return [f"path: {call['method']} {urlsplit(call['url']).path} is not described"]
    return [
        *judge_parameters(operation, case, call, ignored_parameters),
        *judge_body(operation, case, call),
        *judge_outputs(operation, case),
    ]


def find(connector: Connector, method: str, url: str) -> Operation | None:
    for document in documents(connector.slug):
        operation = document.find(method, url)
        if operation is not None:
            return operation
    return None


def judge_parameters(
    operation: Operation,
    case: Case,
    call: Mapping[str, Any],
    ignored: frozenset[str],
) -> Iterator[str]:
    known = operation.parameters.get("query", {})
    bases = {name.partition("[")[0] for name in known}
    secrets = set(credentials_for(case.connector).values())
    given = set()
    for name, text in call["query"]:
        base = name.partition("[")[0]
        given |= {name, base}
        if name not in known and base not in bases:
            if text not in secrets:
                yield f"query {name}: not described"
            continue
        if name in known and "[" not in name:
            problems = operation.document.problems(known[name], typed(operation.document, known[name], text))
            yield from (f"query {name}: {problem}" for problem in problems)
    headers = {name.lower() for name in call["headers"]}
    for place, name in sorted(operation.required):
        missing = (place == "query" and name not in given and name.partition("[")[0] not in given) or (
            place == "header" and name.lower() not in headers
        )
        if missing and name not in ignored:
            yield f"{place} {name}: required and not sent"


def typed(document: Document, schema: Any, text: str) -> Any:
    """Return the query text as the value its schema means."""
    kinds = kinds_of(document, schema)
    if "array" in kinds and "string" not in kinds:
        items = document.resolve(schema).get("items", {})
        return [typed(document, items, part) for part in text.split(",")]
    if "boolean" in kinds and text in ("true", "false"):
        return text == "true"
    if kinds & {"integer", "number"}:
        try:
            return float(text) if "." in text else int(text)
        except ValueError:
            return text
    if "object" in kinds and text.startswith("{"):
        return json.loads(text)
    return text


def kinds_of(document: Document, schema: Any) -> set[str]:
    schema = document.resolve(schema)
    if not isinstance(schema, dict):
        return set()
    kind = schema.get("type", [])
    found = {kind} if isinstance(kind, str) else set(kind)
    for key in ("anyOf", "oneOf", "allOf"):
        for entry in schema.get(key, []):
            found |= kinds_of(document, entry)
    return found


def judge_body(operation: Operation, case: Case, call: Mapping[str, Any]) -> Iterator[str]:
    request = case.request
    if request.files:
        media, value = (
            "multipart/form-data",
            {**(request.form or {}), **dict.fromkeys(request.files, "bytes")},
        )
    elif request.form is not None:
        media, value = FORM[0], dict(request.form)
    elif call["json_body"] is not None:
        media, value = "application/json", call["json_body"]
    elif request.content is not None:
        return
    else:
        if operation.body_required:
            yield "body: required and not sent"
        return
    value = json.loads(
        json.dumps(
            {name: member for name, member in value.items() if member is not None}
            if isinstance(value, dict)
            else value
        )
    )
    if not operation.bodies:
        if value:
            yield "body: none is described"
        return
    schema = operation.bodies.get(media)
    if schema is None and media == FORM[0]:
        schema = operation.bodies.get(FORM[1])
    if schema is None and media == "application/json":
        schema = next(
            (entry for name, entry in operation.bodies.items() if "json" in name or name == "*/*"), None
        )
    if schema is None:
        yield f"body: described as {', '.join(operation.bodies)}, sent as {media}"
        return
    if value == {} and not operation.body_required:
        return
    yield from (f"body {problem}" for problem in operation.document.problems(schema, value))
    resolved = operation.document.resolve(schema)
    if (
        isinstance(value, dict)
        and isinstance(resolved, dict)
        and "properties" in resolved
        and not resolved.get("additionalProperties")
        and not any(key in resolved for key in ("allOf", "anyOf", "oneOf"))
    ):
        for name in value:
            if name not in resolved["properties"]:
                yield f"body {name}: not described"


def judge_outputs(operation: Operation, case: Case) -> Iterator[str]:
    if operation.document.name.startswith("facts "):
        return
    for name, path, prefix in output_paths(case.returns):
        if path == "" or operation.answer is None:
            continue
        full = f"{prefix}.{path}" if prefix else path
        if not operation.document.has_path(operation.answer, full):
            yield f"output {name}: {full} is not in the described answer"


def output_paths(
    returns: Mapping[str, Output | str],
    prefix: str = "",
    above: str = "",
) -> Iterator[tuple[str, str, str]]:
    for key, declared in returns.items():
        output = as_output(declared)
        name = f"{above}.{key}" if above else key
        yield name, output.path, prefix
        if output.of:
            below = ".".join(part for part in (prefix, output.path) if part)
            if output.kind == "list":
                below = f"{below}[]"
            yield from output_paths(output.of, below, name)


def judge_graphql(schema: Any, body: Mapping[str, Any], case: Case) -> list[str]:
    from graphql import GraphQLError, parse, validate
    from graphql.execution.values import get_variable_values
    from graphql.language import OperationDefinitionNode

    try:
        document = parse(body["query"])
    except GraphQLError as error:
        return [f"body query: {error.message}"]
    problems = [f"body query: {error.message}" for error in validate(schema, document)]
    for node in document.definitions:
        if isinstance(node, OperationDefinitionNode):
            values = get_variable_values(schema, node.variable_definitions or (), body.get("variables") or {})
            errors = values if isinstance(values, list) else getattr(values, "errors", None) or []
            problems += [f"body variables: {error.message}" for error in errors]
            declared = {definition.variable.name.value for definition in node.variable_definitions or ()}
            unknown = set(body.get("variables") or {}) - declared
            problems += [f"body variables: {name} is not declared" for name in unknown]
            for name, path, prefix in output_paths(case.returns):
                full = f"{prefix}.{path}" if prefix else path
                parts = [part.replace("[]", "") for part in full.split(".") if part and not part.isdigit()]
                if parts[:1] == ["data"] and not selected(document, node.selection_set, parts[1:]):
                    problems.append(f"output {name}: {full} is not selected")
    return problems


def selected(document: Any, selection_set: Any, parts: list[str]) -> bool:
    from graphql.language import FieldNode, FragmentDefinitionNode, FragmentSpreadNode

    if not parts or selection_set is None:  # below a scalar of JSON there is nothing to select
        return True
    for node in selection_set.selections:
        if isinstance(node, FieldNode):
            if (node.alias or node.name).value == parts[0] and selected(
                document, node.selection_set, parts[1:]
            ):
                return True
        elif isinstance(node, FragmentSpreadNode):
            for fragment in document.definitions:
                if (
                    isinstance(fragment, FragmentDefinitionNode)
                    and fragment.name.value == node.name.value
                    and selected(document, fragment.selection_set, parts)
                ):
                    return True
        elif selected(document, node.selection_set, parts):
            return True
    return False
