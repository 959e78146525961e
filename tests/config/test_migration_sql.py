"""The linter of migrations sees what may block somebody, and nothing else."""

from __future__ import annotations

from config.database.migration_sql import on_tables_in_use


def test_only_statements_on_tables_that_exist_already_are_shown() -> None:
    added = 'ALTER TABLE "accounts_user" ADD COLUMN "colour" text NULL;'
    slow = 'CREATE INDEX "by_colour" ON "accounts_user" ("colour");'
    statements = [
        'CREATE TABLE "fresh" ("id" uuid NOT NULL PRIMARY KEY);',
        'ALTER TABLE "fresh" ADD CONSTRAINT "fk" FOREIGN KEY ("user") REFERENCES "accounts_user" ("id");',
        'CREATE UNIQUE INDEX "once" ON "fresh" ("id");',
        added,
        slow,
    ]
    assert on_tables_in_use(statements) == [statements[0], added, slow]
