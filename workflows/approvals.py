"""Questions to people: asking, who may answer, counting votes, deadlines, and links that work without signing in."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import structlog
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts import audit
from accounts.models import User
from accounts.permissions import Permission, may
from workflows.models import Approval, ApprovalVote, Execution
from workflows.runner.wake import wake
from workflows.schema_forms import schema_problems

logger = structlog.get_logger(__name__)
Status, Kind, Via = Approval.Status, Approval.Kind, ApprovalVote.Via
# What a person can say about a call of which nobody knows whether it happened.
RESOLUTIONS = ("happened", "not_happened", "stop")


class ApprovalProblem(ValueError):
    """The question cannot be asked; the message says what to change in the step."""


class VoteRefused(ValueError):
    """The answer was not taken. code: "decided", "expired", "changed", "not_yours", "voted", "form" or "ended"."""

    def __init__(self, code: str, message: str, fields: Sequence[tuple[str, str]] = ()) -> None:
        super().__init__(message)
        self.code, self.fields = code, list(fields)


# --- Asking ----------------------------------------------------------------------------------------------------------


def create(
    execution: Execution,
    path: str,
    *,
    title: str,
    message: str = "",
    assignees: Iterable[Mapping[str, Any]] = (),
    form: Mapping[str, Any] | None = None,
    shown: Any = None,
    required: int = 1,
    deadline_at: datetime | None = None,
    on_deadline: str = "fail",
    remind_seconds: float | None = None,
    kind: Approval.Kind = Kind.APPROVAL,
) -> Approval:
    """Ask, and send the e-mails; asking the same again (execution, path, kind) returns the first question.

    assignees: {"user": e-mail or id} and {"role": ...} entries; empty asks owners and admins. An uncertain
    effect that is asked about anew (another attempt in `shown`) reopens its question.
    Raises ApprovalProblem when nobody could answer.
    """
    from workflows import notifications

    existing = (
        Approval.objects.select_for_update(of=("self",))
        .filter(execution=execution, path=path, kind=kind)
        .first()
    )
    if existing is not None and (existing.status == Status.PENDING or not _asks_anew(existing, shown)):
        return existing
    resolved = _resolve(assignees)
    approval = existing or Approval(
        organization_id=execution.organization_id, execution=execution, path=path, kind=kind
    )
    approval.status, approval.answer, approval.decided_at = Status.PENDING, None, None
    approval.title, approval.message = title[:200] or _("Please decide"), message
    approval.form, approval.shown, approval.assignees = form, shown, resolved
    approval.required, approval.deadline_at, approval.on_deadline = max(1, required), deadline_at, on_deadline
    people = list(assigned_people(approval))
    if len(people) < approval.required:
        raise ApprovalProblem(
            _("%(wanted)s people must approve, but only %(found)s of those named may. Change who is asked.")
            % {"wanted": approval.required, "found": len(people)}
        )
    question = {
        "title": title,
        "message": message,
        "form": form,
        "shown": shown,
        "assignees": resolved,
        "required": required,
    }
    approval.content_hash = content_hash(execution.pk, path, question)
    approval.save()
    approval.votes.all().delete()
    notifications.ask_for_approval(approval, remind_seconds=remind_seconds)
    return approval


def ask_about_effect(execution: Execution, path: str, *, attempt: int, what: str, call: Any) -> Approval:
    """Ask owners and admins whether an interrupted call happened. what: in words; call: without secrets."""
    return create(
        execution,
        path,
        title=_("Did this happen? %(what)s") % {"what": what},
        message=_(
            "The run was interrupted while it did this, and the service cannot tell whether it was done. "
            "Look in the service, then say what you found. Nothing is sent twice without your answer."
        ),
        shown={"attempt": attempt, "call": call},
        kind=Kind.UNCERTAIN_EFFECT,
    )


def content_hash(execution_id: Any, path: str, question: Any) -> str:
    """Return what binds a decision to what was asked: SHA-256 over run, step and question, 64 hexadecimal digits."""
    text = json.dumps([str(execution_id), path, question], sort_keys=True, separators=(",", ":"), default=str)
    return hashlib.sha256(text.encode()).hexdigest()


def fingerprint(approval: Approval) -> str:
    """Return the hash a page or link shows with a question, and hands back with the answer."""
    shown = [approval.title, approval.message, approval.shown]
    return approval.content_hash or content_hash(approval.execution_id, approval.path, shown)


def settle_assignees(approval: Approval) -> Approval:
    """Replace the addresses a step named by the people they belong to; with none left, owners and admins are asked."""
    settled = [entry for entry in approval.assignees if "role" in entry]
    for entry in approval.assignees:
        if "role" not in entry and (person := _person(str(entry.get("user") or ""))) is not None:
            settled.append({"user": str(person.pk)})
    if settled != approval.assignees:
        if not settled:
            logger.warning("nobody named in an approval is a member", approval=str(approval.pk))
        approval.assignees = settled
        approval.save(update_fields=["assignees"])
    return approval


def cancel_of(execution_id: UUID) -> int:
    """Withdraw the open questions of a run that has ended; return how many."""
    return (
        Approval.objects.pending()
        .filter(execution_id=execution_id)
        .update(status=Status.CANCELLED, decided_at=timezone.now())
    )


# --- Who may answer --------------------------------------------------------------------------------------------------


def assigned_people(approval: Approval) -> Any:
    """Return the people who may answer, a queryset. A viewer never may, whatever a step says."""
    users = [entry["user"] for entry in approval.assignees if _is_id(entry.get("user"))]
    roles = [entry["role"] for entry in approval.assignees if "role" in entry]
    if not approval.assignees:
        roles = [User.Role.OWNER, User.Role.ADMIN]
    allowed = [role for role in User.Role if role in Permission.ANSWER_APPROVAL.roles]
    return User.objects.filter(
        Q(pk__in=users) | Q(role__in=roles),
        organization_id=approval.organization_id,
        is_active=True,
        role__in=allowed,
    )


def may_answer(user: Any, approval: Approval) -> bool:
    """Return whether this person is one of those asked."""
    return may(user, Permission.ANSWER_APPROVAL) and assigned_people(approval).filter(pk=user.pk).exists()


def assigned_to(user: User) -> Any:
    """Return the open questions this person may answer, a queryset: the inbox."""
    if not may(user, Permission.ANSWER_APPROVAL):
        return Approval.objects.none()
    mine = Q(assignees__contains=[{"user": str(user.pk)}]) | Q(assignees__contains=[{"role": user.role}])
    if user.role in (User.Role.OWNER, User.Role.ADMIN):
        mine |= Q(assignees=[])
    return Approval.objects.pending().filter(mine)


# --- Answering -------------------------------------------------------------------------------------------------------


def vote(
    approval: Approval,
    user: User,
    approve: bool,
    *,
    form: Mapping[str, Any] | None = None,
    comment: str = "",
    via: ApprovalVote.Via = Via.INBOX,
    shown_hash: str,
) -> Approval:
    """Count one person's answer; the question is decided by N approvals or one refusal, and the run goes on.

    shown_hash: fingerprint() of what the person saw; the answer holds for that and nothing else. form: checked against
    the question's JSON Schema when approving; for an uncertain effect {"resolution": one of RESOLUTIONS, "output"}.
    Raises VoteRefused.
    """
    approval = Approval.objects.select_for_update(of=("self",)).get(pk=approval.pk)
    _require_open(approval, user, shown_hash)
    answers = dict(form or {})
    if approval.kind == Kind.UNCERTAIN_EFFECT:
        approve = _check_resolution(answers)
    elif approve and approval.form and (problems := schema_problems(approval.form, answers)):
        raise VoteRefused("form", " ".join(message for _name, message in problems), problems)
    ApprovalVote.objects.create(
        organization_id=approval.organization_id,
        approval=approval,
        user=user,
        voter_label=(f"{user.name} <{user.email}>" if user.name else user.email)[:254],
        is_approval=approve,
        form=answers or None,
        comment=comment[:2_000],
        via=via,
    )
    votes = list(approval.votes.order_by("id"))
    if approval.kind == Kind.UNCERTAIN_EFFECT:
        _decide(approval, Status.APPROVED if approve else Status.REJECTED, _resolution(approval, votes[-1]))
    elif not approve:
        _decide(approval, Status.REJECTED, _answer(approval, "reject", votes))
    elif len(votes) >= approval.required:
        _decide(approval, Status.APPROVED, _answer(approval, "approve", votes))
    audit.record(
        "approval.answered",
        actor=user,
        target=approval,
        after={"approved": approve, "via": str(via), "status": approval.status},
    )
    return approval


def expire_due(now: datetime) -> int:
    """Close the questions nobody answered in time and wake their runs; return how many. In a system scope."""
    due = Approval.objects.select_for_update(skip_locked=True, of=("self",)).filter(
        status=Status.PENDING, deadline_at__lte=now
    )
    expired = list(due.order_by("deadline_at")[:500])
    for approval in expired:
        approval.status, approval.decided_at = Status.EXPIRED, now
        approval.save(update_fields=["status", "decided_at"])
        wake([approval.execution_id])
    return len(expired)


# --- Parts -----------------------------------------------------------------------------------------------------------


def _asks_anew(existing: Approval, shown: Any) -> bool:
    return existing.kind == Kind.UNCERTAIN_EFFECT and (existing.shown or {}).get("attempt") != (
        shown or {}
    ).get("attempt")


def _resolve(assignees: Iterable[Mapping[str, Any]]) -> list[dict[str, str]]:
    resolved: list[dict[str, str]] = []
    for entry in assignees:
        if role := entry.get("role"):
            resolved.append({"role": str(role)})
            continue
        wanted = str(entry.get("user") or "").strip()
        person = _person(wanted)
        if person is None:
            message = _(
                "Nobody in your organization has the e-mail address “%(address)s”. Change who is asked."
            )
            raise ApprovalProblem(message % {"address": wanted})
        resolved.append({"user": str(person.pk)})
    return resolved


def _person(text: str) -> User | None:
    try:
        wanted = Q(pk=UUID(text))
    except ValueError:
        wanted = Q(email__iexact=text.strip())
    return User.objects.filter(wanted, organization__isnull=False, is_active=True).first()


def _is_id(text: Any) -> bool:
    try:
        return bool(UUID(str(text)))
    except ValueError:
        return False


def _require_open(approval: Approval, user: User, shown_hash: str) -> None:
    if not may_answer(user, approval):
        raise VoteRefused("not_yours", _("You were not asked to decide this."))
    if approval.status == Status.EXPIRED or (approval.deadline_at and approval.deadline_at <= timezone.now()):
        raise VoteRefused("expired", _("The time to decide is over."))
    if approval.status != Status.PENDING:
        raise VoteRefused("decided", _("This has been decided already."))
    if not hmac.compare_digest(fingerprint(approval), shown_hash or ""):
        raise VoteRefused("changed", _("What you saw is not what is asked now. Read it again, then decide."))
    if approval.kind == Kind.UNCERTAIN_EFFECT:
        approval.votes.all().delete()  # answers to an earlier attempt: one answer decides, so this one is the first
    if approval.votes.filter(user=user).exists():
        raise VoteRefused("voted", _("You have answered already. Others must answer too."))
    if Execution.objects.get(pk=approval.execution_id).is_finished:
        raise VoteRefused("ended", _("The run has ended, so nothing depends on this any more."))


def _check_resolution(answers: dict[str, Any]) -> bool:
    if answers.get("resolution") not in RESOLUTIONS:
        raise VoteRefused("form", _("Say whether it happened, did not happen, or the run should stop."))
    return answers["resolution"] != "stop"


def _resolution(approval: Approval, cast: ApprovalVote) -> dict[str, Any]:
    form = cast.form or {}
    found = {
        "resolution": form["resolution"],
        "attempt": (approval.shown or {}).get("attempt", 0),
        "who": [cast.voter_label],
    }
    return {**found, "output": form.get("output")} if form["resolution"] == "happened" else found


def _answer(approval: Approval, decision: str, votes: Sequence[ApprovalVote]) -> dict[str, Any]:
    """Return what the step puts out. Later approvers' form answers win over earlier ones."""
    form: dict[str, Any] = {}
    for cast in votes:
        form |= cast.form or {}
    return {
        "decision": decision,
        "form": form,
        "who": [cast.voter_label for cast in votes],
        "comments": [cast.comment for cast in votes if cast.comment],
        "content_hash": approval.content_hash,
    }


def _decide(approval: Approval, status: Approval.Status, answer: dict[str, Any]) -> None:
    approval.status, approval.answer, approval.decided_at = status, answer, timezone.now()
    approval.save(update_fields=["status", "answer", "decided_at"])
    wake([approval.execution_id])
