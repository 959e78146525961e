"""Writes the SQL of migrations that run on tables with rows, for a linter to read: `python -m … FOLDER`."""

import os
import re
import sys
from pathlib import Path

APPS = ("accounts", "billing", "config", "integrations", "templates_lib", "workflows")


def write_migration_sql(folder: Path) -> list[Path]:
    """Write one file per migration of ours that is not an app's first, and return the files.

    A first migration only makes tables, which nobody uses yet, so it can lock nothing.
    """
    from django.db import connection
    from django.db.migrations.loader import MigrationLoader

    loader = MigrationLoader(connection, replace_migrations=False)
    written = []
    for app, name in sorted(loader.disk_migrations):
        migration = loader.disk_migrations[app, name]
        if app not in APPS or migration.initial:
            continue
        statements = on_tables_in_use(loader.collect_sql([(migration, False)]))
        path = folder / f"{app}.{name}.sql"
        path.write_text("\n".join(statements) + "\n")
        written.append(path)
    return written


def on_tables_in_use(statements: list[str]) -> list[str]:
    """Return the statements without those on tables that the same migration makes: nobody waits for an empty one.

    A foreign key of such a table locks the table it refers to for a moment only, for there are no rows to check.
    """
    new = {name for each in statements for name in re.findall(r'^CREATE TABLE "(\w+)"', each, re.MULTILINE)}
    named = re.compile(r'^(?:ALTER TABLE|CREATE (?:UNIQUE )?INDEX "\w+" ON) "(\w+)"')
    return [each for each in statements if not (found := named.match(each)) or found[1] not in new]


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    os.environ.setdefault("STEWARD_DATABASE_LOGIN", "owner")
    import django

    from manage import start_embedded_database

    start_embedded_database()

    django.setup()
    write_migration_sql(Path(sys.argv[1]))
