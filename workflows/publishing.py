"""From draft to what runs: saving, publishing, restoring, and switching a workflow on and off."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import Max
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts import audit
from accounts.models import User
from accounts.permissions import Permission, may
from billing import entitlements
from billing.plans import Limit
from integrations.framework.catalog import ConnectorCatalog
from workflows.definition.calls import callees_of
from workflows.definition.diff import Change, diff
from workflows.definition.merge import Conflict, three_way_merge
from workflows.definition.problems import Problem
from workflows.definition.validate import check_data
from workflows.models import SavedTest, Trigger, Workflow, WorkflowVersion
from workflows.saved_tests.checking import Checked, check_all, sentence_of
from workflows.triggers import rows, subscriptions

Status = Workflow.Status


class PublishRefused(Exception):
    """The draft cannot be published. problems: what to correct, never empty."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = list(problems)
        super().__init__(" ".join(problem.message for problem in self.problems))


class SavedTestsFailed(PublishRefused):
    """The draft fails tests of the workflow. checked: the tests that failed, each with what differs."""

    def __init__(self, checked: Sequence[Checked]) -> None:
        self.checked = list(checked)
        super().__init__([Problem("saved_test_failed", sentence_of(each)) for each in self.checked])


class DraftConflict(Exception):
    """Somebody else changed the same place of the draft meanwhile. workflow: as it is now; conflicts: where."""

    def __init__(self, workflow: Workflow, conflicts: Sequence[Conflict] = ()) -> None:
        self.workflow, self.conflicts = workflow, list(conflicts)
        super().__init__(
            _("Somebody else changed this workflow meanwhile. Look at their changes and save again.")
        )


@dataclass(frozen=True, slots=True)
class SavedDraft:
    """A saved draft. merged: it also holds what somebody else saved since the revision it was made from."""

    workflow: Workflow
    merged: bool = False


def problems_of(workflow: Workflow) -> list[Problem]:
    """Return everything wrong with the draft and its triggers, warnings included."""
    planned = [{**workflow.schedule, "type": "schedule"}] if workflow.schedule else []
    callable_ones = Workflow.objects.exclude(status=Status.ARCHIVED).values_list("pk", "name")
    _definition, problems = check_data(
        workflow.definition,
        [*workflow.triggers, *planned],
        ConnectorCatalog(),
        workflows={str(pk): name for pk, name in callable_ones},
        own_id=str(workflow.pk),
        calls=_calls_from(callees_of(workflow.definition)),
    )
    return problems


def _calls_from(first: set[str]) -> dict[str, set[str]]:
    """Return workflow id -> ids of those that its published version starts, for all that `first` lead to."""
    calls: dict[str, set[str]] = {}
    waiting = {each for each in first if is_id(each)}
    while waiting:
        versions = Workflow.objects.filter(pk__in=waiting).values_list("pk", "published_version__definition")
        found = {str(pk): callees_of(definition) for pk, definition in versions}
        calls |= {each: set() for each in waiting} | found
        waiting = {each for called in found.values() for each in called if is_id(each)} - set(calls)
    return calls


def is_id(text: str) -> bool:
    """Return whether a text can be a workflow's id."""
    try:
        return str(UUID(text)) == text
    except ValueError:
        return False


def publish(
    workflow: Workflow,
    user: User | None,
    note: str = "",
    *,
    request: HttpRequest | None = None,
    despite_tests: bool = False,
) -> WorkflowVersion:
    """Make the draft what runs: a new immutable version, all its triggers in one go, and the workflow active.

    user None means the system (a demo, a template). Runs that have begun keep their version. despite_tests: publish
    although saved tests fail; who may not is refused all the same. Raises PublishRefused, SavedTestsFailed.
    """
    workflow = _locked(workflow)
    errors = [problem for problem in problems_of(workflow) if problem.severity == "error"]
    if errors:
        raise PublishRefused(errors)
    failed = failing_tests(workflow)
    if failed and not (despite_tests and may(user, Permission.PUBLISH_ANYWAY)):
        raise SavedTestsFailed(failed)
    if workflow.status != Status.ACTIVE:
        claim_active_place(workflow)
    newest = WorkflowVersion.objects.filter(workflow=workflow).aggregate(newest=Max("number"))["newest"] or 0
    version = WorkflowVersion.objects.create(
        organization_id=workflow.organization_id,
        workflow=workflow,
        number=newest + 1,
        definition=workflow.definition,
        triggers=workflow.triggers,
        schedule=workflow.schedule,
        note=note[:300],
        published_by=user,
    )
    before = {"status": workflow.status, "version": newest or None}
    kept, gone = rows.replace_rows(workflow, version, timezone.now())
    workflow.published_version, workflow.status = version, Status.ACTIVE
    workflow.save(update_fields=["published_version", "status", "updated_at"])
    subscriptions.follow(kept, gone)
    after = {"status": workflow.status, "version": version.number, "note": version.note}
    action = "workflow.published"
    if failed:
        action, after["failed_tests"] = "workflow.published_anyway", [each.test.name for each in failed]
    audit.record(action, actor=user, target=workflow, before=before, after=after, request=request)
    return version


def failing_tests(workflow: Workflow) -> list[Checked]:
    """Run the enabled tests against the draft, remember how each went, and return those that fail."""
    tests = list(SavedTest.objects.enabled().filter(workflow=workflow).order_by("id"))
    return [each for each in check_all(workflow, tests) if not each.passed] if tests else []


def restore(version: WorkflowVersion, user: User | None = None) -> Workflow:
    """Make the draft what `version` was; nothing that runs changes until it is published."""
    workflow = _locked(version.workflow)
    workflow.definition, workflow.triggers, workflow.schedule = (
        version.definition,
        version.triggers,
        version.schedule,
    )
    return _store_draft(workflow)


def save_draft(
    workflow: Workflow,
    definition: dict[str, Any],
    *,
    triggers: list[dict[str, Any]] | None = None,
    schedule: dict[str, Any] | None = None,
    revision: int,
    user: User | None = None,
    base: dict[str, Any] | None = None,
) -> SavedDraft:
    """Save a draft made from `revision`, step by step merged with what others saved since.

    definition, triggers and schedule may be faulty: a draft is allowed to be. base: the definition that the editor
    started from; without it, or where both changed the same step, a stale revision raises DraftConflict.
    """
    workflow = _locked(workflow)
    merged = workflow.revision != revision
    if merged:
        if base is None:
            raise DraftConflict(workflow)
        definition, conflicts = three_way_merge(base, definition, workflow.definition)
        if conflicts:
            raise DraftConflict(workflow, conflicts)
    workflow.definition = definition
    if triggers is not None:
        workflow.triggers = triggers
        workflow.schedule = schedule
    return SavedDraft(_store_draft(workflow), merged)


def changes_since_published(workflow: Workflow) -> list[Change]:
    """Return what publishing would change, in words and by step; everything, when nothing is published yet."""
    published = workflow.published_version
    return diff(published.definition if published else {"version": 1, "steps": []}, workflow.definition)


def pause(workflow: Workflow, user: User | None, *, request: HttpRequest | None = None) -> Workflow:
    """Stop starting runs; those that have begun go on. A workflow that is not active stays as it is."""
    return _switch(workflow, user, "workflow.paused", {Status.ACTIVE}, Status.PAUSED, request)


def resume(workflow: Workflow, user: User | None, *, request: HttpRequest | None = None) -> Workflow:
    """Start runs again; planned times that passed meanwhile are not made up for. Raises PublishRefused for the plan."""
    if _locked(workflow).status == Status.PAUSED:
        claim_active_place(workflow)
    return _switch(workflow, user, "workflow.resumed", {Status.PAUSED}, Status.ACTIVE, request)


def archive(workflow: Workflow, user: User | None, *, request: HttpRequest | None = None) -> Workflow:
    """Take the workflow out of use and keep its history."""
    return _switch(
        workflow, user, "workflow.archived", set(Status) - {Status.ARCHIVED}, Status.ARCHIVED, request
    )


def unarchive(workflow: Workflow, user: User | None, *, request: HttpRequest | None = None) -> Workflow:
    """Bring an archived workflow back: paused when it was published, else as a draft. Its name may need a number."""
    workflow = _locked(workflow)
    if workflow.status != Status.ARCHIVED:
        return workflow
    workflow.name = _free_name(workflow)
    workflow.save(update_fields=["name", "updated_at"])
    to = Status.PAUSED if workflow.published_version_id else Status.DRAFT
    return _switch(workflow, user, "workflow.unarchived", {Status.ARCHIVED}, to, request)


def claim_active_place(workflow: Workflow) -> None:
    """Make sure that the plan allows one more active workflow, in the transaction that activates it.

    Raises PublishRefused with a sentence that says what the plan allows.
    """
    try:
        entitlements.claim(workflow.organization_id, Limit.ACTIVE_WORKFLOWS, Workflow.objects.active().count)
    except entitlements.LimitReached as reached:
        raise PublishRefused([Problem("plan_limit", str(reached))]) from None


def _switch(
    workflow: Workflow,
    user: User | None,
    action: str,
    allowed: set[Any],
    to: Any,
    request: HttpRequest | None,
) -> Workflow:
    workflow = _locked(workflow)
    if workflow.status not in allowed:
        return workflow
    before, workflow.status = workflow.status, to
    workflow.save(update_fields=["status", "updated_at"])
    rows.set_active(workflow, to == Status.ACTIVE, timezone.now())
    present = list(Trigger.objects.filter(workflow=workflow))
    subscriptions.follow(present if to == Status.ACTIVE else [], [] if to == Status.ACTIVE else present)
    audit.record(
        action,
        actor=user,
        target=workflow,
        before={"status": before},
        after={"status": workflow.status},
        request=request,
    )
    return workflow


def _locked(workflow: Workflow) -> Workflow:
    return Workflow.objects.select_for_update(of=("self",)).select_related("organization").get(pk=workflow.pk)


def _store_draft(workflow: Workflow) -> Workflow:
    workflow.revision += 1
    workflow.save(update_fields=["definition", "triggers", "schedule", "revision", "updated_at"])
    rows.reserve_addresses(workflow)
    return workflow


def _free_name(workflow: Workflow) -> str:
    taken = set(
        Workflow.objects.exclude(status=Status.ARCHIVED)
        .exclude(pk=workflow.pk)
        .values_list("name", flat=True)
    )
    name, number = workflow.name, 2
    while name in taken:
        name, number = f"{workflow.name[:110]} ({number})", number + 1
    return name
