"""The official templates: one JSON file each in gallery/, and bringing them into the database.

A file holds `slug`, `version`, what people read (`name`, `description`, `category`, `tags`, `difficulty`,
`estimated_time_savings`, `time_savings_reasoning`), what it asks for (`required_integrations`,
`optional_integrations`, `configuration_schema`), what it makes (`definition`, `triggers`, `schedule`, with the
placeholders of templates_lib.placeholders), `sample_data`, and `tests` as templates_lib.trial runs them.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.core.exceptions import ValidationError

from accounts.tenancy import system_scope
from templates_lib.models import Template

GALLERY = Path(__file__).parent / "gallery"
REQUIRED_KEYS = frozenset({
    "slug", "version", "name", "description", "category", "difficulty", "estimated_time_savings",
    "time_savings_reasoning", "definition", "tests",
})  # fmt: skip
OPTIONAL_KEYS: dict[str, Any] = {
    "tags": [], "required_integrations": [], "optional_integrations": [], "configuration_schema": None, "triggers": [],
    "schedule": None, "sample_data": None,
}  # fmt: skip


class GalleryFileInvalid(Exception):
    """A file of the gallery cannot be used. The message names the file and what to correct."""


@dataclass(frozen=True, slots=True)
class Seeded:
    """What seeding did, as numbers of templates."""

    created: int = 0
    updated: int = 0
    unchanged: int = 0
    withdrawn: int = 0


def read_all(folder: Path = GALLERY) -> list[dict[str, Any]]:
    """Return the content of every file, by file name. Raises GalleryFileInvalid."""
    found = [read(path) for path in sorted(folder.glob("*.json"))]
    slugs = [entry["slug"] for entry in found]
    if doubles := {slug for slug in slugs if slugs.count(slug) > 1}:
        raise GalleryFileInvalid(f"two files share the slug {min(doubles)}")
    return found


def read(path: Path) -> dict[str, Any]:
    """Return the content of one file, with all optional keys. Raises GalleryFileInvalid."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise GalleryFileInvalid(f"{path.name} is not JSON: {error}") from None
    if missing := REQUIRED_KEYS - set(content):
        raise GalleryFileInvalid(f"{path.name} lacks {', '.join(sorted(missing))}")
    if unknown := set(content) - REQUIRED_KEYS - set(OPTIONAL_KEYS):
        raise GalleryFileInvalid(f"{path.name} has unknown keys: {', '.join(sorted(unknown))}")
    if content["slug"] != path.stem:
        raise GalleryFileInvalid(f"{path.name} has the slug {content['slug']}; file and slug must agree")
    return {
        **OPTIONAL_KEYS,
        **content,
        "configuration_schema": _with_order(content.get("configuration_schema")),
    }


def seed(entries: Iterable[dict[str, Any]]) -> Seeded:
    """Make the public official templates what `entries` say; ratings and popularity stay. Safe to repeat.

    A template whose file is gone is taken out of the gallery; workflows made from it stay. A slug that an
    organization already uses is an error, because nobody's template may be taken over.
    """
    entries = list(entries)
    with system_scope("seed the template gallery"):
        known = {
            template.slug: template
            for template in Template.objects.select_for_update().filter(author="OFFICIAL")
        }
        counts = {"created": 0, "updated": 0, "unchanged": 0}
        for entry in entries:
            counts[_store(known.get(entry["slug"]), entry)] += 1
        gone = [
            template.pk
            for slug, template in known.items()
            if slug not in {entry["slug"] for entry in entries}
        ]
        withdrawn = Template.objects.filter(pk__in=gone, is_public=True).update(is_public=False)
    return Seeded(**counts, withdrawn=withdrawn)


def _with_order(schema: dict[str, Any] | None) -> dict[str, Any] | None:
    """Return a schema that says the order of its questions: PostgreSQL's JSON forgets the order of keys."""
    return schema and {"x-order": list(schema.get("properties") or {}), **schema}


def _store(template: Template | None, entry: dict[str, Any]) -> str:
    wanted = {**entry, "is_public": True}
    if template is None:
        template = Template(author=Template.Author.OFFICIAL, **wanted)
        _check(template)
        template.save(force_insert=True)
        return "created"
    changed = [name for name, value in wanted.items() if getattr(template, name) != value]
    if not changed:
        return "unchanged"
    for name in changed:
        setattr(template, name, wanted[name])
    _check(template)
    template.save(update_fields=[*changed, "updated_at"])
    return "updated"


def _check(template: Template) -> None:
    try:
        template.clean_fields(exclude=["search_vector", "organization", "submitted_by"])
    except ValidationError as error:
        raise GalleryFileInvalid(f"{template.slug}: {'; '.join(error.messages)}") from None
