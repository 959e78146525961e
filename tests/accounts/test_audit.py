"""The audit trail's page: sentences, filters, pages that do not shift, and a file."""

from __future__ import annotations

import csv
import io
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.db.utils import IntegrityError
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.audit import record
from accounts.audit_sentences import GROUPS, SENTENCES, sentence
from accounts.models import AuditEvent
from tests.worlds import World


@pytest.fixture
def owners(client: Client, alder: World, birch: World) -> Client:
    with birch.scope():
        record("workflow.deleted", actor=birch.owner, target=birch.workflow)
    with alder.scope():
        record("workflow.published", actor=alder.owner, target=alder.workflow)
        record(
            "member.role_changed",
            actor=alder.admin,
            target=alder.member,
            before={"role": "VIEWER"},
            after={"role": "MEMBER"},
        )
    client.force_login(alder.owner)
    return client


def sentences(response: Any) -> list[str]:
    return [row["sentence"] for row in response.context["events"]]


ROLE_CHANGED = "changed the role of Member of Alder from Viewer to Member"
PUBLISHED = "published the workflow Greeting of Alder"


def test_events_are_sentences_newest_first_and_ours_alone(owners: Client) -> None:
    assert sentences(owners.get(reverse("accounts:audit"))) == [ROLE_CHANGED, PUBLISHED]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"action": "member"}, [ROLE_CHANGED]),
        ({"action": "workflow"}, [PUBLISHED]),
        ({"person": "owner@alder"}, [PUBLISHED]),
        ({"person": "Member of"}, [ROLE_CHANGED]),
        ({"since": "today"}, [ROLE_CHANGED, PUBLISHED]),
        ({"since": "tomorrow"}, []),
        ({"until": "today"}, [ROLE_CHANGED, PUBLISHED]),
        ({"until": "yesterday"}, []),
        ({"since": "nonsense", "before": "nonsense"}, [ROLE_CHANGED, PUBLISHED]),
    ],
)
def test_filters(owners: Client, query: dict[str, str], found: list[str]) -> None:
    today = timezone.now().date()
    days = {"today": today, "tomorrow": today + timedelta(days=1), "yesterday": today - timedelta(days=1)}
    asked = {name: str(days.get(value, value)) for name, value in query.items()}
    assert sentences(owners.get(reverse("accounts:audit"), asked)) == found


def test_pages_follow_each_other_without_gaps(
    owners: Client, alder: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("accounts.views.audit.PAGE_SIZE", 2)
    with alder.scope():
        for number in range(3):
            record(f"workflow.tried_{number}", actor=alder.owner)
    seen, url = [], "?"
    while url:
        response = owners.get(reverse("accounts:audit") + url)
        seen += [row["event"].action for row in response.context["events"]]
        url = response.context["next_url"]
        with alder.scope():
            record("workflow.meanwhile", actor=alder.owner)
    assert seen == [
        "workflow.tried_2",
        "workflow.tried_1",
        "workflow.tried_0",
        "member.role_changed",
        "workflow.published",
    ]


def read_csv(client: Client, **query: str) -> list[list[str]]:
    response = client.get(reverse("accounts:audit-export"), query)
    return list(csv.reader(io.StringIO(b"".join(response.streaming_content).decode())))  # type: ignore[attr-defined]


def test_the_file_holds_what_the_filter_shows(
    owners: Client, alder: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("accounts.audit_search.BATCH", 1)
    rows = read_csv(owners, action="member")
    assert [row[2] for row in rows] == ["What", ROLE_CHANGED]
    assert [row[3] for row in read_csv(owners)][1:] == [
        "audit.exported",
        "audit.exported",
        "member.role_changed",
        "workflow.published",
    ]


def test_a_cell_is_never_a_formula(owners: Client, alder: World) -> None:
    with alder.scope():
        alder.workflow.name = '=HYPERLINK("http://evil.example")'
        record("workflow.changed", actor=alder.owner, target=alder.workflow)
    assert read_csv(owners)[2][4].startswith("'=")


def test_secrets_do_not_reach_the_trail(alder: World) -> None:
    with alder.scope():
        event = record("key.created", actor=alder.owner, after={"api_key": "stw_hush", "name": "Website"})
    assert event.after == {"api_key": "(secret)", "name": "Website"}


@pytest.mark.parametrize(
    "statement", ["UPDATE accounts_auditevent SET action = 'x'", "DELETE FROM accounts_auditevent"]
)
def test_the_trail_only_grows(alder: World, statement: str) -> None:
    with alder.scope():
        record("workflow.published", actor=alder.owner)
    with pytest.raises(IntegrityError, match="append-only"), alder.scope(), connection.cursor() as cursor:
        cursor.execute(statement)


@pytest.mark.parametrize("action", sorted(SENTENCES))
def test_every_sentence_can_be_said_of_an_event_without_values(action: str) -> None:
    assert action.partition(".")[0] in GROUPS
    assert "%(" not in sentence(AuditEvent(action=action))


def test_an_unknown_event_is_named_by_its_parts() -> None:
    assert (
        sentence(AuditEvent(action="template.was_rated", target_label="Invoices"))
        == "was rated templates Invoices"
    )
