"""Every long list is read through an index: its page's own queries are explained on 100,000 rows."""

from __future__ import annotations

import json
from collections.abc import Iterator

import psycopg
import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from config.database import embedded
from tests.databases import at
from tests.worlds import World, make_world

ROWS = 100_000
# table -> how its rows are made for organization %(org)s, workflow %(workflow)s, version %(version)s
MADE = {
    "workflows_execution": """
        INSERT INTO workflows_execution (id, organization_id, workflow_id, version_id, status, result, started_at,
          completed_at, duration_ms, deadline_at)
        SELECT overlay(steward_first_uuid7(at)::text placing lpad(to_hex(n), 12, '0') from 25)::uuid,
          %(org)s, %(workflow)s, %(version)s,
          CASE WHEN n %% 50 = 0 THEN 'FAILED' ELSE 'COMPLETED' END,
          CASE WHEN n %% 50 = 0 THEN 'FAILURE' ELSE 'SUCCESS' END, at, at, 12, at
        FROM (SELECT n, now() - n * interval '5 seconds' AS at FROM generate_series(1, %(rows)s) n) made
    """,
    "workflows_triggerdecision": """
        INSERT INTO workflows_triggerdecision (id, organization_id, workflow_id, trigger_key, kind, reason)
        SELECT overlay(steward_first_uuid7(now() - n * interval '5 seconds')::text
            placing lpad(to_hex(n), 12, '0') from 25)::uuid,
          %(org)s, %(workflow)s, 'website', 'WEBHOOK', 'STARTED' FROM generate_series(1, %(rows)s) n
    """,
    "workflows_workflow": """
        INSERT INTO workflows_workflow (id, organization_id, name, description, category, definition, status,
          is_template, triggers, revision, minutes_saved_per_run, created_at, updated_at)
        SELECT gen_random_uuid(), %(org)s, 'Recipe ' || n, 'does number ' || n, 'CUSTOM', '{}', 'DRAFT', false, '[]', 1,
          0, now(), now() FROM generate_series(1, %(rows)s) n
    """,
    "accounts_auditevent": """
        INSERT INTO accounts_auditevent (id, organization_id, at, actor_label, action, target_type, target_id,
          target_label)
        SELECT gen_random_uuid(), %(org)s, now(), 'Owner', 'workflow.published', '', '', ''
        FROM generate_series(1, %(rows)s) n
    """,
}
PAGES = [
    ("workflows_execution", "workflows:runs", ""),
    ("workflows_execution", "workflows:runs", "status=FAILED"),
    ("workflows_execution", "workflows:detail", ""),
    ("workflows_triggerdecision", "workflows:triggers", ""),
    ("workflows_workflow", "workflows:list", ""),
    ("workflows_workflow", "workflows:list", "q=4711"),
    ("accounts_auditevent", "accounts:audit", ""),
]


@pytest.fixture
def crowded(committed_db: str, cluster: embedded.ConnectionUrls) -> World:
    """An organization with 100,000 rows of everything that is listed, and fresh statistics."""
    world = make_world("Crowd")
    values = {
        "org": world.organization.pk,
        "workflow": world.workflow.pk,
        "version": world.version.pk,
        "rows": ROWS,
    }
    with psycopg.connect(at(cluster.superuser, committed_db), autocommit=True) as owner:
        owner.execute(
            "SET session_replication_role = replica"
        )  # the rows are right: nothing needs to be checked
        for statement in MADE.values():
            owner.execute(statement, values)
        owner.execute("ANALYZE")
    return world


@pytest.mark.slow
def test_no_list_reads_a_whole_table(crowded: World, client: Client) -> None:
    client.force_login(crowded.owner)
    for table, name, query in PAGES:
        arguments = [crowded.workflow.pk] if name in {"workflows:detail", "workflows:triggers"} else []
        with CaptureQueriesContext(connection) as captured:
            assert client.get(f"{reverse(name, args=arguments)}?{query}").status_code == 200
        listing = [
            each["sql"]
            for each in captured
            if f'FROM "{table}"' in each["sql"]
            and "LIMIT" in each["sql"]
            and each["sql"].startswith("SELECT")
        ]
        assert listing, f"{name} has no bounded query on {table}"
        for sql in listing:
            with crowded.scope(), connection.cursor() as cursor:
                cursor.execute("EXPLAIN (FORMAT JSON) " + sql.replace("%", "%%"), [])
                plan = json.dumps(cursor.fetchone()[0])
            assert not any(
                node.get("Node Type") == "Seq Scan"
                and str(node.get("Relation Name", "")).startswith(table)
                and node.get("Plan Rows", 0) > ROWS / 10
                for node in nodes(json.loads(plan))
            ), f"{name}?{query} reads all of {table}: {sql}"


def nodes(plan: object) -> Iterator[dict[str, object]]:
    """Yield every node of a JSON plan."""
    if isinstance(plan, list):
        for part in plan:
            yield from nodes(part)
    elif isinstance(plan, dict):
        if "Node Type" in plan:
            yield plan
        for part in plan.values():
            yield from nodes(part)
