"""/forms/<token>/: a page that we host, whose answers start a run. Works without JavaScript and without an account."""

from __future__ import annotations

import math

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from accounts.tenancy import organization_scope
from workflows.models import TriggerDecision
from workflows.schema_forms import SchemaFormError, form_for, initial_for
from workflows.triggers import backlog, intake
from workflows.triggers import form as trigger_form
from workflows.triggers.addresses import Address

Reason = TriggerDecision.Reason
# People leave it empty, because it is out of sight; programs that fill in everything do not.
HONEYPOT = "website_address"


# Anonymous senders have no session that another site could abuse; where signing in is asked for, nothing but a run of
# that very form follows from a request, and the page says whose it is.
@csrf_exempt
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def form_page(request: HttpRequest, token: str) -> HttpResponse:
    """Show the form, or take what was filled in: 422 with the same page when something is wrong."""
    address = trigger_form.find(token)
    if address is None or not _is_open(address):
        return _message(request, _("There is no form at this address."), 404)
    sender = _sender(request, address)
    if sender is None:
        return redirect(f"{reverse('account_login')}?next={request.path}")
    try:
        form_class = form_for(address.settings.form)
    except SchemaFormError:
        return _message(request, _("This form cannot be shown. Tell whoever gave you the address."), 404)
    if request.method != "POST":
        form = form_class(initial=initial_for(address.settings.form))
        return _page(request, address, form)
    if (seconds := trigger_form.seconds_to_wait(address, sender)) > 0:
        response = _message(
            request, _("Too many answers in a short time. Wait a minute and send it again."), 429
        )
        response.headers["Retry-After"] = str(math.ceil(seconds))
        return response
    form = form_class(request.POST)
    if request.POST.get(HONEYPOT):
        return _thanks(request, address)  # a program learns nothing from the answer
    if not form.is_valid():
        return _page(request, address, form, status=422)
    try:
        stored = trigger_form.submit(address, form.values, sender)
    except intake.Stale:
        trigger_form.addresses.find(token, afresh=True)
        return _page(
            request,
            address,
            form,
            problem=_("The form was changed meanwhile. Look again, then send."),
            status=409,
        )
    if stored.reason == Reason.BACKLOG_FULL:
        text = _("Too many answers are waiting to be worked on. Nothing was kept: send it again in a minute.")
        response = _page(request, address, form, problem=text, status=429)
        response.headers["Retry-After"] = str(backlog.RETRY_SECONDS)
        return response
    if stored.reason not in (Reason.STARTED, Reason.PLAN_LIMIT, Reason.CAPTURED, Reason.DUPLICATE):
        return _message(request, _("This form takes no answers at the moment."), 409)
    return _thanks(request, address)


def _is_open(address: Address) -> bool:
    return address.is_active or bool(address.version_id) or address.status == "DRAFT"


def _sender(request: HttpRequest, address: Address) -> trigger_form.Sender | None:
    remote = request.META.get("REMOTE_ADDR") or None
    if not address.settings.require_login:
        return trigger_form.Sender(remote)
    with organization_scope(address.organization_id):
        user = request.user
        if not user.is_authenticated or user.organization_id != address.organization_id:
            return None
        return trigger_form.Sender(remote, str(user.pk), user.email)


def _page(
    request: HttpRequest, address: Address, form: object, problem: str = "", status: int = 200
) -> HttpResponse:
    context = {"trigger": address.settings, "form": form, "problem": problem, "honeypot": HONEYPOT}
    return render(request, "workflows/public/form.html", context, status=status)


def _thanks(request: HttpRequest, address: Address) -> HttpResponse:
    text = address.settings.thanks or _("Thank you. Your answers have arrived.")
    return _message(request, text, 200, is_good=True)


def _message(request: HttpRequest, title: str, status: int, *, is_good: bool = False) -> HttpResponse:
    return render(
        request, "workflows/public/message.html", {"title": title, "is_good": is_good}, status=status
    )
