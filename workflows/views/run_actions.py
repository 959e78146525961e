"""What can be done about a run: stop it, go on with it, run it again."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from accounts import audit
from accounts.models import User
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


def _again(
    request: HttpRequest, execution_id: UUID, act: Callable[[Execution, User], Execution], said: str
) -> HttpResponse:
    execution, person = access.execution_for(request, execution_id), access.person(request)
    try:
        run = act(execution, person)
    except recovery.NotRecoverable as refused:
        messages.error(request, str(refused))
        return redirect("workflows:run", execution.pk)
    action = "run.resumed" if run.relation == Execution.Relation.RESUME else "run.restarted"
    audit.record(action, actor=person, target=run, after={"from": str(execution.pk)}, request=request)
    messages.success(request, said)
    return redirect("workflows:run", run.pk)
