"""/approve/<signed>/: deciding from an e-mail, without signing in."""

from __future__ import annotations

import json

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from accounts.models import User
from accounts.tenancy import organization_scope
from workflows import approval_links, approvals
from workflows.models import Approval, ApprovalVote
from workflows.schema_forms import SchemaForm, form_for

STATUS_OF = {
    "decided": 410,
    "expired": 410,
    "ended": 410,
    "voted": 409,
    "changed": 409,
    "not_yours": 403,
    "form": 422,
}


# The signed address is the proof, and it is not in any cookie: another site cannot make the browser send it.
@csrf_exempt
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def approve_link(request: HttpRequest, token: str) -> HttpResponse:
    """Show the question; decide on POST only, because mail programs open every link."""
    link = approval_links.read_link(token)
    if link is None:
        return _message(request, _("This link is not valid any more. Open Steward to decide."), 404)
    with organization_scope(link.organization_id):
        approval = Approval.objects.select_related("execution__workflow").filter(pk=link.approval_id).first()
        user = User.objects.filter(pk=link.user_id, is_active=True).first()
        if approval is None or user is None:
            return _message(request, _("This link is not valid any more. Open Steward to decide."), 404)
        if approval.status != Approval.Status.PENDING:
            return _message(request, _("This has been decided already."), 410)
        if not approvals.may_answer(user, approval):
            return _message(request, _("You were not asked to decide this."), 403)
        form = _form(approval, request.POST if request.method == "POST" else None)
        if request.method == "POST":
            return _decide(request, approval, user, link, form)
        return _page(request, approval, user, form)


def _decide(
    request: HttpRequest, approval: Approval, user: User, link: approval_links.Link, form: SchemaForm | None
) -> HttpResponse:
    approve = request.POST.get("decision") == "approve"
    answers: dict[str, object] = {}
    if approval.kind == Approval.Kind.UNCERTAIN_EFFECT:
        answers = {"resolution": request.POST.get("decision")}
    elif approve and form is not None:
        if not form.is_valid():
            return _page(request, approval, user, form, status=422)
        answers = form.values
    elif request.POST.get("decision") not in ("approve", "reject"):
        return _page(request, approval, user, form, problem=_("Choose one of the answers."), status=422)
    try:
        decided = approvals.vote(
            approval,
            user,
            approve,
            form=answers,
            comment=request.POST.get("comment", ""),
            via=ApprovalVote.Via.EMAIL,
            shown_hash=link.content_hash,
        )
    except approvals.VoteRefused as refused:
        status = STATUS_OF.get(refused.code, 409)
        if refused.code == "form":
            return _page(request, approval, user, form, problem=str(refused), status=status)
        return _message(request, str(refused), status)
    waiting = decided.status == Approval.Status.PENDING
    title = (
        _("Thank you. Others must answer too.")
        if waiting
        else _("Thank you. Your answer is stored and the run goes on.")
    )
    return _message(request, title, 200, is_good=True)


def _form(approval: Approval, data: object) -> SchemaForm | None:
    if (
        not approval.form
        or not approval.form.get("properties")
        or approval.kind == Approval.Kind.UNCERTAIN_EFFECT
    ):
        return None
    return form_for(approval.form, prefix="answer")(data)


def _page(
    request: HttpRequest,
    approval: Approval,
    user: User,
    form: SchemaForm | None,
    problem: str = "",
    status: int = 200,
) -> HttpResponse:
    context = {
        "approval": approval,
        "person": user,
        "form": form,
        "problem": problem,
        "shown_text": json.dumps(approval.shown, indent=2, ensure_ascii=False),
        "is_uncertain": approval.kind == Approval.Kind.UNCERTAIN_EFFECT,
    }
    return render(request, "workflows/public/approve.html", context, status=status)


def _message(request: HttpRequest, title: str, status: int, *, is_good: bool = False) -> HttpResponse:
    return render(
        request, "workflows/public/message.html", {"title": title, "is_good": is_good}, status=status
    )
