"""The re-entrant walk: from the first step to an outcome, taking from the journal what is already done."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from workflows.definition.expressions import ExpressionError
from workflows.definition.problems import readable_path
from workflows.definition.wording import gettext as _
from workflows.engine.compile import Node, Nodes, StepKind
from workflows.engine.frame import Frame
from workflows.engine.here import Here, earliest
from workflows.engine.interface import (
    Answer,
    Cancelled,
    CodeRunner,
    CommittedStep,
    Completed,
    Effects,
    Environment,
    ErrorClass,
    Failed,
    Journal,
    Json,
    Outcome,
    RunInput,
    RunResult,
    StepError,
    StepStatus,
    Suspended,
    WakeCondition,
    WakeKind,
)
from workflows.engine.limits import MAX_ERROR_CHARS, MAX_PATH_CHARS, SHORT_WAIT_SECONDS, STEPS_PER_TURN
from workflows.engine.payload import storable
from workflows.engine.replay import NOTHING, SKIPPED_VIEW, replay, restore
from workflows.engine.retry import next_attempt_in, retry_delay
from workflows.engine.signals import (
    DeadlineReached,
    RunCancelled,
    StepFailed,
    Stop,
    Suspend,
    failure,
)


def _computed(kind: StepKind, here: Here) -> tuple[Json, str]:
    return storable(kind.compute(here))


class Walk:
    """One walk over one run. Make a new one for each time the run is taken up.

    code: runs code steps; None makes them fail as our fault.
    """

    def __init__(
        self,
        run: RunInput,
        journal: Journal,
        effects: Effects,
        environment: Environment,
        code: CodeRunner | None = None,
    ):
        self.input = run
        self.journal = journal
        self.effects = effects
        self.environment = environment
        self.code = code
        self.cancelled = run.cancel_requested
        self.partial = False
        self.committed: Mapping[str, CommittedStep] = {}
        self.answers: Mapping[str, Answer] = {}
        self._waiting: set[asyncio.Task[Any]] = set()
        self._started = 0
        self._turns = 0

    async def run(self) -> Outcome:
        """Return how far the run got.

        Appended records may not be durable yet: write them and the outcome in one commit. Raises Fenced, and
        whatever the journal raises: then nothing is known, and the run is walked again later.
        """
        self.committed = self.journal.load()
        self.answers = self.journal.answers()
        self._started = len(self.committed)
        # A run that completes has dealt with every failure in its journal, so one is enough to know.
        self.partial = any(
            step.status is StepStatus.FAILED and "retry_at" not in step.recorded
            for step in self.committed.values()
        )
        frame = self._first_frame()
        try:
            output = await self.block(self.input.definition.steps, "", frame)
            if self.input.definition.output is not None:
                output = self._final_output(frame)
            return Completed(output, RunResult.PARTIAL if self.partial else RunResult.SUCCESS)
        except Stop as stop:
            result = stop.result
            if result is RunResult.SUCCESS and self.partial:
                result = RunResult.PARTIAL
            return Completed(None, result, stop.message)
        except Suspend as suspend:
            instants = [suspend.wake_at, *(condition.wake_at for condition in suspend.conditions)]
            return Suspended(earliest(*instants), tuple(suspend.conditions))
        except RunCancelled:
            return Cancelled()
        except DeadlineReached:
            return Failed(
                StepError(ErrorClass.TIMEOUT, _("The run took longer than its time limit and was ended."))
            )
        except StepFailed as failed:
            return Failed(failed.error)

    def cancel(self) -> None:
        """End the run as soon as possible: no further step starts, and calls in flight are given up."""
        self.cancelled = True
        for task in tuple(self._waiting):
            task.cancel()

    async def block(self, nodes: Nodes, prefix: str, frame: Frame) -> Json:
        """Run steps one after the other; return the output of the last that was not skipped."""
        output: Json = None
        for node in nodes:
            found = await self._step(node, prefix + node.id, frame)
            if found is not NOTHING:
                output = found
        return output

    async def outside(self, awaitable: Any, seconds: float | None) -> Any:
        """Return what `awaitable` gives. Raises TimeoutError after `seconds`, RunCancelled when cancel is asked for."""
        task = asyncio.current_task()
        if task is None:
            raise RuntimeError("a walk runs inside a task")
        self._waiting.add(task)
        try:
            async with asyncio.timeout(seconds):
                return await awaitable
        except asyncio.CancelledError:
            # Our own cancel(), and not the worker shutting down, which must pass through.
            if self.cancelled and not task.uncancel():
                raise RunCancelled from None
            raise
        finally:
            self._waiting.discard(task)

    async def pause(self, here: Here, until: datetime, *, own_timeout: bool) -> None:
        """Return when `until` has come; longer waits suspend. Raises Suspend, DeadlineReached, RunCancelled."""
        seconds = (until - self.environment.now()).total_seconds()
        if seconds <= 0:
            return
        frame = here.frame if own_timeout else here.outer
        ends = frame.deadline if frame.deadline is not None and frame.deadline < until else None
        if seconds >= SHORT_WAIT_SECONDS:
            condition = WakeCondition(WakeKind.DELAY, here.path, self.key_of(here.path), until)
            if ends is not None and ends <= self.environment.now():
                raise DeadlineReached(frame.owner)
            raise Suspend([condition], frame.deadline)
        if ends is not None:
            seconds = max(0.0, (ends - self.environment.now()).total_seconds())
        await self.outside(self.environment.sleep(seconds), None)
        if ends is not None:
            raise DeadlineReached(frame.owner)

    def check(self, frame: Frame, now: datetime) -> None:
        """Raise when no further step may start here."""
        if self.cancelled:
            raise RunCancelled
        if frame.join is not None:
            frame.join.check()
        if frame.deadline is not None and now >= frame.deadline:
            raise DeadlineReached(frame.owner)

    # One step

    async def _step(self, node: Node, path: str, frame: Frame) -> Json:
        self._turns += 1
        if self._turns % STEPS_PER_TURN == 0:
            await asyncio.sleep(0)
        committed = self.committed.get(path)
        if committed is not None:
            status = committed.status
            if status is StepStatus.COMPLETED or status is StepStatus.SKIPPED:
                return replay(self.committed, node, path, frame, committed)
            if status is StepStatus.FAILED and "retry_at" not in committed.recorded:
                restore(self.committed, node, path, frame, committed)
                error = StepError.from_json(committed.error or {})
                return await self._handle(node, path, frame, error)
            if status is StepStatus.CANCELLED and committed.error is None:
                raise RunCancelled
        now = self.environment.now()
        self.check(frame, now)
        if committed is None:
            self._count(path)
            here = Here(self, node, path, frame, 1, now)
            if node.disabled or node.condition is not None:
                skipped = self._skip(here)
                if isinstance(skipped, StepError):
                    return await self._fail(here, skipped)
                if skipped:
                    return NOTHING
        elif committed.status is StepStatus.FAILED:
            here = Here(self, node, path, frame, committed.attempt, committed.started_at or now, committed)
            here = await self._after_pause(here, committed)
        else:
            here = Here(self, node, path, frame, committed.attempt, committed.started_at or now, committed)
        return await self._attempts(here)

    async def _attempts(self, here: Here) -> Json:
        """Run the step until it succeeds or has failed for good."""
        node, kind = here.node, here.node.kind
        while True:
            try:
                if not kind.pure:
                    output, text = storable(await kind.run(here))
                elif kind.is_long(here):
                    # Other runs go on meanwhile: a thread gives the interpreter back every few milliseconds.
                    output, text = await asyncio.to_thread(_computed, kind, here)
                else:
                    output, text = storable(kind.compute(here))
            except StepFailed as failed:
                error = failed.error
            except ExpressionError as problem:
                error = StepError(ErrorClass.PERMANENT, explain(problem), str(problem))
            except Stop as stop:
                if kind.ends_run:
                    self.journal.append(
                        here.record(
                            StepStatus.COMPLETED, finished_at=self.environment.now(), output=stop.output
                        )
                    )
                raise
            except DeadlineReached as reached:
                if reached.owner != here.path:
                    raise
                if here.committed is not None and (kind.is_block or kind.waits_for_runs):
                    await self.effects.give_up(here.path)
                message = _("This step did not finish within {seconds} seconds.").format(
                    seconds=f"{node.timeout:g}"
                )
                error = StepError(ErrorClass.TIMEOUT, message)
            else:
                await self._finish(here, output, text)
                return output
            delay = None
            if not kind.is_block:
                computed = retry_delay(
                    here.attempt, rng=self.environment.random, base=node.retry_base / 2, cap=node.retry_cap
                )
                delay = next_attempt_in(error, here.attempt, node.attempts, computed)
            if delay is None:
                return await self._fail(here, error)
            here = await self._retry(here, error, delay)

    async def _finish(self, here: Here, output: Json, text: str) -> None:
        record = here.record(
            StepStatus.COMPLETED,
            finished_at=self.environment.now(),
            output=output,
            output_json=text,
            recorded=here.recorded,
        )
        if here.durable:
            await self.journal.commit(record)
        else:
            self.journal.append(record)
        here.frame.steps[here.node.id] = {"output": output, "status": "COMPLETED", "error": None}
        if here.node.kind.remembers:
            here.node.kind.remember(here.frame, output)

    async def _retry(self, here: Here, error: StepError, delay: float) -> Here:
        """Record the failed attempt and return the next one, when its time has come."""
        now = self.environment.now()
        due = now + timedelta(seconds=delay)
        error = _bounded(replace(error, step=here.path))
        record = here.record(
            StepStatus.FAILED,
            finished_at=now,
            error=error.as_json(),
            recorded={
                "retry_at": due.isoformat(),
                "kind": str(WakeKind.DELAY),
                "key": self.key_of(here.path),
            },
        )
        self.journal.append(record)
        previous = CommittedStep(
            StepStatus.FAILED,
            attempt=here.attempt,
            effect_state=here.effect_state,
            recorded=record.recorded,
            started_at=here.started_at,
        )
        return await self._after_pause(here, previous)

    async def _after_pause(self, here: Here, failed: CommittedStep) -> Here:
        due = datetime.fromisoformat(failed.recorded["retry_at"])
        await self.pause(here, due, own_timeout=False)
        now = self.environment.now()
        self.check(here.outer, now)
        return Here(self, here.node, here.path, here.outer, failed.attempt + 1, now, None, failed)

    async def _fail(self, here: Here, error: StepError) -> Json:
        self.partial = True
        error = _bounded(replace(error, step=error.step or here.path))
        record = here.record(
            StepStatus.FAILED,
            finished_at=self.environment.now(),
            error=error.as_json(),
            recorded=here.recorded,
        )
        if here.durable:
            await self.journal.commit(record)
        else:
            self.journal.append(record)
        return await self._handle(here.node, here.path, here.outer, error)

    async def _handle(self, node: Node, path: str, frame: Frame, error: StepError) -> Json:
        """Do what the step's on_error says."""
        if node.on_error == "fail":
            raise StepFailed(error)
        seen = error.as_json()
        frame.steps[node.id] = {"output": None, "status": "FAILED", "error": seen}
        if node.on_error == "continue":
            return None
        return await self.block(node.handler, f"{path}.on_error.", frame.named(error=seen))

    def _skip(self, here: Here) -> bool | StepError:
        """Return whether the step is passed over, or why that cannot be told."""
        node = here.node
        if not node.disabled:
            try:
                if here.render(node.condition):
                    return False
            except ExpressionError as problem:
                return StepError(ErrorClass.PERMANENT, explain(problem), f"if: {problem}")
        recorded = {"disabled": True} if node.disabled else {}
        self.journal.append(here.record(StepStatus.SKIPPED, finished_at=here.started_at, recorded=recorded))
        here.frame.steps[node.id] = SKIPPED_VIEW
        return True

    # Small matters

    def _first_frame(self) -> Frame:
        run = self.input
        deadline = run.deadline or run.started_at + timedelta(seconds=run.definition.timeout)
        scope = {
            "trigger": run.trigger,
            "inputs": run.inputs,
            "steps": {},
            "vars": dict(run.vars),
            "workflow": run.workflow,
            "execution": run.execution,
            "organization": run.organization,
            "now": run.started_at,
        }
        return Frame(scope, deadline)

    def _final_output(self, frame: Frame) -> Json:
        frame.scope["now"] = self.environment.now()
        try:
            return storable(self.input.definition.output(frame.scope))[0]
        except ExpressionError as problem:
            raise StepFailed(
                _bounded(
                    StepError(
                        ErrorClass.PERMANENT,
                        _("The output of the workflow: {problem}").format(problem=explain(problem)),
                        str(problem),
                    )
                )
            ) from None

    def _count(self, path: str) -> None:
        self._started += 1
        if self._started > self.input.definition.max_steps:
            raise failure(
                _("This run has reached its limit of {count} steps.").format(
                    count=self.input.definition.max_steps
                )
            )
        if len(path) > MAX_PATH_CHARS:
            raise failure(_("This step is nested too deeply."), detail=path[:200])

    def key_of(self, path: str) -> str:
        """Return the idempotency key of the step at `path`."""
        return f"{self.input.execution_id}:{path}"


def explain(problem: ExpressionError) -> str:
    """Return what is wrong with an expression, and in which field, for the author of the step."""
    where = readable_path(problem.location)
    return f"{where}: {problem.message}" if where else problem.message


def _bounded(error: StepError) -> StepError:
    """Return the error short enough, and clean enough, to keep."""
    if len(error.message) > MAX_ERROR_CHARS or len(error.detail) > MAX_ERROR_CHARS:
        error = replace(error, message=error.message[:MAX_ERROR_CHARS], detail=error.detail[:MAX_ERROR_CHARS])
    return StepError.from_json(storable(error.as_json())[0])
