"""The staff admin: every model can be found and read, history cannot be changed, and tenants stay outside."""

from __future__ import annotations

from typing import Any

import pytest
from django.apps import apps
from django.test import Client
from django.urls import reverse

from accounts.models import User
from accounts.tenancy import system_scope
from config.admin import site
from integrations.models import Integration
from tests.worlds import World, make_execution

OURS = ("accounts", "billing", "integrations", "templates_lib", "workflows")
MODELS = [
    model
    for label in OURS
    for model in apps.get_app_config(label).get_models()
    if not model._meta.auto_created
]


@pytest.fixture
def staff(db: None) -> User:
    return User.objects.create_superuser("support@steward.example", "a long pass phrase")


def test_every_model_is_registered() -> None:
    assert [model._meta.label for model in MODELS if not site.is_registered(model)] == []


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model._meta.label)
def test_staff_can_search_every_list(client: Client, staff: User, alder: World, model: Any) -> None:
    with system_scope("make a run"):
        make_execution(alder)
    client.force_login(staff)
    url = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
    assert client.get(url).status_code == 200
    assert client.get(url, {"q": str(alder.organization.pk)}).status_code == 200
    assert client.get(url, {"q": "alder"}).status_code == 200


def test_staff_find_a_customer_by_a_members_address(
    client: Client, staff: User, alder: World, birch: World
) -> None:
    client.force_login(staff)
    page = client.get(
        reverse("admin:accounts_organization_changelist"), {"q": "viewer@alder.example"}
    ).content.decode()
    assert "Alder" in page
    assert "Birch" not in page


def test_a_run_can_be_read_but_not_changed(client: Client, staff: User, alder: World) -> None:
    with system_scope("make a run"):
        execution = make_execution(alder)
    client.force_login(staff)
    url = reverse("admin:workflows_execution_change", args=[execution.pk])
    assert client.get(url).status_code == 200
    assert client.post(url, {"status": "COMPLETED"}).status_code == 403


def test_credentials_are_never_shown(client: Client, staff: User, alder: World) -> None:
    with alder.scope():
        integration = Integration.objects.create(
            provider="SLACK", name="Team", credentials="ciphertext-canary"
        )
    client.force_login(staff)
    page = client.get(
        reverse("admin:integrations_integration_change", args=[integration.pk])
    ).content.decode()
    assert "Team" in page
    assert "ciphertext-canary" not in page


@pytest.mark.parametrize("role", ["OWNER", "ADMIN", "MEMBER", "VIEWER"])
def test_tenants_do_not_get_in(client: Client, alder: World, role: str) -> None:
    client.force_login(alder.person(role))
    response = client.get(reverse("admin:index"))
    assert response.status_code in {302, 403}


def test_pausing_leaves_a_line_in_the_customers_trail(client: Client, staff: User, alder: World) -> None:
    client.force_login(staff)
    client.post(
        reverse("admin:workflows_workflow_changelist"),
        {"action": "pause", "_selected_action": [str(alder.workflow.pk)]},
    )
    with system_scope("read the trail"):
        alder.workflow.refresh_from_db()
        from accounts.models import AuditEvent

        assert alder.workflow.status == "PAUSED"
        assert AuditEvent.objects.get().action == "workflow.paused_by_staff"
