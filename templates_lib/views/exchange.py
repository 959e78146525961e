"""Bringing a workflow in from a file, after a look at what becomes of it; and taking one out."""

from __future__ import annotations

from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils.text import slugify
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from accounts.permissions import Permission, requires
from templates_lib import exchange
from templates_lib.forms import free_name
from templates_lib.n8n import Fidelity
from workflows import access
from workflows.definition.problems import DefinitionInvalid
from workflows.definition.schema import parse_definition
from workflows.queries.recipe import recipe_of

TONES = {Fidelity.EXACT: "success", Fidelity.ADAPTED: "info", Fidelity.PLACEHOLDER: "warning"}
LABELS = {
    Fidelity.EXACT: gettext_lazy("Exact"),
    Fidelity.ADAPTED: gettext_lazy("Adapted"),
    Fidelity.PLACEHOLDER: gettext_lazy("To replace"),
}


class FileForm(forms.Form):
    """A file of a workflow, chosen or pasted."""

    file = forms.FileField(
        required=False,
        label=gettext_lazy("File"),
        help_text=gettext_lazy("A .json file that Steward or n8n exported, up to 2 MB."),
        widget=forms.ClearableFileInput(attrs={"accept": ".json,application/json"}),
    )
    text = forms.CharField(
        required=False,
        strip=False,
        label=gettext_lazy("Or paste it"),
        widget=forms.Textarea(attrs={"rows": 8, "spellcheck": "false"}),
    )

    def clean(self) -> dict[str, object]:
        chosen = self.cleaned_data.get("file")
        text = self.cleaned_data.get("text") or ""
        if chosen is not None and chosen.size > exchange.MAX_BYTES:
            self.add_error("file", _("This file is larger than 2 MB. Export a single workflow."))
        elif chosen is None and not text.strip():
            self.add_error("file", _("Choose a file, or paste what you copied."))
        else:
            self._read(
                "file" if chosen is not None else "text", chosen.read() if chosen is not None else text
            )
        return self.cleaned_data

    def _read(self, place: str, content: str | bytes) -> None:
        try:
            self.cleaned_data["incoming"] = exchange.read(content)
            self.cleaned_data["text"] = content.decode("utf-8-sig") if isinstance(content, bytes) else content
        except UnicodeDecodeError:
            self.add_error(place, _("This file is not text. Choose the .json file that was exported."))
        except exchange.NotImportable as problem:
            self.add_error(place, str(problem))


@requires(Permission.CREATE_WORKFLOW)
def bring_in(request: HttpRequest) -> HttpResponse:
    """Ask for a file, show what becomes of each part, and make a draft of it once that is confirmed."""
    form = FileForm(request.POST or None, request.FILES or None)
    if request.method != "POST" or not form.is_valid():
        return render(
            request,
            "templates_lib/import.html",
            {"form": form},
            status=422 if request.method == "POST" else 200,
        )
    incoming = form.cleaned_data["incoming"]
    name = free_name(incoming.name)
    if request.POST.get("confirmed"):
        workflow = exchange.bring_in(incoming, access.person(request), name=name, request=request)
        messages.success(
            request, _("“%(name)s” is a draft now. Nothing runs until you publish it.") % {"name": name}
        )
        return redirect("workflows:detail", workflow.pk)
    try:
        recipe = recipe_of(parse_definition(incoming.definition))
    except DefinitionInvalid:
        recipe = []
    context = {
        "incoming": incoming,
        "name": name,
        "text": form.cleaned_data["text"],
        "recipe": recipe,
        "needs": incoming.needs(),
        "rows": [(report, LABELS[report.fidelity], TONES[report.fidelity]) for report in incoming.reports],
    }
    return render(request, "templates_lib/import_preview.html", context)


@require_safe
@requires(Permission.VIEW_WORKFLOW)
def take_out(request: HttpRequest, workflow_id: UUID) -> HttpResponse:
    """Answer a workflow's draft as a file, without accounts, addresses and secrets."""
    workflow = access.workflow_for(request, workflow_id, with_definition=True)
    response = JsonResponse(
        exchange.exported(workflow), json_dumps_params={"indent": 2, "ensure_ascii": False}
    )
    name = slugify(workflow.name) or "workflow"
    response["Content-Disposition"] = f'attachment; filename="{name}.json"'
    return response
