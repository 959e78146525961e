"""What the editor asks while a person fills in a step: the form of an operation, and the choices of a field."""

from __future__ import annotations

from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext as _
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_GET

from accounts.permissions import Permission, requires
from integrations import choices
from integrations.framework import ConnectorError
from integrations.framework.fields import object_schema
from integrations.views.gallery import EFFECTS
from integrations.views.scopes import connector_or_404, integration_or_404, person, scope


@require_GET
@requires(Permission.EDIT_WORKFLOW)
def options(
    request: HttpRequest, provider: str, integration_id: UUID, operation: str, field: str
) -> HttpResponse:
    """Answer {"options": [{"value", "label"}], "error": ""}; for htmx, the <option>s. Errors are sentences.

    Query: the values of the fields it depends on, `afresh` to ask the service again, `selected` for the <option>s.
    """
    connector = connector_or_404(provider)
    try:
        found = choices.field_of(connector, operation, field)
    except KeyError:
        raise Http404(field) from None
    if not found.options:
        raise Http404(field)
    with scope(request):
        integration = integration_or_404(integration_id)
    if integration.provider != connector.provider:
        raise Http404(str(integration_id))
    offered: list[dict[str, str]] = []
    error = ""
    try:
        offered = choices.choices_for(
            person(request).organization_id,  # type: ignore[arg-type]
            integration_id,
            connector,
            found,
            request.GET.dict(),
            afresh="afresh" in request.GET,
        )
    except ConnectorError as failed:
        error = failed.message
    if request.htmx:  # type: ignore[attr-defined]
        return HttpResponse(_as_html(offered, request.GET.get("selected", ""), error))
    return JsonResponse({"options": offered, "error": error})


@require_GET
@requires(Permission.VIEW_INTEGRATIONS)
@cache_control(private=True, max_age=300)
def operation_schema(request: HttpRequest, provider: str, operation: str) -> HttpResponse:
    """Answer what the editor needs to know of an action or trigger: its inputs and outputs as JSON Schema."""
    connector = connector_or_404(provider)
    about = {"provider": connector.provider, "operation": operation}
    try:
        action = connector.action(operation)
    except KeyError:
        pass
    else:
        words, _tone = EFFECTS[action.effect]
        return JsonResponse(
            {
                **about,
                "kind": "action",
                "label": action.label,
                "description": action.description,
                "effect": action.effect,
                "effect_in_words": str(words),
                "input": action.input_schema,
                "output": action.returns_schema,
                "docs_url": action.docs_url or connector.docs_url,
            }
        )
    try:
        trigger = connector.trigger(operation)
    except KeyError:
        raise Http404(operation) from None
    return JsonResponse(
        {
            **about,
            "kind": "trigger",
            "way": trigger.kind,
            "label": trigger.label,
            "description": trigger.description,
            "input": object_schema(trigger.fields),
            "output": trigger.returns_schema,
            "sample": trigger.output(trigger.sample) if trigger.sample is not None else None,
            "docs_url": connector.docs_url,
        }
    )


def _as_html(offered: list[dict[str, str]], selected: str, error: str) -> str:
    if error:
        return format_html('<option value="" disabled selected>{}</option>', error)
    first = format_html('<option value="">{}</option>', _("Choose …"))
    rest = format_html_join(
        "",
        '<option value="{}"{}>{}</option>',
        (
            (choice["value"], " selected" if choice["value"] == selected else "", choice["label"])
            for choice in offered
        ),
    )
    return first + rest
