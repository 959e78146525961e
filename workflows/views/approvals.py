"""The inbox: questions that runs ask people, and what was answered."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from accounts.permissions import Permission, requires
from workflows import access, approvals
from workflows.forms import input_form
from workflows.models import Approval
from workflows.queries.keyset import page_of

HEAVY = ("shown", "form", "answer")


@require_safe
@requires(Permission.VIEW_WORKFLOW)
def inbox(request: HttpRequest) -> HttpResponse:
    """List the questions: mine, all that are open, or those that are decided."""
    person = access.person(request)
    shown = request.GET.get("show", "mine")
    rows = access.approvals_for(person)
    if shown == "decided":
        rows = rows.exclude(status=Approval.Status.PENDING)
    elif shown == "open":
        rows = rows.filter(status=Approval.Status.PENDING)
    else:
        shown, rows = "mine", approvals.assigned_to(person)
    heavy = [f"execution__{name}" for name in access.EXECUTION_PAYLOAD]
    heavy += [f"execution__workflow__{name}" for name in access.WORKFLOW_PAYLOAD]
    page = page_of(rows.select_related("execution__workflow").defer(*HEAVY, *heavy), request)
    return render(request, "workflows/approvals.html", {"page": page, "shown": shown})


@require_safe
@requires(Permission.VIEW_WORKFLOW)
def approval(request: HttpRequest, approval_id: UUID) -> HttpResponse:
    """Show one question, everything it is about, and the way to answer."""
    found = access.approval_for(request, approval_id)
    return render(request, "workflows/approval.html", _context(request, found, input_form(found.form)))


@require_POST
@requires(Permission.ANSWER_APPROVAL)
def decision(request: HttpRequest, approval_id: UUID) -> HttpResponse:
    """Take the person's answer; the run goes on as soon as enough people have answered."""
    found = access.approval_for(request, approval_id)
    approve = request.POST.get("decision") == "approve"
    form = input_form(found.form, request.POST)
    answers: dict[str, Any] = {}
    if found.kind == Approval.Kind.UNCERTAIN_EFFECT:
        answers = {"resolution": request.POST.get("resolution", "")}
    elif approve and found.form:
        if not form.is_valid():
            return render(request, "workflows/approval.html", _context(request, found, form), status=422)
        answers = form.values
    try:
        found = approvals.vote(
            found,
            access.person(request),
            approve,
            form=answers,
            comment=request.POST.get("comment", ""),
            shown_hash=request.POST.get("shown", ""),
        )
    except approvals.VoteRefused as refused:
        for name, message in refused.fields:
            if name in form.fields:
                form.add_error(name, message)
        context = _context(request, found, form) | {"refused": str(refused)}
        return render(request, "workflows/approval.html", context, status=422)
    if found.status == Approval.Status.PENDING:
        messages.success(request, _("Thank you. Others must answer too before the run goes on."))
    else:
        messages.success(request, _("Thank you. The run goes on."))
    return redirect("workflows:approvals")


def _context(request: HttpRequest, found: Approval, form: Any) -> dict[str, Any]:
    return {
        "approval": found,
        "form": form,
        "fingerprint": approvals.fingerprint(found),
        "votes": found.votes.select_related("user").order_by("id"),
        "people": approvals.assigned_people(found)[:20],
        "may_answer": found.status == Approval.Status.PENDING and approvals.may_answer(request.user, found),
        "shown_text": json.dumps(found.shown, indent=2, ensure_ascii=False) if found.shown else "",
    }
