"""/api/v1/: one router per app, and the answers to what no router knows."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.urls import URLPattern, path, re_path
from ninja import NinjaAPI
from ninja.openapi.schema import OpenAPISchema
from ninja.operation import Operation

from accounts.api import people, problems
from accounts.api.reading import StrictParser
from billing import api as billing
from config import api_document
from integrations import api as integrations
from templates_lib import api as templates_lib
from workflows import api as workflows

API_VERSION = "1.0.0"
DESCRIPTION = """\
Everything people do in Steward, for programs. Requests carry an API key (`Authorization: Bearer stw_…`), made under
Settings, API keys. A key acts for the person who made it: it may do what its scopes and that person's role allow.

Lists come in pages: send `next_cursor` back as `cursor`. Errors are `application/problem+json` (RFC 9457); decide by
`code`. Each key may make so many requests a minute: see the `RateLimit-*` headers, and wait `Retry-After` seconds
after a 429. Requests that start or make something take an `Idempotency-Key`: sent again within a day they are done
once. Workflows have an `ETag`; changing one needs it as `If-Match`.
"""
BODY_METHODS = {"POST", "PUT", "PATCH"}


class StewardAPI(NinjaAPI):
    """The API, described as OpenAPI 3.1 with what all of its operations share."""

    def get_openapi_schema(self, **options: Any) -> OpenAPISchema:
        document = super().get_openapi_schema(**{**options, "path_prefix": "/api/v1/"})
        api_document.complete(document)
        return document

    def get_openapi_operation_id(self, operation: Operation) -> str:
        return operation.view_func.__name__


api = StewardAPI(
    title="Steward API",
    version=API_VERSION,
    description=DESCRIPTION,
    urls_namespace="api",
    docs_url=None,
    openapi_url=None,
    parser=StrictParser(),
    servers=[{"url": settings.BASE_URL}],
)
problems.install(api)
for _tag, _router in workflows.ROUTERS:
    api.add_router("", _router, tags=[_tag])
api.add_router("", templates_lib.router, tags=["Templates"])
api.add_router("", integrations.router, tags=["Integrations"])
api.add_router("", billing.router, tags=["Organization"])
api.add_router("", people.router, tags=["Organization"])


def answered(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """Give each answer its headers, and make a problem of what is refused before an operation is found."""

    @wraps(view)
    def outermost(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        is_head = request.method == "HEAD"
        if is_head:
            request.method = "GET"
        refused = _refusal(request)
        if refused is not None:
            response: HttpResponseBase = problems.answer(request, refused)
        else:
            try:
                response = view(request, *args, **kwargs)
            except Http404 as error:
                response = problems.answer(request, problems.problem_of(request, error))
        response = problems.from_response(request, response)
        taken = getattr(request, "pace", None)
        for name, value in (taken.headers if taken else {}).items():
            response.headers.setdefault(name, value)
        if response.status_code < 400:
            for name, value in request.__dict__.get("api_headers", {}).items():
                response.headers[name] = value
        if response.status_code in (204, 304):
            response.headers.pop("Content-Type", None)
        response.headers.setdefault("Cache-Control", "no-store")
        if is_head:
            request.method = "HEAD"  # the server leaves the body out
        return response

    return outermost


def _refusal(request: HttpRequest) -> problems.Problem | None:
    try:
        length = int(request.META.get("CONTENT_LENGTH") or 0)
    except ValueError:
        return problems.Problem("unreadable", "Content-Length is no number.")
    if length > settings.DATA_UPLOAD_MAX_MEMORY_SIZE:
        most = settings.DATA_UPLOAD_MAX_MEMORY_SIZE // (1024 * 1024)
        return problems.Problem("too_large", f"A request may have {most} MB at the most.")
    if length and request.method in BODY_METHODS and request.content_type != "application/json":
        return problems.Problem("unsupported_media_type", "Send the body as application/json.")
    return None


def unknown(request: HttpRequest) -> HttpResponseBase:
    """Answer what no operation is at."""
    raise Http404


def urlpatterns() -> list[URLPattern]:
    """Return the addresses below /api/v1/."""
    from config.views import api_pages  # it shows the document of the API above

    addresses: list[Any] = api.urls[0]
    found = [pattern for pattern in addresses if pattern.name != "api-root"]
    for pattern in found:
        pattern.callback = answered(pattern.callback)
    unknown.csrf_exempt = True  # type: ignore[attr-defined]  # no session is read here
    return [
        path("openapi.json", api_pages.openapi, name="openapi"),
        path("docs", api_pages.documentation, name="docs"),
        path("client.py", api_pages.client, name="client"),
        *found,
        re_path(r"^[\s\S]*$", answered(unknown), name="unknown"),
    ]
