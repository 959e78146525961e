"""Two runs beside each other."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from accounts.permissions import Permission, requires
from workflows import access
from workflows.models import Execution
from workflows.queries import comparison

OFFERED = 15


@require_safe
@requires(Permission.VIEW_WORKFLOW)
def compare(request: HttpRequest, execution_id: UUID) -> HttpResponse:
    """Compare a run with the one in ?with=, else with the last successful run of its workflow before it."""
    second = access.execution_for(request, execution_id)
    chosen = access.identifiers([request.GET.get("with", "")])
    if chosen and chosen[0] != second.pk:
        first: Execution | None = access.execution_for(request, chosen[0])
    else:
        found = comparison.previous_good_run(second)
        first = access.execution_for(request, found.pk) if found else None
    offered = (
        Execution.objects.visible_to(access.person(request))
        .filter(workflow_id=second.workflow_id)
        .exclude(pk=second.pk)
        .only("id", "organization_id", "status", "result", "started_at")
        .order_by("-started_at")[:OFFERED]
    )
    context = {
        "execution": second,
        "other": first,
        "offered": offered,
        "comparison": comparison.compare(first, second) if first is not None else None,
    }
    return render(request, "workflows/run_compare.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Permission.VIEW_WORKFLOW)
def compare_ticked(request: HttpRequest) -> HttpResponse:
    """Go to the comparison of the two runs that were ticked in the list, the older one first."""
    ticked = access.identifiers([*request.GET.getlist("run"), *request.POST.getlist("run")])
    if len(ticked) != 2:
        messages.warning(request, _("Tick exactly two runs to compare them."))
        return redirect("workflows:runs")
    older, newer = sorted(ticked)
    response = redirect("workflows:run-compare", newer)
    response["Location"] += f"?with={older}"
    return response
