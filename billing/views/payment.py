"""Paying: the owner's pages. Each calls Stripe between two scopes, so none runs in a transaction as a whole."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import wraps
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.models import Organization
from accounts.permissions import Permission, requires
from accounts.scopes import page, person, scope
from billing import payment
from billing.models import Subscription
from billing.plans import PLANS, Plan
from billing.prices import INTERVALS
from billing.stripe_client import PaymentRefused

# How old the figures of a preview may be when they are confirmed.
PREVIEW_LASTS = timedelta(minutes=30)
View = Callable[..., HttpResponse]


def back_to_billing_when_refused(view: View) -> View:
    """Send the person back to the overview with Stripe's reason in words; nothing was changed then."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            return view(request, *args, **kwargs)
        except PaymentRefused as problem:
            messages.error(request, str(problem))
            return redirect("billing:overview")

    return guarded


@require_POST
@requires(Permission.MANAGE_BILLING)
@back_to_billing_when_refused
def checkout(request: HttpRequest) -> HttpResponse:
    """Take the owner to Stripe's page where a plan is bought."""
    plan, interval = chosen(request.POST)
    organization = organization_now(request)
    address = payment.start_checkout(
        organization, person(request), plan, interval, request.POST.get("attempt", "")[:64]
    )
    return leaving(request, address)


@require_GET
@requires(Permission.MANAGE_BILLING)
@back_to_billing_when_refused
def done(request: HttpRequest) -> HttpResponse:
    """Wait until Stripe confirms what was bought; the address proves nothing."""
    session = request.GET.get("session", "")[:255]
    if payment.finish_checkout(organization_now(request), session):
        messages.success(request, _("Thank you! Your plan is active."))
        return redirect("billing:overview")
    return page(request, "billing/confirming.html", {"session": session})


@require_POST
@requires(Permission.MANAGE_BILLING)
@back_to_billing_when_refused
def portal(request: HttpRequest) -> HttpResponse:
    """Take the owner to Stripe's page for cards, addresses, tax numbers and invoices."""
    return leaving(request, payment.portal(organization_now(request), person(request)))


@require_http_methods(["GET", "POST"])
@requires(Permission.MANAGE_BILLING)
@back_to_billing_when_refused
def change(request: HttpRequest) -> HttpResponse:
    """Show what another plan costs from now on, and change to it when that is confirmed."""
    plan, interval = chosen(request.POST if request.method == "POST" else request.GET)
    organization, subscription = subscribed(request)
    customer = str(organization.stripe_customer_id)
    if request.method == "POST":
        prorated_at = moment(request.POST.get("prorated_at", ""))
        if prorated_at is not None:
            payment.change(subscription, customer, plan, interval, prorated_at, person(request))
            say_changed(request, plan)
            return redirect("billing:overview")
        messages.info(request, _("The figures had become old. These are new."))
    preview = payment.preview_change(subscription, customer, plan, interval)
    context = {
        "organization": organization,
        "subscription": subscription,
        "plan": plan,
        "interval": interval,
        "cents": plan.yearly_cents if interval == "year" else plan.monthly_cents,
        "preview": preview,
        "prorated_at": int(preview.prorated_at.timestamp()),
        "is_smaller": plan.monthly_cents < PLANS[subscription.plan].monthly_cents,
    }
    return page(request, "billing/change.html", context)


@require_http_methods(["GET", "POST"])
@requires(Permission.MANAGE_BILLING)
@back_to_billing_when_refused
def cancellation(request: HttpRequest) -> HttpResponse:
    """Say what happens when the subscription is cancelled, and cancel it at the end of the paid period."""
    organization, subscription = subscribed(request)
    if request.method == "GET":
        return page(request, "billing/cancellation.html", {"subscription": subscription})
    payment.set_cancelled(subscription, str(organization.stripe_customer_id), True, person(request))
    messages.success(
        request, _("Your subscription ends with the period that is paid. You can take that back until then.")
    )
    return redirect("billing:overview")


@require_POST
@requires(Permission.MANAGE_BILLING)
@back_to_billing_when_refused
def resumption(request: HttpRequest) -> HttpResponse:
    """Take a cancellation back."""
    organization, subscription = subscribed(request)
    payment.set_cancelled(subscription, str(organization.stripe_customer_id), False, person(request))
    messages.success(request, _("Your subscription goes on."))
    return redirect("billing:overview")


@require_GET
@requires(Permission.MANAGE_BILLING)
def invoices(request: HttpRequest) -> HttpResponse:
    """List the invoices, or say why they cannot be shown now."""
    organization = organization_now(request)
    context: dict[str, Any] = {"invoices": [], "problem": ""}
    if organization.stripe_customer_id:
        try:
            context["invoices"] = payment.invoices(organization.stripe_customer_id)
        except PaymentRefused as problem:
            context["problem"] = str(problem)
    return page(request, "billing/invoices.html", context)


def leaving(request: HttpRequest, address: str) -> HttpResponse:
    """Show the page that goes on to Stripe: browsers refuse a form that leads to another site by redirect."""
    return page(request, "billing/leaving.html", {"address": address})


def chosen(values: Any) -> tuple[Plan, str]:
    """Return the plan and interval of a form. Raises PaymentRefused when there is no such offer."""
    plan, interval = PLANS.get(values.get("plan", "")), values.get("interval", "month")
    if plan is None or interval not in INTERVALS:
        raise PaymentRefused(_("There is no such plan. Choose one of these."))
    return plan, interval


def organization_now(request: HttpRequest) -> Organization:
    """Return the organization as it is in the database now."""
    with scope(request):
        found: Organization = Organization.objects.get(pk=str(person(request).organization_id))
        return found


def subscribed(request: HttpRequest) -> tuple[Organization, Subscription]:
    """Return the organization and its subscription. Raises PaymentRefused when there is none."""
    organization = organization_now(request)
    with scope(request):
        subscription = payment.live_subscription(organization)
    if subscription is None:
        raise PaymentRefused(_("There is no subscription yet. Choose a plan first."))
    return organization, subscription


def moment(text: str) -> datetime | None:
    """Return the moment that a preview's figures are of, None when it is too long ago or none of ours."""
    try:
        found = datetime.fromtimestamp(int(text), UTC)
    except (ValueError, OverflowError, OSError):
        return None
    return found if timezone.now() - PREVIEW_LASTS < found <= timezone.now() else None


def say_changed(request: HttpRequest, plan: Plan) -> None:
    """Tell whether the new plan is in force, or waits for its payment."""
    if organization_now(request).plan == plan.code:
        messages.success(request, _("You are on the plan %(plan)s now.") % {"plan": plan.name})
    else:
        messages.warning(
            request, _("The change waits for its payment. Until then your plan stays. Look at your invoices.")
        )
