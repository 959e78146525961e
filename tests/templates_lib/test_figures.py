"""How installed templates do, for everybody together and for nobody alone."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import Organization
from accounts.tenancy import first_uuid7, system_scope
from templates_lib import figures, official
from templates_lib.models import Template, TemplateInstall
from tests.templates_lib.test_seed import entry
from tests.worlds import make_user, make_workflow
from workflows.models import Execution

ENDED = {"status": "COMPLETED", "result": "SUCCESS", "mode": "LIVE"}
FAILED = {"status": "FAILED", "result": "FAILURE", "mode": "LIVE"}


@pytest.fixture
def template(db: None) -> Template:
    official.seed([entry()])
    with system_scope("look at a template"):
        return Template.objects.get(slug=entry()["slug"])


def organization_with(template: Template, *runs: dict[str, Any]) -> None:
    """Make an organization that installed the template, and its runs: {"ms", "days_ago", fields of Execution}."""
    now = timezone.now()
    with system_scope("make runs"):
        organization = Organization.objects.create(name="Elm")
        owner = make_user(organization, f"owner{organization.pk.hex}@elm.example", role="OWNER")
        workflow, version = make_workflow(organization, owner, name="From the gallery")
        TemplateInstall.objects.create(
            organization=organization, template=template, template_version=1, workflow=workflow
        )
        for number, run in enumerate(runs):
            at = now - timedelta(days=run.get("days_ago", 1), milliseconds=number)
            fields = {key: value for key, value in run.items() if key not in ("ms", "days_ago")}
            Execution.objects.create(
                id=first_uuid7(at), organization=organization, workflow=workflow, version=version, started_at=at,
                deadline_at=at, duration_ms=run.get("ms", 1000), **fields,
            )  # fmt: skip


def measured(template: Template) -> tuple[int | None, int | None]:
    figures.measure()
    with system_scope("look at a template"):
        template.refresh_from_db()
    return template.success_percent, template.median_duration_ms


def test_organizations_count_the_same_however_much_they_run(template):
    organization_with(template, *[{**FAILED, "ms": 90_000}] * 6)
    for milliseconds in (1000, 2000, 3000, 4000):
        organization_with(template, {**ENDED, "ms": milliseconds})
    assert measured(template) == (80, 2500)


def test_fewer_than_five_organizations_have_no_figures_and_lose_those_they_had(template):
    for _each in range(4):
        organization_with(template, ENDED)
    assert measured(template) == (None, None)
    organization_with(template, ENDED)
    assert measured(template) == (100, 1000)
    with system_scope("leave"):
        TemplateInstall.objects.filter(pk=TemplateInstall.objects.first().pk).delete()
    assert measured(template) == (None, None)


@pytest.mark.parametrize(
    "run",
    [
        {**FAILED, "mode": "TEST"},
        {**FAILED, "mode": "DRY_RUN"},
        {**FAILED, "days_ago": 40},
        {"status": "CANCELLED", "result": "CANCELLED", "mode": "LIVE"},
        {"status": "RUNNING", "mode": "LIVE"},
    ],
    ids=["test", "dry run", "old", "cancelled", "unfinished"],
)
def test_only_real_runs_that_ended_lately_count(template, run):
    for _each in range(5):
        organization_with(template, ENDED, run)
    assert measured(template) == (100, 1000)


def test_a_failed_run_is_never_rounded_away():
    assert Template(success_rate=0.9999).success_percent == 99
    assert Template(success_rate=1.0).success_percent == 100
    assert Template(success_rate=0.29).success_percent == 29


def test_the_page_of_a_template_shows_its_figures(template, alder):
    client = Client()
    client.force_login(alder.viewer)
    address = reverse("templates_lib:detail", args=[template.slug])
    assert "Runs that succeed" not in client.get(address).content.decode()
    with system_scope("measure"):
        Template.objects.filter(pk=template.pk).update(success_rate=0.97, median_duration_ms=12_400)
    shown = client.get(address).content.decode()
    assert "97&nbsp;%" in shown
    assert "12.4 s" in shown
