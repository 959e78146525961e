"""The team: who works here and as what, changing it, and leaving it."""

from __future__ import annotations

from typing import Any, cast
from uuid import UUID

from allauth.usersessions.models import UserSession
from django.contrib import messages
from django.contrib.auth import logout
from django.core.paginator import Paginator
from django.db.models import Max, OuterRef, Subquery
from django.db.models.functions import Greatest
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from accounts import team as rules
from accounts.forms import LeaveForm, OwnershipForm, RoleForm
from accounts.models import ApiKey, Invitation, Organization, User
from accounts.permissions import Permission, requires
from accounts.tenancy import system_scope
from accounts.toasts import offer_undo
from billing.entitlements import Limit, room

PAGE_SIZE = 50


def signed_in(request: HttpRequest) -> User:
    """Return who is signed in; views that call this are guarded by `requires`."""
    return cast(User, request.user)


@require_safe
@requires(Permission.VIEW_TEAM)
def team(request: HttpRequest) -> HttpResponse:
    """Show the people of the organization and the invitations that wait."""
    person = signed_in(request)
    seen = UserSession.objects.filter(user_id=OuterRef("pk")).order_by().values("user_id")
    everybody = rules.people().annotate(
        seen_at=Greatest("last_login_at", Subquery(seen.annotate(at=Max("last_seen_at")).values("at")))
    )
    page = Paginator(everybody.order_by("name", "email"), PAGE_SIZE).get_page(request.GET.get("page"))
    invitations = list(Invitation.objects.open().select_related("invited_by").order_by("-id")[:PAGE_SIZE])
    waiting = sum(not invitation.is_expired for invitation in invitations)
    context = {
        "page": page,
        "members": [{"person": row, "is_manageable": rules.may_manage(person, row)} for row in page],
        "invitations": invitations,
        "room": room(cast(Organization, person.organization), Limit.MEMBERS, page.paginator.count + waiting),
        **_neighbours(page),
    }
    return render(request, "accounts/team.html", context)


@requires(Permission.MANAGE_TEAM)
def member(request: HttpRequest, user_id: UUID) -> HttpResponse:
    """Show one person, and change their role."""
    person = get_object_or_404(rules.people(), pk=user_id)
    before = person.role
    form = RoleForm(request.POST or None, initial={"role": person.role})
    status = 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            try:
                rules.change_role(signed_in(request), person, form.cleaned_data["role"], request=request)
            except rules.TeamRefused as refused:
                form.add_error("role", str(refused))
                person.role = before
            else:
                _say_role(request, person, before)
                return redirect("accounts:team")
    is_manageable = rules.may_manage(signed_in(request), person)
    context = {
        "person": person,
        "form": form,
        "is_manageable": is_manageable,
        "is_self": person == request.user,
    }
    return render(request, "accounts/member.html", context, status=status)


@requires(Permission.MANAGE_TEAM)
def removal(request: HttpRequest, user_id: UUID) -> HttpResponse:
    """Ask before a person is removed, and remove them."""
    actor = signed_in(request)
    person = get_object_or_404(rules.people(), pk=user_id)
    if person.pk == actor.pk:
        return redirect("accounts:leave")
    problem = "" if rules.may_manage(actor, person) else _("Only an owner can remove an owner.")
    if request.method == "POST" and not problem:
        name = str(person)
        try:
            rules.remove(actor, person, request=request)
        except rules.TeamRefused as refused:
            problem = str(refused)
        else:
            messages.success(request, _("%(name)s no longer has access.") % {"name": name})
            return redirect("accounts:team")
    keys = ApiKey.objects.usable().filter(created_by=person).count()
    context = {"person": person, "problem": problem, "keys": keys}
    return render(request, "accounts/removal.html", context, status=422 if request.method == "POST" else 200)


@requires(Permission.OWN_SETTINGS)
def leave(request: HttpRequest) -> HttpResponse:
    """Let a person leave the organization; the last owner cannot."""
    person = signed_in(request)
    form = LeaveForm(request.POST or None, request=request)
    if request.method == "POST" and form.is_valid():
        try:
            rules.remove(person, person, request=request)
        except rules.TeamRefused as refused:
            form.add_error(None, str(refused))
        else:
            return gone(request, "accounts/left.html", {"organization": person.organization})
    return render(
        request, "accounts/leave.html", {"form": form}, status=422 if request.method == "POST" else 200
    )


@requires(Permission.TRANSFER_OWNERSHIP)
def ownership(request: HttpRequest) -> HttpResponse:
    """Hand ownership over to somebody else of the team."""
    form = OwnershipForm(request.POST or None, request=request)
    if request.method == "POST" and form.is_valid():
        heir, stays = form.cleaned_data["heir"], form.cleaned_data["stays_owner"]
        try:
            rules.hand_over(signed_in(request), heir, stays_owner=stays, request=request)
        except rules.TeamRefused as refused:
            form.add_error(None, str(refused))
        else:
            messages.success(request, _("%(name)s is an owner now.") % {"name": heir})
            return redirect("accounts:team")
    return render(
        request, "accounts/ownership.html", {"form": form}, status=422 if request.method == "POST" else 200
    )


@require_POST
@requires(Permission.MANAGE_TEAM)
def role(request: HttpRequest, user_id: UUID) -> HttpResponse:
    """Give a role back, as the undo of a change does."""
    person = get_object_or_404(rules.people(), pk=user_id)
    try:
        rules.change_role(signed_in(request), person, request.GET.get("role", ""), request=request)
    except rules.TeamRefused as refused:
        messages.error(request, str(refused))
    else:
        words = {"name": person, "role": person.get_role_display()}
        messages.success(request, _("%(name)s is %(role)s again.") % words)
    return redirect("accounts:team")


def gone(request: HttpRequest, template: str, context: dict[str, Any]) -> HttpResponse:
    """Answer a person whose sign-in no longer exists: signed out, with a page that says so."""
    with system_scope("sign out a person who is gone"):
        logout(request)
        return render(request, template, context)


def _say_role(request: HttpRequest, person: User, before: str) -> None:
    if person.role == before:
        return
    text = _("%(name)s is %(role)s now.") % {"name": person, "role": person.get_role_display()}
    if before in rules.ASSIGNABLE:
        offer_undo(request, text, f"{reverse('accounts:role', args=[person.pk])}?role={before}")
    else:
        messages.success(request, text)


def _neighbours(page: Any) -> dict[str, str]:
    return {
        "previous_url": f"?page={page.previous_page_number()}" if page.has_previous() else "",
        "next_url": f"?page={page.next_page_number()}" if page.has_next() else "",
    }
