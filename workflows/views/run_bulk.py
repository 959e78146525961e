"""Doing one thing to many runs: what is asked, how far it is, and stopping it."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe

from accounts import audit
from accounts.permissions import Permission, requires
from workflows import access
from workflows import bulk as many
from workflows.models import BulkAction
from workflows.queries.run_search import MAX_COUNTED, MAX_MATCHES
from workflows.views.parts import wants_part

ACTIONS = {action.value.lower(): action for action in BulkAction.Action}


@require_POST
@requires(Permission.RUN_WORKFLOW)
def bulk(request: HttpRequest) -> HttpResponse:
    """Begin with the ticked runs, or, once that was confirmed, with all that the list's query finds."""
    person, action = access.person(request), ACTIONS.get(request.POST.get("action", ""))
    filters = {name: request.GET[name] for name in many.FILTERS if request.GET.get(name)}
    if action is None:
        messages.warning(request, _("Choose what to do with the runs."))
        return redirect("workflows:runs")
    if request.POST.get("scope") == "all" and filters:
        if "confirmed" not in request.POST:
            most = MAX_MATCHES if "q" in filters else MAX_COUNTED
            context = {"action": action, "matching": many.matching(person, filters), "most_counted": most}
            return render(request, "workflows/run_bulk_confirm.html", context)
        made = many.begin(person, action, filters=filters, request=request)
        return redirect("workflows:runs-bulk-progress", made.pk)
    ticked = access.identifiers(request.POST.getlist("run"))
    if not ticked:
        messages.warning(request, _("Tick at least one run, then choose what to do with it."))
        return _back(request)
    made = many.begin(person, action, selected=ticked, request=request)
    if not made.is_finished:
        return redirect("workflows:runs-bulk-progress", made.pk)
    (messages.success if made.done else messages.warning)(request, _outcome(made))
    return _back(request)


@require_safe
@requires(Permission.RUN_WORKFLOW)
def progress(request: HttpRequest, bulk_id: UUID) -> HttpResponse:
    """Show how far an action is; while it is going the page asks for news by itself."""
    rows = BulkAction.objects.select_related("requested_by")
    found = get_object_or_404(rows, pk=bulk_id)
    template = "workflows/run_bulk.html#progress" if wants_part(request) else "workflows/run_bulk.html"
    return render(request, template, {"bulk": found, "outcome": _outcome(found)})


@require_POST
@requires(Permission.RUN_WORKFLOW)
def cancellation(request: HttpRequest, bulk_id: UUID) -> HttpResponse:
    """Leave the rest of the runs as they are."""
    found = get_object_or_404(BulkAction, pk=bulk_id)
    if not found.is_finished:
        many.stop(found)
        audit.record("run.bulk_stopped", actor=access.person(request), target=found, request=request)
        messages.info(request, _("Stopped. The runs that were already taken care of stay so."))
    return redirect("workflows:runs-bulk-progress", found.pk)


def _back(request: HttpRequest) -> HttpResponse:
    response = redirect("workflows:runs")
    if query := request.GET.urlencode():
        response["Location"] += f"?{query}"
    return response


def _outcome(bulk: BulkAction) -> str:
    """Return what was done so far in a sentence."""
    words = {
        BulkAction.Action.CANCEL: ngettext(
            "%(count)s run is being stopped.", "%(count)s runs are being stopped.", bulk.done
        ),
        BulkAction.Action.RESUME: ngettext(
            "%(count)s run goes on where it stopped.", "%(count)s runs go on where they stopped.", bulk.done
        ),
    }
    again = ngettext("%(count)s run was started again.", "%(count)s runs were started again.", bulk.done)
    sentences = [words.get(BulkAction.Action(bulk.action), again) % {"count": bulk.done}]
    if bulk.skipped:
        left = ngettext(
            "%(count)s stayed as it is: it does not fit, or was taken up before.",
            "%(count)s stayed as they are: they do not fit, or were taken up before.",
            bulk.skipped,
        )
        sentences.append(left % {"count": bulk.skipped})
    if bulk.failed:
        refused = ngettext(
            "%(count)s could not be taken up.", "%(count)s could not be taken up.", bulk.failed
        )
        sentences.append(refused % {"count": bulk.failed})
    return " ".join(sentences)
