"""Starting a run again from one of its steps, with the data before it changed."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from accounts import audit
from accounts.permissions import Permission, requires
from workflows import access, forking
from workflows.runner import recovery
from workflows.runner.start import InputRefused


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Permission.RUN_WORKFLOW)
def fork(request: HttpRequest, execution_id: UUID, path: str) -> HttpResponse:
    """Show the data that a step had; then begin a new run at the step with what was changed."""
    execution = access.execution_for(request, execution_id)
    person, as_json = access.person(request), "json" in request.GET
    try:
        form = forking.fork_form(execution, path[:500], as_json=as_json)
        if request.method == "POST" and form.read(request.POST):
            run = recovery.fork(execution, form.target.path, form.changed, person)
            audit.record(
                "run.forked",
                actor=person,
                target=run,
                after={
                    "from": str(execution.pk),
                    "step": form.target.path,
                    "changed": sorted(form.changed),
                },
                request=request,
            )
            messages.success(request, _("A new run begins at this step. The first run stays as it was."))
            return redirect("workflows:run", run.pk)
    except (recovery.NotRecoverable, InputRefused) as refused:
        messages.error(request, str(refused))
        return redirect("workflows:run", execution.pk)
    context = {"execution": execution, "form": form, "as_json": as_json}
    status = 422 if request.method == "POST" else 200
    return render(request, "workflows/run_fork.html", context, status=status)
