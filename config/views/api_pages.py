"""What tells of the API: its OpenAPI document, a page that explains it, and a client to download."""

from __future__ import annotations

import json
from functools import lru_cache
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.text import slugify
from django.views.decorators.cache import cache_control
from django.views.decorators.gzip import gzip_page
from django.views.decorators.http import require_safe

from accounts.api.problems import PROBLEMS
from config.api import api
from config.api_client import source_of
from config.api_reference import groups_of

START = 'curl "$STEWARD/api/v1/workflows" -H "Authorization: Bearer $STEWARD_KEY"'


@lru_cache(maxsize=1)
def document() -> dict[str, Any]:
    """Return the OpenAPI document; it does not change while a process lives."""
    found: dict[str, Any] = json.loads(json.dumps(api.get_openapi_schema(), default=str))
    return found


@require_safe
@gzip_page
@cache_control(public=True, max_age=300)
def openapi(request: HttpRequest) -> HttpResponse:
    """Answer with the OpenAPI 3.1 document."""
    return HttpResponse(
        json.dumps(document(), indent=1),
        content_type="application/json",
        headers={"Access-Control-Allow-Origin": "*"},
    )


@require_safe
@gzip_page
def documentation(request: HttpRequest) -> HttpResponse:
    """Show every operation with what it takes and gives; everybody may read it."""
    problems = [
        {"code": code, "status": status, "title": title} for code, (status, title) in PROBLEMS.items()
    ]
    groups = [{**group, "anchor": slugify(group["name"])} for group in groups_of(document())]
    start = f"STEWARD={request.scheme}://{request.get_host()}\nSTEWARD_KEY=stw_...\n{START}"
    context = {"groups": groups, "problems": problems, "start": start}
    return render(request, "config/api_docs.html", context)


@require_safe
@gzip_page
@cache_control(public=True, max_age=300)
def client(request: HttpRequest) -> HttpResponse:
    """Answer with the client, one Python file without dependencies."""
    return HttpResponse(
        client_source(),
        content_type="text/x-python; charset=utf-8",
        headers={"Content-Disposition": 'attachment; filename="steward_client.py"'},
    )


@lru_cache(maxsize=1)
def client_source() -> str:
    """Return the text of the client."""
    return source_of(document())
