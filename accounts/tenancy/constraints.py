"""Constraints that migrations see: row security on an owned table, and same-organization references."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.backends.ddl_references import Statement, Table

ISOLATION_POLICY = "organization_isolation"
SYSTEM_POLICY = "system_access"
PUBLIC_POLICY = "public_rows"


class _DeferredSqlConstraint(models.BaseConstraint):
    """A constraint whose SQL is more than a clause of CREATE TABLE."""

    create_template = ""
    remove_template = ""

    def constraint_sql(self, model: Any, schema_editor: Any) -> str:
        schema_editor.deferred_sql.append(self.create_sql(model, schema_editor))
        return ""

    def create_sql(self, model: Any, schema_editor: Any) -> Any:
        return self._statement(self.create_template, model, schema_editor)

    def remove_sql(self, model: Any, schema_editor: Any) -> Any:
        return self._statement(self.remove_template, model, schema_editor)

    def _statement(self, template: str, model: type[models.Model], schema_editor: Any) -> Statement:
        return Statement(
            template,
            table=Table(model._meta.db_table, schema_editor.quote_name),
            **self._parts(model, schema_editor),
        )

    def _parts(self, model: type[models.Model], schema_editor: Any) -> dict[str, str]:
        return {}

    def validate(self, *args: Any, **kwargs: Any) -> None:
        """PostgreSQL alone enforces it."""

    def __eq__(self, other: object) -> bool:
        return isinstance(other, type(self)) and self.deconstruct() == other.deconstruct()

    def __hash__(self) -> int:
        return hash((type(self), self.name))


class RowLevelSecurity(_DeferredSqlConstraint):
    """Enable and force row security: a session sees the rows of `app.organization_id` and no others.

    The policy is plain equality, so that an index serves it; system work switches role instead of setting a flag.
    column: the column that holds the organization, `id` on the organization table itself.
    public_rows: rows without an organization may be read by all.
    """

    create_template = (
        "ALTER TABLE %(table)s ENABLE ROW LEVEL SECURITY; ALTER TABLE %(table)s FORCE ROW LEVEL SECURITY; "
        f"CREATE POLICY {ISOLATION_POLICY} ON %(table)s USING "
        "(%(column)s = (SELECT nullif(current_setting('app.organization_id', true), '')::uuid)); "
        f"CREATE POLICY {SYSTEM_POLICY} ON %(table)s TO steward_system USING (true) WITH CHECK (true)%(public)s"
    )
    remove_template = (
        f"DROP POLICY IF EXISTS {PUBLIC_POLICY} ON %(table)s; "
        f"DROP POLICY {SYSTEM_POLICY} ON %(table)s; DROP POLICY {ISOLATION_POLICY} ON %(table)s; "
        "ALTER TABLE %(table)s NO FORCE ROW LEVEL SECURITY; ALTER TABLE %(table)s DISABLE ROW LEVEL SECURITY"
    )

    def __init__(self, *, name: str, column: str = "organization_id", public_rows: bool = False) -> None:
        super().__init__(name=name)
        self.column, self.public_rows = column, public_rows

    def _parts(self, model: type[models.Model], schema_editor: Any) -> dict[str, Any]:
        column, table = schema_editor.quote_name(self.column), schema_editor.quote_name(model._meta.db_table)
        public = f"; CREATE POLICY {PUBLIC_POLICY} ON {table} FOR SELECT USING ({column} IS NULL)"
        return {"column": column, "public": public if self.public_rows else ""}

    def deconstruct(self) -> Any:
        path, args, kwargs = super().deconstruct()
        return path, args, {**kwargs, "column": self.column, "public_rows": self.public_rows}


class SameOrganization(_DeferredSqlConstraint):
    """A composite foreign key (organization_id, field) -> (organization_id, id).

    Plain foreign-key checks ignore row security, so that without it a row could point at another tenant's.
    to: the referenced table. on_delete: what PostgreSQL does; SET NULL clears the reference column alone.
    """

    remove_template = "ALTER TABLE %(table)s DROP CONSTRAINT %(name)s"

    def __init__(self, *, name: str, column: str, to: str, on_delete: str = "NO ACTION") -> None:
        super().__init__(name=name)
        self.column, self.to, self.on_delete = column, to, on_delete

    create_template = (
        "ALTER TABLE %(table)s ADD CONSTRAINT %(name)s FOREIGN KEY (organization_id, %(column)s) "
        "REFERENCES %(to)s (organization_id, id)%(on_delete)s DEFERRABLE INITIALLY DEFERRED"
    )

    def _parts(self, model: type[models.Model], schema_editor: Any) -> dict[str, str]:
        quote = schema_editor.quote_name
        return {
            "name": quote(self.name),
            "column": quote(self.column),
            "to": quote(self.to),
            "on_delete": "" if self.on_delete == "NO ACTION" else f" ON DELETE {self.on_delete}",
        }

    def deconstruct(self) -> Any:
        path, args, kwargs = super().deconstruct()
        return path, args, {**kwargs, "column": self.column, "to": self.to, "on_delete": self.on_delete}
