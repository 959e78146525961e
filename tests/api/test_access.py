"""Every operation of the API x every role x every scope x own and foreign organization."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client

from accounts.models.api_key import Scope
from accounts.permissions import Permission
from config.views.api_pages import document
from tests.api.conftest import make_key
from tests.api.objects import make_objects
from tests.worlds import World

EVERYONE = {"OWNER", "ADMIN", "MEMBER", "VIEWER"}
EDITORS = {"OWNER", "ADMIN", "MEMBER"}
MANAGERS = {"OWNER", "ADMIN"}
DOCUMENT = {"version": 1, "steps": []}

# operation -> (scope, roles that may)
TABLE: dict[str, tuple[str, set[str]]] = {
    "list_workflows": ("workflows:read", EVERYONE),
    "create_workflow": ("workflows:write", EDITORS),
    "get_workflow": ("workflows:read", EVERYONE),
    "update_workflow": ("workflows:write", EDITORS),
    "delete_workflow": ("workflows:write", MANAGERS),
    "pause_workflow": ("workflows:write", EDITORS),
    "resume_workflow": ("workflows:write", EDITORS),
    "archive_workflow": ("workflows:write", EDITORS),
    "unarchive_workflow": ("workflows:write", EDITORS),
    "check_workflow": ("workflows:read", EVERYONE),
    "publish_workflow": ("workflows:write", EDITORS),
    "list_versions": ("workflows:read", EVERYONE),
    "get_version": ("workflows:read", EVERYONE),
    "restore_version": ("workflows:write", EDITORS),
    "export_workflow": ("workflows:read", EVERYONE),
    "import_workflow": ("workflows:write", EDITORS),
    "list_tests": ("workflows:read", EVERYONE),
    "run_tests": ("workflows:write", EDITORS),
    "start_execution": ("executions:write", EDITORS),
    "list_executions": ("executions:read", EVERYONE),
    "get_execution": ("executions:read", EVERYONE),
    "list_steps": ("executions:read", EVERYONE),
    "list_logs": ("executions:read", EVERYONE),
    "cancel_execution": ("executions:write", EDITORS),
    "resume_execution": ("executions:write", EDITORS),
    "restart_execution": ("executions:write", EDITORS),
    "start_bulk_action": ("executions:write", EDITORS),
    "get_bulk_action": ("executions:read", EDITORS),
    "stop_bulk_action": ("executions:write", EDITORS),
    "list_approvals": ("approvals:read", EVERYONE),
    "get_approval": ("approvals:read", EVERYONE),
    "decide_approval": ("approvals:write", EDITORS),
    "list_templates": ("workflows:read", EVERYONE),
    "get_template": ("workflows:read", EVERYONE),
    "install_template": ("workflows:write", EDITORS),
    "list_integrations": ("integrations:read", EVERYONE),
    "get_integration": ("integrations:read", EVERYONE),
    "test_integration": ("integrations:write", MANAGERS),
    "get_usage": ("admin:read", MANAGERS),
    "list_usage_days": ("admin:read", MANAGERS),
    "list_members": ("admin:read", EVERYONE),
    "get_member": ("admin:read", EVERYONE),
    "list_audit_events": ("admin:read", MANAGERS),
}
COMMON = {"get_template", "install_template"}  # the public gallery is everybody's
ADDRESSES = {
    operation["operationId"]: (method.upper(), path)
    for path, methods in document()["paths"].items()
    for method, operation in methods.items()
}
WITH_OBJECT = sorted(
    name for name, (_method, path) in ADDRESSES.items() if "{" in path and name not in COMMON
)


def body_for(name: str, known: dict[str, Any]) -> Any:
    return {
        "create_workflow": {"name": "New"},
        "update_workflow": {"name": "Other"},
        "publish_workflow": {"despite_tests": True},
        "import_workflow": {"name": "Imported", "definition": DOCUMENT},
        "start_execution": {"workflow": known["workflow_id"]},
        "restart_execution": {},
        "start_bulk_action": {"action": "CANCEL", "executions": [known["execution_id"]]},
        "decide_approval": {"decision": "approve", "content_hash": "0" * 64},
        "install_template": {},
    }.get(name)


def ask(secret: str, name: str, known: dict[str, Any]) -> Any:
    method, path = ADDRESSES[name]
    body = body_for(name, known)
    headers = {"Authorization": f"Bearer {secret}"}
    if name in ("update_workflow", "delete_workflow"):
        headers["If-Match"] = "*"
    return Client().generic(
        method,
        path.format(**known),
        data=json.dumps(body) if body is not None else "",
        content_type="application/json" if body is not None else "",
        headers=headers,
    )


def test_the_table_is_complete() -> None:
    assert set(TABLE) == set(ADDRESSES)


@pytest.mark.parametrize("name", TABLE)
def test_the_description_says_what_the_table_says(name: str) -> None:
    method, path = ADDRESSES[name]
    operation = document()["paths"][path][method.lower()]
    assert (operation["x-scope"], set(operation["x-roles"])) == TABLE[name]


@pytest.mark.parametrize("role", sorted(EVERYONE))
@pytest.mark.parametrize("name", TABLE)
def test_a_key_may_do_what_its_makers_role_may(alder: World, name: str, role: str) -> None:
    known = make_objects(alder)
    answer = ask(make_key(alder.person(role)), name, known)
    if role in TABLE[name][1]:
        assert answer.status_code < 400 or answer.status_code in {409, 412, 422}, answer.content
    else:
        assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")


@pytest.mark.parametrize("name", TABLE)
def test_a_key_without_the_scope_is_refused(alder: World, name: str) -> None:
    others = [str(scope) for scope in Scope if str(scope) != TABLE[name][0]]
    answer = ask(make_key(alder.owner, others), name, make_objects(alder))
    assert (answer.status_code, answer.json()["code"]) == (403, "missing_scope")


@pytest.mark.parametrize("role", ["OWNER", "MEMBER"])
@pytest.mark.parametrize("name", WITH_OBJECT)
def test_a_foreign_object_does_not_exist(alder: World, birch: World, name: str, role: str) -> None:
    if role not in TABLE[name][1]:
        return
    mine, theirs = make_objects(alder), make_objects(birch)
    answer = ask(make_key(alder.person(role)), name, theirs)
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    made_up = {key: "01990000-0000-7000-8000-000000000000" if key.endswith("_id") else 1 for key in theirs}
    missing = ask(make_key(alder.person(role)), name, made_up | {"slug": "nothing"})
    # Word for word what is said of an object that never was.
    assert {**answer.json(), "instance": ""} == {**missing.json(), "instance": ""}
    assert mine["workflow_id"] not in answer.content.decode()


def test_a_foreign_workflow_is_not_started(alder: World, birch: World) -> None:
    assert ask(make_key(alder.owner), "start_execution", make_objects(birch)).status_code == 404


def test_lists_show_the_own_organization_alone(alder: World, birch: World) -> None:
    known, theirs = make_objects(alder), make_objects(birch)
    for name in (each for each in TABLE if each.startswith("list_") and each != "list_templates"):
        text = ask(make_key(alder.owner), name, known).content.decode()
        for identifier in theirs.values():
            assert len(str(identifier)) < 30 or str(identifier) not in text, name


def test_a_member_sees_what_is_assigned_to_them(alder: World) -> None:
    known = make_objects(alder)
    with alder.scope():
        alder.workflow.assignments.all().delete()
    secret = make_key(alder.member)
    for name in ("get_workflow", "update_workflow", "publish_workflow", "get_execution", "start_execution"):
        assert ask(secret, name, known).status_code == 404, name
    for name in ("list_workflows", "list_executions"):
        assert ask(secret, name, known).json()["items"] == [], name


@pytest.mark.parametrize("name", TABLE)
def test_nobody_asks_without_a_key(alder: World, name: str) -> None:
    known = make_objects(alder)
    for secret in ("", "stw_misspelt", "other"):
        answer = ask(secret, name, known)
        assert (answer.status_code, answer.json()["code"]) == (401, "unauthorized")
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")


def test_a_session_is_no_key(alder: World, client: Client) -> None:
    client.force_login(alder.owner)
    assert client.get("/api/v1/workflows").status_code == 401


@pytest.mark.parametrize("change", ["revoked", "expired", "left", "inactive", "demoted"])
def test_a_key_ends_with_what_it_stands_on(alder: World, change: str) -> None:
    from datetime import timedelta

    from django.utils import timezone

    from accounts.models import ApiKey, User

    known, secret = make_objects(alder), make_key(alder.admin)
    assert ask(secret, "list_audit_events", known).status_code == 200
    past = timezone.now() - timedelta(seconds=1)
    with alder.scope():
        if change == "revoked":
            ApiKey.objects.update(revoked_at=past)
        elif change == "expired":
            ApiKey.objects.update(expires_at=past)
        elif change == "left":
            alder.admin.delete()
        elif change == "inactive":
            User.objects.filter(pk=alder.admin.pk).update(is_active=False)
        else:
            User.objects.filter(pk=alder.admin.pk).update(role="MEMBER")
    expected = 403 if change == "demoted" else 401
    assert ask(secret, "list_audit_events", known).status_code == expected


def test_the_table_knows_every_permission_it_uses() -> None:
    roles = [{role.value for role in permission.roles} for permission in Permission]
    assert all(allowed in roles for _scope, allowed in TABLE.values())
