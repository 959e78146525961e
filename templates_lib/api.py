"""Templates in the API: look through the gallery, and make a workflow of one."""

from __future__ import annotations

from typing import Annotated, Any, Literal
from uuid import UUID

from django.http import HttpRequest
from ninja import Field, Query, Router, Schema, Status
from pydantic import StringConstraints

from accounts.api.authentication import endpoint, set_header
from accounts.api.pages import Body, PageQuery, page_of
from accounts.api.problems import Problem
from accounts.models.api_key import Scope
from accounts.permissions import Permission
from integrations.models import Integration
from templates_lib import install as installing
from templates_lib.browse import PAYLOAD, visible
from templates_lib.forms import NO_FIELDS, free_name
from templates_lib.models import Template
from templates_lib.requirements import AI, connected_providers
from templates_lib.views.gallery import template_for
from workflows import access
from workflows.api.drafts import NAME_TAKEN
from workflows.api.shapes import Category, WorkflowOut, answered
from workflows.models import Workflow
from workflows.schema_forms import schema_problems

router = Router()


class TemplateSummary(Schema):
    """A ready-made workflow."""

    slug: str = Field(description="Names it in addresses.", examples=["failed-payment-rescue"])
    name: str
    description: str
    category: Category
    tags: list[str]
    difficulty: Literal["BEGINNER", "INTERMEDIATE", "ADVANCED"]
    estimated_time_savings: str
    required_integrations: list[str]
    optional_integrations: list[str]
    author: Literal["OFFICIAL", "COMMUNITY"]
    version: int
    popularity: int

    @classmethod
    def of(cls, template: Template, **more: Any) -> Any:
        return cls(**{name: getattr(template, name) for name in TemplateSummary.model_fields}, **more)


class TemplateOut(TemplateSummary):
    """A ready-made workflow with what installing it asks."""

    configuration_schema: dict[str, Any] = Field(description="JSON Schema of `configuration`.")
    missing_integrations: list[str] = Field(description="Services to connect before it can run.")


class TemplatePage(Schema):
    """A part of the gallery."""

    items: list[TemplateSummary]
    next_cursor: str | None


class TemplateQuery(PageQuery):
    """Which templates to list."""

    category: Category | Literal[""] = ""
    difficulty: Literal["", "BEGINNER", "INTERMEDIATE", "ADVANCED"] = ""
    tag: str = Field("", max_length=40)


class Installation(Body):
    """How to install a template."""

    name: Annotated[str, StringConstraints(strip_whitespace=True, max_length=120)] = Field(
        "", description="Of the new workflow; empty: the template's own."
    )
    configuration: dict[str, Any] = Field({}, description="Answers to `configuration_schema`.")
    accounts: dict[str, UUID] = Field(
        {}, description="Which account to use, by service, where there are several."
    )


@router.get("/templates", response=TemplatePage, summary="List templates")
@endpoint(Scope.WORKFLOWS_READ, Permission.VIEW_TEMPLATES)
def list_templates(request: HttpRequest, query: Query[TemplateQuery]) -> Any:
    """List the templates of the gallery and the organization's own, newest first."""
    rows = visible().defer(*PAYLOAD)
    for name in ("category", "difficulty"):
        if value := getattr(query, name):
            rows = rows.filter(**{name: value})
    if query.tag:
        rows = rows.filter(tags__contains=[query.tag])
    found, cursor = page_of(rows, query)
    return TemplatePage(items=[TemplateSummary.of(each) for each in found], next_cursor=cursor)


@router.get("/templates/{slug:slug}", response=TemplateOut, summary="Read a template")
@endpoint(Scope.WORKFLOWS_READ, Permission.VIEW_TEMPLATES)
def get_template(request: HttpRequest, slug: str) -> Any:
    """Return a template, what it asks for, and which services are not connected yet."""
    template = template_for(slug)
    connected = connected_providers()
    return TemplateOut.of(
        template,
        configuration_schema=template.configuration_schema or NO_FIELDS,
        missing_integrations=[each for each in template.required_integrations if each not in connected],
    )


@router.post("/templates/{slug:slug}/install", response={201: WorkflowOut}, summary="Install a template")
@endpoint(Scope.WORKFLOWS_WRITE, Permission.INSTALL_TEMPLATE, is_idempotent=True)
def install_template(request: HttpRequest, slug: str, body: Installation) -> Any:
    """Make a draft of a template. It runs once it is published."""
    template, person = template_for(slug), access.person(request)
    problems = [
        (f"body.configuration.{name}" if name else "body.configuration", message)
        for name, message in schema_problems(template.configuration_schema or NO_FIELDS, body.configuration)
    ]
    chosen, unclear = _accounts(template, body.accounts)
    if problems or unclear:
        raise Problem("invalid", "Correct what is listed under errors.", errors=[*problems, *unclear])
    name = body.name or free_name(template.name)
    if Workflow.objects.exclude(status=Workflow.Status.ARCHIVED).filter(name=name).exists():
        raise Problem("conflict", NAME_TAKEN, errors=[("body.name", NAME_TAKEN)])
    made = installing.install(
        template, person, name=name, configuration=body.configuration, accounts=chosen, request=request
    )
    set_header(request, "Location", f"/api/v1/workflows/{made.workflow_id}")
    return Status(
        201, answered(request, access.workflow_for(request, made.workflow_id, with_definition=True))
    )


def _accounts(template: Template, wanted: dict[str, UUID]) -> tuple[dict[str, str], list[tuple[str, str]]]:
    """Return provider -> id of the account to use, and what is unclear or wrong about it."""
    by_provider: dict[str, list[UUID]] = {}
    asked = [*template.required_integrations, *template.optional_integrations]
    rows = Integration.objects.active().filter(provider__in=[each for each in asked if each != AI])
    for provider, identifier in rows.order_by("name").values_list("provider", "pk"):
        by_provider.setdefault(provider, []).append(identifier)
    chosen, unclear = {}, []
    given = {provider.upper(): identifier for provider, identifier in wanted.items()}
    for provider, identifier in given.items():
        if identifier not in by_provider.get(provider, []):
            unclear.append((f"body.accounts.{provider}", "This is no working account of a service it uses."))
    for provider, found in by_provider.items():
        if provider not in given and len(found) > 1:
            unclear.append((f"body.accounts.{provider}", "There are several accounts: say which one to use."))
        else:
            chosen[provider] = str(given.get(provider, found[0]))
    return chosen, unclear
