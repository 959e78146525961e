"""Writes the typed Python client of the API out of its OpenAPI document: one file that needs nothing installed."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from typing import Any

HEAD = '''\
"""Typed client of the Steward API {version}: one file for Python 3.11 or newer, with nothing to install.

    from steward_client import Steward

    steward = Steward("{base}", "stw_...")
    for workflow in steward.iterate_workflows(status="ACTIVE"):
        print(workflow["name"])

Made from the API's description; download it again instead of changing it.
"""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.parse
import urllib.request
import uuid
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Literal, NotRequired, TypedDict, cast

# method, address, headers, body -> status, headers (names in small letters), body
Transport = Callable[[str, str, Mapping[str, str], bytes | None], tuple[int, Mapping[str, str], bytes]]


class StewardProblem(Exception):
    """A request that was not done. code: the kind of problem; errors: what to correct, field by field."""

    def __init__(self, status: int, body: Mapping[str, Any], retry_after: float = 0.0) -> None:
        super().__init__(str(body.get("detail") or f"HTTP {{status}}"))
        self.status = status
        self.code = str(body.get("code", ""))
        self.detail = str(body.get("detail", ""))
        self.errors: list[dict[str, str]] = list(body.get("errors") or [])
        self.instance = str(body.get("instance", ""))
        self.retry_after = retry_after

'''
CLIENT = '''\

class Steward:
    """The API of one organization, as seen with one API key.

    attempts: how often a request is sent at the most. Those that were refused for a moment (429, 503) or got no answer
    are sent again, unless doing so could do something twice.
    """

    def __init__(
        self,
        base_url: str,
        api_key: str,
        *,
        attempts: int = 4,
        timeout: float = 30.0,
        transport: Transport | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._base, self._key = base_url.rstrip("/"), api_key
        self._attempts, self._timeout, self._sleep = attempts, timeout, sleep
        self._transport = transport or self._send

'''
TAIL = """\

    def _ask(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, Any] | None = None,
        body: Any = None,
        headers: Mapping[str, str | None] | None = None,
        may_repeat: bool = False,
    ) -> Any:
        given = {name: str(value) for name, value in (query or {}).items() if value not in (None, "")}
        address = self._base + path + ("?" + urllib.parse.urlencode(given) if given else "")
        sent = {"Authorization": "Bearer " + self._key, "Accept": "application/json"}
        sent |= {name: value for name, value in (headers or {}).items() if value}
        data = None if body is None else json.dumps(body).encode()
        if data is not None:
            sent["Content-Type"] = "application/json"
        for attempt in range(1, self._attempts + 1):
            is_last = attempt == self._attempts
            try:
                status, answered, content = self._transport(method, address, sent, data)
            except OSError:
                if is_last or not may_repeat:
                    raise
                self._sleep(min(2.0**attempt, 30.0))
                continue
            if status < 400:
                return json.loads(content) if content and status not in (204, 304) else None
            wait = _seconds(answered.get("retry-after", ""))
            if is_last or not (status == 429 or (status == 503 and may_repeat)):
                raise StewardProblem(status, _problem(content), wait)
            self._sleep(wait or min(2.0**attempt, 30.0))
        raise AssertionError("at least one attempt is made")

    def _send(
        self, method: str, address: str, headers: Mapping[str, str], body: bytes | None
    ) -> tuple[int, Mapping[str, str], bytes]:
        request = urllib.request.Request(address, data=body, headers=dict(headers), method=method)
        try:
            with urllib.request.urlopen(request, timeout=self._timeout) as response:
                found = {name.lower(): value for name, value in response.headers.items()}
                return response.status, found, response.read()
        except urllib.error.HTTPError as error:
            with error:
                found = {name.lower(): value for name, value in error.headers.items()}
                return error.code, found, error.read()


def _problem(content: bytes) -> dict[str, Any]:
    try:
        found = json.loads(content)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _seconds(text: str) -> float:
    try:
        return max(0.0, float(text))
    except ValueError:
        return 0.0
"""
SIMPLE = {"string": "str", "integer": "int", "number": "float", "boolean": "bool", "null": "None"}


def source_of(document: dict[str, Any]) -> str:
    """Return the client's Python text for an OpenAPI document of ours."""
    schemas = document["components"]["schemas"]
    parts = [HEAD.format(version=document["info"]["version"], base=document["servers"][0]["url"])]
    for name in sorted(schemas):
        if schemas[name].get("type") == "object" and "properties" in schemas[name]:
            parts.append(_shape(name, schemas[name]))
    parts.append(CLIENT)
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            parts.append(_method(path, method, operation, schemas))
    parts.append(TAIL)
    return "".join(parts)


def _shape(name: str, schema: dict[str, Any]) -> str:
    required = set(schema.get("required", []))
    lines = [f"\nclass {name}(TypedDict):", f'    """{_text(schema.get("description", name))}"""', ""]
    for field, details in schema["properties"].items():
        kind = type_of(details)
        lines.append(f"    {field}: {kind if field in required else f'NotRequired[{kind}]'}")
    return "\n".join(lines) + "\n\n"


def type_of(schema: dict[str, Any]) -> str:
    """Return the Python type of a JSON Schema."""
    if "$ref" in schema:
        return str(schema["$ref"]).rsplit("/", 1)[-1]
    if "anyOf" in schema:
        return " | ".join(dict.fromkeys(type_of(each) for each in schema["anyOf"]))
    if "enum" in schema:
        return f"Literal[{', '.join(_literal(each) for each in schema['enum'])}]"
    if "const" in schema:
        return f"Literal[{_literal(schema['const'])}]"
    if schema.get("type") == "array":
        return f"list[{type_of(schema.get('items', {}))}]"
    if schema.get("type") == "object":
        inner = schema.get("additionalProperties")
        return f"dict[str, {type_of(inner) if isinstance(inner, dict) else 'Any'}]"
    return SIMPLE.get(str(schema.get("type", "")), "Any")


def _method(path: str, method: str, operation: dict[str, Any], schemas: dict[str, Any]) -> str:
    name = operation["operationId"]
    found = list(_arguments(operation))
    query = [each for each in operation["parameters"] if each["in"] == "query"]
    result = _result_of(operation)
    plain = [f"{argument}: {kind}" for argument, kind, default in found if default is None]
    named = [f"{argument}: {kind} = {default}" for argument, kind, default in found if default is not None]
    signature = ", ".join(["self", *plain, *(["*", *named] if named else [])])
    address = path.replace("{", "{urllib.parse.quote(str(").replace("}", "), safe='')}")
    call = [f'"{method.upper()}"', f'f"{address}"' if "{" in path else f'"{path}"']
    if query:
        call.append("query={" + ", ".join(f'"{each["name"]}": {each["name"]}' for each in query) + "}")
    if "requestBody" in operation:
        call.append("body=body")
    headers = [each for each in operation["parameters"] if each["in"] == "header"]
    if headers:
        call.append("headers={" + ", ".join(_header(each["name"]) for each in headers) + "}")
    if method in ("get", "delete") or operation.get("x-idempotent"):
        call.append("may_repeat=True")
    asked = f"self._ask({', '.join(call)})"
    body = asked if result == "None" else f"return cast({result!r}, {asked})"
    lines = [
        f"def {name}({signature}) -> {result}:",
        f'    """{_text(operation["description"])}"""',
        f"    {body}",
    ]
    text = textwrap.indent("\n".join(lines), "    ") + "\n\n"
    items = schemas.get(result, {}).get("properties", {})
    if "next_cursor" in items:
        text += _iterator(name, found, type_of(items["items"]["items"]))
    return text


def _iterator(name: str, found: list[tuple[str, str, str | None]], item: str) -> str:
    kept = [each for each in found if each[0] != "cursor"]
    plain = [f"{argument}: {kind}" for argument, kind, default in kept if default is None]
    named = [f"{argument}: {kind} = {default}" for argument, kind, default in kept if default is not None]
    passed = [argument for argument, _kind, default in kept if default is None]
    passed += [f"{argument}={argument}" for argument, _kind, default in kept if default is not None]
    signature = ", ".join(["self", *plain, *(["*", *named] if named else [])])
    lines = [
        f"def {name.replace('list_', 'iterate_')}({signature}) -> Iterator[{item}]:",
        f'    """Yield what {name} lists, page after page."""',
        '    cursor = ""',
        "    while True:",
        f"        page = self.{name}({', '.join([*passed, 'cursor=cursor'])})",
        '        yield from page["items"]',
        '        cursor = page["next_cursor"] or ""',
        "        if not cursor:",
        "            return",
    ]
    return textwrap.indent("\n".join(lines), "    ") + "\n\n"


def _arguments(operation: dict[str, Any]) -> Iterator[tuple[str, str, str | None]]:
    """Yield (name, type, default as Python text or None where it must be given)."""
    for each in operation["parameters"]:
        if each["in"] == "path":
            yield each["name"], type_of(each["schema"]), None
    if "requestBody" in operation:
        yield "body", type_of(operation["requestBody"]["content"]["application/json"]["schema"]), None
    for each in operation["parameters"]:
        if each["in"] == "query":
            default = each["schema"].get("default")
            kind = type_of(each["schema"])
            yield each["name"], kind, _literal(default) if "None" not in kind or default else "None"
        elif each["in"] == "header":
            yield _argument(each["name"]), "str | None", "None"


def _result_of(operation: dict[str, Any]) -> str:
    for status in ("200", "201", "202"):
        content = operation["responses"].get(status, {}).get("content")
        if content:
            return type_of(content["application/json"]["schema"])
    return "None"


def _header(name: str) -> str:
    if name == "Idempotency-Key":  # so that a request which got no answer can be sent again
        return f'"{name}": {_argument(name)} or str(uuid.uuid4())'
    return f'"{name}": {_argument(name)}'


def _argument(header: str) -> str:
    return header.lower().replace("-", "_")


def _literal(value: Any) -> str:
    return repr(value)


def _text(text: str) -> str:
    first = " ".join(text.split("\n\n", maxsplit=1)[0].split())
    return first.replace("\\", "\\\\").replace('"""', "'''")
