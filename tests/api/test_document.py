"""The API's description, the page that explains it, the client that is made of it, and what its lists cost."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from jsonschema import Draft202012Validator

from accounts.tenancy import system_scope
from config.api_reference import example_of
from config.views.api_pages import client_source, document
from tests.api.objects import make_objects
from tests.api.test_access import ADDRESSES, ask, make_key
from tests.worlds import World, make_execution, make_user, make_workflow

SCHEMAS = document()["components"]["schemas"]


def test_the_document_is_openapi_3_1_and_complete(client: Client) -> None:
    found = client.get("/api/v1/openapi.json").json()
    assert found["openapi"].startswith("3.1")
    for path, methods in found["paths"].items():
        for method, operation in methods.items():
            assert operation["security"] == [{"ApiKeyBearer": []}], path
            assert operation["summary"], path
            assert operation["description"], path
            assert {"401", "403", "422", "429", "500"} <= set(operation["responses"]), path
            success = next(status for status in operation["responses"] if status < "300")
            content = operation["responses"][success].get("content", {})
            assert content or method == "delete", path


@pytest.mark.parametrize("name", sorted(SCHEMAS))
def test_every_shape_has_an_example_that_fits_it(name: str) -> None:
    schema = {"$ref": f"#/components/schemas/{name}", "components": {"schemas": SCHEMAS}}
    example = example_of({"$ref": schema["$ref"]}, SCHEMAS)
    problems = [error.message for error in Draft202012Validator(schema).iter_errors(example)]
    assert problems == []


def test_the_page_explains_every_operation_and_loads_nothing_from_elsewhere(client: Client) -> None:
    response = client.get("/api/v1/docs")
    text = response.content.decode()
    for name, (_method, path) in ADDRESSES.items():
        assert f'id="{name}"' in text
        assert path in text
    assert set(re.findall(r'(?:src|href)="(https?://[^"]*)', text)) == set()
    assert "'unsafe-inline'" not in response.headers["Content-Security-Policy"]
    assert re.search(r"\sstyle=\"", text) is None


def test_the_page_is_for_people_who_are_signed_in_too(client: Client, alder: World) -> None:
    client.force_login(alder.member)
    assert client.get("/api/v1/docs").status_code == 200


def test_the_client_is_typed_strictly(tmp_path: Path) -> None:
    (tmp_path / "steward_client.py").write_text(client_source())
    (tmp_path / "use.py").write_text(
        "from steward_client import Steward, StewardProblem\n"
        'steward = Steward("https://steward.example.com", "stw_x")\n'
        'for workflow in steward.iterate_workflows(status="ACTIVE"):\n'
        '    reveal_type(workflow["published_version"])\n'
        'steward.create_workflow({"name": 7})\n'
    )
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--no-incremental", "--config-file=", "use.py"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    said = done.stdout.strip().splitlines()
    assert 'Revealed type is "int | None"' in said[0] or "Union[builtins.int, None]" in said[0], done.stdout
    assert "use.py:5: error: Incompatible types" in said[1], done.stdout
    assert said[2:] == ["Found 1 error in 1 file (checked 1 source file)"], done.stdout


def test_the_client_is_downloaded_as_a_file(client: Client) -> None:
    response = client.get("/api/v1/client.py")
    assert response.content.decode() == client_source()
    assert 'filename="steward_client.py"' in response.headers["Content-Disposition"]


def count(secret: str, name: str, known: dict[str, Any]) -> int:
    with CaptureQueriesContext(
        connection,
    ) as queries:
        assert ask(secret, name, known).status_code == 200
    return len(queries)


@pytest.mark.parametrize("name", sorted(each for each in ADDRESSES if each.startswith("list_")))
def test_a_list_costs_the_same_for_one_row_and_for_many(alder: World, name: str) -> None:
    known, secret = make_objects(alder), make_key(alder.owner)
    ask(secret, name, known)  # the first use of a key is noted
    few = count(secret, name, known)
    with system_scope("make more"):
        for number in range(4):
            make_workflow(alder.organization, alder.owner, name=f"Number {number}")
            make_execution(alder)
            make_user(alder.organization, f"person{number}@alder.example")
    more = make_objects_again(alder, known)
    assert count(secret, name, more) == few
    assert few <= 30


def make_objects_again(world: World, known: dict[str, Any]) -> dict[str, Any]:
    """Add rows below the objects that addresses name."""
    from integrations.models import Integration
    from workflows.models import ExecutionLog, ExecutionStep, SavedTest, WorkflowVersion

    with world.scope():
        for number in range(2, 5):
            common = {"execution_id": known["execution_id"], "step_id": "greet"}
            ExecutionStep.objects.create(
                path="greet", step_type="set", attempt=number, status="FAILED", **common
            )
            ExecutionLog.objects.create(message="Again", **common)
            WorkflowVersion.objects.create(workflow=world.workflow, number=number, definition={})
            SavedTest.objects.create(workflow=world.workflow, name=str(number))
            Integration.objects.create(provider="SLACK", name=str(number))
    return known


@pytest.mark.parametrize("name", sorted(SCHEMAS))
def test_every_shape_is_a_json_schema(name: str) -> None:
    Draft202012Validator.check_schema(SCHEMAS[name])
