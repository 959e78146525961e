"""Deleting an organization: no row of it stays in any table, no row of another one changes."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from django.apps import apps
from django.core import mail
from django.db import connection
from django.test import Client, TestCase
from django.urls import reverse

from accounts.audit import record
from accounts.models import ApiKey, Invitation, Organization, User
from accounts.owned import erasable_tables, owned_models
from accounts.tasks import erase_organization
from accounts.tenancy import system_scope
from billing.models import Subscription
from tests.worlds import World, make_execution
from workflows.models import ExecutionLog, ExecutionStep

PASSWORD = "a long pass phrase of nine"


def furnish(world: World) -> None:
    """Give an organization rows in many tables."""
    with system_scope("furnish"):
        organization = world.organization
        run = make_execution(world)
        rows = {"organization": organization, "execution": run}
        ExecutionLog.objects.create(**rows, message="hello")
        ExecutionStep.objects.create(**rows, path="greet", step_id="greet", step_type="set", attempt=1)
        ApiKey.issue(organization=organization, name="Website", scopes=[], created_by=world.owner)
        Invitation.objects.create(
            organization=organization,
            email=f"guest@{organization.name}.example",
            token_hash=str(organization.pk),
            invited_by=world.owner,
        )
        record("workflow.created", actor=world.owner, target=world.workflow, organization_id=organization.pk)
        TOTP.activate(world.owner, generate_totp_secret())
        world.owner.set_password(PASSWORD)
        world.owner.save()


def rows_of(organization_id: Any) -> dict[str, str]:
    """Return table -> fingerprint of the rows that an organization has in it; tables without one are left out."""
    found = {}
    with system_scope("look"), connection.cursor() as cursor:
        for owned in erasable_tables():
            rows = f"SELECT row_to_json(t)::text FROM {owned.table} t WHERE {owned.condition}"  # noqa: S608 - our own
            cursor.execute(f"{rows} ORDER BY 1", [organization_id])
            if rows := cursor.fetchall():
                found[owned.table] = hashlib.sha256(repr(rows).encode()).hexdigest()
    return found


def delete(client: Client, world: World, **changes: str) -> Any:
    """Ask for the deletion, and do what a worker does afterwards."""
    data = {"name": world.organization.name, "password": PASSWORD} | changes
    response = client.post(reverse("accounts:organization-deletion"), data)
    with TestCase.captureOnCommitCallbacks(execute=True):
        for organization_id in waiting():
            erase_organization(organization_id)
    return response


def waiting() -> list[str]:
    """Return the organizations whose erasure is queued."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT args->>'organization_id' FROM procrastinate_jobs"
            " WHERE task_name = 'accounts.erase_organization' AND status = 'todo'"
        )
        return [organization_id for (organization_id,) in cursor.fetchall()]


@pytest.fixture
def owners(client: Client, alder: World, birch: World) -> Client:
    furnish(alder)
    furnish(birch)
    client.force_login(alder.owner)
    client.get(reverse("accounts:settings"))
    return client


def test_nothing_of_the_organization_stays_and_the_other_is_untouched(
    owners: Client, alder: World, birch: World
) -> None:
    before = rows_of(birch.organization.pk)
    assert len(rows_of(alder.organization.pk)) >= 13
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM django_session")
        assert cursor.fetchone()[0] > 0
    response = delete(owners, alder)
    assert response.status_code == 200
    assert rows_of(alder.organization.pk) == {}
    assert rows_of(birch.organization.pk) == before
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM django_session")
        assert cursor.fetchone()[0] == 0


def test_no_text_of_the_organization_stays_in_any_table(owners: Client, alder: World) -> None:
    delete(owners, alder)
    with system_scope("look everywhere"), connection.cursor() as cursor:
        for model in apps.get_models(include_auto_created=True):
            table = model._meta.db_table
            holding = f"SELECT count(*) FROM {table} t WHERE t::text ILIKE %s"  # noqa: S608 - our own tables
            cursor.execute(holding, ["%alder.example%"])
            assert cursor.fetchone()[0] == 0, table


def test_everybody_is_signed_out_and_the_owners_get_a_last_mail(owners: Client, alder: World) -> None:
    members = Client()
    members.force_login(alder.member)
    delete(owners, alder)
    assert members.get(reverse("accounts:settings")).status_code == 302
    assert owners.get(reverse("accounts:settings")).status_code == 302
    assert [(message.to, "deleted" in message.subject) for message in mail.outbox] == [
        ([alder.owner.email], True)
    ]


@pytest.mark.parametrize("changes", [{"name": "Alde"}, {"password": "wrong"}, {"name": ""}])
def test_the_name_and_the_password_have_to_be_right(
    owners: Client, alder: World, changes: dict[str, str]
) -> None:
    before = rows_of(alder.organization.pk)
    assert delete(owners, alder, **changes).status_code == 422
    assert rows_of(alder.organization.pk).keys() == before.keys()
    assert mail.outbox == []


def test_a_subscription_that_still_runs_has_to_be_cancelled_first(owners: Client, alder: World) -> None:
    with alder.scope():
        subscription = Subscription.objects.create(
            stripe_subscription_id="sub_alder",
            plan="PROFESSIONAL",
            status="ACTIVE",
            current_period_start=alder.organization.created_at,
            current_period_end=alder.organization.created_at,
        )
    assert "subscription" in owners.get(reverse("accounts:organization-deletion")).content.decode()
    assert delete(owners, alder).status_code == 422
    with alder.scope():
        Subscription.objects.filter(pk=subscription.pk).update(cancel_at_period_end=True)
    assert delete(owners, alder).status_code == 200


def test_a_failure_in_the_middle_leaves_everything(
    owners: Client, alder: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = rows_of(alder.organization.pk)
    tables = erasable_tables()

    def broken() -> Any:
        yield from tables[:-1]
        raise RuntimeError("the connection broke")

    monkeypatch.setattr("accounts.erasure.erasable_tables", broken)
    with pytest.raises(RuntimeError, match="the connection broke"):
        delete(owners, alder)
    assert rows_of(alder.organization.pk).keys() == before.keys() - {"usersessions_usersession"}
    assert mail.outbox == []


def test_a_closed_organization_lets_nobody_in_while_it_is_being_erased(owners: Client, alder: World) -> None:
    data = {"name": alder.organization.name, "password": PASSWORD}
    assert "is closed" in owners.post(reverse("accounts:organization-deletion"), data).content.decode()
    assert waiting() == [str(alder.organization.pk)]
    with system_scope("look"):
        assert not User.objects.filter(organization=alder.organization, is_active=True).exists()
        assert not ApiKey.objects.filter(organization=alder.organization, revoked_at=None).exists()
    again = Client()
    again.post(reverse("account_login"), {"login": alder.owner.email, "password": PASSWORD})
    assert again.get(reverse("accounts:settings")).status_code == 302


def test_every_owned_model_is_erased() -> None:
    listed = {owned.model for owned in erasable_tables()}
    assert {Organization, User} <= listed
    assert set(owned_models()) <= listed
    referring = {
        model
        for model in apps.get_models()
        if any(field.related_model is Organization for field in model._meta.local_concrete_fields)
    }
    assert referring <= listed
