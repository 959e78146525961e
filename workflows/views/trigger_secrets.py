"""Storing what a webhook's callers must know. It goes in, and never comes out again."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from accounts import audit
from accounts.permissions import Permission, requires
from workflows import access
from workflows.models import Trigger
from workflows.triggers import secrets

LONGEST = 1_000


@require_POST
@requires(Permission.EDIT_WORKFLOW)
def trigger_secret(request: HttpRequest, workflow_id: UUID, trigger_id: UUID) -> HttpResponse:
    """Store the secret of one trigger, in place of the one before."""
    workflow = access.workflow_for(request, workflow_id)
    trigger = get_object_or_404(
        Trigger.objects.select_for_update(of=("self",)), workflow=workflow, pk=trigger_id
    )
    secret = request.POST.get("secret", "").strip()
    if not secret or len(secret) > LONGEST:
        messages.error(request, _("Enter a secret of at most %(count)s characters.") % {"count": LONGEST})
    else:
        secrets.keep(trigger, secret)
        audit.record(
            "trigger.secret_changed",
            actor=access.person(request),
            target=workflow,
            after={"key": trigger.key},
            request=request,
        )
        messages.success(
            request, _("Stored. From now on, only requests that prove they know it are accepted.")
        )
    return redirect("workflows:triggers", workflow.pk)
