"""The organizations, workflows and runs that benchmarks work on."""

from __future__ import annotations

from typing import Any

from accounts.models import Organization, User
from accounts.tenancy import organization_scope, system_scope
from tests.worlds import make_workflow
from workflows.models import Workflow, WorkflowVersion
from workflows.runner.start import NewRun, start_executions

SET_STEP = {
    "version": 1,
    "steps": [{"id": "greet", "type": "set", "values": {"text": "Hello {{ trigger.body.name }}"}}],
    "settings": {"concurrency": 500},
}
KILOBYTE = {"body": {"name": "Ada", "padding": "x" * 900}, "headers": {"content-type": "application/json"}}


def make_company(
    name: str, definition: dict[str, Any] = SET_STEP
) -> tuple[Organization, Workflow, WorkflowVersion]:
    """Make an organization of the largest plan with one published workflow."""
    with system_scope("benchmark"):
        organization = Organization.objects.create(name=name, plan=Organization.Plan.ENTERPRISE)
        owner = User(email=f"{name.lower()}@example.com", organization=organization, role="OWNER", name=name)
        owner.set_unusable_password()
        owner.save()
        workflow, version = make_workflow(organization, owner, name=f"Work of {name}", definition=definition)
    return organization, workflow, version


def queue(
    company: tuple[Organization, Workflow, WorkflowVersion], count: int, *, chunk: int = 1_000, **fields: Any
) -> list[Any]:
    """Queue `count` runs of the company's workflow; return their ids."""
    organization, workflow, version = company
    fields = {"triggered_by": "WEBHOOK", "input": KILOBYTE} | fields
    found: list[Any] = []
    for first in range(0, count, chunk):
        with organization_scope(organization.pk):
            found += start_executions(
                NewRun(
                    organization_id=organization.pk, workflow_id=workflow.pk, version_id=version.pk, **fields
                )
                for _number in range(first, min(count, first + chunk))
            )
    return found
