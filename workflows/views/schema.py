"""/schemas/workflow-v1.json: the workflow language as a JSON Schema document."""

from __future__ import annotations

from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

from workflows.definition.json_schema import json_schema


@require_safe
@cache_control(public=True, max_age=3600)
def workflow_schema(request: HttpRequest) -> JsonResponse:
    """Answer with the schema; the same document that the editor, the API and the templates use."""
    response = JsonResponse(json_schema(), content_type="application/schema+json")
    response.headers["Access-Control-Allow-Origin"] = "*"
    return response
