"""What all operations of the API share, added to its OpenAPI document: errors, headers, examples."""

from __future__ import annotations

from typing import Any

from accounts.api.idempotency import HEADER, MAX_LENGTH
from accounts.api.problems import CONTENT_TYPE, PROBLEMS, ProblemOut

TAGS = {
    "Workflows": "The draft that people and programs change, the versions that run, taking one elsewhere.",
    "Saved tests": "Runs frozen as tests, which publishing asks.",
    "Runs": "Start a run, follow it, take it up again.",
    "Approvals": "Questions that runs ask people.",
    "Templates": "Ready-made workflows.",
    "Integrations": "Accounts at services.",
    "Organization": "Members, usage, the audit trail.",
}
WORDS = {
    400: "The request cannot be read.",
    401: "There is no usable API key.",
    403: "The key's scopes or its maker's role do not allow it.",
    404: "It does not exist, or the key does not let you see it.",
    409: "It does not fit the present state.",
    412: "It was changed meanwhile.",
    413: "It is too large.",
    415: "The body is not application/json.",
    422: "Something must be corrected; see `errors`.",
    428: "The If-Match header is missing.",
    429: "Too many requests; wait `Retry-After` seconds.",
    500: "A fault of ours.",
}
RATE_HEADERS = {
    "RateLimit-Limit": "Requests a minute.",
    "RateLimit-Remaining": "Requests left now.",
    "RateLimit-Reset": "Seconds until all of them are back.",
}
IDEMPOTENCY = {
    "in": "header",
    "name": HEADER,
    "required": False,
    "description": "Any text of yours that names this one change. Sent again within a day, it is done once.",
    "schema": {"type": "string", "maxLength": MAX_LENGTH, "pattern": "^[ -~]*$"},
    "example": "order-4711",
}


def complete(document: dict[str, Any]) -> None:
    """Add to a document, in place, what its operations share."""
    document["tags"] = [{"name": name, "description": text} for name, text in TAGS.items()]
    document["info"]["license"] = {"name": "Proprietary", "identifier": "LicenseRef-Proprietary"}
    components = document["components"]
    problem = ProblemOut.model_json_schema(ref_template="#/components/schemas/{model}")
    components["schemas"].update(problem.pop("$defs"))
    components["schemas"]["Problem"] = {**problem, "title": "Problem"}
    components["responses"] = {f"Problem{status}": _response(status) for status in WORDS}
    components["headers"] = {
        name: {"description": text, "schema": {"type": "integer"}} for name, text in RATE_HEADERS.items()
    }
    components["securitySchemes"]["ApiKeyBearer"] = {
        "type": "http",
        "scheme": "bearer",
        "description": "A key made under Settings, API keys.",
    }
    for address, methods in document["paths"].items():
        for method, operation in methods.items():
            _complete(operation, method, has_object="{" in address)


def _complete(operation: dict[str, Any], method: str, *, has_object: bool) -> None:
    for parameter in operation["parameters"]:
        parameter["schema"].pop("title", None)
    if operation.get("x-idempotent"):
        operation["parameters"].append(IDEMPOTENCY)
    statuses = [400, 401, 403, 422, 429, 500]
    if has_object or "requestBody" in operation:
        statuses.append(404)
    if method != "get":
        statuses.append(409)
    if "requestBody" in operation:
        statuses += [413, 415]
    if any(parameter["name"] == "If-Match" for parameter in operation["parameters"]):
        statuses += [412, 428]
    if operation["operationId"] == "decide_approval":
        statuses.append(412)
    responses = {str(status): found for status, found in operation["responses"].items()}
    for found in responses.values():
        found["headers"] = {name: {"$ref": f"#/components/headers/{name}"} for name in RATE_HEADERS}
        for content in found.get("content", {}).values():
            if content["schema"].get("$ref", "").endswith("/WorkflowOut"):
                found["headers"]["ETag"] = {"description": "Names this state.", "schema": {"type": "string"}}
    for status in sorted(statuses):
        responses[str(status)] = {"$ref": f"#/components/responses/Problem{status}"}
    operation["responses"] = responses


def _response(status: int) -> dict[str, Any]:
    code, title = next((code, title) for code, (found, title) in PROBLEMS.items() if found == status)
    example = {
        "type": f"/api/v1/docs#problem-{code}",
        "code": code,
        "title": title,
        "status": status,
        "detail": WORDS[status],
        "instance": "urn:uuid:019a0000-0000-7000-8000-000000000000",
        "errors": [],
    }
    schema = {"$ref": "#/components/schemas/Problem"}
    return {
        "description": WORDS[status],
        "content": {CONTENT_TYPE: {"schema": schema, "example": example}},
    }
