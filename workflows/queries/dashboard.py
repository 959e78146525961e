"""The figures of the dashboard: runs over time, hours saved, what needs somebody, what comes next, use of the plan."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.db.models import Count, Q
from django.db.models.functions import TruncDate
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from accounts.models import Organization, User
from billing import entitlements
from integrations.models import Integration
from workflows import approvals
from workflows.access import EXECUTION_PAYLOAD, WORKFLOW_PAYLOAD
from workflows.models import Execution, Trigger, Workflow

DAYS = 14
LATELY = timedelta(days=7)
Status = Execution.Status
GOOD, BAD = "good", "bad"


@dataclass(frozen=True, slots=True)
class Activity:
    """Runs of the last DAYS days. labels: days; good, bad, going: numbers per day. before: finished the time before."""

    labels: list[str]
    good: list[int]
    bad: list[int]
    going: list[int]

    @property
    def total(self) -> int:
        return sum(self.good) + sum(self.bad) + sum(self.going)

    @property
    def success_percent(self) -> int | None:
        """Return the share of finished runs that succeeded, None without any."""
        finished = sum(self.good) + sum(self.bad)
        return round(100 * sum(self.good) / finished) if finished else None

    @property
    def series(self) -> list[dict[str, Any]]:
        """Return the rows of the chart."""
        rows = [
            {"name": _("Succeeded"), "values": self.good, "tone": "success"},
            {"name": _("Failed"), "values": self.bad, "tone": "danger"},
            {"name": _("In progress"), "values": self.going, "tone": "info"},
        ]
        return [row for row in rows if any(row["values"]) or row["tone"] == "success"]


def activity_of(user: User, now: datetime | None = None) -> Activity:
    """Return the runs of the last two weeks by day, in the reader's time zone."""
    today = timezone.localtime(now).date()
    days = [today - timedelta(days=back) for back in range(DAYS - 1, -1, -1)]
    start = timezone.make_aware(datetime.combine(days[0], datetime.min.time()))
    rows = (
        Execution.objects.visible_to(user)
        .filter(started_at__gte=start)
        .exclude(mode=Execution.Mode.DRY_RUN)
        .annotate(day=TruncDate("started_at"))
        .order_by()
        .values("day", "status")
        .annotate(number=Count("pk"))
    )
    counts: dict[tuple[date, str], int] = {}
    for row in rows:
        kind = (
            GOOD
            if row["status"] == Status.COMPLETED
            else BAD
            if row["status"] in (Status.FAILED, Status.TIMEOUT)
            else ""
        )
        if row["status"] != Status.CANCELLED:
            counts[row["day"], kind] = counts.get((row["day"], kind), 0) + row["number"]
    return Activity(
        [date_format(day, "j M") for day in days],
        *([counts.get((day, kind), 0) for day in days] for kind in (GOOD, BAD, "")),
    )


def hours_saved(user: User, now: datetime | None = None) -> float:
    """Return the hours that this month's completed runs saved, by what each workflow's author said a run saves."""
    minutes = dict(
        Workflow.objects.visible_to(user)
        .filter(minutes_saved_per_run__gt=0)
        .values_list("pk", "minutes_saved_per_run")
    )
    if not minutes:
        return 0.0
    start = timezone.localtime(now).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    rows = Execution.objects.filter(
        workflow__in=list(minutes), status=Status.COMPLETED, mode=Execution.Mode.LIVE, started_at__gte=start
    )
    counts = rows.order_by().values_list("workflow").annotate(number=Count("pk"))
    return round(sum(minutes[pk] * number for pk, number in counts) / 60, 1)


def needs_attention(user: User, now: datetime | None = None) -> dict[str, Any]:
    """Return what waits for the person: questions, runs that failed in the last week, connections that broke."""
    since = (now or timezone.now()) - LATELY
    failed = Execution.objects.visible_to(user).filter(
        status__in=(Status.FAILED, Status.TIMEOUT), started_at__gte=since
    )
    failed = failed.exclude(mode=Execution.Mode.DRY_RUN)
    failed = failed.defer(
        *EXECUTION_PAYLOAD, *(f"workflow__{name}" for name in WORKFLOW_PAYLOAD)
    ).select_related("workflow")
    return {
        "questions": approvals.assigned_to(user).defer("shown", "form").order_by("-id")[:5],
        "failed": failed.order_by("-started_at")[:3],
        "broken": Integration.objects.filter(status__in=("EXPIRED", "ERROR")).only(
            "id", "name", "organization_id"
        )[:5],
    }


def coming_up(user: User) -> Any:
    """Return the schedules that fire next, soonest first, at most five."""
    workflows = Workflow.objects.visible_to(user).active().values("pk")
    rows = Trigger.objects.filter(
        kind=Trigger.Kind.SCHEDULE, is_active=True, next_fire_at__isnull=False, workflow__in=workflows
    )
    return (
        rows.select_related("workflow")
        .defer(*(f"workflow__{name}" for name in WORKFLOW_PAYLOAD))
        .order_by("next_fire_at")[:5]
    )


def plan_use(organization: Organization) -> list[Any]:
    """Return how much of the plan is used: runs this month and active workflows, as billing.entitlements.Room."""
    runs = entitlements.used_this_month(organization, entitlements.UsageMetric.WORKFLOW_EXECUTIONS)
    active = Workflow.objects.active().count()
    return [
        entitlements.room(organization, entitlements.Limit.MONTHLY_RUNS, runs),
        entitlements.room(organization, entitlements.Limit.ACTIVE_WORKFLOWS, active),
    ]


def workflow_totals(user: User) -> dict[str, int]:
    """Return how many workflows the person sees, and how many of them are active."""
    return Workflow.objects.visible_to(user).aggregate(
        all=Count("pk", filter=~Q(status=Workflow.Status.ARCHIVED)),
        active=Count("pk", filter=Q(status=Workflow.Status.ACTIVE)),
    )
