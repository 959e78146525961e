"""Saved tests in the API: list them, and run them against the draft."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from django.http import HttpRequest
from ninja import Field, Query, Router, Schema

from accounts.api.authentication import endpoint
from accounts.api.pages import PageQuery, page_of
from accounts.models.api_key import Scope
from accounts.permissions import Permission
from workflows import access
from workflows.models import SavedTest
from workflows.saved_tests.checking import check_all

router = Router()


class SavedTestOut(Schema):
    """A run frozen as a test, and how it went last."""

    id: UUID
    name: str = Field(examples=["Large order"])
    is_enabled: bool = Field(description="Publishing asks it.")
    last_result: Literal["", "PASSED", "FAILED"] = Field(description="Empty: not run yet.")
    last_run_at: datetime | None

    @classmethod
    def of(cls, test: SavedTest) -> SavedTestOut:
        return cls(**{name: getattr(test, name) for name in cls.model_fields})


class SavedTestPage(Schema):
    """A part of the list of saved tests."""

    items: list[SavedTestOut]
    next_cursor: str | None


class Finding(Schema):
    """One check of a test."""

    title: str
    passed: bool
    expected: str
    actual: str
    step: str = Field(description="The step it is about, or empty.")


class TestResult(Schema):
    """How one test went."""

    id: UUID
    name: str
    passed: bool
    findings: list[Finding]


class TestReport(Schema):
    """How the enabled tests went."""

    passed: bool = Field(description="All of them passed.")
    results: list[TestResult]


@router.get("/workflows/{uuid:workflow_id}/tests", response=SavedTestPage, summary="List saved tests")
@endpoint(Scope.WORKFLOWS_READ, Permission.VIEW_WORKFLOW)
def list_tests(request: HttpRequest, workflow_id: UUID, query: Query[PageQuery]) -> Any:
    """List the tests of a workflow, newest first, with how each went last."""
    workflow = access.workflow_for(request, workflow_id)
    rows = SavedTest.objects.present().filter(workflow=workflow)
    rows = rows.defer("input", "answers", "assertions", "started", "report")
    found, cursor = page_of(rows, query)
    return SavedTestPage(items=[SavedTestOut.of(each) for each in found], next_cursor=cursor)


@router.post("/workflows/{uuid:workflow_id}/tests/run", response=TestReport, summary="Run the saved tests")
@endpoint(Scope.WORKFLOWS_WRITE, Permission.EDIT_WORKFLOW)
def run_tests(request: HttpRequest, workflow_id: UUID) -> Any:
    """Run every enabled test against the draft. Nothing is sent; recorded answers stand in for the services."""
    workflow = access.workflow_for(request, workflow_id, with_definition=True)
    checked = check_all(workflow, SavedTest.objects.enabled().filter(workflow=workflow).order_by("id"))
    results = [
        TestResult(
            id=each.test.pk,
            name=each.test.name,
            passed=each.passed,
            findings=[Finding(**finding.as_json()) for finding in each.findings],
        )
        for each in checked
    ]
    return TestReport(passed=all(each.passed for each in checked), results=results)
