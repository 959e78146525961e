"""Whatever goes wrong is told as problem+json, and never says more than it should."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client

from config.views.api_pages import document
from tests.api.conftest import make_key
from tests.worlds import World
from workflows.models import Workflow

PROBLEM = document()["components"]["schemas"]["Problem"]


@pytest.fixture
def headers(alder: World) -> dict[str, str]:
    return {"Authorization": f"Bearer {make_key(alder.owner)}"}


def told(response: Any, status: int, code: str) -> dict[str, Any]:
    """Check that an answer is the problem it should be, and return it."""
    assert (response.status_code, response.headers["Content-Type"]) == (status, "application/problem+json")
    found: dict[str, Any] = response.json()
    assert set(found) == set(PROBLEM["properties"])
    assert (found["status"], found["code"]) == (status, code)
    assert found["type"].endswith(f"/api/v1/docs#problem-{code}")
    assert found["instance"] == f"urn:uuid:{response.headers['X-Request-ID']}"
    return found


@pytest.mark.parametrize("path", ["/api/v1/", "/api/v1/nothing", "/api/v1/workflows/7", "/api/v1/a%0Ab"])
def test_an_unknown_address_is_a_404(client: Client, headers: dict[str, str], path: str) -> None:
    told(client.get(path, headers=headers), 404, "not_found")


def test_a_wrong_method_is_a_405_that_names_the_right_ones(client: Client, headers: dict[str, str]) -> None:
    response = client.put("/api/v1/workflows", headers=headers)
    told(response, 405, "method_not_allowed")
    assert {each.strip() for each in response.headers["Allow"].split(",")} >= {"GET", "POST"}


def test_head_answers_like_get_without_a_body(client: Client, headers: dict[str, str]) -> None:
    response = client.head("/api/v1/workflows", headers=headers)
    assert (response.status_code, response.content) == (200, b"")


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ("{", "unreadable"),
        ('{"name": NaN}', "unreadable"),
        ('{"name": "\\u0000"}', "unreadable"),
        ('{"name": "\\ud800"}', "unreadable"),
        ('{"name": "a", "name": "b"}', "unreadable"),
        ('{"name": "a", "definition": {"steps": ' + "[" * 200 + "]" * 200 + "}}", "unreadable"),
        ("[" * 100_000, "unreadable"),
    ],
)
def test_a_body_that_cannot_be_read_or_stored_is_a_400(
    client: Client, headers: dict[str, str], body: str, code: str
) -> None:
    response = client.post("/api/v1/workflows", body, content_type="application/json", headers=headers)
    told(response, 400, code)


def test_a_body_that_is_no_json_is_a_415(client: Client, headers: dict[str, str]) -> None:
    told(client.post("/api/v1/workflows", {"name": "A"}, headers=headers), 415, "unsupported_media_type")


def test_a_body_that_is_too_large_is_a_413(client: Client, headers: dict[str, str]) -> None:
    body = json.dumps({"name": "A", "description": "x" * (6 * 1024 * 1024)})
    response = client.post("/api/v1/workflows", body, content_type="application/json", headers=headers)
    told(response, 413, "too_large")


def test_a_definition_that_is_too_large_is_a_413(client: Client, headers: dict[str, str]) -> None:
    body = {"name": "A", "definition": {"version": 1, "steps": [], "note": "x" * (600 * 1024)}}
    response = client.post("/api/v1/workflows", body, content_type="application/json", headers=headers)
    told(response, 413, "too_large")


def test_what_must_be_corrected_is_named_by_field(client: Client, headers: dict[str, str]) -> None:
    response = client.post(
        "/api/v1/workflows",
        {"name": " ", "category": "GARDENING"},
        content_type="application/json",
        headers=headers,
    )
    fields = [each["field"] for each in told(response, 422, "invalid")["errors"]]
    assert fields == ["body.name", "body.category"]


@pytest.mark.parametrize("query", ["limit=0", "limit=many", "status=SLEEPING", "cursor=%21", "stauts=ACTIVE"])
def test_a_query_that_cannot_be_read_is_a_422(client: Client, headers: dict[str, str], query: str) -> None:
    found = told(client.get(f"/api/v1/workflows?{query}", headers=headers), 422, "invalid")
    assert found["errors"][0]["field"] == f"query.{query.split('=', maxsplit=1)[0]}"


@pytest.mark.parametrize("moment", ["0.0", "1763800000", "2026-11-22", "2026-11-22T09:30:00", "tomorrow"])
def test_a_moment_is_written_out_with_its_time_zone(
    client: Client, headers: dict[str, str], moment: str
) -> None:
    found = told(client.get(f"/api/v1/executions?since={moment}", headers=headers), 422, "invalid")
    assert found["errors"][0]["field"] == "query.since"


def test_our_own_fault_tells_nothing_and_changes_nothing(
    alder: World, headers: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_args: Any, **_options: Any) -> None:
        Workflow.objects.update(name="Half done")
        raise RuntimeError("canary-internals")

    monkeypatch.setattr("workflows.api.workflows.audit.record", fail)
    client = Client(raise_request_exception=False)
    response = client.post(
        "/api/v1/workflows", {"name": "A"}, content_type="application/json", headers=headers
    )
    told(response, 500, "server_error")
    assert "canary" not in response.content.decode()
    with alder.scope():
        assert list(Workflow.objects.values_list("name", flat=True)) == [alder.workflow.name]


def test_answers_are_not_kept_by_anybody_in_between(client: Client, headers: dict[str, str]) -> None:
    assert client.get("/api/v1/workflows", headers=headers).headers["Cache-Control"] == "no-store"
