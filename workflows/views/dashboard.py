"""The first page: the dashboard of who is signed in, the front page of everybody else."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.permissions import Permission, may
from billing import entitlements
from workflows import access
from workflows.queries import dashboard as figures
from workflows.views.help import PROMISES


@require_safe
def dashboard(request: HttpRequest) -> HttpResponse:
    """Show a member how their workflows are doing; a visitor sees what Steward is."""
    if not may(request.user, Permission.VIEW_WORKFLOW):
        return front(request)
    person = access.person(request)
    organization = person.organization
    context = {
        "totals": figures.workflow_totals(person),
        "activity": figures.activity_of(person),
        "hours": figures.hours_saved(person),
        "coming": figures.coming_up(person),
        "rooms": figures.plan_use(organization)
        if organization is not None and may(person, Permission.VIEW_USAGE)
        else [],
        **figures.needs_attention(person),
    }
    return render(request, "workflows/dashboard.html", context)


@require_safe
def front(request: HttpRequest) -> HttpResponse:
    """Show what Steward does, what it promises and what it costs."""
    return render(
        request, "workflows/front.html", {"promises": PROMISES, "plans": entitlements.PLANS.values()}
    )
