"""Workflows as files: out and in again unchanged, without accounts and secrets."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from hypothesis import given, settings
from hypothesis import strategies as st

from templates_lib import exchange
from tests.worlds import World
from workflows.models import Workflow

N8N = Path(__file__).parent / "n8n" / "fixtures" / "unknown-nodes.json"
IMPORT = "templates_lib:import"
TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0{}%"), max_size=20)
STEP = st.one_of(
    st.fixed_dictionaries(
        {"type": st.just("set"), "values": st.dictionaries(TEXT, TEXT | st.integers(), max_size=3)}
    ),
    st.fixed_dictionaries(
        {
            "type": st.just("action"),
            "provider": st.sampled_from(["slack", "gmail"]),
            "operation": st.just("send"),
            # A field of one's own may be called like something that stays behind.
            "with": st.dictionaries(
                st.sampled_from(["token", "secret", "integration", "text"]), TEXT, max_size=3
            ),
        }
    ),
    st.fixed_dictionaries({"type": st.just("delay"), "for": st.sampled_from(["5m", "2h"])}),
)


@settings(max_examples=60, deadline=None)
@given(rows=st.lists(STEP, max_size=5), name=TEXT, description=TEXT)
def test_what_goes_out_comes_in_again_unchanged(
    rows: list[dict[str, Any]], name: str, description: str
) -> None:
    steps = [{"id": f"step_{index}", **row} for index, row in enumerate(rows)]
    workflow = Workflow(
        name=name or "Named",
        description=description,
        category="SALES",
        definition={"version": 1, "steps": steps},
        triggers=[{"type": "manual", "id": "start"}],
        schedule={"id": "daily", "cron": "0 9 * * *"},
    )
    back = exchange.read(json.dumps(exchange.exported(workflow)))
    assert (back.name, back.description, back.category) == (workflow.name, description, "SALES")
    assert back.definition == workflow.definition
    assert (back.triggers, back.schedule) == (workflow.triggers, workflow.schedule)


def test_accounts_addresses_and_names_of_secrets_stay_at_home() -> None:
    workflow = Workflow(
        name="Named",
        category="CUSTOM",
        definition={
            "version": 1,
            "steps": [
                {"id": "a", "type": "action", "provider": "slack", "operation": "x", "integration": "01a"}
            ],
        },
        triggers=[{"type": "webhook", "token": "t" * 20, "auth": {"method": "header", "secret": "hidden"}}],
    )
    made = exchange.exported(workflow)
    assert made["integrations"] == ["SLACK"]
    assert made["definition"]["steps"] == [
        {"id": "a", "type": "action", "provider": "slack", "operation": "x"}
    ]
    assert made["triggers"] == [{"type": "webhook", "auth": {"method": "header"}}]


@pytest.mark.parametrize(
    ("change", "word"),
    [({"version": 99}, "newer version"), ({"definition": 3}, "damaged"), ({"triggers": None}, "damaged")],
)
def test_a_file_that_cannot_be_read_says_why(change: dict[str, Any], word: str) -> None:
    data = exchange.exported(
        Workflow(name="N", category="CUSTOM", definition={"version": 1, "steps": []}, triggers=[])
    )
    with pytest.raises(exchange.NotImportable, match=word):
        exchange.read(json.dumps({**data, **change}))


def test_an_upload_shows_every_node_and_makes_nothing_yet(db: None, alder: World, client: Client) -> None:
    client.force_login(alder.member)
    with alder.scope():
        before = Workflow.objects.count()
    page = client.post(reverse(IMPORT), {"file": SimpleUploadedFile("x.json", N8N.read_bytes())})
    text = page.content.decode()
    assert page.status_code == 200
    assert "To replace" in text
    assert "Print" in text
    with alder.scope():
        assert Workflow.objects.count() == before


def test_what_was_looked_at_becomes_a_draft_of_the_person(db: None, alder: World, client: Client) -> None:
    client.force_login(alder.member)
    page = client.post(reverse(IMPORT), {"text": N8N.read_text(), "confirmed": "1"})
    assert page.status_code == 302
    with alder.scope():
        made = Workflow.objects.get(name="Unknown services")
        assert made.status == Workflow.Status.DRAFT
        assert made.created_by_id == alder.member.pk
        assert Workflow.objects.visible_to(alder.member).filter(pk=made.pk).exists()
    assert client.get(page["Location"]).status_code == 200


def test_a_file_that_is_none_is_explained_beside_the_field(db: None, alder: World, client: Client) -> None:
    client.force_login(alder.owner)
    page = client.post(reverse(IMPORT), {"text": "{"})
    assert page.status_code == 422
    assert "not valid JSON" in page.content.decode()
    assert client.post(reverse(IMPORT), {}).status_code == 422
    binary = client.post(reverse(IMPORT), {"file": SimpleUploadedFile("x.json", b"\xff\xfe\x00")})
    assert "not text" in binary.content.decode()


def test_a_workflow_is_downloaded_as_a_file(db: None, alder: World, client: Client) -> None:
    client.force_login(alder.viewer)
    answer = client.get(reverse("templates_lib:export", args=[alder.workflow.pk]))
    assert answer["Content-Disposition"].startswith("attachment")
    assert answer.json()["format"] == "steward.workflow"
    assert exchange.read(answer.content).definition == alder.workflow.definition


def test_nobody_downloads_the_workflow_of_others(
    db: None, alder: World, birch: World, client: Client
) -> None:
    client.force_login(birch.owner)
    assert client.get(reverse("templates_lib:export", args=[alder.workflow.pk])).status_code == 404
