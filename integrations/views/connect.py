"""Connecting an account: the form a connector asks for, the test, and the way to the service's own sign-in."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from accounts.permissions import Permission, requires
from billing.entitlements import LimitReached
from integrations import connecting, inbound, oauth_flow
from integrations.forms import OWN_NAME, ConnectForm
from integrations.framework import Connector, ConnectorError, OAuth2
from integrations.framework.auth import Auth
from integrations.models import Integration
from integrations.views.scopes import connector_or_404, integration_or_404, page, person, scope


@sensitive_post_parameters()
@require_http_methods(["GET", "POST"])
@requires(Permission.MANAGE_INTEGRATIONS)
def connect(request: HttpRequest, provider: str) -> HttpResponse:
    """Ask for what the service wants, try it, and keep it; or send the person there to sign in."""
    return _form(request, connector_or_404(provider), None)


@sensitive_post_parameters()
@require_http_methods(["GET", "POST"])
@requires(Permission.MANAGE_INTEGRATIONS)
def reconnect(request: HttpRequest, integration_id: UUID) -> HttpResponse:
    """The same for an account that is there already and keeps its name, workflows and history."""
    with scope(request):
        integration = integration_or_404(integration_id)
    return _form(request, connector_or_404(integration.provider), integration)


def keep(
    request: HttpRequest, proved: connecting.Proved, name: str, integration: Integration | None
) -> tuple[Integration, bool]:
    """Record proved credentials; return the integration and whether it is still the same account.

    Raises LimitReached, NameTaken. Opens its own scope.
    """
    with scope(request):
        if integration is None:
            return connecting.connect(proved, name, actor=person(request), request=request), True
        return integration, connecting.reconnect(integration, proved, actor=person(request), request=request)


def say_connected(
    request: HttpRequest, connector: Connector, integration: Integration, is_same: bool
) -> None:
    """Tell the person what happened."""
    if not is_same:
        messages.warning(
            request,
            _("This is another account than before. Check that the workflows that use “%(name)s” still fit.")
            % {"name": integration.name},
        )
    messages.success(request, _("“%(name)s” is connected and works.") % {"name": integration.name})


def _form(request: HttpRequest, connector: Connector, integration: Integration | None) -> HttpResponse:
    auth = _chosen(connector, request.GET.get("way", "") or (_way_of(request, connector, integration)))
    missing = oauth_flow.missing_settings(connector, auth)
    missing_secret = inbound.missing_secret(connector)
    form = ConnectForm(
        connector, auth, request.POST if request.method == "POST" else None, integration=integration
    )
    status = 200
    if request.method == "POST" and not missing:
        status = 422
        if form.is_valid():
            if isinstance(auth, OAuth2) and oauth_flow.needs_sign_in(auth):
                answer = _send_away(request, connector, auth, form, integration)
            else:
                answer = _try(request, connector, auth, form, integration)
            if answer is not None:
                return answer
    context: dict[str, Any] = {
        "connector": connector,
        "integration": integration,
        "form": form,
        "auth": auth,
        "ways": connector.auths if len(connector.auths) > 1 else (),
        "signs_in": oauth_flow.needs_sign_in(auth),
        "missing": list(dict.fromkeys([*missing, *([missing_secret] if missing and missing_secret else [])])),
        "app_address": inbound.app_address(connector) if missing_secret else "",
        "redirect_address": oauth_flow.redirect_address(),
    }
    return page(request, "integrations/connect.html", context, status)


def _try(
    request: HttpRequest, connector: Connector, auth: Auth, form: ConnectForm, integration: Integration | None
) -> HttpResponse | None:
    try:
        proved = connecting.prove(connector, auth, form.credentials, form.account)
        kept, is_same = keep(request, proved, form.name, integration)
    except ConnectorError as error:
        form.add_error(None, connecting.explain(connector, error))
    except connecting.NameTaken:
        form.add_error(OWN_NAME, _("Another connection to this service already has this name."))
    except LimitReached as reached:
        form.add_error(None, str(reached))
    else:
        say_connected(request, connector, kept, is_same)
        return redirect("integrations:integration", kept.pk)
    return None


def _send_away(
    request: HttpRequest,
    connector: Connector,
    auth: OAuth2,
    form: ConnectForm,
    integration: Integration | None,
) -> HttpResponse | None:
    try:
        address = oauth_flow.begin(
            request,
            connector,
            auth,
            name=form.name,
            account=form.account,
            credentials=form.credentials,
            integration_id=str(integration.pk) if integration else "",
        )
    except ConnectorError as error:
        form.add_error(None, error.message)
        return None
    # A page, not a redirect: our Content-Security-Policy lets no form end at another site.
    return page(request, "integrations/leaving.html", {"connector": connector, "address": address})


def _chosen(connector: Connector, way: str) -> Auth:
    return next((auth for auth in connector.auths if auth.key == way), connector.auths[0])


def _way_of(request: HttpRequest, connector: Connector, integration: Integration | None) -> str:
    """The way an account was connected before is offered first."""
    if integration is None or len(connector.auths) == 1:
        return ""
    from integrations import credentials

    try:
        return str(credentials.read(integration).get("auth", ""))
    except credentials.DecryptionFailed:
        return ""
