"""Seeding the gallery: safe to repeat, never at the expense of what people said about a template."""

from __future__ import annotations

import json

import pytest
from django.core.management import CommandError, call_command

from accounts.tenancy import organization_scope, system_scope
from templates_lib import official
from templates_lib.models import Template


def entry(slug: str = "say-hello", **changes):
    return {
        **official.OPTIONAL_KEYS, "slug": slug, "version": 1, "name": "Say hello", "description": "Says hello.",
        "category": "CUSTOM", "difficulty": "BEGINNER", "estimated_time_savings": "1 minute a day",
        "time_savings_reasoning": "Nobody has to say it.", "tests": [],
        "definition": {"version": 1, "steps": [{"id": "hello", "type": "set", "values": {"text": "Hello"}}]}, **changes,
    }  # fmt: skip


def the(slug: str) -> Template:
    with system_scope("look at a template"):
        return Template.objects.get(slug=slug)


def test_the_command_brings_all_files_and_changes_nothing_the_second_time(db):
    call_command("seed_templates", verbosity=0)
    with system_scope("count templates"):
        assert Template.objects.filter(author="OFFICIAL", is_public=True).count() == len(official.read_all())
    again = official.seed(official.read_all())
    assert (again.created, again.updated, again.withdrawn) == (0, 0, 0)


def test_a_new_version_keeps_popularity_and_ratings(db):
    official.seed([entry()])
    with system_scope("make it popular"):
        Template.objects.filter(slug="say-hello").update(popularity=7, rating=4.5, rating_count=2)
    assert official.seed([entry(version=2, name="Say hello twice")]).updated == 1
    template = the("say-hello")
    assert (template.version, template.name) == (2, "Say hello twice")
    assert (template.popularity, template.rating, template.rating_count) == (7, 4.5, 2)


def test_a_template_whose_file_is_gone_leaves_the_gallery_and_can_come_back(db):
    official.seed([entry()])
    assert official.seed([]).withdrawn == 1
    assert not the("say-hello").is_public
    assert official.seed([entry()]).updated == 1
    assert the("say-hello").is_public


def test_seeding_leaves_the_templates_of_organizations_alone(alder):
    with organization_scope(alder.organization.pk):
        fields = {name: value for name, value in entry("their-own").items() if name != "tests"}
        Template.objects.create(
            **fields,
            organization=alder.organization,
            author="COMMUNITY",
            is_public=False,
            submitted_by=alder.owner,
        )
    official.seed([entry()])
    assert the("their-own").author == "COMMUNITY"


def test_public_templates_are_seen_by_every_organization_and_changed_by_none(alder):
    official.seed([entry()])
    with alder.scope():
        assert Template.objects.filter(slug="say-hello").exists()
        assert Template.objects.filter(slug="say-hello").update(name="Ours now") == 0


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("{", "is not JSON"),
        ("{}", "lacks category"),
        (json.dumps({**entry("other-name")}), "file and slug must agree"),
        (json.dumps({**entry("one"), "colour": "red"}), "unknown keys: colour"),
    ],
)
def test_a_faulty_file_is_refused_with_its_name(tmp_path, content, complaint):
    (tmp_path / "one.json").write_text(content)
    with pytest.raises(official.GalleryFileInvalid, match=complaint) as refused:
        official.read_all(tmp_path)
    assert "one.json" in str(refused.value)


def test_the_command_fails_with_one_sentence(db, tmp_path, monkeypatch):
    (tmp_path / "one.json").write_text("{")
    monkeypatch.setattr(official, "read_all", lambda: official.read(tmp_path / "one.json"))
    with pytest.raises(CommandError, match=r"one\.json is not JSON"):
        call_command("seed_templates", verbosity=0)
