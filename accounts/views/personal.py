"""A person's own settings, and how safely they sign in."""

from __future__ import annotations

from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from accounts import notifications
from accounts.audit import record
from accounts.forms import PersonalForm
from accounts.notifications import Notification
from accounts.permissions import Permission, requires
from accounts.sessions import browser_name, end_sessions, sessions_of
from accounts.views.team import signed_in


@requires(Permission.OWN_SETTINGS)
def personal(request: HttpRequest) -> HttpResponse:
    """Show and change name, language, time zone and notifications."""
    person = signed_in(request)
    wanted = [choice.value for choice in Notification if notifications.wants(person, choice)]
    form = PersonalForm(request.POST or None, instance=person, initial={"notifications": wanted})
    if request.method == "POST" and form.is_valid():
        notifications.choose(person, form.cleaned_data["notifications"])
        person.save(update_fields=["name", "language", "timezone", "preferences", "updated_at"])
        messages.success(request, _("Saved."))
        return redirect("accounts:settings")
    if request.method == "POST":
        person.refresh_from_db(fields=["name", "language", "timezone"])
    status = 422 if request.method == "POST" else 200
    return render(request, "accounts/settings.html", {"form": form, "tab": "personal"}, status=status)


@require_safe
@requires(Permission.OWN_SETTINGS)
def security(request: HttpRequest) -> HttpResponse:
    """Show how the person signs in, and where they are signed in."""
    person = signed_in(request)
    factors = list(Authenticator.objects.filter(user_id=person.pk))
    codes = next((factor for factor in factors if factor.type == Authenticator.Type.RECOVERY_CODES), None)
    kinds = [factor.type for factor in factors]
    sessions = list(sessions_of(person)[:20])
    for session in sessions:
        session.browser = browser_name(session.user_agent)
    context = {
        "tab": "security",
        "has_totp": Authenticator.Type.TOTP in kinds,
        "passkeys": kinds.count(Authenticator.Type.WEBAUTHN),
        "codes_left": len(codes.wrap().get_unused_codes()) if codes else None,
        "connected": list(SocialAccount.objects.filter(user_id=person.pk)),
        "sessions": sessions,
        "session_key": request.session.session_key,
    }
    return render(request, "accounts/security.html", context)


@require_POST
@requires(Permission.OWN_SETTINGS)
def end_other_sessions(request: HttpRequest) -> HttpResponse:
    """Sign the person out on every other device."""
    person = signed_in(request)
    ended = end_sessions([person], but=request.session.session_key)
    if ended:
        record(
            "security.sessions_ended", actor=person, target=person, after={"sessions": ended}, request=request
        )
    messages.success(request, _("You are signed in here only."))
    return redirect("accounts:security")
