"""Installing a template step by step, and bringing an installed workflow to the template's newest version."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from accounts.permissions import Permission, requires
from templates_lib import install as installing
from templates_lib import live_choices
from templates_lib.forms import InstallForm, configuration_form
from templates_lib.models import TemplateInstall
from templates_lib.requirements import connected_providers, needs_of
from templates_lib.views.gallery import template_for
from workflows.access import person
from workflows.models import Workflow
from workflows.publishing import DraftConflict


@requires(Permission.INSTALL_TEMPLATE)
def install(request: HttpRequest, slug: str) -> HttpResponse:
    """Ask what the template needs to know, then make a draft of it."""
    template = template_for(slug)
    data = request.POST if request.method == "POST" else None
    form, configuration = InstallForm(data, template=template), configuration_form(template, data)
    live_choices.offer(configuration, template, form.only, form.chooser_ids())
    # Both are looked at, so that one answer names everything there is to correct.
    are_valid = [form.is_valid(), configuration.is_valid()] if data is not None else [False]
    if all(are_valid):
        made = installing.install(
            template,
            person(request),
            name=form.cleaned_data["name"],
            configuration=configuration.values,
            accounts=form.accounts(),
            request=request,
        )
        return redirect("templates_lib:installed", made.workflow_id)
    context = {
        "template": template,
        "form": form,
        "configuration": configuration,
        "needs": needs_of(
            template.required_integrations, template.optional_integrations, connected_providers()
        ),
    }
    return render(request, "templates_lib/install.html", context, status=422 if data is not None else 200)


@require_safe
@requires(Permission.INSTALL_TEMPLATE)
def installed(request: HttpRequest, workflow_id: UUID) -> HttpResponse:
    """Show what is left to do for a workflow that came from a template: connect, test, publish."""
    made = install_for(request, workflow_id)
    needs = needs_of(made.template.required_integrations, [], connected_providers())
    context = {
        "install": made,
        "template": made.template,
        "workflow": made.workflow,
        "needs": needs,
        "is_connected": all(need.is_connected for need in needs),
        "has_update": installing.has_update(made),
    }
    return render(request, "templates_lib/installed.html", context)


@requires(Permission.EDIT_WORKFLOW)
def update(request: HttpRequest, workflow_id: UUID) -> HttpResponse:
    """Show what a newer version of the template changes, then bring it to the draft."""
    made = install_for(request, workflow_id)
    data = request.POST if request.method == "POST" else None
    form = configuration_form(made.template, data, made.configuration)
    live_choices.offer(form, made.template, installing.bound_accounts(made), {})
    conflicts: list[str] = []
    if data is not None and form.is_valid():
        try:
            installing.update(made, person(request), form.values, request=request)
        except DraftConflict as conflict:
            conflicts = [each.sentence for each in conflict.conflicts]
        else:
            messages.success(
                request, _("The draft has the template's newest version. Test it, then publish.")
            )
            return redirect("workflows:publication", workflow_id)
    context = {
        "install": made,
        "template": made.template,
        "workflow": made.workflow,
        "form": form,
        "conflicts": conflicts,
        "has_update": installing.has_update(made),
        "changes": installing.changes_of_update(made, made.configuration),
    }
    return render(request, "templates_lib/update.html", context, status=422 if data is not None else 200)


def install_for(request: HttpRequest, workflow_id: UUID) -> TemplateInstall:
    """Return the install of a workflow the person may see; 404 otherwise."""
    visible = Workflow.objects.visible_to(person(request)).values("pk")
    rows = TemplateInstall.objects.filter(workflow__in=visible).select_related("template", "workflow")
    return get_object_or_404(rows, workflow_id=workflow_id)
