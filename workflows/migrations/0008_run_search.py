"""Finding runs by a value: an inverted index of hashed words, filled in the background, searched by one index range.

A plain B-tree, not GIN: under row security PostgreSQL uses an index only for operators that are leakproof, which the
equality of numbers is and the operators of arrays and texts are not. Words are hashed together with the organization,
so the table holds nothing that could be read, and no two organizations share an entry. It is partitioned by the month of
the run, and leaves with it. Nothing is added to the tables that runs are written to.
"""

from django.db import migrations

SQL = """
-- The words of all texts and numbers in a document, as hashes: those with digits or an @ first, at most 48.
CREATE FUNCTION steward_run_words(organization uuid, document jsonb) RETURNS SETOF bigint
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT hashtextextended(organization::text || ' ' || word, 0)
  FROM (
    SELECT trim(BOTH '.-_' FROM found[1]) AS word, min(place) AS place
    FROM jsonb_path_query(document, 'strict $.**') WITH ORDINALITY AS part(value, place),
      regexp_matches(lower(left(part.value #>> '{}', 2000)), '[[:alnum:]@._+-]{2,}', 'g') AS found
    WHERE jsonb_typeof(part.value) IN ('string', 'number')
    GROUP BY 1
  ) AS words
  WHERE length(word) BETWEEN 2 AND 100
  ORDER BY word ~ '[0-9@]' DESC, place
  LIMIT 48
$$;

CREATE TABLE workflows_runword (
  organization_id uuid NOT NULL,
  word bigint NOT NULL,
  execution_id uuid NOT NULL,
  PRIMARY KEY (organization_id, word, execution_id)
) PARTITION BY RANGE (execution_id);
ALTER TABLE workflows_runword ENABLE ROW LEVEL SECURITY;
ALTER TABLE workflows_runword FORCE ROW LEVEL SECURITY;
CREATE POLICY organization_isolation ON workflows_runword USING
  (organization_id = (SELECT nullif(current_setting('app.organization_id', true), '')::uuid));
CREATE POLICY system_access ON workflows_runword TO steward_system USING (true) WITH CHECK (true);

-- Runs whose input is indexed and which have not ended: their output follows.
CREATE TABLE workflows_runwordopen (
  execution_id uuid PRIMARY KEY,
  organization_id uuid NOT NULL
);
ALTER TABLE workflows_runwordopen ENABLE ROW LEVEL SECURITY;
ALTER TABLE workflows_runwordopen FORCE ROW LEVEL SECURITY;
CREATE POLICY organization_isolation ON workflows_runwordopen USING
  (organization_id = (SELECT nullif(current_setting('app.organization_id', true), '')::uuid));
CREATE POLICY system_access ON workflows_runwordopen TO steward_system USING (true) WITH CHECK (true);

-- How far the index is: the last run it has seen.
CREATE TABLE workflows_runwordmark (
  id smallint PRIMARY KEY CHECK (id = 1),
  through uuid NOT NULL
);
INSERT INTO workflows_runwordmark VALUES (1, '00000000-0000-0000-0000-000000000000');

SELECT steward_ensure_partitions(
  coalesce(
    (SELECT min(to_date(right(relname, 7), 'YYYY_MM')) FROM pg_class
     WHERE relispartition AND relkind = 'r' AND relname ~ '^workflows_execution_[0-9]{4}_[0-9]{2}$'),
    (date_trunc('month', now()) - interval '1 month')::date),
  (date_trunc('month', now()) + interval '2 months')::date);
"""
REVERSE = """
DROP TABLE workflows_runwordmark;
DROP TABLE workflows_runwordopen;
DROP TABLE workflows_runword;
DROP FUNCTION steward_run_words(uuid, jsonb);
"""


class Migration(migrations.Migration):
    dependencies = [("workflows", "0007_bulk_actions")]
    operations = [migrations.RunSQL(SQL, REVERSE)]
