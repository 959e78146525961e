"""Monthly range partitions: how a partitioned table is made, and the SQL functions that keep months ahead."""

from __future__ import annotations

from typing import Any

from django.db import migrations

# Owned by the migration role and SECURITY DEFINER, so that the application login, which may not create tables, can
# still ask for next month. A partition answers only through its parent: it has no grants and no policy of its own.
FUNCTIONS = """
CREATE FUNCTION steward_first_uuid7(moment timestamptz) RETURNS uuid LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT (lpad(to_hex((extract(epoch FROM moment) * 1000)::bigint), 12, '0') || '70008000000000000000')::uuid
$$;

CREATE FUNCTION steward_text(words anyarray) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT array_to_string(words, ' ')
$$;

CREATE FUNCTION steward_ensure_partitions(first_month date, last_month date) RETURNS SETOF text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
  parent record;
  month date;
  part text;
  lower_bound text;
  upper_bound text;
BEGIN
  PERFORM pg_advisory_xact_lock(hashtext('steward_ensure_partitions'));
  FOR parent IN
    SELECT c.oid, c.relname, a.atttypid = 'uuid'::regtype AS by_uuid
    FROM pg_partitioned_table p
    JOIN pg_class c ON c.oid = p.partrelid
    JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = p.partattrs[0]
    WHERE c.relnamespace = 'public'::regnamespace AND p.partstrat = 'r'
    ORDER BY c.oid
  LOOP
    month := date_trunc('month', first_month);
    WHILE month <= last_month LOOP
      part := format('%s_%s', parent.relname, to_char(month, 'YYYY_MM'));
      IF to_regclass(format('public.%I', part)) IS NULL THEN
        lower_bound := (month::timestamp AT TIME ZONE 'UTC')::text;
        upper_bound := ((month + interval '1 month')::timestamp AT TIME ZONE 'UTC')::text;
        IF parent.by_uuid THEN
          lower_bound := steward_first_uuid7(lower_bound::timestamptz)::text;
          upper_bound := steward_first_uuid7(upper_bound::timestamptz)::text;
        END IF;
        EXECUTE format('CREATE TABLE public.%I PARTITION OF public.%I FOR VALUES FROM (%L) TO (%L)',
                       part, parent.relname, lower_bound, upper_bound);
        EXECUTE format('ALTER TABLE public.%I ENABLE ROW LEVEL SECURITY', part);
        EXECUTE format('ALTER TABLE public.%I FORCE ROW LEVEL SECURITY', part);
        EXECUTE format('REVOKE ALL ON public.%I FROM PUBLIC, steward_app, steward_system', part);
        RETURN NEXT part;
      END IF;
      month := month + interval '1 month';
    END LOOP;
  END LOOP;
END $$;

CREATE FUNCTION steward_drop_month(dropped date) RETURNS SETOF text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
  part record;
BEGIN
  -- Children before the table they refer to; detaching checks that nothing else still points in.
  FOR part IN
    SELECT c.oid, c.relname, p.relname AS parent
    FROM pg_inherits i
    JOIN pg_class c ON c.oid = i.inhrelid
    JOIN pg_class p ON p.oid = i.inhparent
    WHERE p.relkind = 'p' AND c.relnamespace = 'public'::regnamespace
      AND c.relname = format('%s_%s', p.relname, to_char(dropped, 'YYYY_MM'))
      AND p.relname <> 'billing_usagerecord'
    ORDER BY p.relname = 'workflows_execution', p.oid
  LOOP
    EXECUTE format('ALTER TABLE public.%I DETACH PARTITION public.%I', part.parent, part.relname);
    EXECUTE format('DROP TABLE public.%I', part.relname);
    RETURN NEXT part.relname;
  END LOOP;
END $$;

REVOKE ALL ON FUNCTION steward_drop_month(date) FROM PUBLIC, steward_app;
GRANT EXECUTE ON FUNCTION steward_drop_month(date) TO steward_system;
"""

DROP_FUNCTIONS = """
DROP FUNCTION steward_drop_month(date);
DROP FUNCTION steward_ensure_partitions(date, date);
DROP FUNCTION steward_text(anyarray);
DROP FUNCTION steward_first_uuid7(timestamptz);
"""

ENSURE = """
SELECT steward_ensure_partitions(
  (date_trunc('month', now()) - interval '1 month')::date, (date_trunc('month', now()) + interval '2 months')::date)
"""


def ensure_partitions(cursor: Any) -> list[str]:
    """Make the partitions of last month to two months ahead; return the names of the new ones."""
    cursor.execute(ENSURE)
    return [row[0] for row in cursor.fetchall()]


class CreatePartitionedModel(migrations.CreateModel):
    """CreateModel whose table is partitioned by range of `partition_key` (a column).

    PostgreSQL wants the partition key inside the primary key; where that is not the model's own key, the table's
    primary key is (partition_key, id), while Django goes on treating the UUIDv7 `id` as the key, which it is.
    """

    def __init__(self, *args: Any, partition_key: str = "id", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.partition_key = partition_key

    def deconstruct(self) -> Any:
        name, args, kwargs = super().deconstruct()
        return name, args, {**kwargs, "partition_key": self.partition_key}

    def database_forwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        original = schema_editor.table_sql

        def partitioned(model: Any) -> tuple[str, Any]:
            sql, params = original(model)
            if self.partition_key != "id":
                key = schema_editor.quote_name(self.partition_key)
                sql = sql.replace(" NOT NULL PRIMARY KEY", " NOT NULL", 1)
                sql = f'{sql.rstrip()[:-1]}, PRIMARY KEY ({key}, "id"))'
            return f"{sql} PARTITION BY RANGE ({schema_editor.quote_name(self.partition_key)})", params

        schema_editor.table_sql = partitioned
        try:
            super().database_forwards(app_label, schema_editor, from_state, to_state)
        finally:
            schema_editor.table_sql = original


def partitions_operation() -> migrations.RunSQL:
    """Make the first partitions of what earlier operations created."""
    return migrations.RunSQL(ENSURE, migrations.RunSQL.noop)
