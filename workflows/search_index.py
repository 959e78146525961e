"""Fills the index of the values that runs were given and gave, behind the runs and not in their way.

Words of the input are indexed some seconds after the start, words of the output after the end; see migration 0008.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from uuid import UUID

from django.db import connection

from accounts.tenancy import first_uuid7, system_scope

BATCH = 1_000
LAG = timedelta(seconds=5)  # a run's key is made before its commit: younger ones may still appear
MOST_SECONDS = 20.0  # of one call; the next goes on

# What a webhook brings beside its body says nothing about the matter and would crowd it out.
_DOCUMENT = """CASE WHEN jsonb_typeof(e.input) = 'object' AND e.input ? 'headers' AND e.input ? 'body'
  THEN jsonb_build_array(e.input -> 'body', e.input -> 'query') ELSE e.input END"""

_STARTED = f"""
WITH batch AS MATERIALIZED (
  SELECT e.id, e.organization_id, e.status IN ('PENDING', 'RUNNING', 'WAITING') AS is_open,
    jsonb_build_array({_DOCUMENT}, e.output) AS document
  FROM workflows_execution e WHERE e.id > %(after)s AND e.id < %(until)s ORDER BY e.id LIMIT %(most)s
), words AS (
  INSERT INTO workflows_runword (organization_id, word, execution_id)
  SELECT b.organization_id, word, b.id FROM batch b, steward_run_words(b.organization_id, b.document) AS word
  ON CONFLICT DO NOTHING
), unfinished AS (
  INSERT INTO workflows_runwordopen (execution_id, organization_id)
  SELECT id, organization_id FROM batch WHERE is_open ON CONFLICT DO NOTHING
)
SELECT count(*), (SELECT id FROM batch ORDER BY id DESC LIMIT 1) FROM batch
"""  # noqa: S608 - names of our own
_ENDED = """
WITH batch AS MATERIALIZED (
  SELECT o.execution_id, o.organization_id, e.output
  FROM workflows_runwordopen o LEFT JOIN workflows_execution e ON e.id = o.execution_id
  WHERE e.id IS NULL OR e.status IN ('COMPLETED', 'FAILED', 'CANCELLED', 'TIMEOUT')
  LIMIT %(most)s
), words AS (
  INSERT INTO workflows_runword (organization_id, word, execution_id)
  SELECT b.organization_id, word, b.execution_id FROM batch b, steward_run_words(b.organization_id, b.output) AS word
  WHERE b.output IS NOT NULL ON CONFLICT DO NOTHING
), gone AS (
  DELETE FROM workflows_runwordopen o USING batch b WHERE o.execution_id = b.execution_id
)
SELECT count(*) FROM batch
"""


def index_runs(now: datetime | None = None) -> int:
    """Index what is new, for at most MOST_SECONDS; return how many runs were looked at. Safe to call twice at once.

    now: injected by tests.
    """
    until = first_uuid7((now or datetime.now(UTC)) - LAG)
    give_up = time.monotonic() + MOST_SECONDS
    total = 0
    while time.monotonic() < give_up:
        found = _index_batch(until)
        total += found
        if found < BATCH:
            break
    return total


def _index_batch(until: UUID) -> int:
    with system_scope("index what runs were given and gave"), connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO workflows_runwordmark VALUES (1, %s) ON CONFLICT DO NOTHING", [UUID(int=0)]
        )
        cursor.execute("SELECT through FROM workflows_runwordmark FOR UPDATE SKIP LOCKED")
        row = cursor.fetchone()
        if row is None:
            return 0  # another process is at it
        cursor.execute(_STARTED, {"after": row[0], "until": until, "most": BATCH})
        started, last = cursor.fetchone()
        if last is not None:
            cursor.execute("UPDATE workflows_runwordmark SET through = %s", [last])
        cursor.execute(_ENDED, {"most": BATCH})
        return max(int(started), int(cursor.fetchone()[0]))
