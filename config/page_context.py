"""What every page's template may use."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.functional import SimpleLazyObject
from django.utils.translation import gettext as _

from accounts.permissions import Permission, may
from accounts.tenancy import within
from billing.entitlements import payment_problem_for


class PermissionsOf:
    """`{% if can.EDIT_WORKFLOW %}`: what the signed-in person may do, by the names of Permission."""

    def __init__(self, user: Any) -> None:
        self._user = user

    def __getitem__(self, name: str) -> bool:
        return may(self._user, Permission[name])


def page_context(request: HttpRequest) -> dict[str, Any]:
    """Return the CSP nonce, what the person may do, and whether this is a development server."""
    return {
        "csp_nonce": getattr(request, "csp_nonce", ""),
        "can": PermissionsOf(getattr(request, "user", None)),
        "is_development": settings.DEBUG,
        "plan_banner": SimpleLazyObject(lambda: plan_banner(getattr(request, "user", None))),
    }


def plan_banner(person: Any) -> dict[str, str] | None:
    """Return what every page says while a payment is missing: {"text", "url", "action"}; None when all is well.

    Those who cannot pay are told whom to ask.
    """
    if getattr(person, "organization_id", None) is None:
        return None
    with within(person.organization_id):
        problem = payment_problem_for(person)
    if problem is None:
        return None
    texts = {
        "PAST_DUE": _("A payment failed. Workflows go on until %(day)s; then new runs wait until it is paid.")
        % {"day": date_format(problem.until, "j F") if problem.until else ""},
        "STOPPED": _("New runs wait because the subscription is not paid. Nothing is lost."),
        "TRIAL_OVER": _(
            "Your trial is over, so new runs wait. Nothing is lost: choose a plan, and they go on."
        ),
    }
    text = texts[problem.kind]
    if not may(person, Permission.MANAGE_BILLING):
        return {"text": f"{text} {_('Please ask the owner of your organization.')}"}
    if problem.pay_url:
        return {"text": text, "url": problem.pay_url, "action": _("Pay the invoice")}
    return {"text": text, "url": reverse("billing:overview"), "action": _("Go to billing")}
