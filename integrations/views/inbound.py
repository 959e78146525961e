"""Where services send their deliveries: to our whole application, or to one account."""

from __future__ import annotations

import re
import time

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from accounts.tenancy import system_scope
from integrations import inbound
from integrations.framework import Inbound, Reply
from integrations.models import Integration
from integrations.views.scopes import connector_or_404

TOKEN = re.compile(r"[A-Za-z0-9_-]{20,64}")
METHODS = ["GET", "HEAD", "POST", "PUT"]


@csrf_exempt  # the sender proves itself by a signature
@require_http_methods(METHODS)
def for_app(request: HttpRequest, provider: str) -> HttpResponse:
    """Take deliveries about all accounts of a service; the signature says whether it is the service."""
    connector = connector_or_404(provider)
    webhooks = inbound.webhooks_for_accounts(connector)
    if webhooks is None or webhooks.address != "app":
        raise Http404(provider)
    arrived = _read(request)
    if arrived is None:
        return HttpResponse("The delivery is too large.", status=413, content_type="text/plain")
    return _answer(inbound.receive_for_app(connector, webhooks, arrived))


@csrf_exempt
@require_http_methods(METHODS)
def for_account(request: HttpRequest, provider: str, token: str) -> HttpResponse:
    """Take deliveries about one account, whose address nobody else knows."""
    connector = connector_or_404(provider)
    webhooks = inbound.webhooks_for_accounts(connector)
    if webhooks is None or webhooks.address != "integration" or not TOKEN.fullmatch(token):
        raise Http404(provider)
    with system_scope("find the account that an address belongs to"):
        integration = Integration.objects.filter(webhook_token=token, provider=connector.provider).first()
    if integration is None:
        raise Http404(provider)
    arrived = _read(request)
    if arrived is None:
        return HttpResponse("The delivery is too large.", status=413, content_type="text/plain")
    return _answer(inbound.receive_for_account(integration, connector, webhooks, arrived))


def _read(request: HttpRequest) -> Inbound | None:
    try:
        length = int(request.META.get("CONTENT_LENGTH") or 0)
    except ValueError:
        length = 0
    if length > settings.WEBHOOK_MAX_BODY_BYTES:
        return None
    try:
        body = request.body
    except RequestDataTooBig:
        return None
    if len(body) > settings.WEBHOOK_MAX_BODY_BYTES:
        return None
    # The address that the service was given, whatever proxies made of it: some sign it.
    url = settings.BASE_URL + request.get_full_path()
    return Inbound(request.method or "POST", url, dict(request.headers), body, time.time())


def _answer(reply: Reply) -> HttpResponse:
    return HttpResponse(
        reply.body, status=reply.status, content_type=reply.content_type, headers=dict(reply.headers)
    )
