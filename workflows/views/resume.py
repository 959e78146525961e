"""/resume/<token>/: the one-time address of a wait step, called by another system or a person's click."""

from __future__ import annotations

import hashlib
import json

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt

from accounts.tenancy import system_scope
from workflows.models import Execution, ResumeToken
from workflows.runner.wake import wake
from workflows.triggers import bodies
from workflows.views.hooks import read_body

MAX_TOKEN = 128


@csrf_exempt
def resume(request: HttpRequest, token: str) -> HttpResponse:
    """Let the waiting run go on with the posted body: 200 once, 404 for an unknown address, 410 when it is over.

    A GET changes nothing, because mail programs and chat previews open every link: it shows a page with a button.
    """
    if request.method not in ("GET", "HEAD", "POST"):
        return _said(405, _("Send a POST request."), allow="GET, POST")
    if len(token) > MAX_TOKEN:
        return _said(404, _("There is nothing waiting at this address."))
    if request.method != "POST":
        return _page(request, token)
    body, _size = read_body(request.META, settings.WEBHOOK_MAX_BODY_BYTES)
    if body is None:
        limit = settings.WEBHOOK_MAX_BODY_BYTES
        return _said(413, _("The body is larger than %(limit)s bytes.") % {"limit": limit})
    try:
        data = bodies.parse(body, request.META.get("CONTENT_TYPE", ""))
    except bodies.BadBody as error:
        return _said(400, _("The body could not be read: %(where)s.") % {"where": error})
    status, message = use(token, data)
    if "text/html" in request.headers.get("Accept", ""):
        return render(
            request,
            "workflows/public/message.html",
            {"title": message, "is_good": status == 200},
            status=status,
        )
    return _said(status, message)


def use(token: str, data: object) -> tuple[int, str]:
    """Store the answer of a wait step and wake its run; return (HTTP status, sentence). Each token is used once."""
    with system_scope("use a resume address"):
        row = ResumeToken.objects.select_for_update(of=("self",)).filter(token_hash=hash_of(token)).first()
        if row is None:
            return 404, _("There is nothing waiting at this address.")
        if row.used_at is not None:
            return 410, _("This address was used already.")
        if row.expires_at <= timezone.now():
            return 410, _("The time to answer is over.")
        execution = Execution.objects.filter(pk=row.execution_id, organization_id=row.organization_id).first()
        if execution is None or execution.is_finished:
            return 410, _("The run has ended, so nothing waits here any more.")
        row.used_at, row.body = timezone.now(), _storable(data)
        row.save(update_fields=["used_at", "body"])
        wake([row.execution_id])
    return 200, _("Received. The run goes on.")


def hash_of(token: str) -> str:
    """Return what is stored of a token: SHA-256, 64 hexadecimal digits."""
    return hashlib.sha256(token.encode()).hexdigest()


def _page(request: HttpRequest, token: str) -> HttpResponse:
    with system_scope("show a resume address"):
        row = ResumeToken.objects.filter(token_hash=hash_of(token)).first()
    if row is None:
        title = _("There is nothing waiting at this address.")
        return render(request, "workflows/public/message.html", {"title": title}, status=404)
    if row.used_at is not None or row.expires_at <= timezone.now():
        title = _("This address was used already, or its time is over.")
        return render(request, "workflows/public/message.html", {"title": title}, status=410)
    return render(request, "workflows/public/resume.html")


def _storable(data: object) -> object:
    # PostgreSQL's JSON holds no NUL and no lone surrogates.
    text = json.dumps(data, ensure_ascii=False).encode("utf-8", "replace").decode()
    return json.loads(text.replace("\\u0000", ""))


def _said(status: int, message: str, allow: str = "") -> JsonResponse:
    response = JsonResponse({"status" if status == 200 else "error": message}, status=status)
    if allow:
        response.headers["Allow"] = allow
    return response
