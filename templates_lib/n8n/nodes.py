"""Core nodes of n8n as steps, and where to find the others."""

from __future__ import annotations

import json
from typing import Any

from django.utils.translation import gettext as _

from templates_lib.n8n import ai, comparisons, lists, requests, script, services
from templates_lib.n8n.context import Conversion, Flow, Step
from templates_lib.n8n.reading import Node, dict_of

ONCE = frozenset({
    "merge", "wait", "noOp", "respondToWebhook", "stopAndError", "code", "function", "splitInBatches",
    "convertToFile", "spreadsheetFile", *lists.OPERATIONS,
})  # fmt: skip


def takes_list(node: Node) -> bool:
    """Return whether a node works on all items at once; the others run once for each."""
    if node.kind == "code" and node.parameters.get("mode") == "runOnceForEachItem":
        return False
    if node.kind == "executeWorkflow":
        return node.parameters.get("mode", "once") == "once"
    return node.kind in ONCE or node.settings.get("executeOnce") is True


def reads_input(node: Node) -> bool:
    """Return whether a node looks at the data that flows into it, rather than at named nodes only."""
    if node.kind in ONCE or node.kind in {"if", "switch", "set", "functionItem", "chainSummarization"}:
        return True
    text = json.dumps(node.parameters, ensure_ascii=False, default=str)
    return "$json" in text or "$input" in text or "$binary" in text or '"auto' in text


def regular_outputs(node: Node) -> int:
    """Return how many outputs a node has before the one for failures."""
    return 2 if node.kind in {"if", "splitInBatches"} else 1


def convert(
    conversion: Conversion, node: Node, flow: Flow, arrived: dict[int, Flow]
) -> tuple[list[Step], Flow]:
    """Return the steps a node becomes, those that work out its values first, and where its data stands then."""
    handler = HANDLERS.get(node.kind)
    if handler is not None:
        made, after = handler(conversion, node, flow)
    elif node.kind == "merge":
        made, after = lists.merge(conversion, node, flow, arrived)
    elif node.kind in lists.OPERATIONS:
        made, after = lists.convert(conversion, node, flow)
    elif node.kind in ai.KINDS:
        made, after = ai.convert(conversion, node, flow)
    else:
        made, after = services.convert(conversion, node, flow)
    _settings(conversion, node, made)
    return [*conversion.take_pending(), *made], after


def decisions(
    conversion: Conversion, node: Node, flow: Flow
) -> tuple[list[tuple[str, str, dict[str, Any]]], int | None]:
    """Return the ways of an if or switch node as (name, title, condition), and the output for all other cases."""
    if node.kind == "if":
        when = comparisons.condition(conversion, node, node.parameters.get("conditions"), flow)
        return [("yes", _("Yes"), when)], 1
    return _switch(conversion, node, flow)


def report_part(conversion: Conversion, node: Node) -> None:
    """Say what becomes of a node that hangs off an AI node."""
    report = conversion.reports[node.name]
    if node.kind.startswith(("lmChat", "lm")):
        report.adapt(_("It is part of the AI step, which uses your organization's AI account."))
    elif node.kind.startswith("outputParser"):
        report.adapt(_("It is part of the AI step, as the shape of its answer."))
    elif node.kind.startswith("tool") or node.kind.endswith("Tool"):
        report.replace(_("Give the AI step this tool again: choose an operation or a workflow."))
    else:
        report.replace(_("It has no counterpart here. Check that the AI step does without it."))


def _switch(
    conversion: Conversion, node: Node, flow: Flow
) -> tuple[list[tuple[str, str, dict[str, Any]]], int | None]:
    parameters = node.parameters
    ways: list[tuple[str, str, dict[str, Any]]] = []
    if parameters.get("mode") == "expression":
        output = conversion.text(node, parameters.get("output", "={{ 0 }}"), flow)
        count = parameters.get("numberOutputs", 4)
        for index in range(min(count, 50) if isinstance(count, int) else 4):
            ways.append((f"way_{index}", str(index), {"value": output, "is": "equals", "to": index}))
        return ways, None
    rules = parameters.get("rules")
    rows = (rules.get("values") or rules.get("rules")) if isinstance(rules, dict) else None
    fallback: Any = None
    for index, row in enumerate(
        [each for each in (rows if isinstance(rows, list) else []) if isinstance(each, dict)][:50]
    ):
        title = str(row.get("outputKey") or _("Way {number}").format(number=index + 1))[:120]
        if "conditions" in row:
            when = comparisons.condition(conversion, node, row["conditions"], flow)
        else:
            operation = str(row.get("operation") or "equal")
            when = comparisons.compare(
                conversion, node, parameters.get("value1"), operation, row.get("value2"), flow
            )
        ways.append((f"way_{index + 1}", title, when))
    options = parameters.get("options")
    if isinstance(options, dict):
        if options.get("fallbackOutput") == "extra":
            fallback = len(ways)
        elif isinstance(options.get("fallbackOutput"), int):
            fallback = options["fallbackOutput"]
        if options.get("allMatchingOutputs"):
            conversion.reports[node.name].adapt(_("It went every way that fits; now it goes the first one."))
    if isinstance(parameters.get("fallbackOutput"), int) and parameters["fallbackOutput"] >= 0:
        fallback = parameters["fallbackOutput"]
    return ways or [("way_1", _("Way 1"), dict(comparisons.ALWAYS))], fallback


def _settings(conversion: Conversion, node: Node, made: list[Step]) -> None:
    if not made or made[-1].get("disabled"):
        return
    settings = node.settings
    if settings.get("retryOnFail") is True:
        tries = settings.get("maxTries", 3)
        made[-1]["retry"] = {"attempts": min(max(tries, 1), 20) if type(tries) is int else 3}
        wait = settings.get("waitBetweenTries", 1000)
        if type(wait) is int and 1000 <= wait <= 600_000:
            made[-1]["retry"]["backoff"] = f"{wait // 1000}s"
    if settings.get("continueOnFail") is True or settings.get("onError") == "continueRegularOutput":
        made[-1]["on_error"] = "continue"
    if isinstance(settings.get("notes"), str) and settings["notes"].strip():
        made[-1]["note"] = settings["notes"][:1000]


def _set(conversion: Conversion, node: Node, flow: Flow) -> tuple[list[Step], Flow]:
    report, parameters = conversion.reports[node.name], node.parameters
    keep_only = parameters.get("keepOnlySet") is True
    values: dict[str, Any] = {}
    if parameters.get("mode") in {"raw", "jsonData"} or "jsonOutput" in parameters:
        found = conversion.json_value(node, parameters.get("jsonOutput", "{}"), flow)
        if not isinstance(found, dict):
            report.adapt(_("Its data stands under “data”, because it is not an object of its own."))
            step = conversion.step(node, "set", values={"data": found})
            return [step], Flow(f"steps.{step['id']}.output.data")
        values = found
    else:
        for name, raw in _assigned(parameters):
            place = values
            *outer, last = name.split(".") if "." in name else [name]
            for part in outer[:8]:
                inner = place.setdefault(part, {})
                place = inner if isinstance(inner, dict) else place
            place[last or "value"] = conversion.value(node, raw, flow)
    include = parameters.get(
        "includeOtherFields", parameters.get("include", "none" if node.version >= 3 else "all")
    )
    others = include is True or include == "all" if node.version >= 3 else not keep_only
    if others and flow.ref and reads_more(conversion, node):
        return _merged(conversion, node, values, flow)
    step = conversion.step(node, "set", values=values)
    return [step], Flow(f"steps.{step['id']}.output")


def reads_more(conversion: Conversion, node: Node) -> bool:
    """Return whether anything comes after a node that could read the fields it passes on."""
    return bool(conversion.document.edges.get(node.name))


def _merged(
    conversion: Conversion, node: Node, values: dict[str, Any], flow: Flow
) -> tuple[list[Step], Flow]:
    conversion.reports[node.name].adapt(_("It keeps the other fields too, so it is a short program."))
    source = "return Object.assign({}, given_item && typeof given_item === 'object' ? given_item : {}, given_values);"
    step = conversion.step(
        node,
        "code",
        language="javascript",
        source=source,
        inputs={"given_item": flow.whole(), "given_values": values},
    )
    return [step], Flow(f"steps.{step['id']}.output")


def _assigned(parameters: dict[str, Any]) -> list[tuple[str, Any]]:
    found = []
    assignments = parameters.get("assignments")
    rows = assignments.get("assignments") if isinstance(assignments, dict) else None
    for row in rows if isinstance(rows, list) else []:
        if isinstance(row, dict) and isinstance(row.get("name"), str):
            found.append((row["name"], _typed(row.get("value"), str(row.get("type") or "string"))))
    fields = parameters.get("fields")
    rows = fields.get("values") if isinstance(fields, dict) else None
    for row in rows if isinstance(rows, list) else []:
        if isinstance(row, dict) and isinstance(row.get("name"), str):
            value = next((row[key] for key in row if key.endswith("Value")), "")
            found.append((row["name"], value))
    old = parameters.get("values")
    for rows in old.values() if isinstance(old, dict) else []:
        for row in rows if isinstance(rows, list) else []:
            if isinstance(row, dict) and isinstance(row.get("name"), str):
                found.append((row["name"], row.get("value")))
    return [(name.removeprefix("=")[:200] or "value", value) for name, value in found[:200]]


def _typed(value: Any, kind: str) -> Any:
    """Return a value that was typed into a text field as what its type says."""
    if (
        not isinstance(value, str)
        or value.startswith("=")
        or kind not in {"array", "object", "number", "boolean"}
    ):
        return value
    try:
        return json.loads(value)
    except (ValueError, RecursionError):
        return value


def _code(conversion: Conversion, node: Node, flow: Flow) -> tuple[list[Step], Flow]:
    parameters, report = node.parameters, conversion.reports[node.name]
    language = str(parameters.get("language") or "javaScript").lower()
    source = parameters.get("jsCode") or parameters.get("functionCode") or parameters.get("pythonCode") or ""
    if not isinstance(source, str) or not source.strip():
        report.adapt(_("Its program is empty."))
        return [], flow
    if language.startswith("python") or ("pythonCode" in parameters and "jsCode" not in parameters):
        report.replace(
            _("Its Python reads data the way n8n hands it over. Read it from “items” and return a value.")
        )
        step = conversion.step(
            node,
            "code",
            language="python",
            source=source[:100_000],
            inputs={"items": conversion.current(flow)},
        )
        return [step], Flow(f"steps.{step['id']}.output")
    each = node.kind == "functionItem" or parameters.get("mode") == "runOnceForEachItem"
    is_list = not each and not script.gives_one(source)
    conversion.check_reach(node, source)
    report.adapt(_("Its program runs with the same names around it: $input, $json, $('…'), items."))
    step = conversion.step(
        node, "code", language="javascript", source=script.program(source, is_list=is_list)[:100_000],
        inputs=conversion.inputs(node, source, flow),
    )  # fmt: skip
    return [step], Flow(f"steps.{step['id']}.output", is_list)


def _wait(conversion: Conversion, node: Node, flow: Flow) -> tuple[list[Step], Flow]:
    parameters = node.parameters
    resume = parameters.get("resume", "timeInterval")
    if resume in {"webhook", "form"}:
        conversion.reports[node.name].adapt(_("It waits for a call to a one-time address."))
        step = conversion.step(node, "wait", timeout="7d")
        return [step], Flow(f"steps.{step['id']}.output")
    if resume == "specificTime":
        until = conversion.text(node, parameters.get("dateTime"), flow)
        return [conversion.step(node, "delay", until=until)], flow
    default = 1 if node.version < 1.1 else 5
    amount = conversion.value(node, parameters.get("amount", default), flow)
    unit = str(parameters.get("unit") or ("hours" if node.version < 1.1 else "seconds"))[:1]
    unit = unit if unit in "smhd" else "s"
    if isinstance(amount, str) and amount.isdecimal():
        amount = int(amount)
    if isinstance(amount, int | float) and not isinstance(amount, bool):
        amount = max(1, int(amount))
    return [conversion.step(node, "delay", **{"for": f"{amount}{unit}"})], flow


def _respond(conversion: Conversion, node: Node, flow: Flow) -> tuple[list[Step], Flow]:
    parameters = node.parameters
    how = parameters.get("respondWith", "firstIncomingItem")
    options = dict_of(parameters.get("options"))
    keys: dict[str, Any] = {}
    code = conversion.value(node, options.get("responseCode", 200), flow)
    keys["status"] = (
        code
        if (isinstance(code, str) and "{{" in code) or (type(code) is int and 200 <= code <= 599)
        else 200
    )
    headers = options.get("responseHeaders")
    entries = headers.get("entries") if isinstance(headers, dict) else None
    found = {
        str(row.get("name"))[:200]: conversion.value(node, row.get("value"), flow)
        for row in (entries if isinstance(entries, list) else [])
        if isinstance(row, dict) and row.get("name")
    }
    if how == "redirect":
        keys["status"], found["Location"] = 302, conversion.text(node, parameters.get("redirectURL"), flow)
    elif how == "json":
        keys["body"] = conversion.json_value(node, parameters.get("responseBody"), flow)
    elif how == "text":
        keys["body"] = conversion.text(node, parameters.get("responseBody"), flow)
    elif how == "allIncomingItems":
        keys["body"] = flow.whole()
    elif how == "firstIncomingItem":
        keys["body"] = (
            ("{{ " + f"{flow.ref}[0]{flow.inner}" + " }}" if flow.is_list else flow.whole())
            if flow.ref
            else None
        )
    elif how == "binary":
        conversion.reports[node.name].replace(_("Files cannot be answered. Answer with a link."))
    if found:
        keys["headers"] = found
    return [conversion.step(node, "respond", **keys)], flow


def _stop(conversion: Conversion, node: Node, flow: Flow) -> tuple[list[Step], Flow]:
    message = conversion.text(
        node, node.parameters.get("errorMessage", node.parameters.get("errorObject", "")), flow
    )
    return [conversion.step(node, "stop", outcome="failure", message=message)], flow


def _workflow(conversion: Conversion, node: Node, flow: Flow) -> tuple[list[Step], Flow]:
    why = _("Bring the other workflow over too, then choose it here.")
    inputs = node.parameters.get("workflowInputs")
    given = inputs.get("value") if isinstance(inputs, dict) else None
    conversion.reports[node.name].replace(why)
    options = node.parameters.get("options")
    wait = not (isinstance(options, dict) and options.get("waitForSubWorkflow") is False)
    handed = conversion.value(node, given, flow) if given else conversion.current(flow)
    step = conversion.step(
        node, "workflow", workflow=_("choose-a-workflow"), input=handed, wait=wait, disabled=True, note=why
    )
    return [step], Flow(f"steps.{step['id']}.output", maybe=True)


def _pass(conversion: Conversion, node: Node, flow: Flow) -> tuple[list[Step], Flow]:
    return [], flow


HANDLERS: dict[str, Any] = {
    "set": _set, "code": _code, "function": _code, "functionItem": _code, "wait": _wait, "respondToWebhook": _respond,
    "stopAndError": _stop, "executeWorkflow": _workflow, "noOp": _pass, "httpRequest": requests.convert,
    "filter": lists.filtered,
}  # fmt: skip
