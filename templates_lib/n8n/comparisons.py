"""Conditions of if, filter and switch nodes as conditions of ours, of both generations of n8n."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _

from templates_lib.n8n.context import Conversion, Flow, NodeNames
from templates_lib.n8n.javascript import Beyond, parse
from templates_lib.n8n.liquid import said
from templates_lib.n8n.reading import Node

# n8n's operation -> (ours, whether it is turned round)
OPERATIONS: dict[str, str] = {
    "equals": "equals", "equal": "equals", "notEquals": "not_equals", "notEqual": "not_equals", "contains": "contains",
    "notContains": "not_contains", "startsWith": "starts_with", "endsWith": "ends_with", "regex": "matches",
    "notRegex": "not_matches", "gt": "gt", "larger": "gt", "gte": "gte", "largerEqual": "gte", "lt": "lt",
    "smaller": "lt", "lte": "lte", "smallerEqual": "lte", "empty": "empty", "isEmpty": "empty", "notEmpty": "not_empty",
    "isNotEmpty": "not_empty", "exists": "not_empty", "notExists": "empty", "true": "true", "false": "false",
    "after": "after", "before": "before", "afterOrEquals": "gte", "beforeOrEquals": "lte", "lengthEquals": "equals",
    "lengthGt": "gt", "lengthGte": "gte", "lengthLt": "lt", "lengthLte": "lte", "lengthNotEquals": "not_equals",
    "notStartsWith": "starts_with", "notEndsWith": "ends_with",
}  # fmt: skip
ALONE = frozenset({"empty", "not_empty", "true", "false"})
ALWAYS: dict[str, Any] = {"value": True, "is": "true"}
SIGNS = {
    "===": "equals",
    "==": "equals",
    "!==": "not_equals",
    "!=": "not_equals",
    ">": "gt",
    ">=": "gte",
    "<": "lt",
    "<=": "lte",
}


def condition(conversion: Conversion, node: Node, written: Any, flow: Flow) -> dict[str, Any]:
    """Return the condition that a node's `conditions` parameter describes."""
    if not isinstance(written, dict):
        return dict(ALWAYS)
    if isinstance(written.get("conditions"), list):
        rows = [_second(conversion, node, row, flow, written) for row in written["conditions"][:100]]
        joined = "any" if written.get("combinator") == "or" else "all"
    else:
        rows = [
            _first(conversion, node, kind, row, flow)
            for kind, group in written.items()
            for row in (group if isinstance(group, list) else [])[:50]
        ]
        joined = "any" if node.parameters.get("combineOperation") == "any" else "all"
    rows = [row for row in rows if row]
    if not rows:
        return dict(ALWAYS)
    return rows[0] if len(rows) == 1 else {joined: rows[:100]}


def compare(
    conversion: Conversion,
    node: Node,
    left: Any,
    operation: str,
    right: Any,
    flow: Flow,
    *,
    exact_case: bool = True,
) -> dict[str, Any]:
    """Return one comparison."""
    ours = OPERATIONS.get(operation)
    if ours is None:
        conversion.reports[node.name].replace(
            _("Its comparison “{what}” is not known.").format(what=operation[:60])
        )
        return dict(ALWAYS)
    # `{{ $json.a > 3 }}` is true: said as the comparison it is.
    is_code = ours == "true" and isinstance(left, str) and left.startswith("=")
    if is_code and (meant := _inside(conversion, node, left, flow)):
        return meant
    value = conversion.value(node, left, flow)
    if operation.startswith("length"):
        value = (
            value[:-3] + " | size }}" if isinstance(value, str) and value.endswith(" }}") else len(str(value))
        )
    found: dict[str, Any] = {"value": value, "is": ours}
    if ours not in ALONE:
        found["to"] = conversion.value(node, right, flow)
        if (
            exact_case
            and isinstance(found["to"], str)
            and ours not in {"gt", "gte", "lt", "lte", "before", "after"}
        ):
            found["case_sensitive"] = True
    return {"not": found} if operation in {"notStartsWith", "notEndsWith"} else found


def _second(
    conversion: Conversion, node: Node, row: Any, flow: Flow, written: dict[str, Any]
) -> dict[str, Any]:
    if not isinstance(row, dict):
        return {}
    operator = row.get("operator") if isinstance(row.get("operator"), dict) else {}
    operation = str(operator.get("operation") or "equals") if isinstance(operator, dict) else "equals"
    options = written.get("options")
    exact = not (isinstance(options, dict) and options.get("caseSensitive") is False)
    return compare(
        conversion, node, row.get("leftValue"), operation, row.get("rightValue"), flow, exact_case=exact
    )


def _first(conversion: Conversion, node: Node, kind: str, row: Any, flow: Flow) -> dict[str, Any]:
    if not isinstance(row, dict):
        return {}
    default = {"number": "smaller", "dateTime": "after"}.get(kind, "equal")
    operation = str(row.get("operation") or default)
    right = row.get("value2", False if kind == "boolean" else "")
    return compare(conversion, node, row.get("value1"), operation, right, flow)


def _inside(conversion: Conversion, node: Node, text: str, flow: Flow) -> dict[str, Any] | None:
    source = text[1:].strip()
    if not (source.startswith("{{") and source.endswith("}}") and source.count("{{") == 1):
        return None
    try:
        tree = parse(source[2:-2])
        # Whether a plain value is true is what `is true` asks already.
        return None if tree[0] in {"key", "name"} else _said(conversion, node, tree, source[2:-2], flow)
    except Beyond:
        return None


def _said(conversion: Conversion, node: Node, tree: Any, source: str, flow: Flow) -> dict[str, Any]:
    names = NodeNames(conversion, node, flow)
    if tree[0] == "not":
        return {"not": _said(conversion, node, tree[1], source, flow)}
    if tree[0] == "operator" and tree[1] in {"&&", "||"}:
        sides = [_said(conversion, node, side, source, flow) for side in tree[2:]]
        return {"all" if tree[1] == "&&" else "any": sides}
    if tree[0] == "operator" and tree[1] in SIGNS:
        right = said(tree[3], names)
        to = right.literal if right.is_literal else "{{ " + right.written() + " }}"
        if tree[2][0] == "value":
            raise Beyond
        left = "{{ " + said(tree[2], names).written() + " }}"
        if to is None:
            return {"value": left, "is": "empty" if SIGNS[tree[1]] == "equals" else "not_empty"}
        return {"value": left, "is": SIGNS[tree[1]], "to": to}
    if tree[0] == "call" and tree[1][0] == "key" and len(tree[2]) == 1:
        how = {"includes": "contains", "startsWith": "starts_with", "endsWith": "ends_with"}.get(tree[1][2])
        if how:
            to = said(tree[2][0], names)
            return {
                "value": "{{ " + said(tree[1][1], names).written() + " }}", "is": how, "case_sensitive": True,
                "to": to.literal if to.is_literal else "{{ " + to.written() + " }}",
            }  # fmt: skip
    if tree[0] in {"key", "name"}:
        # A bare reference is a question of truth in JavaScript: anything but empty, 0 and false.
        value = "{{ " + said(tree, names).written() + " }}"
        return {
            "all": [{"value": value, "is": "not_empty"}, {"value": value, "is": "not_in", "to": [0, False]}]
        }
    raise Beyond
