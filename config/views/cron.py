"""POST /api/cron/<job>: maintenance for hosts whose scheduler can call an address but not a command."""

from __future__ import annotations

import secrets

from django.conf import settings
from django.http import HttpRequest, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from config.operations import cron


@csrf_exempt
@require_POST
def run_job(request: HttpRequest, name: str) -> JsonResponse:
    """Run a job for a caller who sends `Authorization: Bearer <CRON_SECRET>`."""
    given = request.headers.get("Authorization", "").removeprefix("Bearer ").encode()
    if not settings.CRON_SECRET or not secrets.compare_digest(given, settings.CRON_SECRET.encode()):
        return JsonResponse({"error": "CRON_SECRET is missing or wrong."}, status=401)
    try:
        record = cron.run(name)
    except KeyError:
        return JsonResponse({"error": f"There is no job called {name}."}, status=404)
    except Exception:  # noqa: BLE001  (recorded and logged by cron.run; the caller learns that it failed)
        return JsonResponse({"job": name, "status": "failed"}, status=500)
    if record is None:
        return JsonResponse({"job": name, "status": "running elsewhere"}, status=409)
    return JsonResponse({"job": name, "status": "done", "seconds": record.seconds, "detail": record.detail})
