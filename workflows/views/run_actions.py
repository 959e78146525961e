"""What can be done about runs: stop them, go on with them, run them again; one, or many at once."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from accounts import audit
from accounts.permissions import Permission, requires
from workflows import access
from workflows.models import Execution
from workflows.runner import recovery
from workflows.runner.cancel import request_cancel


@require_POST
@requires(Permission.RUN_WORKFLOW)
def cancellation(request: HttpRequest, execution_id: UUID) -> HttpResponse:
    """Stop a run."""
    execution = access.execution_for(request, execution_id)
    request_cancel(execution.pk)
    audit.record("run.cancelled", actor=access.person(request), target=execution, request=request)
    messages.info(request, _("The run stops as soon as the step it is at allows."))
    return redirect("workflows:run", execution.pk)


@require_POST
@requires(Permission.RUN_WORKFLOW)
def resumption(request: HttpRequest, execution_id: UUID) -> HttpResponse:
    """Go on with a failed run at the step where it stopped."""
    return _again(
        request,
        execution_id,
        recovery.resume,
        _("It goes on where it stopped; finished steps are not repeated."),
    )


@require_POST
@requires(Permission.RUN_WORKFLOW)
def restart(request: HttpRequest, execution_id: UUID) -> HttpResponse:
    """Run the same input again from the beginning, with the same version or the newest."""
    if request.POST.get("version") == "newest":
        return _again(
            request, execution_id, recovery.restart_on_newest, _("Started again with the newest version.")
        )
    return _again(request, execution_id, recovery.restart, _("Started again from the beginning."))


def _again(request: HttpRequest, execution_id: UUID, act: Any, said: str) -> HttpResponse:
    execution = access.execution_for(request, execution_id)
    try:
        new_id = act(execution, access.person(request))
    except recovery.NotRecoverable as refused:
        messages.error(request, str(refused))
        return redirect("workflows:run", execution.pk)
    messages.success(request, said)
    return redirect("workflows:run", getattr(new_id, "pk", new_id))


@require_POST
@requires(Permission.RUN_WORKFLOW)
def bulk(request: HttpRequest) -> HttpResponse:
    """Repeat or cancel the ticked runs; those it does not fit stay as they are."""
    person, action = access.person(request), request.POST.get("action", "")
    identifiers = access.identifiers(request.POST.getlist("run"))
    if action not in {"restart", "cancel"} or not identifiers:
        messages.warning(request, _("Tick at least one run, then choose what to do with it."))
        return redirect("workflows:runs")
    rows = Execution.objects.visible_to(person).filter(pk__in=identifiers).select_related("workflow")
    done = 0
    for execution in rows.defer("draft_definition", "output"):
        try:
            if action == "cancel" and not execution.is_finished:
                request_cancel(execution.pk)
            elif action == "restart" and execution.is_finished:
                recovery.restart(execution, person)
            else:
                continue
        except recovery.NotRecoverable:
            continue
        done += 1
    audit.record(f"run.bulk_{action}", actor=person, after={"runs": done}, request=request)
    words = {
        "cancel": ngettext("%(count)s run is being stopped.", "%(count)s runs are being stopped.", done),
        "restart": ngettext("%(count)s run was started again.", "%(count)s runs were started again.", done),
    }
    messages.success(request, words[action] % {"count": done})
    return redirect("workflows:runs")
