"""Where a person comes back to after signing in at a service."""

from __future__ import annotations

import logging

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from accounts.permissions import Permission, requires
from billing.entitlements import LimitReached
from integrations import connecting, oauth_flow
from integrations.framework import ConnectorError, registry
from integrations.models import Integration
from integrations.views.connect import keep, say_connected
from integrations.views.scopes import scope

log = logging.getLogger("integrations.oauth")


@require_GET
@never_cache
@requires(Permission.MANAGE_INTEGRATIONS)
def callback(request: HttpRequest) -> HttpResponse:
    """Finish the sign-in that the state belongs to: read, call the service, record."""
    try:
        flow = oauth_flow.take(request)
    except oauth_flow.FlowBroken as broken:
        messages.error(request, str(broken))
        return redirect("integrations:gallery")
    back = redirect("integrations:connect", flow.provider)
    integration = None
    if flow.integration_id:
        with scope(request):
            integration = Integration.objects.filter(pk=flow.integration_id).first()
        if integration is None:
            messages.error(request, _("This connection was removed meanwhile."))
            return redirect("integrations:gallery")
        back = redirect("integrations:integration", integration.pk)
    name = registry.get(flow.provider).name
    if "error" in request.GET or not request.GET.get("code"):
        log.info("sign-in refused provider=%s", flow.provider)
        messages.error(
            request,
            _("%(service)s was not connected: the sign-in there was cancelled or refused.")
            % {"service": name},
        )
        return back
    try:
        proved = oauth_flow.finish(flow, request.GET.dict())
        kept, is_same = keep(request, proved, flow.name, integration)
    except ConnectorError as error:
        log.warning("sign-in failed provider=%s error=%s", flow.provider, error.code or error.status)
        messages.error(request, connecting.explain(registry.get(flow.provider), error))
        return back
    except (oauth_flow.FlowBroken, LimitReached) as refused:
        messages.error(request, str(refused))
        return back
    except connecting.NameTaken:
        messages.error(
            request, _("Another connection to this service already has this name. Choose another one.")
        )
        return back
    say_connected(request, proved.connector, kept, is_same)
    return redirect("integrations:integration", kept.pk)
