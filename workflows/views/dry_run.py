"""Trying a workflow without sending: reads happen, everything else is only shown."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext_lazy as _

from accounts.permissions import Permission, requires
from workflows import access
from workflows.forms import input_form
from workflows.models import Execution, Workflow
from workflows.saved_tests.forms import ReadableJSONField
from workflows.saved_tests.secrecy import without_secrets
from workflows.triggers import manual
from workflows.views.detail import has_unpublished_changes

DRAFT, PUBLISHED = "draft", "published"
LARGEST_SAMPLE = 100_000  # characters of sample data that a page is filled with


class DryRunForm(forms.Form):
    """Which definition, and the data it starts with where no form asks for its inputs."""

    source = forms.ChoiceField(
        label=_("What to try"),
        choices=[(DRAFT, _("The draft")), (PUBLISHED, _("What is published"))],
        widget=forms.RadioSelect,
        required=False,
    )
    sample = ReadableJSONField(
        label=_("Data to start with"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 8, "spellcheck": "false", "class": "mono"}),
        help_text=_(
            "What its trigger would hand over, as JSON. Filled from the newest run, if there is one."
        ),
    )


@requires(Permission.RUN_WORKFLOW)
def dry_run(request: HttpRequest, workflow_id: UUID) -> HttpResponse:
    """Ask what to start with, then start a dry run."""
    workflow = access.workflow_for(request, workflow_id, with_definition=True)
    posted = request.POST if request.method == "POST" else None
    form = DryRunForm(posted, initial={"source": DRAFT, "sample": None if posted else _sample(workflow)})
    if workflow.published_version is None or not has_unpublished_changes(workflow):
        del form.fields["source"]
    definition = _chosen(workflow, request)
    schema = manual.inputs_schema(definition)
    inputs = input_form(schema, posted)
    if schema:
        del form.fields["sample"]
    problems: list[Any] = []
    if posted is not None and form.is_valid() and inputs.is_valid():
        given = inputs.values if schema else form.cleaned_data.get("sample")
        try:
            execution = manual.start_test(
                workflow, access.person(request), given, dry_run=True, definition=definition
            )
        except manual.NotStarted as refused:
            form.add_error(None, str(refused))
        except manual.DraftNotRunnable as refused:
            problems = refused.problems
        else:
            return redirect("workflows:run", execution.pk)
    context = {"workflow": workflow, "form": form, "inputs": inputs, "problems": problems}
    return render(request, "workflows/dry_run.html", context, status=422 if posted is not None else 200)


def _chosen(workflow: Workflow, request: HttpRequest) -> dict[str, Any]:
    if workflow.published_version is not None and request.POST.get("source") == PUBLISHED:
        return workflow.published_version.definition
    return workflow.definition


def _sample(workflow: Workflow) -> Any:
    """Return what started the newest real run, without secrets, to be tried again; None without one."""
    rows = Execution.objects.filter(workflow=workflow, mode=Execution.Mode.LIVE).order_by("-started_at")
    newest = rows.values_list("input", flat=True).first()
    if not newest or len(json.dumps(newest)) > LARGEST_SAMPLE:
        return None
    return without_secrets(newest)
