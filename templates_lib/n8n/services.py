"""Nodes of services: the operations people use most as actions of our connectors, the rest as named placeholders."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _

from templates_lib.n8n.context import Conversion, Flow, Step
from templates_lib.n8n.operations import DEFAULTS, OPERATIONS, Mapped
from templates_lib.n8n.reading import Node


def convert(conversion: Conversion, node: Node, flow: Flow) -> tuple[list[Step], Flow]:
    """Return the action of a service node, or the placeholder that names it."""
    resource, operation = DEFAULTS.get(node.kind, ("", ""))
    resource = str(node.parameters.get("resource") or resource)
    operation = str(node.parameters.get("operation") or operation)
    if operation == "sendAndWait" and node.kind in DEFAULTS:
        return _approval(conversion, node, flow)
    mapped = OPERATIONS.get((node.kind, resource, operation))
    if mapped is None:
        what = " ".join(part for part in (resource, operation) if part)[:100]
        why = _("Choose a step of ours that does it{what}, or a web request to the service.").format(
            what=f" ({what})" if what else ""
        )
        return [conversion.placeholder(node, why)], Flow()
    given = {}
    for ours, theirs in mapped.fields.items():
        found = next(
            (
                value
                for each in ([theirs] if isinstance(theirs, str) else theirs)
                if (value := _at(node.parameters, each)) not in (None, "")
            ),
            None,
        )
        if found is not None:
            given[ours] = conversion.value(node, found, flow)
    given |= dict(mapped.fixed)
    _shape(conversion, node, mapped, given, flow)
    report = conversion.reports[node.name]
    report.adapt(_("Choose the account it uses, and check its fields."))
    step = conversion.step(
        node, "action", provider=mapped.provider, operation=mapped.operation, **{"with": given}
    )
    base = f"steps.{step['id']}.output"
    if not mapped.items:
        return [step], Flow(base)
    inner = ".values" if mapped.items == "rows" else ""
    return [step], Flow(f"{base}.{mapped.items}", is_list=True, inner=inner)


def _shape(conversion: Conversion, node: Node, mapped: Mapped, given: dict[str, Any], flow: Flow) -> None:
    """Bring values into the form our operation takes."""
    if mapped.operation == "append_row":
        values = given.get("values")
        if isinstance(values, dict) and values:
            given["values"] = [list(values.values())]
            conversion.reports[node.name].adapt(
                _("The columns must stand in the sheet in this order: {names}.").format(
                    names=", ".join(map(str, values))[:300]
                )
            )
        else:
            given["values"] = [["{{ " + flow.ref + " | values }}"]] if flow.ref and not flow.is_list else [[]]
    if mapped.operation == "create_records" and isinstance(given.get("records"), dict):
        given["records"] = [{"fields": given["records"]}]
    if mapped.operation == "update_record" and isinstance(given.get("fields"), dict):
        given["fields"] = {key: value for key, value in given["fields"].items() if key != "id"}
    if mapped.operation in {"send_email", "send_mail", "create_draft"} and mapped.provider != "email":
        kind = node.parameters.get("emailType", "html" if node.version >= 2 else "text")
        given["format"] = "html" if kind == "html" or node.kind == "microsoftOutlook" else "text"
    if mapped.provider == "email" and isinstance(given.get("to"), str):
        given["to"] = [part.strip() for part in given["to"].split(",") if part.strip()]
    if mapped.operation == "send_webhook_message":
        conversion.reports[node.name].adapt(
            _("Give the webhook address again: it is a secret and stays behind.")
        )


def _approval(conversion: Conversion, node: Node, flow: Flow) -> tuple[list[Step], Flow]:
    conversion.reports[node.name].adapt(
        _("Waiting for a person became an approval, answered in the inbox or by mail.")
    )
    message = conversion.text(node, node.parameters.get("message", node.parameters.get("text", "")), flow)
    title = conversion.text(node, node.parameters.get("subject"), flow) or node.name
    step = conversion.step(node, "approval", title=title, message=message)
    again = conversion.step(
        _("{name}: answer").format(name=node.name[:100]), "set",
        values={"data": {"approved": "{{ steps." + step["id"] + ".output.approved }}"}},
    )  # fmt: skip
    return [step, again], Flow(f"steps.{again['id']}.output")


def _at(parameters: dict[str, Any], path: str) -> Any:
    found: Any = parameters
    for key in path.split("."):
        found = found.get(key) if isinstance(found, dict) else None
    return found
