"""One connected account: how it is, who needs it, and what can be done with it."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.permissions import Permission, requires
from billing.entitlements import LimitReached
from integrations import connecting, health, inbound
from integrations import credentials as store
from integrations.forms import NameForm, WebhookSecretForm
from integrations.framework import Connector, ConnectorError, registry
from integrations.models import Integration
from integrations.usage import usage_of
from integrations.views.scopes import in_scope, integration_or_404, person, scope


@require_safe
@requires(Permission.MANAGE_INTEGRATIONS)
@in_scope
def integration(request: HttpRequest, integration_id: UUID) -> HttpResponse:
    """Show its state, what depends on it, and the address for its deliveries."""
    row = integration_or_404(integration_id)
    return render(request, "integrations/integration.html", _context(row))


@require_POST
@requires(Permission.MANAGE_INTEGRATIONS)
def test(request: HttpRequest, integration_id: UUID) -> HttpResponse:
    """Call the service now and say whether it answers."""
    with scope(request):
        row = integration_or_404(integration_id)
    try:
        tested = health.check(row.organization_id, row.pk)
    except ConnectorError as error:
        messages.error(request, error.message)
    else:
        if tested.label:
            messages.success(
                request,
                _("It works. %(service)s answered as “%(account)s”.")
                % {"service": row.get_provider_display(), "account": tested.label},
            )
        else:
            messages.success(
                request, _("It works: %(service)s answered.") % {"service": row.get_provider_display()}
            )
    return redirect("integrations:integration", integration_id)


test.__test__ = False  # type: ignore[attr-defined] # pytest would take its name for a test


@require_POST
@requires(Permission.MANAGE_INTEGRATIONS)
@in_scope
def rename(request: HttpRequest, integration_id: UUID) -> HttpResponse:
    """Give it another name."""
    row = integration_or_404(integration_id)
    form = NameForm(request.POST)
    if form.is_valid():
        try:
            connecting.rename(row, form.cleaned_data["name"], actor=person(request), request=request)
        except connecting.NameTaken:
            row.refresh_from_db()
            form.add_error("name", _("Another connection to this service already has this name."))
        else:
            messages.success(request, _("It is called “%(name)s” now.") % {"name": row.name})
            return redirect("integrations:integration", row.pk)
    return render(request, "integrations/integration.html", _context(row, name_form=form), status=422)


@require_POST
@requires(Permission.MANAGE_INTEGRATIONS)
@in_scope
def disable(request: HttpRequest, integration_id: UUID) -> HttpResponse:
    """Switch it off."""
    row = integration_or_404(integration_id)
    connecting.disable(row, actor=person(request), request=request)
    messages.success(request, _("“%(name)s” is switched off. Runs that need it wait.") % {"name": row.name})
    return redirect("integrations:integration", row.pk)


@require_POST
@requires(Permission.MANAGE_INTEGRATIONS)
@in_scope
def enable(request: HttpRequest, integration_id: UUID) -> HttpResponse:
    """Switch it on again."""
    row = integration_or_404(integration_id)
    try:
        connecting.enable(row, actor=person(request), request=request)
    except LimitReached as reached:
        messages.error(request, str(reached))
    else:
        messages.success(
            request, _("“%(name)s” is switched on. What waited for it goes on.") % {"name": row.name}
        )
    return redirect("integrations:integration", row.pk)


@require_http_methods(["GET", "POST"])
@requires(Permission.MANAGE_INTEGRATIONS)
def disconnect(request: HttpRequest, integration_id: UUID) -> HttpResponse:
    """Ask, with everything that depends on it in view; then forget it and tell the service."""
    with scope(request):
        row = integration_or_404(integration_id)
        if request.method != "POST":
            context = {"integration": row, "usage": usage_of(row)}
            return render(request, "integrations/disconnect.html", context)
        name = row.name
        revocation = connecting.disconnect(row, actor=person(request), request=request)
    if revocation is not None and not connecting.revoke(revocation):
        messages.warning(
            request,
            _("%(service)s could not be told. Remove Steward from its list of connected apps as well.")
            % {"service": revocation.connector.name},
        )
    messages.success(
        request, _("“%(name)s” is disconnected, and its credentials are deleted.") % {"name": name}
    )
    return redirect("integrations:gallery")


@sensitive_post_parameters()
@require_POST
@requires(Permission.MANAGE_INTEGRATIONS)
@in_scope
def webhook_secret(request: HttpRequest, integration_id: UUID) -> HttpResponse:
    """Keep the key with which the service signs its deliveries to this account."""
    row = integration_or_404(integration_id)
    form = WebhookSecretForm(request.POST)
    if not form.is_valid():
        return render(request, "integrations/integration.html", _context(row, secret_form=form), status=422)
    locked = Integration.objects.select_for_update(of=("self",)).get(pk=row.pk)
    state = {**store.read_webhook_state(locked), "secret": form.cleaned_data["secret"]}
    store.write_webhook_state(locked, state)
    locked.save(update_fields=["webhook_state", "updated_at"])
    messages.success(request, _("The signing secret is stored. Deliveries are checked with it from now on."))
    return redirect("integrations:integration", row.pk)


def _context(
    row: Integration, *, name_form: NameForm | None = None, secret_form: WebhookSecretForm | None = None
) -> dict[str, Any]:
    try:
        connector: Connector | None = registry.get(row.provider)
    except KeyError:
        connector = None
    webhooks = inbound.webhooks_for_accounts(connector) if connector else None
    wants_secret = bool(
        webhooks
        and webhooks.address == "integration"
        and webhooks.signature
        and webhooks.secret == "subscription"
        and webhooks.subscribe is None
        and not webhooks.shows_kept_secret
    )
    return {
        "integration": row,
        "connector": connector,
        "usage": usage_of(row),
        "webhooks": webhooks,
        "webhook_url": row.webhook_url,
        "has_webhook_secret": bool(row.webhook_state),
        "wants_secret": wants_secret,
        "secret_to_enter": inbound.secret_to_enter(row),
        "missing_secret": inbound.missing_secret(connector) if connector else (),
        "app_address": inbound.app_address(connector) if connector else "",
        "name_form": name_form or NameForm(initial={"name": row.name}),
        "secret_form": secret_form or WebhookSecretForm(),
        "variables": [
            (entry.title, row.settings.get(entry.key))
            for entry in (connector.account if connector else ())
            if row.settings.get(entry.key) and entry.kind != "secret"
        ],
    }
