"""Invitations: sending and taking back, and the page their link opens."""

from __future__ import annotations

from uuid import UUID

from allauth.account.utils import perform_login
from allauth.core import ratelimit
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from accounts import invitations
from accounts.forms import AcceptForm, InviteForm
from accounts.invitations import InvitationRefused, Verdict
from accounts.models import Invitation
from accounts.permissions import Permission, requires
from accounts.team import TeamRefused
from accounts.tenancy import system_scope
from accounts.toasts import offer_undo
from accounts.views.team import signed_in
from billing.entitlements import LimitReached

PROBLEMS = (TeamRefused, LimitReached)


@requires(Permission.MANAGE_TEAM)
def invite(request: HttpRequest) -> HttpResponse:
    """Ask whom to invite, and send the invitation."""
    form = InviteForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        email = form.cleaned_data["email"]
        if not ratelimit.consume(request, action="invite"):
            form.add_error(None, _("That were many invitations at once. Go on in an hour."))
        else:
            try:
                invitations.invite(signed_in(request), email, form.cleaned_data["role"], request=request)
            except PROBLEMS as problem:
                form.add_error(None if isinstance(problem, LimitReached) else "email", str(problem))
            else:
                messages.success(
                    request, _("%(email)s has mail. The link lasts seven days.") % {"email": email}
                )
                return redirect("accounts:team")
    return render(
        request, "accounts/invite.html", {"form": form}, status=422 if request.method == "POST" else 200
    )


@require_POST
@requires(Permission.MANAGE_TEAM)
def resend(request: HttpRequest, invitation_id: UUID) -> HttpResponse:
    """Send a fresh link."""
    invitation = get_object_or_404(
        Invitation.objects.open().select_for_update(of=("self",)), pk=invitation_id
    )
    if not ratelimit.consume(request, action="invite"):
        messages.error(request, _("That were many invitations at once. Go on in an hour."))
        return redirect("accounts:team")
    try:
        invitations.resend(signed_in(request), invitation, request=request)
    except PROBLEMS as problem:
        messages.error(request, str(problem))
    else:
        words = _("%(email)s has a new link. It lasts seven days.")
        messages.success(request, words % {"email": invitation.email})
    return redirect("accounts:team")


@require_POST
@requires(Permission.MANAGE_TEAM)
def revoke(request: HttpRequest, invitation_id: UUID) -> HttpResponse:
    """Make an invitation's link stop working."""
    invitation = get_object_or_404(
        Invitation.objects.open().select_for_update(of=("self",)), pk=invitation_id
    )
    invitations.revoke(signed_in(request), invitation, request=request)
    text = _("The invitation of %(email)s no longer works.") % {"email": invitation.email}
    offer_undo(request, text, reverse("accounts:invitation-restore", args=[invitation.pk]))
    return redirect("accounts:team")


@require_POST
@requires(Permission.MANAGE_TEAM)
def restore(request: HttpRequest, invitation_id: UUID) -> HttpResponse:
    """Undo a revocation."""
    rows = Invitation.objects.filter(accepted_at=None, revoked_at__isnull=False)
    invitation = get_object_or_404(rows.select_for_update(of=("self",)), pk=invitation_id)
    try:
        invitations.restore(signed_in(request), invitation, request=request)
    except PROBLEMS as problem:
        messages.error(request, str(problem))
    else:
        words = _("The invitation of %(email)s works again.")
        messages.success(request, words % {"email": invitation.email})
    return redirect("accounts:team")


@never_cache
def invitation(request: HttpRequest, token: str) -> HttpResponse:
    """Open an invitation's link: say what it is about, and make its holder a member."""
    verdict, found = invitations.find(token)
    if verdict is not Verdict.OPEN or found is None:
        return _closed(request, verdict, found)
    # Somebody else may be signed in at this browser: their session ends only once they accept.
    form = AcceptForm(request.POST or None, email=found.email)
    if request.method == "POST" and form.is_valid():
        try:
            name, password = form.cleaned_data["name"], form.cleaned_data["password"]
            user = invitations.accept(found.pk, name, password, request=request)
        except InvitationRefused as refused:
            return _closed(request, refused.verdict, found)
        except LimitReached:
            form.add_error(None, _("There is no place left on the team. Ask the person who invited you."))
        else:
            with system_scope("sign in a new member"):
                return perform_login(
                    request, user, email_verification="none", redirect_url="/", email=user.email
                )
    context = {"invitation": found, "form": form}
    with system_scope("show an invitation"):
        status = 422 if request.method == "POST" else 200
        return _private(render(request, "accounts/invitation.html", context, status=status))


def _closed(request: HttpRequest, verdict: Verdict, found: Invitation | None) -> HttpResponse:
    with system_scope("show why an invitation is closed"):
        context = {"verdict": verdict.name, "invitation": found}
        status = 404 if verdict is Verdict.UNKNOWN else 410
        return _private(render(request, "accounts/invitation_closed.html", context, status=status))


def _private(response: HttpResponse) -> HttpResponse:
    """The address is the secret: it must not travel on in a Referer header. With "no-referrer" browsers would also send
    the form with a null Origin, which the check against forged requests refuses.
    """
    response.headers["Referrer-Policy"] = "same-origin"
    return response
