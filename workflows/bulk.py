"""Doing one thing to many runs: ticked ones, or all that a filter of the list finds, in batches in the background."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from django.db import transaction
from django.http import HttpRequest, QueryDict
from django.utils import timezone

from accounts import audit
from accounts.models import User
from accounts.permissions import Permission, may
from accounts.tenancy import organization_scope, uuid7
from workflows.forms import RunFilter
from workflows.models import BulkAction, Execution
from workflows.queries import run_search
from workflows.runner import recovery
from workflows.runner.cancel import request_cancel
from workflows.runner.start import InputRefused

BATCH = 50  # runs of one transaction
MOST_SECONDS = 20.0  # of one job; the next goes on
TASK = "workflows.bulk_action"
FILTERS = ("q", "status", "workflow", "trigger", "since", "until")
Action = BulkAction.Action
_AGAIN = (Execution.Relation.RESUME, Execution.Relation.RESTART, Execution.Relation.FORK)


def begin(
    person: User,
    action: BulkAction.Action,
    *,
    selected: Sequence[UUID] | None = None,
    filters: Mapping[str, str] | None = None,
    request: HttpRequest | None = None,
) -> BulkAction:
    """Begin with the runs in `selected`, or with those that `filters` (the list's query) finds; in the open scope.

    A short selection is done when this returns; the rest is left to background jobs.
    """
    bulk = BulkAction(
        action=action,
        selected=[str(each) for each in selected] if selected is not None else None,
        filters={name: filters[name] for name in FILTERS if filters.get(name)} if filters else {},
        newest=uuid7(),
        requested_by=person,
    )
    bulk.total = len(selected) if selected is not None else matching(person, bulk.filters)
    bulk.save()
    after = {"runs": bulk.total, "filter": bulk.filters}
    audit.record(f"run.bulk_{action.value.lower()}", actor=person, target=bulk, after=after, request=request)
    if selected is None or len(selected) > BATCH or not work_some(bulk):
        _later(bulk)
    return bulk


def matching(person: User, filters: Mapping[str, str]) -> int:
    """Return how many runs of the person's the list's query finds, counted up to run_search.MAX_COUNTED + 1."""
    return run_search.count_of(Execution.objects.visible_to(person), _form(person, filters))


def stop(bulk: BulkAction) -> None:
    """Leave the runs that have not been looked at as they are."""
    BulkAction.objects.filter(pk=bulk.pk, status=BulkAction.Status.RUNNING).update(
        status=BulkAction.Status.CANCELLED, finished_at=timezone.now()
    )


def work(organization_id: str, bulk_id: str) -> None:
    """Go on with an action for some seconds, a transaction for each batch; then leave the rest to another job."""
    give_up = time.monotonic() + MOST_SECONDS
    while True:
        with organization_scope(organization_id):
            bulk = BulkAction.objects.select_for_update(of=("self",)).filter(pk=bulk_id).first()
            if bulk is None or bulk.is_finished or work_some(bulk):
                return
            if time.monotonic() > give_up:
                _later(bulk)
                return


def work_some(bulk: BulkAction) -> bool:
    """Act on the next batch, in the open scope and transaction; return whether that was the last one."""
    person = bulk.requested_by
    if person is None or not person.is_active or not may(person, Permission.RUN_WORKFLOW):
        stop(bulk)  # who asked may no longer do it
        return True
    runs, position = _next_runs(bulk, person)
    taken_up = set(
        Execution.objects.filter(parent_id__in=[run.pk for run in runs], relation__in=_AGAIN).values_list(
            "parent_id", flat=True
        )
    )
    for run in runs:
        if not _fits(bulk, run, run.pk in taken_up):
            bulk.skipped += 1
            continue
        try:
            with transaction.atomic():
                _act(Action(bulk.action), run, person)
            bulk.done += 1
        except (recovery.NotRecoverable, InputRefused):
            bulk.failed += 1
    bulk.position = position
    if position is None:
        bulk.status, bulk.finished_at = BulkAction.Status.COMPLETED, timezone.now()
        # What was ticked or counted and is gone or changed meanwhile did not fit either.
        bulk.skipped = (
            max(bulk.skipped, bulk.total - bulk.done - bulk.failed) if bulk.selected else bulk.skipped
        )
        bulk.total = bulk.handled
    bulk.total = max(bulk.total, bulk.handled)
    bulk.save(update_fields=["position", "done", "skipped", "failed", "total", "status", "finished_at"])
    return bulk.is_finished


def _next_runs(bulk: BulkAction, person: User) -> tuple[list[Execution], UUID | None]:
    """Return the next runs in the order of their start, and where to go on after them; None: there are no more."""
    rest = None
    above = bulk.position or UUID(int=0)
    rows = Execution.objects.visible_to(person).filter(pk__gt=above, pk__lt=bulk.newest)
    if bulk.selected is not None:
        rows = rows.filter(pk__in=bulk.selected)
    else:
        form = _form(person, bulk.filters)
        rows = run_search.filtered(rows, form)
        if value := run_search.value_of(form):
            most = run_search.MAX_MATCHES
            found = run_search.matches(value, above=above, below=bulk.newest, rising=True, most=most)
            rows = rows.filter(pk__in=found)
            rest = found[-1] if len(found) >= most else None
    rows = rows.select_related("workflow", "version").defer("output", "error", "version__triggers")
    runs = list(rows.order_by("pk")[:BATCH])
    if len(runs) < BATCH and rest is not None:
        return runs, rest  # the other filters left little of this stretch; there are more with the value
    return runs, runs[-1].pk if len(runs) == BATCH else None


def _fits(bulk: BulkAction, run: Execution, is_taken_up: bool) -> bool:
    """Return whether the action makes sense for the run; a filter takes nothing up that somebody has taken up."""
    if bulk.action == Action.CANCEL:
        return not run.is_finished
    if not run.is_finished or (is_taken_up and (bulk.selected is None or bulk.action == Action.RESUME)):
        return False
    return bulk.action != Action.RESUME or run.status != Execution.Status.COMPLETED


def _act(action: BulkAction.Action, run: Execution, person: User) -> None:
    match action:
        case Action.CANCEL:
            request_cancel(run.pk)
        case Action.RESUME:
            recovery.resume(run, person)
        case Action.RESTART:
            recovery.restart(run, person)
        case Action.RESTART_NEWEST:
            recovery.restart(run, person, newest=True)


def _form(person: User, filters: Mapping[str, Any]) -> RunFilter:
    query = QueryDict(mutable=True)
    query.update({name: str(value) for name, value in filters.items()})
    return RunFilter(query, user=person)


def _later(bulk: BulkAction) -> None:
    from procrastinate.contrib.django import app  # the queue is ready only once the apps are

    app.configure_task(TASK).defer(organization_id=str(bulk.organization_id), bulk_id=str(bulk.pk))
