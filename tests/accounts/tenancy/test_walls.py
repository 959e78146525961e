"""Both walls around an organization: the manager, loudly, and PostgreSQL, quietly."""

from __future__ import annotations

import pytest
from django.apps import apps
from django.db import IntegrityError, connection, models, transaction

from accounts.models import ApiKey, AuditEvent, Organization, User
from accounts.tenancy import (
    NoOrganizationScope,
    OrganizationManager,
    RowLevelSecurity,
    SameOrganization,
    current_scope,
    organization_scope,
    system_scope,
)
from tests.worlds import World, make_execution
from workflows.models import Workflow, WorkflowAssignment, WorkflowVersion

OURS = ("accounts", "billing", "integrations", "templates_lib", "workflows")


def models_with_an_organization() -> list[type[models.Model]]:
    return [
        model
        for label in OURS
        for model in apps.get_app_config(label).get_models()
        if any(field.name == "organization" for field in model._meta.local_fields)
        and model.__name__ != "StripeEvent"
    ]


OWNED = models_with_an_organization()
# Templates are a public catalogue: rows without an organization are everybody's, and PostgreSQL alone hides the rest.
LOUD = [model for model in OWNED if model.__name__ != "Template"]


def test_there_are_owned_models_to_check() -> None:
    assert len(OWNED) > 20


@pytest.mark.parametrize("model", OWNED, ids=lambda model: model._meta.label)
def test_owned_tables_force_row_security(model: type[models.Model], db: None) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relrowsecurity, relforcerowsecurity FROM pg_class WHERE relname = %s AND NOT relispartition",
            [model._meta.db_table],
        )
        assert cursor.fetchone() == (True, True)
        cursor.execute("SELECT policyname FROM pg_policies WHERE tablename = %s", [model._meta.db_table])
        assert {"organization_isolation", "system_access"} <= {name for (name,) in cursor.fetchall()}


@pytest.mark.parametrize("model", LOUD, ids=lambda model: model._meta.label)
def test_the_manager_refuses_to_work_without_a_scope(model: type[models.Model], db: None) -> None:
    assert isinstance(model._default_manager, OrganizationManager)
    with pytest.raises(NoOrganizationScope):
        model._default_manager.exists()


@pytest.mark.parametrize("model", LOUD, ids=lambda model: model._meta.label)
def test_references_between_owned_tables_are_composite(model: type[models.Model]) -> None:
    composite = {c.column for c in model._meta.constraints if isinstance(c, SameOrganization)}
    for field in model._meta.local_fields:
        if isinstance(field, models.ForeignKey) and field.related_model in LOUD:
            assert field.column in composite, f"{field.name} could point at another organization's row"


def test_every_partition_is_closed_to_the_application(db: None) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relname, relrowsecurity AND relforcerowsecurity, has_table_privilege('steward_app', oid, 'SELECT')"
            " FROM pg_class WHERE relispartition AND relkind = 'r'"
        )
        rows = cursor.fetchall()
    assert len(rows) >= 7 * 4
    assert {(is_closed, may_read) for _, is_closed, may_read in rows} == {(True, False)}


def test_tests_run_as_a_login_that_row_security_binds(db: None) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT current_user, rolsuper, rolbypassrls FROM pg_roles WHERE rolname = current_user"
        )
        assert cursor.fetchone() == ("steward_app", False, False)


def test_raw_sql_without_a_scope_sees_nothing(alder: World) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM workflows_workflow")
        assert cursor.fetchone() == (0,)
    with system_scope("count"), connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM workflows_workflow")
        assert cursor.fetchone() == (1,)


def test_a_scope_shows_one_organization_to_the_manager_and_to_raw_sql(alder: World, birch: World) -> None:
    with alder.scope(), connection.cursor() as cursor:
        assert [workflow.name for workflow in Workflow.objects.all()] == ["Greeting of Alder"]
        cursor.execute("SELECT name FROM workflows_workflow")
        assert cursor.fetchall() == [("Greeting of Alder",)]


def test_a_row_of_another_organization_cannot_be_written_inside_a_scope(alder: World, birch: World) -> None:
    with pytest.raises(Exception, match="row-level security"), alder.scope():
        Workflow(organization=birch.organization, name="Planted").save()


def test_a_reference_across_organizations_is_refused_by_postgresql(alder: World, birch: World) -> None:
    assignment = WorkflowAssignment(
        organization=alder.organization, workflow=birch.workflow, user=alder.member
    )
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    with pytest.raises(IntegrityError, match="assignment_workflow_same_org"), system_scope("plant one"):
        assignment.save()
    with alder.scope():
        WorkflowAssignment.objects.create(
            organization=alder.organization, workflow=alder.workflow, user=alder.admin
        )


def test_scopes_nest_and_give_back_what_was_before(alder: World, birch: World) -> None:
    with alder.scope():
        with birch.scope():
            assert Workflow.objects.get() == birch.workflow
        assert Workflow.objects.get() == alder.workflow
        with system_scope("look at all"):
            assert Workflow.objects.count() == 2
        assert Workflow.objects.get() == alder.workflow
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM workflows_workflow")
            assert cursor.fetchone() == (1,)


def test_a_failed_inner_scope_leaves_the_outer_one_in_force(alder: World, birch: World) -> None:
    with alder.scope():
        with pytest.raises(NoOrganizationScope), birch.scope():
            raise NoOrganizationScope
        assert current_scope().organization_id == alder.organization.pk
        with connection.cursor() as cursor:
            cursor.execute("SELECT name FROM workflows_workflow")
            assert cursor.fetchall() == [("Greeting of Alder",)]


def test_an_on_commit_callback_runs_outside_and_is_told_so(committed_db: str) -> None:
    seen: list[object] = []

    def callback() -> None:
        try:
            Workflow.objects.count()
        except NoOrganizationScope as refusal:
            seen.append(refusal)

    with system_scope("make an organization"):
        organization = Organization.objects.create(name="Cedar")
    with organization_scope(organization.pk):
        transaction.on_commit(callback)
    assert len(seen) == 1


def test_new_rows_belong_to_the_organization_in_scope(alder: World) -> None:
    with alder.scope():
        key, secret = ApiKey.issue(name="Reports", scopes=[])
    assert key.organization_id == alder.organization.pk
    assert secret.startswith("stw_")
    assert secret not in key.secret_hash


def test_the_audit_trail_cannot_be_changed_or_cut(alder: World) -> None:
    with alder.scope():
        event = AuditEvent.objects.create(actor_label="Owner", action="workflow.published")
    for change in ("UPDATE accounts_auditevent SET action = 'nothing'", "DELETE FROM accounts_auditevent"):
        with (
            pytest.raises(IntegrityError, match="append-only"),
            system_scope("tamper"),
            connection.cursor() as cursor,
        ):
            cursor.execute(f"{change} WHERE id = %s", [event.pk])


@pytest.mark.parametrize("status", ["COMPLETED", "FAILED", "CANCELLED", "TIMEOUT"])
def test_a_finished_run_stays_as_it_finished(alder: World, status: str) -> None:
    with alder.scope():
        execution = make_execution(alder, status="RUNNING")
        execution.status = status
        execution.save(update_fields=["status"])
    execution.status = "RUNNING"
    with pytest.raises(IntegrityError, match="stays so"), alder.scope():
        execution.save(update_fields=["status"])


def test_a_published_version_cannot_be_edited(alder: World) -> None:
    with alder.scope():
        WorkflowVersion.objects.filter(pk=alder.version.pk).update(note="better said")
    with pytest.raises(IntegrityError, match="stays as it is"), alder.scope():
        WorkflowVersion.objects.filter(pk=alder.version.pk).update(definition={"version": 1, "steps": []})


def test_two_people_cannot_share_an_address_whatever_its_case(alder: World, birch: World) -> None:
    with pytest.raises(IntegrityError, match="user_email_unique"), birch.scope():
        User.objects.create_user("OWNER@alder.example", organization=birch.organization)


def test_a_member_without_an_organization_is_refused(db: None) -> None:
    with pytest.raises(IntegrityError, match="user_is_member_or_staff"), system_scope("make a stray"):
        User.objects.create_user("stray@nowhere.example")


def test_row_security_is_seen_by_migrations() -> None:
    assert any(isinstance(c, RowLevelSecurity) for c in Workflow._meta.constraints)
