"""Which runs the list shows: by status, workflow, trigger, day, and by a value that they were given or gave."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, time, timedelta
from typing import Any
from uuid import UUID

from django.db import connection
from django.http import HttpRequest
from django.utils import timezone

from accounts.tenancy import current_scope
from workflows.forms import RunFilter
from workflows.queries.keyset import PAGE_SIZE, Page, page_of

MAX_WORDS = 5
MAX_MATCHES = 1_000  # newest runs with the value that the other filters look through for one page
MAX_WALKED = 2_000  # entries of the rarest word, where several words must meet
MAX_COUNTED = 5_000  # runs that a filter finds, and MAX_MATCHES where it looks for a value
_NEWEST = UUID(int=(1 << 128) - 1)
_OLDEST = UUID(int=0)

_WORDS = "SELECT word FROM steward_run_words(%s, to_jsonb(%s::text)) AS word LIMIT %s"
# How common each word is, counted no further than where it stops to matter.
_RAREST = """
SELECT wanted.word FROM unnest(%(words)s::bigint[]) AS wanted(word)
ORDER BY (SELECT count(*) FROM (
  SELECT FROM workflows_runword r WHERE r.organization_id = %(organization)s AND r.word = wanted.word
  LIMIT 1000) AS counted)
"""
_MATCHES = """
SELECT walked.execution_id FROM (
  SELECT execution_id FROM workflows_runword
  WHERE organization_id = %(organization)s AND word = %(rarest)s
    AND execution_id > %(above)s AND execution_id < %(below)s
  ORDER BY execution_id {direction} LIMIT %(walked)s) walked
WHERE (SELECT count(*) FROM workflows_runword r
  WHERE r.organization_id = %(organization)s AND r.word = ANY(%(others)s::bigint[])
    AND r.execution_id = walked.execution_id) = cardinality(%(others)s::bigint[])
ORDER BY walked.execution_id {direction} LIMIT %(most)s
"""


def filtered(rows: Any, form: RunFilter) -> Any:
    """Return `rows` as the form narrows them, its value left out; what cannot be read narrows nothing."""
    form.is_valid()
    chosen = form.cleaned_data
    if chosen.get("status"):
        rows = rows.filter(status=chosen["status"])
    if chosen.get("workflow"):
        rows = rows.filter(workflow=chosen["workflow"])
    if chosen.get("trigger"):
        rows = rows.filter(triggered_by=chosen["trigger"])
    if chosen.get("since"):
        rows = rows.filter(started_at__gte=_midnight(chosen["since"]))
    if chosen.get("until"):
        rows = rows.filter(started_at__lt=_midnight(chosen["until"]) + timedelta(days=1))
    return rows


def value_of(form: RunFilter) -> str:
    """Return the value that the form looks for, "" for none."""
    form.is_valid()
    return str(form.cleaned_data.get("q") or "").strip()


def page_of_runs(rows: Any, form: RunFilter, request: HttpRequest) -> tuple[Page, bool]:
    """Return the page of runs that the request asks for, and whether older matches were left unread.

    rows: without the form's filters. With a value, runs come by their key, which is the order of their start too.
    """
    rows, value = filtered(rows, form), value_of(form)
    if not value:
        return page_of(rows, request, by=("started_at", "id")), False
    newer, older = _uuid(request.GET.get("after", "")), _uuid(request.GET.get("before", ""))
    # Where nothing else narrows the list, the page itself is all that needs to be found.
    is_narrowed = _has_filters(rows)
    most = MAX_MATCHES if is_narrowed else PAGE_SIZE + 1
    if newer is not None:
        found = matches(value, above=newer, rising=True, most=most)
    else:
        found = matches(value, below=older or _NEWEST, most=most)
    page = page_of(rows.filter(pk__in=found), request)
    return page, is_narrowed and len(found) >= MAX_MATCHES and len(page) < PAGE_SIZE


def count_of(rows: Any, form: RunFilter) -> int:
    """Return how many runs match, counted up to MAX_COUNTED + 1, or MAX_MATCHES + 1 where a value is looked for."""
    rows, value = filtered(rows, form), value_of(form)
    if not value:
        return int(rows.order_by()[: MAX_COUNTED + 1].count())
    found = matches(value, most=MAX_MATCHES + 1)
    return rows.filter(pk__in=found).count() if _has_filters(rows) or len(found) < PAGE_SIZE else len(found)


def _has_filters(rows: Any) -> bool:
    """Return whether anything but the organization in scope narrows a query of runs."""
    return len(rows.query.where.children) > 1


def matches(
    value: str,
    *,
    above: UUID = _OLDEST,
    below: UUID = _NEWEST,
    rising: bool = False,
    most: int = MAX_MATCHES,
) -> list[UUID]:
    """Return the newest runs of the organization in scope that hold every word of `value`, whatever the case.

    Both bounds are exclusive. rising: the oldest first, for the page before this one. A run's own id finds that run.
    """
    if (identifier := _uuid(value)) is not None:
        return [identifier] if above < identifier < below else []
    organization = current_scope().organization_id
    with connection.cursor() as cursor:
        cursor.execute(_WORDS, [organization, value, MAX_WORDS])
        words = [row[0] for row in cursor.fetchall()]
        if len(words) > 1:
            cursor.execute(_RAREST, {"words": words, "organization": organization})
            words = [row[0] for row in cursor.fetchall()]
        if not words:
            return []
        return _walk(cursor, words, organization, above, below, rising, most)


def _walk(
    cursor: Any, words: Sequence[int], organization: Any, above: UUID, below: UUID, rising: bool, most: int
) -> list[UUID]:
    statement = _MATCHES.format(direction="ASC" if rising else "DESC")
    cursor.execute(
        statement,
        {
            "organization": organization, "rarest": words[0], "others": list(words[1:]), "above": above, "below": below,
            "walked": most if len(words) == 1 else max(MAX_WALKED, most), "most": most,
        },
    )  # fmt: skip
    return [row[0] for row in cursor.fetchall()]


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text.strip()) if len(text) < 50 else None
    except ValueError:
        return None


def _midnight(day: Any) -> datetime:
    return timezone.make_aware(datetime.combine(day, time.min))
