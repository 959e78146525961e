"""What the engine needs from its surroundings, and what it hands back.

The engine is a function of a run and its journal. It walks the tree of steps; for each step it
takes the committed result, or runs the step and records it. It imports no Django, opens no file
and no socket: everything outside comes in through the protocols here.

How a step becomes durable, which is what the promises rest on:

* `Journal.append` records without waiting. Used for what can be computed again from what is already
  recorded (set, transform, code, the choice of a branch, the start of a loop). If it is lost in a
  crash it is computed again, and nobody can have seen the lost value, because
* everything appended before is durable before anything becomes visible outside: `Journal.commit`
  and `Journal.flush` return when their record *and every record appended before it* are on disk, in
  order. The walk calls one of them before each effect that is more than a read, and after each effect.
* When the walk returns an outcome, appended records may still wait: the runner writes them and the
  outcome (or the wake conditions) in one commit, so a run of trivial steps is one transaction.
* The journal may write appended records earlier whenever it likes (with other runs' commits).
* Rows may be left RUNNING or WAITING when a run ends other than by its last step: blocks around a stop, branches
  that a failure left behind. Whoever records a terminal outcome marks them CANCELLED in the same commit.
* A step that reads the clock is rendered with the recorded `started_at`, so a replay of a block
  sees the same time and takes the same way.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from random import Random
from typing import Any, Protocol

from workflows.engine.states import (
    EffectClass,
    EffectError,
    EffectKind,
    EffectState,
    ErrorClass,
    Fenced,
    Json,
    RunResult,
    StepError,
    StepStatus,
    WakeKind,
)

__all__ = [
    "Answer", "Cancelled", "CodeRunner", "CommittedStep", "Completed", "EffectCall", "EffectClass", "EffectError",
    "EffectKind", "EffectResult", "EffectState", "Effects", "Environment", "ErrorClass", "Failed", "Fenced", "Journal",
    "Json", "Outcome", "RunInput", "RunResult", "StepError", "StepRecord", "StepStatus", "Suspended", "WakeCondition",
    "WakeKind",
]  # fmt: skip


@dataclass(slots=True)
class CommittedStep:
    """The newest attempt of one step as the journal holds it, when the walk starts.

    error: StepError.as_json() or None. recorded: values the engine needs to replay exactly (see StepRecord).
    input: needed for RUNNING and WAITING attempts (the rendered call of an intent); may be None for the rest.
    """

    status: StepStatus
    output: Json = None
    error: Mapping[str, Json] | None = None
    attempt: int = 1
    effect_state: EffectState = EffectState.NONE
    idempotency_key: str | None = None
    started_at: datetime | None = None
    finished_at: datetime | None = None
    recorded: Mapping[str, Json] = field(default_factory=dict)
    input: Json = None


@dataclass(slots=True)
class StepRecord:
    """One row of the journal. (path, attempt) identifies it; a later record of the same pair replaces it.

    path: where the step stands: `send`, `route.vip.notify`, `parallel.left.a`, `each[3].send`,
      `send.on_error.tell`. Ascii, at most limits.MAX_PATH_CHARS.
    attempt: counts tries of this step, from 1 (not the run's fencing token).
    status, effect_state, error: as in CommittedStep.
    input: what the step was given after rendering; None where it would repeat the definition.
    output: JSON, at most limits.MAX_STEP_OUTPUT_BYTES.
    idempotency_key: `execution id:path` for effects, else None; the same in every attempt.
    started_at, finished_at: aware UTC; finished_at is None while RUNNING or WAITING.
    recorded: what a replay needs, small JSON. Keys: "retry_at", "wake_at", "deadline_at" (ISO 8601),
      "kind" (WakeKind while WAITING),
      "key" (what is waited for), "round" and "due_at" (repeat), "branch",
      "vars" (a loop's), "disabled".
      While WAITING, "kind" and "key" equal the WakeCondition the run suspends with.
    cost: what the effect reported (tokens, money), JSON or None.
    output_json: the output as JSON text, when there is an output: made once by the engine (size limit,
      no NUL, no lone surrogates), so that the journal need not encode it again.
    """

    path: str
    step_id: str
    step_type: str
    attempt: int
    status: StepStatus
    started_at: datetime
    finished_at: datetime | None = None
    input: Json = None
    output: Json = None
    error: Mapping[str, Json] | None = None
    effect_state: EffectState = EffectState.NONE
    idempotency_key: str | None = None
    recorded: Mapping[str, Json] = field(default_factory=dict)
    cost: Json = None
    output_json: str | None = None


@dataclass(slots=True, frozen=True)
class Answer:
    """What arrived for a step that waits.

    kind: the WakeKind it answers. value, by kind:
      approval: {"decision": "approve" | "reject", "form": {...}, "who": [...], ...}, decided by the
        runner (N of M)
      wait: the posted body, any JSON
      child: {"status": "COMPLETED" | "FAILED" | "CANCELLED" | "TIMEOUT", "result": RunResult, "output":
        ..., "error": StepError JSON | None}
      uncertain_effect: {"resolution": "happened", "output": ...} | {"resolution": "not_happened"} |
        {"resolution": "stop"}
    attempt: for uncertain_effect, the step attempt that was asked about (an older answer is not used
      twice); else 0.
    """

    kind: WakeKind
    value: Json
    at: datetime | None = None
    attempt: int = 0


class Journal(Protocol):
    """The durable record of one execution, bound to one fencing token.

    Order is kept: what was appended or committed earlier is never durable later.
    append raises Fenced when the token is known to be stale; commit, intend and flush raise it always.
    """

    def load(self) -> Mapping[str, CommittedStep]:
        """Return step path -> newest attempt, as it stood when the runner claimed the run. Called once."""

    def answers(self) -> Mapping[str, Answer]:
        """Return step path -> answer for steps that wait. Called once."""

    def append(self, record: StepRecord) -> None:
        """Record without waiting; durable with the next commit, intend or flush at the latest."""

    async def commit(self, record: StepRecord) -> None:
        """Record and return when it and everything before it is durable."""

    async def intend(self, record: StepRecord) -> None:
        """As commit, for the intent of an effect (effect_state INTENDED, input = the rendered call)."""

    async def flush(self) -> None:
        """Return when everything appended is durable. Cheap when there is nothing to write."""


@dataclass(slots=True)
class EffectCall:
    """One call to the outside.

    key: idempotency key, `execution id:step path`; equal in every attempt and after every crash.
    inputs, by kind (all rendered):
      http: method, url, headers, query, json | form | body, integration, pagination
      action: provider, operation, integration, with
      ai: operation, integration, model, system, prompt, schema, labels, tools, max_tokens, budget
      workflow: workflow, input, wait, depth (of the child, 1 for the child of a top-level run)
      approval: title, message, assignees, form, required, deadline_at (ISO or None), on_deadline
      wait: deadline_at (ISO or None)
      respond: status, headers, body
    effect_class: from Effects.effect_class. timeout: seconds left for this call, enforced by the engine
      as well.
    """

    kind: EffectKind
    path: str
    step_id: str
    attempt: int
    key: str
    effect_class: EffectClass
    inputs: Mapping[str, Json]
    timeout: float


@dataclass(slots=True)
class EffectResult:
    """What a call gave.

    output: the step's output (JSON). For http: {"status", "headers", "body"}.
      For approval: {"id": ...}; for wait: {"url": ...}; for workflow: {"execution_id": ...}: kept in
        recorded, "key" of the
      wake condition is output["id"] / ["id"] / ["execution_id"] where present, else the idempotency key.
    cost: tokens and money, JSON or None.
    settled: for approval, wait and workflow, the Answer.value that is known at once, so that the step need not wait:
      a dry run answers its own questions. None: the step waits.
    """

    output: Json = None
    cost: Json = None
    settled: Json = None


class Effects(Protocol):
    """The engine's hands."""

    def effect_class(self, kind: EffectKind, inputs: Mapping[str, Json]) -> EffectClass:
        """Return whether this call may be repeated; engine.effects.default_class knows all kinds but ACTION."""

    async def perform(self, call: EffectCall) -> EffectResult:
        """Carry the call out once; never retries on its own. Raises EffectError."""

    async def look_up(self, call: EffectCall) -> EffectResult | None:
        """For CHECKABLE: return the result if the call with this key happened, None if it did not. Raises
        EffectError.
        """

    async def give_up(self, path: str) -> None:
        """Cancel the runs that the step at `path`, or a step inside it, waits for: its time is up. May be repeated."""


class Environment(Protocol):
    """Time and chance. Production: engine.environment.SystemEnvironment."""

    random: Random

    def now(self) -> datetime:
        """Return the current instant, aware, UTC."""

    async def sleep(self, seconds: float) -> None: ...


class CodeRunner(Protocol):
    """Runs customers' code without time, files or network; see workflows.steps.sandbox."""

    async def run(
        self,
        language: str,
        source: str,
        inputs: Mapping[str, Json],
        *,
        timeout: float,
        now: datetime,
        seed: str,
    ) -> Json:
        """Return the JSON value the code gives. Raises EffectError.

        timeout: seconds of running time. now, seed: the clock and the random start the code sees, so that
        the same step computes the same value again.
        """


@dataclass(slots=True)
class RunInput:
    """Everything fixed about a run.

    definition: engine.compile.compile_definition(...): share one per workflow version, it is immutable.
    trigger, inputs, vars, workflow, organization, execution: JSON objects seen by expressions under these
      names.
      organization["timezone"] (IANA name) is used for business hours.
    deadline: the instant by which the run must have ended, or None: then started_at + settings.timeout.
    depth: 0 for a run that was not started by another run.
    cancel_requested: True when cancel was asked for before this walk began.
    """

    execution_id: str
    definition: Any
    started_at: datetime
    trigger: Json = None
    inputs: Mapping[str, Json] = field(default_factory=dict)
    vars: Mapping[str, Json] = field(default_factory=dict)
    organization: Mapping[str, Json] = field(default_factory=dict)
    workflow: Mapping[str, Json] = field(default_factory=dict)
    execution: Mapping[str, Json] = field(default_factory=dict)
    deadline: datetime | None = None
    depth: int = 0
    cancel_requested: bool = False


@dataclass(slots=True, frozen=True)
class WakeCondition:
    """Something that lets a suspended run go on.

    path: the step that waits. key: approval id, integration id, child execution id, or the idempotency key.
    wake_at: when it gives up or is due, or None. detail: for people (uncertain_effect: the rendered call).
    """

    kind: WakeKind
    path: str
    key: str
    wake_at: datetime | None = None
    detail: Json = None


@dataclass(slots=True, frozen=True)
class Completed:
    output: Json
    result: RunResult = RunResult.SUCCESS
    message: str = ""  # of a stop step


@dataclass(slots=True, frozen=True)
class Failed:
    error: StepError  # class TIMEOUT with step "" means the run's own deadline


@dataclass(slots=True, frozen=True)
class Suspended:
    """wake_at: the earliest instant at which the run must be walked again, or None; wake_on: every
    condition, in order of path discovery.
    """

    wake_at: datetime | None
    wake_on: Sequence[WakeCondition]


@dataclass(slots=True, frozen=True)
class Cancelled:
    pass


Outcome = Completed | Failed | Suspended | Cancelled
