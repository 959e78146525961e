"""Small jobs that keep tables from growing without end."""

from __future__ import annotations

from datetime import timedelta

from django.contrib.sessions.models import Session
from django.db import connection
from django.utils import timezone

from accounts.models import IdempotentAnswer
from accounts.tenancy import system_scope
from config.database.partitions import ensure_partitions
from workflows.models import DedupeKey, ResumeToken, SavedTest, Worker
from workflows.models.saved_test import UNDO_TIME

BATCH = 5_000


def make_partitions() -> str:
    """Make the partitions of the coming two months."""
    with connection.cursor() as cursor:
        made = ensure_partitions(cursor)
    return f"made {', '.join(made)}" if made else "all there"


def clear_sessions() -> str:
    """Remove sessions that have ended."""
    removed, _ = Session.objects.filter(expire_date__lt=timezone.now()).delete()
    return f"removed {removed} sessions"


def clear_leftovers() -> str:
    """Remove what has expired: dedupe keys, API answers, resume addresses, tests, silent workers, cache rows."""
    now = timezone.now()
    with system_scope("remove what has expired"):
        keys = list(DedupeKey.objects.filter(expires_at__lt=now).values_list("pk", flat=True)[:BATCH])
        DedupeKey.objects.filter(pk__in=keys).delete()
        week = now - timedelta(days=7)
        tokens = list(ResumeToken.objects.filter(expires_at__lt=week).values_list("pk", flat=True)[:BATCH])
        ResumeToken.objects.filter(pk__in=tokens).delete()
        said = IdempotentAnswer.objects.filter(expires_at__lt=now).values_list("pk", flat=True)[:BATCH]
        IdempotentAnswer.objects.filter(pk__in=list(said)).delete()
        gone = SavedTest.objects.filter(deleted_at__lt=now - UNDO_TIME).values_list("pk", flat=True)[:BATCH]
        tests, _ = SavedTest.objects.filter(pk__in=list(gone)).delete()
    Worker.objects.filter(heartbeat_at__lt=week).delete()
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM steward_cache WHERE expires < now()")
        cached = cursor.rowcount
    return (
        f"removed {len(keys)} dedupe keys, {len(tokens)} resume addresses, {tests} tests, {cached} cache rows"
    )
