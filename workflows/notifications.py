"""E-mails about runs and questions, sent by background jobs so that no run and no page waits for a mail server."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.core.cache import cache
from django.core.mail import EmailMultiAlternatives
from django.db import transaction
from django.db.models import Q
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from procrastinate import RetryStrategy
from procrastinate.contrib.django import app
from procrastinate.exceptions import AlreadyEnqueued

from accounts.models import User
from accounts.notifications import Notification, wants
from accounts.tenancy import first_uuid7, organization_scope, system_scope
from workflows import approval_links, approvals
from workflows.models import Approval, Execution, Workflow

QUEUE = "mail"
# A mail server that is away for a night still gets the message.
RETRY = RetryStrategy(max_attempts=12, exponential_wait=4)
# The first failure is told at once; those that follow within this time are told together.
DIGEST_AFTER = timedelta(minutes=30)
SLACK = timedelta(seconds=10)  # between the end of a run and the call that tells of it
LONGEST_RUN = timedelta(days=400)  # bounds which months are looked through
MAX_LISTED = 20


# --- Failed runs ----------------------------------------


def run_failed(organization_id: str, execution_id: str, now: datetime | None = None) -> None:
    """Tell about a failed run at once, or leave it to the digest when others of its workflow failed just before.

    Runs as a job, outside a scope; tests and dry runs tell nobody. now: injected by tests.
    """
    now = now or timezone.now()
    with organization_scope(organization_id):
        execution = Execution.objects.filter(pk=execution_id, mode=Execution.Mode.LIVE).first()
    if execution is None:
        return
    workflow_id, ended = str(execution.workflow_id), execution.completed_at or now
    is_told = cache.get(_told_key(workflow_id)) is not None
    if not is_told:
        tell_about_failures(organization_id, workflow_id, since=(ended - SLACK).isoformat())
        cache.set(_told_key(workflow_id), now, DIGEST_AFTER.total_seconds())
    # One that was not told of now belongs into the digest itself.
    _plan_digest(organization_id, workflow_id, ended if is_told else ended + timedelta.resolution, now)


def _plan_digest(organization_id: str, workflow_id: str, since: datetime, now: datetime) -> None:
    # One waiting job per workflow tells about everything that fails until it runs, or nothing when nothing does.
    job = tell_about_failures.configure(
        queueing_lock=f"failure-mail/{workflow_id}", schedule_at=now + DIGEST_AFTER
    )
    try:
        with transaction.atomic():  # a refused job would otherwise spoil a transaction around this one
            job.defer(organization_id=organization_id, workflow_id=workflow_id, since=since.isoformat())
    except AlreadyEnqueued:
        pass


@app.task(name="workflows.tell_about_failures", queue=QUEUE, retry=RETRY)
def tell_about_failures(organization_id: str, workflow_id: str, since: str) -> None:
    """Send one e-mail about the runs of a workflow that failed from the instant `since` on, if there are any."""
    first = datetime.fromisoformat(since)
    with organization_scope(organization_id):
        workflow = (
            Workflow.objects.select_related("published_version", "created_by").filter(pk=workflow_id).first()
        )
        if workflow is None:
            return
        rows = Execution.objects.filter(
            workflow=workflow,
            pk__gte=first_uuid7(first - LONGEST_RUN),
            completed_at__gte=first,
            mode=Execution.Mode.LIVE,
            status__in=[Execution.Status.FAILED, Execution.Status.TIMEOUT],
        )
        failed = list(rows.order_by("-completed_at")[:MAX_LISTED])
        count = rows.count() if len(failed) == MAX_LISTED else len(failed)
        people = recipients(workflow)
    if not failed or not people:
        return
    context = {
        "workflow": workflow,
        "runs": [(run, (run.error or {}).get("message", "")) for run in failed],
        "is_digest": count > 1,
        "count": count,
        "has_more": count > len(failed),
        "action_url": _address("workflows:run", failed[0].pk),
        "action_label": _("See what happened"),
    }
    send("failure", people, context, organization_id=organization_id)


def recipients(workflow: Workflow) -> list[tuple[str, str]]:
    """Return (e-mail, language) of those to tell about failures: "owner", "admins", "creator" or addresses."""
    definition = workflow.published_version.definition if workflow.published_version else workflow.definition
    wanted = ((definition.get("settings") or {}).get("on_failure") or {}).get("notify", ["owner"])
    condition = Q(pk__in=[])
    addresses = []
    for entry in wanted:
        if entry == "owner":
            condition |= Q(role=User.Role.OWNER)
        elif entry == "admins":
            condition |= Q(role__in=[User.Role.OWNER, User.Role.ADMIN])
        elif entry == "creator":
            condition |= Q(pk=workflow.created_by_id)
        else:
            addresses.append((str(entry), settings.LANGUAGE_CODE))
    people = User.objects.filter(condition, organization_id=workflow.organization_id, is_active=True)
    willing = [user for user in people if wants(user, Notification.RUN_FAILED)]
    found = [(user.email, user.language or settings.LANGUAGE_CODE) for user in willing]
    return list({email.lower(): (email, language) for email, language in [*addresses, *found]}.values())


# --- Questions ----------------------------------------


def ask_for_approval(approval: Approval, *, remind_seconds: float | None = None) -> None:
    """Have everybody asked by e-mail, reminded later, and the question closed at its deadline. In its transaction."""
    ids = {"organization_id": str(approval.organization_id), "approval_id": str(approval.pk)}
    send_question.defer(**ids, content_hash=approvals.fingerprint(approval), is_reminder=False)
    if remind_seconds:
        at = timezone.now() + timedelta(seconds=remind_seconds)
        send_question.configure(schedule_at=at).defer(
            **ids, content_hash=approvals.fingerprint(approval), is_reminder=True
        )
    if approval.deadline_at:
        close_question.configure(schedule_at=approval.deadline_at).defer(**ids)


@app.task(name="workflows.send_question", queue=QUEUE, retry=RETRY)
def send_question(organization_id: str, approval_id: str, content_hash: str, is_reminder: bool) -> None:
    """Send the question to everybody who may answer and has not, each with a link of their own."""
    with organization_scope(organization_id):
        approval = Approval.objects.select_related("execution__workflow").filter(pk=approval_id).first()
        # A question that was decided, or asked anew since, has its own job.
        if (
            approval is None
            or approval.status != Approval.Status.PENDING
            or approvals.fingerprint(approval) != content_hash
        ):
            return
        answered = set(approval.votes.values_list("user_id", flat=True))
        people = [
            user
            for user in approvals.assigned_people(approval)
            if user.pk not in answered and wants(user, Notification.APPROVAL_ASKED)
        ]
        letters = [(user, approval_links.link_for(approval, user)) for user in people]
        workflow = approval.execution.workflow
        if is_reminder or approval.kind == Approval.Kind.UNCERTAIN_EFFECT:
            approval.reminded_at = timezone.now()
            approval.save(update_fields=["reminded_at"])
    for user, link in letters:
        context = {
            "approval": approval,
            "workflow": workflow,
            "person": user,
            "is_reminder": is_reminder,
            "action_url": link,
            "action_label": _("Read and decide"),
        }
        send("approval", [(user.email, user.language)], context, organization_id=organization_id)


@app.task(name="workflows.close_question", queue=QUEUE, retry=RETRY)
def close_question(organization_id: str, approval_id: str) -> None:
    """Close what nobody answered in time; the run then does what its step says."""
    with system_scope("close questions past their deadline"):
        approvals.expire_due(timezone.now())


# --- Sending ----------------------------------------


def send(
    name: str, people: Iterable[tuple[str, str]], context: dict[str, Any], *, organization_id: str
) -> None:
    """Send templates/emails/workflows/<name>.{subject.txt,txt,html} to each address in its language, one message each.

    Rendered in the organization's scope, sent outside of it: no transaction waits for a mail server.
    """
    messages = []
    with organization_scope(organization_id):
        for email, language in people:
            with translation.override(language or settings.LANGUAGE_CODE):
                messages.append(_message(name, email, context))
    for message in messages:
        message.send()


def _message(name: str, email: str, context: dict[str, Any]) -> EmailMultiAlternatives:
    base = f"emails/workflows/{name}"
    subject = " ".join(render_to_string(f"{base}.subject.txt", context).split())
    message = EmailMultiAlternatives(
        subject[:200], render_to_string(f"{base}.txt", context).strip() + "\n", to=[email]
    )
    message.attach_alternative(render_to_string(f"{base}.html", context), "text/html")
    return message


def _told_key(workflow_id: str) -> str:
    return f"failure-mail/{workflow_id}"


def _address(name: str, *arguments: Any) -> str:
    return settings.BASE_URL + reverse(name, args=arguments)
