"""Two small organizations that every test can borrow: Alder's bakery and Birch's bike shop."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from accounts.models import Organization, User
from accounts.tenancy import organization_scope, system_scope
from workflows.models import Execution, Workflow, WorkflowAssignment, WorkflowVersion

PASSWORD = "correct horse battery staple"
SET_GREETING = {
    "version": 1,
    "steps": [
        {"id": "greet", "type": "set", "values": {"text": "Hello {{ trigger.body.name | default: 'you' }}"}}
    ],
}


@dataclass(frozen=True, slots=True)
class World:
    """An organization, one person per role, and a published workflow that the member is assigned to."""

    organization: Organization
    owner: User
    admin: User
    member: User
    viewer: User
    workflow: Workflow
    version: WorkflowVersion

    def person(self, role: str) -> User:
        """Return the person with a role given in capitals."""
        return getattr(self, role.lower())

    def scope(self) -> Any:
        """Return the organization's scope, to be entered with `with`."""
        return organization_scope(self.organization.pk)


def make_world(name: str) -> World:
    """Make an organization called `name` whose people are <role>@<name>.example."""
    slug = name.lower()
    with system_scope("make a test organization"):
        organization = Organization.objects.create(name=name, plan=Organization.Plan.PROFESSIONAL)
        people = {
            role: make_user(
                organization, f"{role}@{slug}.example", role=role.upper(), name=f"{role.title()} of {name}"
            )
            for role in ("owner", "admin", "member", "viewer")
        }
        workflow, version = make_workflow(organization, people["owner"], name=f"Greeting of {name}")
        WorkflowAssignment.objects.create(organization=organization, workflow=workflow, user=people["member"])
    return World(organization=organization, workflow=workflow, version=version, **people)


def make_user(organization: Organization, email: str, *, role: str = "MEMBER", name: str = "") -> User:
    """Make a person with a verified e-mail address; in a system scope."""
    from allauth.account.models import EmailAddress

    # Argon2 on purpose takes its time; tests sign in with force_login.
    user = User(email=email, organization=organization, role=role, name=name)
    user.set_unusable_password()
    user.save()
    EmailAddress.objects.create(user=user, email=email, verified=True, primary=True)
    return user


def make_workflow(
    organization: Organization,
    user: User,
    *,
    name: str,
    definition: dict[str, Any] | None = None,
    status: str = Workflow.Status.ACTIVE,
) -> tuple[Workflow, WorkflowVersion]:
    """Make a workflow with one published version; in a system scope or the organization's."""
    workflow = Workflow.objects.create(
        organization=organization, name=name, definition=definition or SET_GREETING, created_by=user
    )
    version = WorkflowVersion.objects.create(
        organization=organization,
        workflow=workflow,
        number=1,
        definition=workflow.definition,
        triggers=workflow.triggers,
        published_by=user,
    )
    workflow.published_version = version
    workflow.status = status
    workflow.save(update_fields=["published_version", "status"])
    return workflow, version


def make_execution(world: World, **fields: Any) -> Execution:
    """Make a run of the world's workflow; in its scope or a system scope."""
    from datetime import timedelta

    from django.utils import timezone

    fields.setdefault("deadline_at", timezone.now() + timedelta(hours=1))
    return Execution.objects.create(
        organization=world.organization, workflow=world.workflow, version=world.version, **fields
    )
