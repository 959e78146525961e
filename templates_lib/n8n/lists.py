"""Nodes that work on lists of items: split, filter, sort, join together, and merge."""

from __future__ import annotations

import re
from typing import Any

from django.utils.translation import gettext as _

from templates_lib.n8n import comparisons
from templates_lib.n8n.context import Conversion, Flow, Step
from templates_lib.n8n.reading import Node

OPERATIONS = frozenset({
    "splitOut", "aggregate", "limit", "sort", "removeDuplicates", "itemLists", "summarize", "filter", "renameKeys",
})  # fmt: skip
ITEM = Flow("item")
PATH = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*")


def convert(conversion: Conversion, node: Node, flow: Flow) -> tuple[list[Step], Flow]:
    """Return the steps of a list node, and its data."""
    kind = node.kind
    if kind == "itemLists":
        kind = {
            "splitOutItems": "splitOut", "aggregateItems": "aggregate", "concatenateItems": "aggregate",
            "removeDuplicates": "removeDuplicates", "sort": "sort", "limit": "limit", "summarize": "summarize",
        }.get(str(node.parameters.get("operation") or "splitOutItems"), "summarize")  # fmt: skip
    return {
        "splitOut": _split_out, "aggregate": _aggregate, "limit": _limit, "sort": _sort,
        "removeDuplicates": _unique, "filter": filtered,
    }.get(kind, _unknown)(conversion, node, flow)  # fmt: skip


def merge(
    conversion: Conversion, node: Node, flow: Flow, arrived: dict[int, Flow]
) -> tuple[list[Step], Flow]:
    """Return the step that brings the inputs of a merge node together."""
    mode = str(node.parameters.get("mode") or "append")
    how = str(node.parameters.get("combineBy") or node.parameters.get("combinationMode") or "")
    report = conversion.reports[node.name]
    flows = [arrived[place] for place in sorted(arrived) if arrived[place].ref] or (
        [flow] if flow.ref else []
    )
    if not flows:
        return [], flow
    if len(flows) == 1:
        report.adapt(
            _("Its ways exclude one another or meet already, so there is nothing left to bring together.")
        )
        return [], flows[0]
    if mode == "chooseBranch" or mode in {"passThrough", "wait"}:
        return [], flows[0]
    by_position = mode in {"mergeByPosition", "mergeByIndex", "combine"} and how in {
        "", "combineByPosition", "mergeByPosition",
    }  # fmt: skip
    if mode == "append":
        source = (
            "const listed = each => Array.isArray(each) ? each : each == null || each === '' ? [] : [each];\n"
            "return inputs.lists.flatMap(listed);"
        )
    elif (mode == "combine" and how == "combineByFields") or mode in {"mergeByKey", "mergeByFields"}:
        return _by_fields(conversion, node, flows)
    elif mode == "combineBySql":
        return [conversion.placeholder(node, _("Write what its SQL does as a short program."))], flows[0]
    elif by_position:
        source = (
            "const lists = inputs.lists.map(list => Array.isArray(list) ? list : [list]);\n"
            "return lists[0].map((each, index) => Object.assign({}, ...lists.map(list => list[index] || {})));"
        )
    else:
        source = (
            "const lists = inputs.lists.map(list => Array.isArray(list) ? list : [list]);\n"
            "return lists.reduce((made, list) => made.flatMap(one => list.map(other => ({ ...one, ...other }))), [{}]);"
        )
    report.adapt(_("It is a short program over the ways that meet here."))
    is_list = mode == "append" or any(each.is_list for each in flows)
    return _program(conversion, node, source, {"lists": [each.whole() for each in flows]}, is_list=is_list)


def filtered(conversion: Conversion, node: Node, flow: Flow) -> tuple[list[Step], Flow]:
    """Return the step that keeps the items for which a filter holds."""
    where = comparisons.condition(conversion, node, node.parameters.get("conditions"), ITEM)
    before = conversion.take_pending()
    if before:
        conversion.reports[node.name].replace(
            _("Its condition is worked out once, not per item. Write it anew.")
        )
    step = conversion.step(node, "transform", operation="filter", items=flow.whole(), where=where)
    return [*before, step], Flow(f"steps.{step['id']}.output", is_list=True)


def _split_out(conversion: Conversion, node: Node, flow: Flow) -> tuple[list[Step], Flow]:
    field = str(node.parameters.get("fieldToSplitOut") or "").split(",")[0].strip().removeprefix("$json.")
    if not flow.ref or not PATH.fullmatch(field):
        return [conversion.placeholder(node, _("The list to split is not known here."))], flow
    if str(node.parameters.get("include") or "noOtherFields") != "noOtherFields":
        conversion.reports[node.name].adapt(_("The other fields are not copied to each item."))
    if flow.is_list:
        items = f'{{{{ {flow.ref} | map: "{(flow.inner + "." + field).lstrip(".")}" | flatten }}}}'
    else:
        items = "{{ " + f"{flow.ref}.{field}" + (' | default: ""' if flow.maybe else "") + " }}"
    step = conversion.step(node, "transform", operation="flatten", items=items)
    return [step], Flow(f"steps.{step['id']}.output", is_list=True)


def _aggregate(conversion: Conversion, node: Node, flow: Flow) -> tuple[list[Step], Flow]:
    parameters = node.parameters
    whole = flow.whole() if flow.is_list else [flow.whole()] if flow.ref else []
    values: dict[str, Any] = {}
    if parameters.get("aggregate") == "aggregateAllItemData":
        values[str(parameters.get("destinationFieldName") or "data")[:100]] = whole
    else:
        raw = parameters.get("fieldsToAggregate")
        rows = raw.get("fieldToAggregate") if isinstance(raw, dict) else None
        for row in (rows if isinstance(rows, list) else [])[:50]:
            field = str(row.get("fieldToAggregate") or "") if isinstance(row, dict) else ""
            if not PATH.fullmatch(field) or not flow.ref:
                continue
            name = (
                str(row.get("outputFieldName") or field.rpartition(".")[2])
                if row.get("renameField")
                else field.rpartition(".")[2]
            )
            path = f"{flow.inner}.{field}".lstrip(".")
            if flow.is_list:
                values[name[:100]] = "{{ " + flow.ref + f' | compact | map: "{path}"' + " }}"
            else:
                values[name[:100]] = ["{{ " + f"{flow.ref}.{field}" + " }}"]
    step = conversion.step(node, "set", values=values)
    return [step], Flow(f"steps.{step['id']}.output")


def _limit(conversion: Conversion, node: Node, flow: Flow) -> tuple[list[Step], Flow]:
    if not flow.is_list:
        return [], flow
    count = conversion.value(node, node.parameters.get("maxItems", 1), flow)
    items = flow.whole()
    if node.parameters.get("keep") == "lastItems":
        items = items[:-3] + " | reverse }}"
        conversion.reports[node.name].adapt(_("The last items come in reverse order."))
    step = conversion.step(node, "transform", operation="limit", items=items, count=count)
    return [step], Flow(f"steps.{step['id']}.output", is_list=True)


def _sort(conversion: Conversion, node: Node, flow: Flow) -> tuple[list[Step], Flow]:
    raw = node.parameters.get("sortFieldsUi", node.parameters.get("sortFields"))
    rows = raw.get("sortField", raw.get("sortFields")) if isinstance(raw, dict) else None
    row = rows[0] if isinstance(rows, list) and rows and isinstance(rows[0], dict) else {}
    field = str(row.get("fieldName") or "")
    if not PATH.fullmatch(field) or not flow.ref:
        return [conversion.placeholder(node, _("Say what to sort by."))], flow
    if isinstance(rows, list) and len(rows) > 1:
        conversion.reports[node.name].adapt(_("It sorts by its first field only."))
    order = "descending" if row.get("order") == "descending" else "ascending"
    step = conversion.step(
        node,
        "transform",
        operation="sort",
        items=flow.whole(),
        by="{{ " + f"item.{field}" + ' | default: "" }}',
        order=order,
    )
    return [step], Flow(f"steps.{step['id']}.output", is_list=True)


def _unique(conversion: Conversion, node: Node, flow: Flow) -> tuple[list[Step], Flow]:
    if "SeenInPrevious" in str(node.parameters.get("operation") or "") or not flow.ref:
        why = _("Remembering what earlier runs have seen: use a trigger that starts once per new thing.")
        return [conversion.placeholder(node, why)], flow
    fields = [
        each.strip() for each in str(node.parameters.get("fieldsToCompare") or "").split(",") if each.strip()
    ]
    keys: dict[str, Any] = {"operation": "unique", "items": flow.whole()}
    if str(node.parameters.get("compare") or "") == "selectedFields" and fields and PATH.fullmatch(fields[0]):
        keys["by"] = "{{ " + f"item.{fields[0]}" + ' | default: "" }}'
        if len(fields) > 1:
            conversion.reports[node.name].adapt(_("It compares its first field only."))
    step = conversion.step(node, "transform", **keys)
    return [step], Flow(f"steps.{step['id']}.output", is_list=True)


def _unknown(conversion: Conversion, node: Node, flow: Flow) -> tuple[list[Step], Flow]:
    return [conversion.placeholder(node, _("Use a transform step that groups, or a short program."))], flow


def _by_fields(conversion: Conversion, node: Node, flows: list[Flow]) -> tuple[list[Step], Flow]:
    raw = node.parameters.get("fieldsToMatchString") or ""
    fields = [each.strip() for each in str(raw).split(",") if PATH.fullmatch(each.strip())]
    pairs = node.parameters.get("mergeByFields")
    rows = pairs.get("values") if isinstance(pairs, dict) else None
    row = rows[0] if isinstance(rows, list) and rows and isinstance(rows[0], dict) else {}
    first, second = str(row.get("field1") or ""), str(row.get("field2") or "")
    if not fields and not (first and second):
        return [conversion.placeholder(node, _("Say by which field the two lists are matched."))], flows[0]
    keep = str(node.parameters.get("joinMode") or "keepMatches")
    source = (
        "const [ones, others] = inputs.lists.map(list => Array.isArray(list) ? list : [list]);\n"
        "const same = (a, b) => inputs.pairs.every(([x, y]) => a[x] === b[y]);\n"
        "return ones.flatMap(one => {\n  const met = others.filter(other => same(one, other));\n"
        "  if (inputs.keep === 'keepNonMatches') return met.length ? [] : [one];\n"
        "  if (!met.length) return inputs.keep === 'enrichInput1' || inputs.keep === 'keepEverything' ? [one] : [];\n"
        "  return met.map(other => ({ ...one, ...other }));\n});"
    )
    given = {
        "lists": [each.whole() for each in flows[:2]],
        "pairs": [[each, each] for each in fields] or [[first, second]],
        "keep": keep[:40],
    }
    conversion.reports[node.name].adapt(_("It is a short program over the ways that meet here."))
    return _program(conversion, node, source, given, is_list=True)


def _program(
    conversion: Conversion, node: Node, source: str, inputs: dict[str, Any], *, is_list: bool
) -> tuple[list[Step], Flow]:
    if not is_list:
        source = f"const made = (() => {{ {source} }})();\nreturn Array.isArray(made) ? made[0] : made;"
    step = conversion.step(node, "code", language="javascript", source=source, inputs=inputs)
    return [step], Flow(f"steps.{step['id']}.output", is_list)
