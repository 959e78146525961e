"""One of everything that addresses of the API name, so that requests get past the look-up."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.utils import timezone

from accounts.tenancy import system_scope
from integrations.models import Integration
from templates_lib.models import Template
from tests.worlds import World, make_execution
from workflows.models import Approval, BulkAction, ExecutionLog, ExecutionStep, SavedTest

SLUG = "api-greeting"


def make_objects(world: World) -> dict[str, Any]:
    """Make one of everything in the world's organization; return the names of path parameters with their values."""
    with system_scope("make what the addresses name"):
        common = {"organization": world.organization}
        run = make_execution(
            world, status="FAILED", result="FAILURE", completed_at=timezone.now(), error={"code": "wrong"}
        )
        ExecutionStep.objects.create(
            execution=run, path="greet", step_id="greet", step_type="set", status="FAILED", **common
        )
        ExecutionLog.objects.create(execution=run, message="It failed.", level="ERROR", **common)
        approval = Approval.objects.create(
            execution=make_execution(world, status="WAITING"),
            path="ok",
            title="Send it?",
            assignees=[{"role": "OWNER"}, {"role": "ADMIN"}, {"role": "MEMBER"}],
            deadline_at=timezone.now() + timedelta(days=1),
            **common,
        )
        bulk = BulkAction.objects.create(
            action="RESTART", newest=run.pk, requested_by=world.owner, status="RUNNING", **common
        )
        SavedTest.objects.create(
            workflow=world.workflow, name="Large order", created_by=world.owner, **common
        )
        integration = Integration.objects.create(provider="SLACK", name="Team", status="DISABLED", **common)
        Template.objects.get_or_create(
            slug=SLUG,
            defaults={
                "name": "Greeting",
                "description": "Greets.",
                "category": "SALES",
                "estimated_time_savings": "1 h a week",
                "definition": world.workflow.definition,
            },
        )
    return {
        "workflow_id": str(world.workflow.pk),
        "number": world.version.number,
        "execution_id": str(run.pk),
        "bulk_id": str(bulk.pk),
        "approval_id": str(approval.pk),
        "integration_id": str(integration.pk),
        "member_id": str(world.viewer.pk),
        "slug": SLUG,
    }
