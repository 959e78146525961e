"""The gallery, and one template of it."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe
from django.views.decorators.vary import vary_on_headers

from accounts.permissions import Permission, requires
from templates_lib import browse, ratings
from templates_lib.forms import RatingForm
from templates_lib.models import Template, TemplateInstall, TemplateRating
from templates_lib.placeholders import example_configuration, resolve
from templates_lib.requirements import connected_providers, needs_of
from workflows.access import person
from workflows.definition.problems import DefinitionInvalid
from workflows.definition.recipe import trigger_line
from workflows.definition.schema import parse_definition, parse_triggers
from workflows.models import Workflow
from workflows.queries.recipe import operation_title, recipe_of


@require_safe
@vary_on_headers("HX-Request")
@requires(Permission.VIEW_TEMPLATES)
def gallery(request: HttpRequest) -> HttpResponse:
    """Show the templates, narrowed and in the order asked for."""
    form = browse.GalleryFilter(request.GET)
    chosen, connected = form.chosen(), connected_providers()
    page = browse.page_of(chosen, request.GET, connected)
    context = {
        "form": form,
        "chosen": chosen,
        "page": page,
        "cards": [
            (template, needs_of(template.required_integrations, [], connected)) for template in page.rows
        ],
        "is_filtered": any(value for name, value in chosen.items() if name != "sort"),
    }
    return render(
        request,
        "templates_lib/gallery.html#results"
        if request.headers.get("HX-Request")
        else "templates_lib/gallery.html",
        context,
    )


@require_safe
@requires(Permission.VIEW_TEMPLATES)
def detail(request: HttpRequest, slug: str) -> HttpResponse:
    """Show one template: what it does step by step, what it needs, what others think."""
    template = template_for(slug)
    return render(request, "templates_lib/detail.html", detail_context(request, template))


@require_POST
@requires(Permission.RATE_TEMPLATE)
def rating(request: HttpRequest, slug: str) -> HttpResponse:
    """Keep what the person thinks of a template their organization has installed."""
    template = template_for(slug)
    form = RatingForm(request.POST)
    if form.is_valid():
        try:
            ratings.rate(template, person(request), form.cleaned_data["stars"], form.cleaned_data["comment"])
        except ratings.RatingRefused as refused:
            messages.warning(request, str(refused))
        else:
            messages.success(request, _("Thank you. Your rating is kept; you can change it at any time."))
        return redirect("templates_lib:detail", slug)
    context = {**detail_context(request, template), "rating_form": form}
    return render(request, "templates_lib/detail.html", context, status=422)


def template_for(slug: str) -> Template:
    """Return a template the organization in scope may use; 404 otherwise."""
    return get_object_or_404(browse.visible(), slug=slug)


def detail_context(request: HttpRequest, template: Template) -> dict[str, Any]:
    """Return what the page of a template shows."""
    visitor = person(request)
    mine = TemplateRating.objects.filter(template=template, user=visitor).first()
    connected = connected_providers()
    seen = Workflow.objects.visible_to(visitor).values("pk")
    installs = TemplateInstall.objects.filter(template=template, workflow__in=seen).select_related("workflow")
    recipe, starts = told(template)
    return {
        "template": template,
        "needs": needs_of(template.required_integrations, template.optional_integrations, connected),
        "recipe": recipe,
        "starts": starts,
        "installs": installs.defer("workflow__definition", "configuration", "base_definition")[:10],
        "may_rate": ratings.may_rate(template),
        "rating_form": RatingForm(instance=mine),
        "my_rating": mine,
    }


def told(template: Template) -> tuple[list[Any], list[str]]:
    """Return (steps as a recipe, what starts it as sentences), with the template's example configuration."""
    configuration = example_configuration(template.configuration_schema)
    planned = [{**template.schedule, "type": "schedule"}] if template.schedule else []
    try:
        triggers = parse_triggers(resolve([*template.triggers, *planned], configuration))
        recipe = recipe_of(parse_definition(resolve(template.definition, configuration)))
    except DefinitionInvalid:  # a private template may hold a draft
        return [], []
    return recipe, [trigger_line(trigger, operation_title) for trigger in triggers]
