"""Making a workflow from a template, and bringing a later version of the template to it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.db.models import F
from django.http import HttpRequest

from accounts import audit
from accounts.models import User
from accounts.tenancy import system_scope
from templates_lib.models import Template, TemplateAdoption, TemplateInstall
from templates_lib.placeholders import resolve
from workflows import publishing
from workflows.definition.diff import Change, diff
from workflows.models import Workflow, WorkflowAssignment


@transaction.atomic
def install(
    template: Template,
    user: User,
    *,
    name: str,
    configuration: Mapping[str, Any],
    accounts: Mapping[str, str] | None = None,
    request: HttpRequest | None = None,
) -> TemplateInstall:
    """Return the install of a new draft workflow, in the organization's scope.

    configuration: checked answers to the template's form. accounts: provider -> id of the integration to bind its
    steps to; a provider without one uses the organization's only account when the run comes to it.
    """
    made = resolved(template, configuration, accounts)
    workflow = Workflow.objects.create(
        organization_id=user.organization_id,
        name=name,
        description=template.description,
        category=template.category,
        created_by=user,
    )
    if user.role == User.Role.MEMBER:
        WorkflowAssignment.objects.create(workflow=workflow, user=user)
    workflow = publishing.save_draft(
        workflow,
        made["definition"],
        triggers=made["triggers"],
        schedule=made["schedule"],
        revision=workflow.revision,
    ).workflow
    installed = TemplateInstall.objects.create(
        template=template,
        template_version=template.version,
        workflow=workflow,
        configuration=dict(configuration),
        base_definition=made["definition"],
        installed_by=user,
    )
    _count_once(template)
    after = {"name": workflow.name, "template": template.name, "version": template.version}
    audit.record("workflow.installed", actor=user, target=workflow, after=after, request=request)
    return installed


def resolved(
    template: Template, configuration: Mapping[str, Any], accounts: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """Return {"definition", "triggers", "schedule"} of a template with its placeholders resolved and accounts bound."""
    parts = {"definition": template.definition, "triggers": template.triggers, "schedule": template.schedule}
    return {name: _bound(resolve(value, configuration), accounts or {}) for name, value in parts.items()}


def has_update(installed: TemplateInstall) -> bool:
    """Return whether the template has a later version than the one the workflow came from or was brought to."""
    return installed.template.version > installed.template_version


def changes_of_update(installed: TemplateInstall, configuration: Mapping[str, Any]) -> list[Change]:
    """Return what the template itself changed since the workflow was made from it."""
    before = installed.base_definition or {"version": 1, "steps": []}
    return diff(before, resolved(installed.template, configuration, bound_accounts(installed))["definition"])


@transaction.atomic
def update(
    installed: TemplateInstall,
    user: User,
    configuration: Mapping[str, Any],
    *,
    request: HttpRequest | None = None,
) -> Workflow:
    """Bring the draft to the template's version and keep what people changed in it since; nothing is published.

    Triggers stay as they are, because their addresses are known outside. Raises publishing.DraftConflict where the
    template and people changed the same place.
    """
    definition = resolved(installed.template, configuration, bound_accounts(installed))["definition"]
    before = installed.template_version
    # No draft has revision 0, so it is always merged with what the workflow is now.
    saved = publishing.save_draft(
        installed.workflow, definition, revision=0, user=user, base=installed.base_definition
    )
    installed.template_version = installed.template.version
    installed.configuration, installed.base_definition = dict(configuration), definition
    installed.save(update_fields=["template_version", "configuration", "base_definition"])
    audit.record(
        "workflow.updated_from_template",
        actor=user,
        target=saved.workflow,
        before={"version": before},
        after={"version": installed.template_version},
        request=request,
    )
    return saved.workflow


def bound_accounts(installed: TemplateInstall) -> dict[str, str]:
    """Return provider -> integration id as the install bound them."""
    found: dict[str, str] = {}
    for part in _walk(installed.base_definition):
        if part.get("provider") and part.get("integration"):
            found.setdefault(part["provider"].upper(), part["integration"])
    return found


def _count_once(template: Template) -> None:
    _adoption, is_first = TemplateAdoption.objects.get_or_create(template=template)
    if is_first:
        # A public template belongs to nobody, so no organization may write its row.
        with system_scope("count an install"):
            Template.objects.filter(pk=template.pk).update(popularity=F("popularity") + 1)


def _bound(value: Any, accounts: Mapping[str, str]) -> Any:
    if isinstance(value, list):
        return [_bound(entry, accounts) for entry in value]
    if not isinstance(value, dict):
        return value
    found = {key: _bound(entry, accounts) for key, entry in value.items()}
    names_account = found.get("type") == "action" or (found.get("type") == "provider" and "event" in found)
    account = accounts.get(str(found.get("provider", "")).upper()) if names_account else None
    return {**found, "integration": account} if account and not found.get("integration") else found


def _walk(value: Any) -> Any:
    if isinstance(value, dict):
        yield value
        for entry in value.values():
            yield from _walk(entry)
    elif isinstance(value, list):
        for entry in value:
            yield from _walk(entry)
