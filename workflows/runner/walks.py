"""One walk over one claimed run: from the claim's row to the outcome in the database."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import psycopg

from workflows.definition.waiting import NAME
from workflows.definition.wording import gettext as _
from workflows.engine.environment import SystemEnvironment
from workflows.engine.interface import (
    Answer,
    Cancelled,
    CommittedStep,
    Completed,
    ErrorClass,
    Failed,
    Fenced,
    Outcome,
    RunInput,
    StepError,
    Suspended,
    WakeKind,
)
from workflows.engine.payload import storable
from workflows.engine.walk import Walk
from workflows.runner import own_effects
from workflows.runner.commit_statement import End
from workflows.runner.credentials import works_again
from workflows.runner.effects import Hands, RunEffects
from workflows.runner.group_commit import Committer
from workflows.runner.journal import RunJournal
from workflows.runner.limits import FAILURE_NOTICE_SECONDS
from workflows.runner.store import Claim
from workflows.runner.versions import Version
from workflows.runner.wake import NOTIFY_WOKEN, WAKE

log = logging.getLogger("steward.runs")

ENVIRONMENT = SystemEnvironment()


class Running:
    """One claimed run while it is walked."""

    __slots__ = ("claim", "hands", "journal", "version", "walk")

    def __init__(
        self,
        claim: Claim,
        version: Version,
        committer: Committer,
        hands: Hands,
        steps: dict[str, CommittedStep] | None = None,
        answers: dict[str, Answer] | None = None,
        root: UUID | None = None,
    ) -> None:
        self.claim = claim
        self.version = version
        self.hands = hands
        self.journal = RunJournal(claim, committer, steps, answers)
        self.walk = Walk(
            run_input(claim, version, root or claim.id),
            self.journal,
            RunEffects(
                hands, claim, self.journal, version.definition.settings.budget if version.definition else None
            ),
            ENVIRONMENT,
            hands.code,
        )

    def cancel(self) -> None:
        self.walk.cancel()

    async def run(self, committer: Committer) -> None:
        """Walk, and return when the outcome is on disk. A run that another worker took over is left alone."""
        try:
            if self.version.compiled is None:
                outcome: Outcome = Failed(StepError(ErrorClass.PERMANENT, self.version.problem))
            else:
                if handed_out := self.version.compiled.addresses:
                    await own_effects.open_addresses(self.hands.pool, self.claim, handed_out)
                outcome = await self.walk.run()
            await committer.request(self.journal, end_of(self, outcome))
            if isinstance(outcome, Suspended):
                await self._look_again(outcome)
        except Fenced:
            log.warning("run was taken over execution=%s attempt=%s", self.claim.id, self.claim.attempt)
        except psycopg.Error as refused:
            await self._fail(committer, f"{type(refused).__name__}: {refused}")
        except Exception as fault:
            log.exception("the engine failed execution=%s", self.claim.id)
            await self._fail(committer, f"{type(fault).__name__}: {fault}")

    async def _look_again(self, outcome: Suspended) -> None:
        """Wake the run if its integration was reconnected before it was known to wait for that."""
        held = [each.key for each in outcome.wake_on if each.kind is WakeKind.HELD_INTEGRATION]
        if held and await works_again(self.hands.pool, held):
            async with self.hands.pool.connection() as connection:
                await connection.execute(WAKE, [[self.claim.id]])
                await connection.execute(NOTIFY_WOKEN)

    async def _fail(self, committer: Committer, detail: str) -> None:
        error = StepError(
            ErrorClass.PLATFORM, _("Something went wrong on our side. You can run it again."), detail[:2000]
        )
        self.journal.records = {}
        try:
            await committer.request(self.journal, end_of(self, Failed(error)))
        except (Fenced, psycopg.Error):
            log.exception("a failed run could not be ended execution=%s", self.claim.id)


def run_input(claim: Claim, version: Version, root: UUID) -> RunInput:
    """Return what is fixed about the run, as the engine wants it.

    root: the first run of a chain of resumed ones; its id stands in the idempotency keys of all of them.
    """
    trigger, inputs = seen_by_steps(claim.triggered_by, claim.input)
    identifier = str(claim.id)
    addresses = own_effects.addresses(claim, version.compiled.addresses if version.compiled else {})
    return RunInput(
        execution_id=str(root),
        definition=version.compiled,
        started_at=claim.started_at,
        trigger=trigger,
        inputs=inputs,
        organization=version.organization,
        workflow=version.workflow,
        execution={
            "id": identifier, "started_at": claim.started_at.isoformat(), "triggered_by": claim.triggered_by,
            "mode": claim.mode, NAME: addresses,
        },
        deadline=claim.deadline_at,
        depth=claim.depth,
        cancel_requested=claim.cancel_requested_at is not None,
    )  # fmt: skip


def seen_by_steps(triggered_by: str, given: Any) -> tuple[Any, dict[str, Any]]:
    """Return (trigger, inputs): what started the run, and the values it was given.

    A run by hand, by API or by another workflow is given its inputs, and steps that read `trigger.body` find them too,
    so that a webhook's workflow can be tried by hand. A webhook's JSON object counts as inputs in the same way.
    """
    if triggered_by in ("WEBHOOK", "SCHEDULE"):
        found = given if isinstance(given, dict) else {"body": given}
        inputs = found.get("inputs", found.get("body"))
        return found, inputs if isinstance(inputs, dict) else {}
    inputs = given if isinstance(given, dict) else {}
    return {"type": triggered_by.lower(), "body": given}, inputs


def end_of(running: Running, outcome: Outcome) -> End:
    """Return an outcome as the database keeps it."""
    if isinstance(outcome, Completed):
        error = {"class": "permanent", "message": outcome.message} if outcome.message else None
        return End("COMPLETED", str(outcome.result), storable(outcome.output)[1], error)
    if isinstance(outcome, Failed):
        is_timeout = outcome.error.error_class is ErrorClass.TIMEOUT and not outcome.error.step
        running.journal.log("ERROR", outcome.error.step, outcome.error.message)
        notice, notice_at = _notice(running)
        return End(
            "TIMEOUT" if is_timeout else "FAILED",
            "FAILURE",
            error=outcome.error.as_json(),
            notice=notice,
            notice_at=notice_at,
        )
    if isinstance(outcome, Cancelled):
        running.journal.log("INFO", "", _("The run was cancelled."))
        return End("CANCELLED", "CANCELLED")
    return _suspended(running.journal, outcome)


def _suspended(journal: RunJournal, outcome: Suspended) -> End:
    waiting_for = [
        {
            "kind": str(condition.kind), "path": condition.path, "key": condition.key,
            "wake_at": _iso(condition.wake_at),
        }
        for condition in outcome.wake_on
    ]  # fmt: skip
    questions = [
        {
            "p": condition.path,
            "t": _("Did this happen?"),
            "m": _(
                "We were interrupted while “{step}” was being carried out, and cannot tell whether it was done."
            ).format(step=condition.path),
            "sh": {"call": condition.detail, "attempt": journal.waiting_attempt(condition.path)},
            "who": [],
        }
        for condition in outcome.wake_on
        if condition.kind is WakeKind.UNCERTAIN_EFFECT
    ]
    return End("WAITING", wake_at=outcome.wake_at, waiting_for=waiting_for, questions=questions)


@dataclass(slots=True)
class _Window:
    """When telling of a workflow's failures began, and whether those that followed are already taken care of."""

    since: float
    is_followed: bool = False


_windows: dict[UUID, _Window] = {}


def _notice(running: Running) -> tuple[dict[str, str] | None, datetime | None]:
    """Return (arguments of the job that tells people, when it may begin at the earliest).

    A workflow that handles failures is told of each. Where only e-mails are sent, the first failure has a job at once,
    and the next within FAILURE_NOTICE_SECONDS one at the end of that time: its e-mail lists whatever failed until then.
    """
    claim, now = running.claim, time.monotonic()
    definition = running.version.definition
    wanted = definition.settings.on_failure if definition is not None else None
    if claim.mode != "LIVE" or (wanted is not None and not (wanted.notify or wanted.workflow)):
        return None, None
    job = {"organization_id": str(claim.organization_id), "execution_id": str(claim.id)}
    if wanted is not None and wanted.workflow:
        return job, None
    window = _windows.get(claim.workflow_id)
    if window is None or now - window.since >= FAILURE_NOTICE_SECONDS:
        if len(_windows) > 10_000:
            _windows.clear()
        _windows[claim.workflow_id] = _Window(now)
        return job, None
    if window.is_followed:
        return None, None
    window.is_followed = True
    left = FAILURE_NOTICE_SECONDS - (now - window.since)
    return job, ENVIRONMENT.now() + timedelta(seconds=left)


def _iso(value: datetime | None) -> str | None:
    return None if value is None else value.isoformat()
