"""The tests of a workflow: save a run as one, run them, edit, switch off, delete and bring back."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe

from accounts import audit
from accounts.permissions import Permission, requires
from workflows import access
from workflows.definition.problems import DefinitionInvalid
from workflows.definition.schema import parse_definition
from workflows.definition.tree import places
from workflows.models import SavedTest, Workflow
from workflows.queries.keyset import page_of
from workflows.saved_tests.checking import Checked, check_all, titles_of
from workflows.saved_tests.forms import SavedTestForm, checks_form
from workflows.saved_tests.freeze import NotFreezable
from workflows.saved_tests.saving import save_run
from workflows.views.detail import frame
from workflows.views.parts import wants_part

HEAVY = ("input", "answers", "assertions", "started")
CALLING = ("action", "http", "ai", "workflow")


@require_safe
@requires(Permission.VIEW_WORKFLOW)
def tests(request: HttpRequest, workflow_id: UUID) -> HttpResponse:
    """List the tests, newest first, with how each went last."""
    workflow = access.workflow_for(request, workflow_id)
    return render(request, "workflows/tests.html", _list_context(request, workflow))


@require_POST
@requires(Permission.EDIT_WORKFLOW)
def saved_test(request: HttpRequest, execution_id: UUID) -> HttpResponse:
    """Save a run as a test, and show what it would demand."""
    execution = access.execution_for(request, execution_id)
    person = access.person(request)
    try:
        test = save_run(execution, person)
    except NotFreezable as refused:
        messages.error(request, str(refused))
        return redirect("workflows:run", execution.pk)
    audit.record("workflow.test_saved", actor=person, target=test, after={"name": test.name}, request=request)
    messages.success(request, _("Saved as a test. Give it a name, and look at what it checks."))
    return redirect("workflows:test", test.workflow_id, test.pk)


@require_POST
@requires(Permission.EDIT_WORKFLOW)
def run_all(request: HttpRequest, workflow_id: UUID) -> HttpResponse:
    """Run every enabled test against the draft."""
    workflow = access.workflow_for(request, workflow_id, with_definition=True)
    checked = check_all(workflow, SavedTest.objects.enabled().filter(workflow=workflow).order_by("id"))
    return _ran(request, workflow, checked)


@require_POST
@requires(Permission.EDIT_WORKFLOW)
def run_one(request: HttpRequest, workflow_id: UUID, test_id: UUID) -> HttpResponse:
    """Run one test against the draft, whether it is switched on or not."""
    test = _test_for(request, workflow_id, test_id)
    checked = check_all(test.workflow, [test])
    if request.POST.get("from") == "test":
        return redirect("workflows:test", workflow_id, test.pk)
    return _ran(request, test.workflow, checked)


@requires(Permission.EDIT_WORKFLOW)
def edit(request: HttpRequest, workflow_id: UUID, test_id: UUID) -> HttpResponse:
    """Change a test's name, input and checks, and show how it went last."""
    test = _test_for(request, workflow_id, test_id)
    titles, acting = _steps_of(test.workflow)
    posted = request.POST if request.method == "POST" else None
    name, report = test.name, test.report
    form, checks = SavedTestForm(posted, instance=test), checks_form(test, titles, acting, posted)
    if posted is not None and form.is_valid() and checks.is_valid():
        lines = [each.cleaned_data.get("assertion") for each in checks.forms]
        test.assertions = [line for line in lines if line is not None]
        test.save(update_fields=["name", "is_enabled", "input", "assertions", "updated_at"])
        done = check_all(test.workflow, [test])[0]
        _record(request, test, "workflow.test_changed", {"name": test.name})
        said = _("Saved. It passes.") if done.passed else _("Saved. It does not pass with the present draft.")
        (messages.success if done.passed else messages.warning)(request, said)
        return redirect("workflows:test", workflow_id, test.pk)
    context = {
        "workflow": test.workflow,
        "test": test,
        "name": name,
        "form": form,
        "checks": checks,
        "report": _readable(report, titles),
    }
    return render(request, "workflows/test.html", context, status=422 if posted is not None else 200)


@require_POST
@requires(Permission.EDIT_WORKFLOW)
def switch(request: HttpRequest, workflow_id: UUID, test_id: UUID) -> HttpResponse:
    """Let publishing ask a test, or not."""
    test = _test_for(request, workflow_id, test_id)
    test.switch(on=request.POST.get("on") == "1")
    said = (
        _("Publishing asks this test again.")
        if test.is_enabled
        else _("Publishing no longer asks this test.")
    )
    _record(request, test, "workflow.test_switched", {"is_enabled": test.is_enabled})
    return _changed(request, test.workflow, said)


@require_POST
@requires(Permission.EDIT_WORKFLOW)
def deletion(request: HttpRequest, workflow_id: UUID, test_id: UUID) -> HttpResponse:
    """Delete a test; for a day it can be brought back."""
    test = _test_for(request, workflow_id, test_id)
    test.delete_softly()
    _record(request, test, "workflow.test_deleted", {"name": test.name})
    said = _("“%(name)s” was deleted.") % {"name": test.name}
    undo = reverse("workflows:test-restoration", args=[workflow_id, test.pk])
    if wants_part(request):
        return _list(request, test.workflow, {"steward:undo": {"text": said, "url": undo}})
    messages.success(request, said)
    return redirect(f"{reverse('workflows:tests', args=[workflow_id])}?deleted={test.pk}")


@require_POST
@requires(Permission.EDIT_WORKFLOW)
def restoration(request: HttpRequest, workflow_id: UUID, test_id: UUID) -> HttpResponse:
    """Bring a deleted test back."""
    test = _test_for(request, workflow_id, test_id, deleted=True)
    test.bring_back()
    _record(request, test, "workflow.test_restored", {"name": test.name})
    return _changed(request, test.workflow, _("“%(name)s” is back.") % {"name": test.name})


def _test_for(request: HttpRequest, workflow_id: UUID, test_id: UUID, *, deleted: bool = False) -> SavedTest:
    workflow = access.workflow_for(request, workflow_id, with_definition=True)
    rows = SavedTest.objects.filter(workflow=workflow)
    test = get_object_or_404(rows if deleted else rows.present(), pk=test_id)
    test.workflow = workflow
    return test


def _steps_of(workflow: Workflow) -> tuple[dict[str, str], list[str]]:
    """Return (step id -> title, ids of the steps that call somebody) of the draft; empty for one full of faults."""
    try:
        definition = parse_definition(workflow.definition)
    except DefinitionInvalid:
        return {}, []
    acting = [place.step.id for place in places(definition) if getattr(place.step, "type", "") in CALLING]
    return titles_of(definition), acting


def _list_context(request: HttpRequest, workflow: Workflow) -> dict[str, Any]:
    rows = SavedTest.objects.present().filter(workflow=workflow).defer(*HEAVY)
    page = page_of(rows, request, size=20)
    for test in page.rows:
        test.failures = [each for each in test.report if isinstance(each, dict) and not each.get("passed")]
        test.passes = len(test.report) - len(test.failures)
    deleted = access.identifiers([request.GET.get("deleted", "")])
    return frame(workflow, "tests", page=page, deleted=deleted[0] if deleted else None)


def _list(request: HttpRequest, workflow: Workflow, events: dict[str, Any]) -> HttpResponse:
    response = render(request, "workflows/tests.html#saved-tests", _list_context(request, workflow))
    response.headers["HX-Trigger"] = json.dumps(events)
    return response


def _ran(request: HttpRequest, workflow: Workflow, checked: list[Checked]) -> HttpResponse:
    failed = sum(not each.passed for each in checked)
    if not checked:
        said, tone = _("No test is switched on."), "info"
    elif failed:
        said = ngettext(
            "%(failed)s of %(count)s test failed.", "%(failed)s of %(count)s tests failed.", len(checked)
        )
        said, tone = said % {"failed": failed, "count": len(checked)}, "danger"
    else:
        said = ngettext("The test passed.", "All %(count)s tests passed.", len(checked)) % {
            "count": len(checked)
        }
        tone = "success"
    if wants_part(request):
        return _list(request, workflow, {"steward:toast": {"text": said, "tone": tone}})
    {"danger": messages.error, "success": messages.success}.get(tone, messages.info)(request, said)
    return redirect("workflows:tests", workflow.pk)


def _changed(request: HttpRequest, workflow: Workflow, said: str) -> HttpResponse:
    if wants_part(request):
        return _list(request, workflow, {"steward:toast": {"text": said, "tone": "success"}})
    messages.success(request, said)
    return redirect("workflows:tests", workflow.pk)


def _record(request: HttpRequest, test: SavedTest, action: str, after: dict[str, Any]) -> None:
    audit.record(action, actor=access.person(request), target=test, after=after, request=request)


def _readable(report: list[dict[str, Any]], titles: dict[str, str]) -> list[dict[str, Any]]:
    return [{**each, "step_title": titles.get(each.get("step", ""), "")} for each in report]
