"""Makes the demo organization with workflows that need no key, and starts their first runs. Safe to repeat."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from allauth.account.models import EmailAddress
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from accounts.models import Organization, User
from accounts.tenancy import organization_scope, system_scope
from workflows.models import Execution, Trigger, Workflow
from workflows.publishing import publish
from workflows.runner.start import start_execution

EMAIL = "demo@example.com"
PASSWORD = "demo123"  # noqa: S105  (printed on the terminal of whoever tries Steward; exists only with DEBUG)
ORGANIZATION = "Demo Organization"
WORKFLOWS = Path(settings.BASE_DIR) / "config" / "demo" / "workflows.json"


class Command(BaseCommand):
    help = "Make the demo organization, its workflows and their first runs (only where DEBUG is on)."

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.DEBUG:
            raise CommandError("The demo has a well-known password, so it is made only where DEBUG is on.")
        organization, owner = demo_organization()
        with organization_scope(organization.pk):
            for recipe in json.loads(WORKFLOWS.read_text()):
                make_workflow(organization, owner, recipe)
            write_demo_file(webhook_token())
        self.stdout.write(f"The demo is ready: sign in as {EMAIL} with the password {PASSWORD}.")


@transaction.atomic
def demo_organization() -> tuple[Organization, User]:
    """Return the demo organization and its owner, making what is missing."""
    with system_scope("seed the demo"):
        owner = User.objects.filter(email=EMAIL).select_related("organization").first()
        if owner is not None and owner.organization is not None:
            return owner.organization, owner
        # Without a trial's end: the demo does not stop on the fifteenth day.
        organization = Organization.objects.create(name=ORGANIZATION, trial_ends_at=None)
        owner = User.objects.create_user(
            EMAIL, PASSWORD, organization=organization, name="Demo User", role=User.Role.OWNER
        )
        EmailAddress.objects.create(user=owner, email=EMAIL, verified=True, primary=True)
        return organization, owner


def make_workflow(organization: Organization, owner: User, recipe: dict[str, Any]) -> None:
    """Make, publish and start one workflow of the demo, unless it exists already under its name."""
    if Workflow.objects.filter(name=recipe["name"]).exists():
        return
    fields = (
        "name",
        "description",
        "category",
        "definition",
        "triggers",
        "schedule",
        "minutes_saved_per_run",
    )
    workflow = Workflow.objects.create(
        organization=organization,
        created_by=owner,
        **{name: recipe[name] for name in fields if name in recipe},
    )
    version = publish(workflow, owner, "First version")
    for sample in recipe["samples"]:
        is_webhook = "trigger" in sample
        start_execution(
            organization_id=organization.pk,
            workflow_id=workflow.pk,
            version_id=version.pk,
            user_id=owner.pk,
            triggered_by=Execution.TriggeredBy.WEBHOOK if is_webhook else Execution.TriggeredBy.MANUAL,
            trigger_key="website" if is_webhook else "by_hand",
            input=sample["trigger"] if is_webhook else sample.get("inputs", {}),
        )


def webhook_token() -> str:
    """Return the token of the demo's webhook."""
    return str(
        Trigger.objects.filter(kind=Trigger.Kind.WEBHOOK, is_active=True)
        .order_by("pk")
        .values_list("token", flat=True)[0]
    )


def write_demo_file(token: str) -> None:
    """Write $STEWARD_DATA/demo.json, readable by its owner alone, for the terminal and for programs."""
    webhook_url = f"{settings.BASE_URL}/hooks/{token}/"
    demo = {"url": settings.BASE_URL, "email": EMAIL, "password": PASSWORD, "webhook_url": webhook_url}
    path = Path(settings.DATA_FOLDER) / "demo.json"
    unfinished = path.with_suffix(".unfinished")
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        json.dump(demo, file, indent=1)
    unfinished.replace(path)
