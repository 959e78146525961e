"""The organization's settings, its export and its end."""

from __future__ import annotations

from typing import Any, cast
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.text import slugify
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from accounts import erasure, export
from accounts.audit import record
from accounts.forms import DeletionForm, OrganizationForm
from accounts.models import Organization
from accounts.permissions import Permission, requires
from accounts.team import people
from accounts.views.team import gone, signed_in
from billing.entitlements import is_charged, plan_of

# What is kept when nothing is chosen, in days; see config.operations.retention.
USUAL_DAYS = {"log_retention_days": 30, "completed_retention_days": 90, "failed_retention_days": 180}


def organization_of(request: HttpRequest) -> Organization:
    """Return the organization of who is signed in, read anew: the session's may be older than another's change."""
    return Organization.objects.get(pk=cast(UUID, signed_in(request).organization_id))


@requires(Permission.MANAGE_ORGANIZATION)
def organization(request: HttpRequest) -> HttpResponse:
    """Show and change name, time zone and how long history is kept."""
    row = organization_of(request)
    longest = _longest_days(row)
    before = {name: getattr(row, name) for name in OrganizationForm.Meta.fields}
    form = OrganizationForm(request.POST or None, instance=row, longest=longest, usual=USUAL_DAYS)
    if request.method == "POST" and form.is_valid():
        if form.changed_data:
            row.save(update_fields=[*form.changed_data, "updated_at"])
            record(
                "organization.changed",
                actor=signed_in(request),
                target=row,
                before={name: before[name] for name in form.changed_data},
                after={name: form.cleaned_data[name] for name in form.changed_data},
                request=request,
            )
        messages.success(request, _("Saved."))
        return redirect("accounts:organization")
    status = 422 if request.method == "POST" else 200
    context = {"form": form, "tab": "organization", "organization": organization_of(request)}
    return render(request, "accounts/organization.html", context, status=status)


@require_safe
@requires(Permission.DELETE_ORGANIZATION)
def organization_export(request: HttpRequest) -> StreamingHttpResponse:
    """Send everything the organization owns as a file."""
    row = organization_of(request)
    record("organization.exported", actor=signed_in(request), target=row, request=request)
    response = StreamingHttpResponse(export.export(row.pk), content_type="application/json")
    response.headers["Content-Disposition"] = f'attachment; filename="{_file_name(row)}.json"'
    response.headers["Cache-Control"] = "no-store"
    return response


@requires(Permission.DELETE_ORGANIZATION)
def organization_deletion(request: HttpRequest) -> HttpResponse:
    """Offer the export, ask, then close the organization at once; a worker erases it."""
    row = organization_of(request)
    form = DeletionForm(request.POST or None, request=request, organization=row)
    charged = is_charged(row)
    if request.method == "POST" and not charged and form.is_valid():
        erasure.begin(row.pk)
        return gone(request, "accounts/deleted.html", {"organization": row})
    context: dict[str, Any] = {
        "form": form,
        "tab": "organization",
        "organization": row,
        "people": people().count(),
        "is_charged": charged,
    }
    status = 422 if request.method == "POST" else 200
    return render(request, "accounts/deletion.html", context, status=status)


def _longest_days(row: Organization) -> dict[str, int]:
    """Return the most days the plan allows for each kind; what is usual is always allowed."""
    longest = plan_of(row).retention_days
    return {name: max(longest, usual) for name, usual in USUAL_DAYS.items()}


def _file_name(row: Organization) -> str:
    return f"steward-{slugify(row.name) or 'organization'}-{timezone.localdate():%Y-%m-%d}"
