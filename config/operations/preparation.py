"""Brings database, demo and static files to the state of the code, and knows cheaply when they already are.

Starting Django to find that nothing changed takes seconds. So each step has a key: a digest of what it
depends on. A step whose key is the recorded one is skipped.
"""

import hashlib
import json
import os
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import psycopg

from config.installation import ROOT, RUNTIME_LOCK

RECORD = "prepared.json"


@dataclass(frozen=True)
class Installation:
    """What the keys depend on: the folder, the owner's database URL, where the site is reached, DEBUG."""

    folder: Path
    direct_url: str
    base_url: str
    is_debug: bool


@dataclass(frozen=True)
class Step:
    """One preparation: a sentence for the terminal, its key, and what `perform` runs, as which login."""

    name: str
    sentence: str
    key: Callable[[Installation], str]
    needs_owner: bool = False


def steps(installation: Installation) -> list[Step]:
    """Return the steps this installation needs, in order."""
    database = Step("database", "Preparing the tables …", _database_key, needs_owner=True)
    gallery = Step("gallery", "Filling the template gallery …", _gallery_key)
    demo = Step("demo", "Adding the demo organization and running its workflows …", _demo_key)
    static = Step("static", "Collecting the static files …", _static_key)
    # With DEBUG the static files are served from where they are.
    return [database, gallery, demo] if installation.is_debug else [database, gallery, static]


def pending(installation: Installation, step: Step) -> bool:
    """Return whether the step has something to do."""
    return _recorded(installation).get(step.name) != step.key(installation)


def record(installation: Installation, step: Step) -> None:
    """Remember that the step is done for the present state."""
    path = installation.folder / RECORD
    text = json.dumps(_recorded(installation) | {step.name: step.key(installation)}, indent=1)
    unfinished = path.with_suffix(".unfinished")
    unfinished.write_text(text)
    unfinished.replace(path)


def perform(name: str) -> None:
    """Do one step, inside Django. Exits with one sentence when the configuration does not allow it."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    import django
    from django.core.exceptions import ImproperlyConfigured
    from django.core.management import CommandError, call_command

    try:
        django.setup()
        if name == "database":
            call_command("migrate", interactive=False, verbosity=0)
            _ensure_partitions()
        elif name == "gallery":
            call_command("seed_templates", verbosity=0)
        elif name == "demo":
            call_command("seed_demo", verbosity=0)
        elif name == "static":
            call_command("collectstatic", interactive=False, verbosity=0)
    except (ImproperlyConfigured, CommandError) as problem:
        sys.exit(str(problem))


def _ensure_partitions() -> None:
    from django.db import connection

    from config.database.partitions import ensure_partitions

    with connection.cursor() as cursor:
        ensure_partitions(cursor)


def _recorded(installation: Installation) -> dict[str, str]:
    try:
        return dict(json.loads((installation.folder / RECORD).read_text()))
    except (OSError, ValueError):
        return {}


def _database_key(installation: Installation) -> str:
    # The month, because partitions are made two months ahead.
    month = datetime.now(UTC).strftime("%Y-%m")
    sources = [ROOT / RUNTIME_LOCK, ROOT / "config/database/partitions.py", *ROOT.glob("*/migrations/*.py")]
    return _digest(month, _applied(installation), *_contents(sources))


def _gallery_key(installation: Installation) -> str:
    sources = [*ROOT.glob("templates_lib/gallery/**/*.json"), *ROOT.glob("templates_lib/**/*.py")]
    return _digest(_database_identity(installation), *_contents(sources))


def _demo_key(installation: Installation) -> str:
    # demo.json names the address, so another port needs another file.
    found = str((installation.folder / "demo.json").exists())
    sources = [*ROOT.glob("*/management/commands/seed_demo.py"), *ROOT.glob("*/demo/**/*")]
    return _digest(_database_identity(installation), installation.base_url, found, *_contents(sources))


def _static_key(installation: Installation) -> str:
    found = str((installation.folder / "static").exists())
    files = sorted(path for path in (ROOT / "static").rglob("*") if path.is_file())
    states = [f"{path}:{path.stat().st_size}:{path.stat().st_mtime_ns}" for path in files]
    return _digest(found, *states, *_contents([ROOT / RUNTIME_LOCK]))


def _applied(installation: Installation) -> str:
    """Return a digest of the migrations the database has, so that a replaced database is noticed."""
    query = "SELECT md5(string_agg(app || '.' || name, ',' ORDER BY app, name)) FROM django_migrations"
    with psycopg.connect(installation.direct_url) as connection:
        if connection.execute("SELECT to_regclass('django_migrations')").fetchone() == (None,):
            return ""
        row = connection.execute(query).fetchone()
    return str(row[0]) if row else ""


def _database_identity(installation: Installation) -> str:
    """Return what changes when the database is dropped and made again."""
    query = (
        "SELECT d.oid, s.system_identifier FROM pg_database d, pg_control_system() s"
        " WHERE datname = current_database()"
    )
    with psycopg.connect(installation.direct_url) as connection:
        return str(connection.execute(query).fetchone())


def _contents(paths: Iterable[Path]) -> list[bytes]:
    return [
        part for path in sorted(paths) if path.is_file() for part in (str(path).encode(), path.read_bytes())
    ]


def _digest(*parts: str | bytes) -> str:
    digest = hashlib.sha256()
    for part in parts:
        data = part.encode() if isinstance(part, str) else part
        digest.update(len(data).to_bytes(8, "big") + data)
    return digest.hexdigest()


if __name__ == "__main__":
    perform(sys.argv[1])
