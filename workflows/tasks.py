"""The background jobs of workflows that other code queues by name: who is told, and what a clock starts."""

from __future__ import annotations

from datetime import UTC, datetime

from procrastinate.contrib.django import app

from accounts.tenancy import organization_scope, system_scope
from integrations import credentials
from integrations.inbound import register_inbound
from workflows import approvals, bulk, notifications, search_index
from workflows.models import Approval
from workflows.triggers import failures, jobs, plan_hold, provider, secrets

__all__ = ["jobs"]

register_inbound(provider.handle_inbound)
credentials.register_rotation("triggers", secrets.rotate_some)


@app.task(queue=notifications.QUEUE, retry=notifications.RETRY)
def approval_requested(organization_id: str, approval_id: str) -> None:
    """Tell everybody who is asked, once the question is stored."""
    with organization_scope(organization_id):
        approval = Approval.objects.pending().filter(pk=approval_id).first()
        if approval is None:
            return
        approvals.settle_assignees(approval)
        shown = approvals.fingerprint(approval)
    notifications.send_question(organization_id, approval_id, shown, is_reminder=False)


@app.task(queue=notifications.QUEUE, retry=notifications.RETRY)
def approval_reminder(organization_id: str, approval_id: str) -> None:
    """Remind those who have not answered."""
    with organization_scope(organization_id):
        approval = Approval.objects.pending().filter(pk=approval_id).first()
        if approval is None:
            return
        shown = approvals.fingerprint(approval)
    notifications.send_question(organization_id, approval_id, shown, is_reminder=True)


@app.task(queue=notifications.QUEUE, retry=notifications.RETRY)
def run_failed(organization_id: str, execution_id: str) -> None:
    """Tell the people that a workflow names, and start the workflow it names, when one of its runs has failed."""
    failures.start_handler(organization_id, execution_id)
    notifications.run_failed(organization_id, execution_id)


@app.periodic(cron="* * * * *")
@app.task(queue="triggers", queueing_lock="workflows.close_questions")
def close_questions(timestamp: int) -> None:
    """Close what nobody answered in time, and tell owners and admins about interrupted calls they must look into."""
    with system_scope("close questions past their deadline"):
        approvals.expire_due(datetime.now(UTC))
        untold = Approval.objects.pending().filter(kind=Approval.Kind.UNCERTAIN_EFFECT, reminded_at=None)
        questions = [
            (str(each.organization_id), str(each.pk), approvals.fingerprint(each)) for each in untold[:100]
        ]
    for organization_id, approval_id, shown in questions:
        notifications.send_question(organization_id, approval_id, shown, is_reminder=False)


@app.periodic(cron="*/5 * * * *")
@app.task(queue="triggers", queueing_lock="workflows.release_held_runs")
def release_held_runs(timestamp: int) -> None:
    """Let go what was held for the plan, once the plan starts runs again."""
    plan_hold.release_all()


@app.task(name=bulk.TASK, queue="triggers")
def bulk_action(organization_id: str, bulk_id: str) -> None:
    """Go on with what was asked of many runs at once."""
    bulk.work(organization_id, bulk_id)


@app.periodic(cron="* * * * * */30")
@app.task(queue="triggers", queueing_lock="workflows.index_runs")
def index_runs(timestamp: int) -> None:
    """Let new runs be found by the values they were given and gave."""
    search_index.index_runs()
