"""GET /metrics, for Prometheus."""

from __future__ import annotations

import secrets

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_GET
from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from config.metrics import DatabaseCollector


@require_GET
def metrics(request: HttpRequest) -> HttpResponse:
    """Answer a caller who sends `Authorization: Bearer <METRICS_TOKEN>`; without a token set there is nothing here."""
    given = request.headers.get("Authorization", "").removeprefix("Bearer ").encode()
    if not settings.METRICS_TOKEN:
        return HttpResponse("METRICS_TOKEN is not set.\n", status=404, content_type="text/plain")
    if not secrets.compare_digest(given, settings.METRICS_TOKEN.encode()):
        return HttpResponse("The token is missing or wrong.\n", status=401, content_type="text/plain")
    registry = CollectorRegistry()
    registry.register(DatabaseCollector())
    ProcessCollector(registry=registry)
    return HttpResponse(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)
