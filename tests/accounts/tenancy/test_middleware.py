"""The scope around a request: who gets which, what a failed view leaves behind, and what runs after it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.contrib.auth.models import AnonymousUser
from django.db import connection
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.template import engines
from django.template.response import TemplateResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import path

from accounts.models import User
from accounts.tenancy import NoOrganizationScope, current_scope, organization_scope, system_scope
from tests.worlds import World
from workflows.models import Workflow, WorkflowAssignment

NAMES = engines["django"].from_string("{% for workflow in workflows %}{{ workflow.name }};{% endfor %}")


def eager(request: HttpRequest) -> HttpResponse:
    return HttpResponse(NAMES.render({"workflows": Workflow.objects.all()}))


def lazy(request: HttpRequest) -> TemplateResponse:
    return TemplateResponse(request, NAMES, {"workflows": Workflow.objects.all()})


def failing(request: HttpRequest) -> HttpResponse:
    Workflow.objects.create(name="Half done", created_by=request.user)
    raise RuntimeError("after the write")


def streaming(request: HttpRequest) -> StreamingHttpResponse:
    def lines() -> Iterator[str]:
        for workflow in Workflow.objects.all():
            yield workflow.name

    return StreamingHttpResponse(lines())


def streaming_with_scope(request: HttpRequest) -> StreamingHttpResponse:
    organization_id = request.user.organization_id

    def lines() -> Iterator[str]:
        with organization_scope(organization_id):
            for workflow in Workflow.objects.all():
                yield workflow.name

    return StreamingHttpResponse(lines())


def scope_name(request: HttpRequest) -> HttpResponse:
    try:
        return HttpResponse(str(current_scope().organization_id))
    except NoOrganizationScope:
        return HttpResponse("none")


urlpatterns = [
    path("eager/", eager),
    path("lazy/", lazy),
    path("failing/", failing),
    path("streaming/", streaming),
    path("streaming-with-scope/", streaming_with_scope),
    path("scope/", scope_name),
    path("hooks/scope/", scope_name),
    path("accounts/scope/", scope_name),
]


@pytest.fixture
def visitor(client: Client, alder: World, birch: World, settings: object) -> Client:
    """Alder's member, on the addresses of this file."""
    settings.ROOT_URLCONF = __name__  # type: ignore[attr-defined]
    client.force_login(alder.member)
    client.raise_request_exception = False
    return client


@pytest.mark.parametrize("address", ["/eager/", "/lazy/"])
def test_a_page_shows_the_visitors_organization_alone(visitor: Client, address: str) -> None:
    assert visitor.get(address).content.decode() == "Greeting of Alder;"


def test_a_view_that_fails_leaves_nothing_behind(visitor: Client) -> None:
    assert visitor.get("/failing/").status_code == 500
    with system_scope("look"):
        assert not Workflow.objects.filter(name="Half done").exists()


def test_a_stream_without_a_scope_of_its_own_is_refused(visitor: Client) -> None:
    with pytest.raises(NoOrganizationScope):
        b"".join(visitor.get("/streaming/").streaming_content)


def test_a_stream_that_opens_its_own_scope_is_served(visitor: Client) -> None:
    assert b"".join(visitor.get("/streaming-with-scope/").streaming_content) == b"Greeting of Alder"


def test_addresses_of_the_outside_world_start_without_a_scope(visitor: Client) -> None:
    assert visitor.get("/hooks/scope/").content == b"none"


def test_sign_in_pages_may_look_people_up(visitor: Client) -> None:
    assert visitor.get("/accounts/scope/").content == b"None"


def test_a_stranger_has_no_scope(client: Client, db: None, settings: object) -> None:
    settings.ROOT_URLCONF = __name__  # type: ignore[attr-defined]
    assert client.get("/scope/").content == b"none"
    assert not AnonymousUser().is_authenticated


def test_a_person_who_moved_sees_their_new_organization_at_once(
    visitor: Client, alder: World, birch: World
) -> None:
    assert visitor.get("/scope/").content.decode() == str(alder.organization.pk)
    with system_scope("move a person"):
        WorkflowAssignment.objects.filter(user=alder.member).delete()
        User.objects.filter(pk=alder.member.pk).update(organization=birch.organization)
    assert visitor.get("/scope/").content.decode() == str(birch.organization.pk)
    assert visitor.get("/eager/").content.decode() == "Greeting of Birch;"


def test_a_person_who_was_locked_out_is_a_stranger_at_once(visitor: Client, alder: World) -> None:
    visitor.get("/scope/")
    with system_scope("lock a person out"):
        User.objects.filter(pk=alder.member.pk).update(is_active=False)
    assert visitor.get("/scope/").content == b"none"


def test_a_page_opens_one_scope_and_reads_the_person_once(visitor: Client) -> None:
    visitor.get("/eager/")
    with CaptureQueriesContext(connection) as asked:
        visitor.get("/eager/")
    scopes = [query for query in asked.captured_queries if "set_config" in query["sql"]]
    rows = [query["sql"] for query in asked.captured_queries if query["sql"].startswith("SELECT")]
    assert len(scopes) == 2  # in, and out again, because this test's transaction goes on
    assert len(rows) == 3, rows  # session, person, workflows
