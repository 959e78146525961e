"""The audit trail, for owners and admins."""

from __future__ import annotations

from typing import Any, cast
from urllib.parse import urlencode
from uuid import UUID

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import get_language
from django.views.decorators.http import require_safe

from accounts import audit_search
from accounts.audit import record
from accounts.audit_sentences import GROUPS, details, icon_of, sentence
from accounts.forms import AuditFilter
from accounts.models import AuditEvent
from accounts.permissions import Permission, requires
from accounts.views.team import signed_in

PAGE_SIZE = 50


@require_safe
@requires(Permission.VIEW_AUDIT)
def audit(request: HttpRequest) -> HttpResponse:
    """Show who changed what, newest first."""
    form = AuditFilter(request.GET, actions=list(GROUPS.items()))
    chosen = form.chosen()
    found, following = audit_search.page_of(
        audit_search.condition(chosen), request.GET.get("before", ""), PAGE_SIZE
    )
    query = urlencode({name: str(value) for name, value in chosen.items()})
    context = {
        "tab": "audit",
        "form": form,
        "events": [_shown(event) for event in found],
        "is_filtered": bool(chosen),
        "export_query": query,
        "previous_url": f"?{query}" if request.GET.get("before") else "",
        "next_url": f"?{query}&before={following}" if following else "",
    }
    return render(request, "accounts/audit.html", context)


@require_safe
@requires(Permission.VIEW_AUDIT)
def audit_export(request: HttpRequest) -> StreamingHttpResponse:
    """Send the chosen events as CSV."""
    chosen = AuditFilter(request.GET, actions=list(GROUPS.items())).chosen()
    person = signed_in(request)
    record("audit.exported", actor=person, request=request)
    wanted, language = audit_search.condition(chosen), get_language() or "en"
    lines = audit_search.as_csv(cast(UUID, person.organization_id), wanted, language)
    response = StreamingHttpResponse(lines, content_type="text/csv; charset=utf-8")
    response.headers["Content-Disposition"] = (
        f'attachment; filename="audit-{timezone.localdate():%Y-%m-%d}.csv"'
    )
    response.headers["Cache-Control"] = "no-store"
    return response


def _shown(event: AuditEvent) -> dict[str, Any]:
    return {
        "event": event,
        "actor": event.actor_label.partition(" <")[0],
        "sentence": sentence(event),
        "details": details(event),
        "icon": icon_of(event),
    }
