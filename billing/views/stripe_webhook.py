"""Where Stripe tells us what happened."""

from __future__ import annotations

from django.http import HttpRequest, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from billing.stripe_events import SignatureWrong, accept, verify

LARGEST_BODY = 1_000_000


@csrf_exempt
@require_POST
def receive(request: HttpRequest) -> JsonResponse:
    """Store an event that is really Stripe's, and answer at once; the work is done by the queue."""
    if int(request.META.get("CONTENT_LENGTH") or 0) > LARGEST_BODY:
        return JsonResponse({"error": "too large"}, status=413)
    try:
        event = verify(request.body, request.headers.get("Stripe-Signature", ""))
    except SignatureWrong:
        return JsonResponse({"error": "the signature does not fit"}, status=400)
    return JsonResponse({"received": True, "is_new": accept(event)})
