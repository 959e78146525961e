"""How well installed templates work for everybody: success rate and typical run time, never those of one customer."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.db import connection
from django.utils import timezone

from accounts.tenancy import first_uuid7, system_scope

FEWEST_ORGANIZATIONS = 5  # below this, a figure could tell what one organization does
WINDOW = timedelta(days=30)  # shorter than any retention, so that no kind of run is missing from it

# Organizations count the same, however many runs they have: first each one's figures, then the figures over all.
_MEASURE = """
WITH each_organization AS (
  SELECT made.template_id,
         avg((run.result IN ('SUCCESS', 'PARTIAL'))::int) AS success,
         percentile_cont(0.5) WITHIN GROUP (ORDER BY run.duration_ms)
           FILTER (WHERE run.result IN ('SUCCESS', 'PARTIAL')) AS duration
  FROM templates_lib_templateinstall made
  JOIN workflows_execution run
    ON run.organization_id = made.organization_id AND run.workflow_id = made.workflow_id
  WHERE run.id >= %(first)s AND run.started_at >= %(since)s AND run.started_at < %(now)s
    AND run.mode = 'LIVE' AND run.status IN ('COMPLETED', 'FAILED', 'TIMEOUT')
  GROUP BY made.template_id, made.organization_id
), measured AS (
  SELECT template_id, count(*) AS organizations, avg(success) AS success,
         percentile_cont(0.5) WITHIN GROUP (ORDER BY duration) AS duration
  FROM each_organization
  GROUP BY template_id
  HAVING count(*) >= %(fewest)s
), wanted AS (
  SELECT template.id, measured.success, round(measured.duration)::bigint AS duration
  FROM templates_lib_template template LEFT JOIN measured ON measured.template_id = template.id
)
UPDATE templates_lib_template template
SET success_rate = wanted.success, median_duration_ms = wanted.duration
FROM wanted
WHERE template.id = wanted.id
  AND (template.success_rate, template.median_duration_ms) IS DISTINCT FROM (wanted.success::float8, wanted.duration)
"""


def measure(now: datetime | None = None) -> str:
    """Write success rate and median duration of the last 30 days into every template. Returns what it did.

    Real runs that ended count; tests, dry runs and cancelled ones do not. A template that fewer than five
    organizations ran has no figures, and loses those it had.
    """
    now = now or timezone.now()
    since = now - WINDOW
    values: dict[str, Any] = {
        "first": first_uuid7(since),
        "since": since,
        "now": now,
        "fewest": FEWEST_ORGANIZATIONS,
    }
    with system_scope("measure how templates do"), connection.cursor() as cursor:
        cursor.execute(_MEASURE, values)
        return f"changed the figures of {cursor.rowcount} templates"
