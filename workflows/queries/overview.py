"""The rows of the workflow list: each with its last run, in as many queries for thirty as for three."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Count, OuterRef, Q, Subquery
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.models import User
from workflows.access import WORKFLOW_PAYLOAD
from workflows.models import Execution, Trigger, Workflow

RECENT = timedelta(days=14)
Status = Execution.Status
UNHAPPY = (Status.FAILED, Status.TIMEOUT)


@dataclass(frozen=True, slots=True)
class Health:
    """How a workflow has been doing lately. tone: success, warning, danger or neutral."""

    sentence: str
    tone: str
    finished: int = 0
    failed: int = 0


def workflows_for(user: User, *, status: str = "", category: str = "", text: str = "") -> Any:
    """Return the workflows a person sees, filtered, without definitions; search results come best first."""
    rows = Workflow.objects.visible_to(user)
    rows = rows.search(text) if text else rows
    rows = rows.filter(status=status) if status else rows.exclude(status=Workflow.Status.ARCHIVED)
    if category:
        rows = rows.filter(category=category)
    return rows.defer(*WORKFLOW_PAYLOAD)


def with_last_runs(workflows: Sequence[Workflow]) -> list[Workflow]:
    """Give each workflow `last_run` (an Execution without payload, or None) and `starts` (its kinds of trigger)."""
    newest = Execution.objects.filter(workflow=OuterRef("pk")).exclude(mode=Execution.Mode.DRY_RUN)
    newest = newest.order_by("-started_at").values("pk")[:1]
    kinds = Trigger.objects.filter(workflow=OuterRef("pk")).order_by("key").values("kind")
    found = Workflow.objects.filter(pk__in=[each.pk for each in workflows])
    found = found.annotate(last=Subquery(newest), kinds=ArraySubquery(kinds)).order_by()
    known = {pk: (last, kinds) for pk, last, kinds in found.values_list("pk", "last", "kinds")}
    runs = Execution.objects.only("id", "organization_id", "status", "result", "started_at", "duration_ms")
    by_id = {run.pk: run for run in runs.filter(pk__in=[last for last, _kinds in known.values() if last])}
    labels = dict(Trigger.Kind.choices)
    for workflow in workflows:
        last, starts = known.get(workflow.pk, (None, []))
        workflow.last_run = by_id.get(last)  # type: ignore[attr-defined]
        workflow.starts = ", ".join(str(labels[kind]) for kind in dict.fromkeys(starts))  # type: ignore[attr-defined]
    return list(workflows)


def status_counts(user: User) -> dict[str, int]:
    """Return status -> number of workflows the person sees; "" is all that are not archived."""
    rows = Workflow.objects.visible_to(user).order_by().values_list("status").annotate(number=Count("pk"))
    counts = dict(rows)
    counts[""] = sum(number for status, number in counts.items() if status != Workflow.Status.ARCHIVED)
    return counts


def health_of(workflow: Workflow, now: datetime | None = None) -> Health:
    """Return how the workflow's runs of the last two weeks went, in a sentence."""
    since = (now or timezone.now()) - RECENT
    counts = Execution.objects.filter(
        workflow=workflow, started_at__gte=since, mode=Execution.Mode.LIVE
    ).aggregate(
        good=Count("pk", filter=Q(status=Status.COMPLETED)),
        bad=Count("pk", filter=Q(status__in=UNHAPPY)),
        open=Count("pk", filter=Q(status__in=Execution.UNFINISHED)),
    )
    finished, failed = counts["good"] + counts["bad"], counts["bad"]
    if workflow.status == Workflow.Status.DRAFT:
        return Health(_("Not published yet: it runs once you publish it."), "neutral", finished, failed)
    if workflow.status == Workflow.Status.PAUSED:
        return Health(_("Paused: nothing starts it until you resume it."), "warning", finished, failed)
    if workflow.status == Workflow.Status.ARCHIVED:
        return Health(_("Archived: kept for its history."), "neutral", finished, failed)
    if not finished:
        sentence = _("Ready. It has not run in the last two weeks.")
        if counts["open"]:
            sentence = _("Its first runs of the last two weeks are still going.")
        return Health(sentence, "neutral")
    if not failed:
        words = ngettext(
            "Healthy: the only run of the last two weeks succeeded.",
            "Healthy: all %(count)s runs of the last two weeks succeeded.",
            finished,
        )
        return Health(words % {"count": finished}, "success", finished)
    words = ngettext(
        "%(failed)s of %(count)s runs of the last two weeks failed.",
        "%(failed)s of %(count)s runs of the last two weeks failed.",
        failed,
    )
    return Health(
        words % {"failed": failed, "count": finished},
        "danger" if failed * 4 >= finished else "warning",
        finished,
        failed,
    )
