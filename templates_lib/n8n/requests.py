"""HTTP requests of n8n. Secrets written into them stay behind: an account signs the request instead."""

from __future__ import annotations

import re
from typing import Any

from django.utils.translation import gettext as _

from templates_lib.n8n.context import Conversion, Flow, Step
from templates_lib.n8n.reading import Node, dict_of

SECRET = re.compile(r"authori[sz]ation|api[-_]?key|token|secret|password|x-.*key", re.IGNORECASE)
METHODS = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"})


def convert(conversion: Conversion, node: Node, flow: Flow) -> tuple[list[Step], Flow]:
    """Return the http step of a request, and its body as the data."""
    parameters, report = node.parameters, conversion.reports[node.name]
    method = str(parameters.get("method") or parameters.get("requestMethod") or "GET").upper()
    if method not in METHODS:
        report.adapt(_("Its method was worked out; choose one."))
        method = "GET"
    url = conversion.text(node, parameters.get("url"), flow).strip()
    if not url:
        return [conversion.placeholder(node, _("It has no address."))], flow
    keys: dict[str, Any] = {"method": method, "url": url}
    headers = _pairs(conversion, node, ("headerParameters", "headerParametersUi"), flow)
    if headers:
        keys["headers"] = headers
    query = _pairs(conversion, node, ("queryParameters", "queryParametersUi"), flow)
    if query:
        keys["query"] = query
    if method not in {"GET", "HEAD"}:
        _body(conversion, node, keys, flow)
    if str(parameters.get("authentication") or "none") != "none":
        report.adapt(_("Choose the account that signs it: keys are never brought over."))
    options = dict_of(parameters.get("options"))
    full = _response(conversion, node, keys, options)
    if isinstance(options.get("timeout"), int) and 1000 <= options["timeout"] <= 3_600_000:
        keys["timeout"] = f"{options['timeout'] // 1000}s"
    if "pagination" in options:
        report.adapt(_("Set how it follows further pages again."))
    step = conversion.step(node, "http", **keys)
    return [step], Flow(f"steps.{step['id']}.output" + ("" if full else ".body"))


def _response(conversion: Conversion, node: Node, keys: dict[str, Any], options: dict[str, Any]) -> bool:
    response = options.get("response")
    inner = response.get("response") if isinstance(response, dict) else None
    inner = inner if isinstance(inner, dict) else {}
    if inner.get("neverError") is True:
        keys["allow_errors"] = True
    if inner.get("responseFormat") == "file" or node.parameters.get("responseFormat") == "file":
        conversion.reports[node.name].replace(
            _("It fetches a file. Hand the address on instead, or use a storage service.")
        )
    return inner.get("fullResponse") is True or options.get("fullResponse") is True


def _pairs(conversion: Conversion, node: Node, keys: tuple[str, ...], flow: Flow) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key in keys:
        raw = node.parameters.get(key)
        rows = (raw.get("parameters") or raw.get("parameter")) if isinstance(raw, dict) else None
        for row in (rows if isinstance(rows, list) else [])[:100]:
            if isinstance(row, dict) and isinstance(row.get("name"), str) and row["name"]:
                name = row["name"].removeprefix("=")[:200]
                if SECRET.search(name) and isinstance(row.get("value"), str) and row["value"]:
                    conversion.reports[node.name].adapt(
                        _("“{name}” looks like a key and stays behind. Choose an account instead.").format(
                            name=name[:60]
                        )
                    )
                    continue
                found[name] = conversion.value(node, row.get("value"), flow)
    return found


def _body(conversion: Conversion, node: Node, keys: dict[str, Any], flow: Flow) -> None:
    parameters = node.parameters
    kind = str(parameters.get("contentType") or "json").removeprefix("=")
    fields = _pairs(conversion, node, ("bodyParameters", "bodyParametersUi"), flow)
    written = parameters.get("jsonBody", parameters.get("bodyParametersJson"))
    if kind in {"multipart-form-data", "binaryData"}:
        conversion.reports[node.name].adapt(
            _("Files are not sent along; the other fields are sent as a form.")
        )
        keys["form"] = fields
    elif kind == "form-urlencoded":
        keys["form"] = fields
    elif kind == "raw":
        keys["body"] = conversion.text(node, parameters.get("body"), flow)
    elif written is not None:
        keys["json"] = conversion.json_value(node, written, flow)
    elif fields:
        keys["json"] = fields
