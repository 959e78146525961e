"""Templates, integrations, usage, members and the audit trail through the API."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import pytest

from accounts.tenancy import system_scope
from integrations import credentials
from integrations.models import Integration
from templates_lib.models import Template
from tests.api.objects import SLUG, make_objects
from tests.integrations.standin import Service
from tests.worlds import World

CHANNEL = {
    "type": "object",
    "properties": {"channel": {"type": "string", "minLength": 3}},
    "required": ["channel"],
}
TELL = {
    "version": 1,
    "steps": [
        {
            "id": "tell",
            "type": "action",
            "provider": "SLACK",
            "operation": "send_message",
            "with": {"channel": {"$config": "channel"}, "text": "Hello"},
        }
    ],
}


@pytest.fixture
def template(alder: World) -> None:
    make_objects(alder)
    with system_scope("change the template"):
        Template.objects.filter(slug=SLUG).update(
            configuration_schema=CHANNEL, required_integrations=["SLACK"], definition=TELL
        )


def connect(world: World, name: str) -> str:
    with world.scope():
        return str(Integration.objects.create(provider="SLACK", name=name, status="ACTIVE").pk)


def test_a_template_is_found_and_installed(steward: Any, alder: World, template: None) -> None:
    assert SLUG in [each["slug"] for each in steward.iterate_templates(category="SALES")]
    found = steward.get_template(SLUG)
    assert (found["missing_integrations"], found["configuration_schema"]) == (["SLACK"], CHANNEL)
    account = connect(alder, "Sales")
    made = steward.install_template(SLUG, {"configuration": {"channel": "#new"}})
    assert (made["name"], made["status"]) == ("Greeting", "DRAFT")
    step = made["definition"]["steps"][0]
    assert (step["integration"], step["with"]["channel"]) == (account, "#new")


def test_what_a_template_asks_must_be_answered(
    steward: Any, alder: World, birch: World, template: None, steward_client: ModuleType
) -> None:
    connect(alder, "One"), connect(alder, "Two")
    with pytest.raises(steward_client.StewardProblem) as refused:
        steward.install_template(SLUG, {"configuration": {}})
    fields = [each["field"] for each in refused.value.errors]
    assert (refused.value.status, fields) == (422, ["body.configuration.channel", "body.accounts.SLACK"])
    foreign = connect(birch, "Theirs")
    with pytest.raises(steward_client.StewardProblem) as refused:
        steward.install_template(SLUG, {"configuration": {"channel": "#new"}, "accounts": {"SLACK": foreign}})
    assert refused.value.errors[0]["field"] == "body.accounts.SLACK"


def test_an_account_is_listed_without_its_credentials_and_tested(
    steward: Any, alder: World, service: Service
) -> None:
    service.access.add("canary-access-0")
    row = Integration(
        organization=alder.organization, provider="NOTION", name="Team", settings={"account_id": "a"}
    )
    with alder.scope():
        credentials.write(row, {"auth": "oauth2", "access_token": "canary-access-0"})
        row.save()
    listed = steward.list_integrations(provider="notion")["items"]
    assert [each["name"] for each in listed] == ["Team"]
    assert "credentials" not in listed[0]
    tested = steward.test_integration(str(row.pk))
    assert (tested["works"], tested["message"]) == (True, "Alder Bakery")
    service.access.clear()
    refused = steward.test_integration(str(row.pk))
    assert (refused["works"], refused["integration"]["status"]) == (False, "EXPIRED")
    assert "canary" not in str(refused)
    events = [each["action"] for each in steward.iterate_audit_events(target_id=str(row.pk))]
    assert events.count("integration.tested") == 2


def test_usage_tells_of_the_month_and_of_days(steward: Any, alder: World) -> None:
    month = steward.get_usage()
    assert month["plan"] == "PROFESSIONAL"
    assert {each["limit"]: each["allowed"] for each in month["limits"]} == {
        "monthly_runs": 50_000,
        "members": 15,
    }
    assert len(steward.list_usage_days(days=7)["days"]) == 7


def test_members_are_listed(steward: Any, alder: World) -> None:
    assert {each["role"] for each in steward.iterate_members(limit=2)} == {
        "OWNER",
        "ADMIN",
        "MEMBER",
        "VIEWER",
    }
    assert steward.get_member(str(alder.viewer.pk))["email"] == alder.viewer.email


def test_the_audit_trail_is_filtered(steward: Any, alder: World) -> None:
    made = steward.create_workflow({"name": "Greet"})
    steward.pause_workflow(str(alder.workflow.pk))
    assert [each["action"] for each in steward.iterate_audit_events()] == [
        "workflow.paused",
        "workflow.created",
    ]
    assert [each["target_id"] for each in steward.iterate_audit_events(action="workflow.created")] == [
        made["id"]
    ]
    assert list(steward.iterate_audit_events(since="2999-01-01T00:00:00Z")) == []
    assert len(list(steward.iterate_audit_events(until="9999-01-01T00:00:00Z"))) == 2


def test_every_change_made_through_the_api_has_a_sentence(steward: Any, alder: World) -> None:
    run = steward.start_execution({"workflow": str(alder.workflow.pk)})
    steward.cancel_execution(run["id"])
    steward.restart_execution(run["id"], {})
    steward.start_bulk_action({"action": "CANCEL", "executions": [run["id"]]})
    events = list(steward.iterate_audit_events())
    assert [each["action"] for each in events] == ["run.bulk_cancel", "run.restarted", "run.cancelled"]
    assert events[0]["sentence"] == "cancelled runs in one go: 1"
    assert events[2]["sentence"].startswith("cancelled Run ")
