"""Everything that can go wrong with a request to the API, as problem+json (RFC 9457)."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping, Sequence
from typing import Any

import structlog
from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.core.signals import got_request_exception
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from ninja import NinjaAPI, Schema
from ninja.errors import AuthenticationError, HttpError, ValidationError
from pydantic import Field

logger = logging.getLogger("steward.api")

CONTENT_TYPE = "application/problem+json"

# code -> (status, title). The code is the end of the problem's `type`, and what a program decides by.
PROBLEMS: dict[str, tuple[int, str]] = {
    "unreadable": (400, "The request cannot be read"),
    "unauthorized": (401, "An API key is needed"),
    "forbidden": (403, "The role does not allow it"),
    "missing_scope": (403, "The API key lacks a scope"),
    "not_found": (404, "There is nothing at this address"),
    "method_not_allowed": (405, "The address does not take this method"),
    "conflict": (409, "It does not fit the present state"),
    "plan_limit": (409, "The plan does not allow one more"),
    "changed": (412, "It was changed meanwhile"),
    "too_large": (413, "The request is too large"),
    "unsupported_media_type": (415, "The body must be JSON"),
    "invalid": (422, "Something in the request must be corrected"),
    "faulty_definition": (422, "The workflow cannot be published as it is"),
    "tests_failed": (422, "The workflow fails its own tests"),
    "key_reused": (422, "The Idempotency-Key belongs to another request"),
    "if_match_needed": (428, "The If-Match header is needed"),
    "rate_limited": (429, "Too many requests"),
    "backlog_full": (429, "Too many runs are waiting"),
    "server_error": (500, "A fault of ours"),
}


class FieldProblem(Schema):
    """One thing to correct."""

    field: str = Field(description="Where it is, such as `body.name`.", examples=["body.name"])
    message: str = Field(description="What to do about it.", examples=["Field required"])


class ProblemOut(Schema):
    """Why a request was not done (RFC 9457)."""

    type: str = Field(description="An address that explains this kind of problem.")
    code: str = Field(description="The kind of problem, for programs.", examples=["not_found"])
    title: str
    status: int = Field(examples=[404])
    detail: str = Field(description="What happened and what to do, in a sentence.")
    instance: str = Field(description="Names this one request; give it to support.")
    errors: list[FieldProblem] = Field([], description="What to correct, field by field.")


class Problem(Exception):
    """A request that is not done. code: of PROBLEMS. keeps: what the request wrote before stays (a decision, say)."""

    def __init__(
        self,
        code: str,
        detail: str,
        *,
        errors: Sequence[tuple[str, str]] = (),
        headers: Mapping[str, str] | None = None,
        keeps: bool = False,
    ) -> None:
        super().__init__(detail)
        self.code, self.detail, self.errors = code, str(detail), list(errors)
        self.headers, self.keeps = dict(headers or {}), keeps


def answer(request: HttpRequest, problem: Problem) -> HttpResponse:
    """Return the answer that tells of a problem."""
    status, title = PROBLEMS[problem.code]
    request_id = structlog.contextvars.get_contextvars().get("request_id", "")
    body = ProblemOut(
        type=f"{settings.BASE_URL}/api/v1/docs#problem-{problem.code}",
        code=problem.code,
        title=title,
        status=status,
        detail=problem.detail,
        instance=f"urn:uuid:{request_id}",
        errors=[FieldProblem(field=field, message=message) for field, message in problem.errors],
    )
    response = HttpResponse(json.dumps(body.model_dump()), status=status, content_type=CONTENT_TYPE)
    for name, value in problem.headers.items():
        response.headers[name] = value
    return response


def install(api: NinjaAPI) -> None:
    """Make an API answer with problems whatever is raised in it."""
    for kind in (Problem, ValidationError, HttpError, Http404, PermissionDenied, Exception):
        api.add_exception_handler(kind, _handle)


def _handle(request: HttpRequest, error: Any) -> HttpResponse:
    return answer(request, problem_of(request, error))


def problem_of(request: HttpRequest, error: BaseException) -> Problem:
    """Return what to tell of anything that was raised; our own faults are logged and told of without a detail."""
    match error:
        case Problem():
            return error
        case ValidationError():
            found: dict[str, str] = {}
            for each in error.errors:
                # Of the alternatives of one field the first is told.
                found.setdefault(_place(each["loc"]), str(each["msg"]))
            return Problem(
                "invalid",
                "Correct what is listed under errors, then send it again.",
                errors=list(found.items()),
            )
        case AuthenticationError():
            return unauthorized("Send an API key: “Authorization: Bearer stw_…”.")
        case HttpError():
            cause = error.__cause__
            return cause if isinstance(cause, Problem) else Problem("unreadable", error.message)
        case Http404():
            return Problem("not_found", "It does not exist, or your API key does not let you see it.")
        case PermissionDenied():
            return Problem("forbidden", "The role of the person who made the API key does not allow this.")
    logger.error("a request to the API failed", exc_info=error)
    got_request_exception.send(sender=None, request=request)
    return Problem("server_error", "Something went wrong on our side. Nothing was changed; try again later.")


def unauthorized(detail: str) -> Problem:
    """Return the problem of a request without a usable key."""
    return Problem("unauthorized", detail, headers={"WWW-Authenticate": 'Bearer realm="Steward API"'})


def from_response(request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
    """Return a plain 405 of the routing as a problem, everything else as it is."""
    if response.status_code != 405 or response.headers.get("Content-Type") == CONTENT_TYPE:
        return response
    allowed = response.headers.get("Allow", "")
    return answer(
        request, Problem("method_not_allowed", f"Use one of: {allowed}.", headers={"Allow": allowed})
    )


def _place(location: Sequence[Any]) -> str:
    """Return `body.steps.0.name` for what the framework calls ("body", "body", "steps", 0, "name", "str[...]")."""
    parts = [str(part) for part in location]
    if len(parts) > 1 and parts[0] == parts[1]:
        del parts[1]  # the name of our own argument
    return ".".join(part for part in parts if "[" not in part)
