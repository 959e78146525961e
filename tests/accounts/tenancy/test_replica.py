"""Reads of a page go to the replica; what the page wrote, it reads back from the primary."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.db import connections, router

from accounts.models import Organization
from accounts.tenancy import organization_scope, system_scope
from accounts.tenancy.scope import reads_from
from config.database.routing import ScopeRouter
from workflows.models import Workflow


@pytest.fixture
def organization(committed_db: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Organization]:
    """An organization, with a second connection to the same server standing for a replica without lag."""
    monkeypatch.setitem(connections.settings, "replica", dict(connections["default"].settings_dict))
    monkeypatch.setattr(router, "routers", [ScopeRouter()])
    with system_scope("make an organization"):
        organization = Organization.objects.create(name="Cedar")
        Workflow.objects.create(organization=organization, name="Greeting")
    yield organization
    connections["replica"].close()
    delattr(connections._connections, "replica")


def test_a_reading_scope_uses_the_replica_with_row_security(organization: Organization) -> None:
    with organization_scope(organization.pk, may_read_replica=True):
        workflow = Workflow.objects.get()
        assert workflow._state.db == "replica"
        with connections["replica"].cursor() as cursor:
            cursor.execute("SELECT count(*) FROM workflows_workflow")
            assert cursor.fetchone() == (1,)
    with connections["replica"].cursor() as cursor:
        cursor.execute("SELECT count(*) FROM workflows_workflow")
        assert cursor.fetchone() == (0,)


def test_after_a_write_the_scope_reads_from_the_primary(organization: Organization) -> None:
    with organization_scope(organization.pk, may_read_replica=True):
        Workflow.objects.create(name="Second")
        assert {workflow._state.db for workflow in Workflow.objects.all()} == {"default"}
        assert Workflow.objects.count() == 2
    assert reads_from() == "default"


def test_an_ordinary_scope_never_leaves_the_primary(organization: Organization) -> None:
    with organization_scope(organization.pk):
        assert Workflow.objects.get()._state.db == "default"
    with organization_scope(organization.pk, may_read_replica=True), system_scope("look"):
        assert Workflow.objects.get()._state.db == "default"
