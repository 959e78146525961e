"""The journal of one claimed run: what is committed, and what waits to be."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from accounts.tenancy import uuid7
from workflows.engine.interface import (
    Answer,
    CommittedStep,
    EffectState,
    Fenced,
    StepRecord,
    StepStatus,
    WakeKind,
)
from workflows.runner.limits import APPENDED_RECORDS
from workflows.runner.store import Claim, compact

if TYPE_CHECKING:
    from workflows.runner.group_commit import Committer

LogLine = tuple[str, str, str, Any, datetime]
"""(level, step path, message, metadata, when)"""


class RunJournal:
    """Journal of one walk; see workflows.engine.interface.Journal. Bound to the claim's fencing token.

    steps, answers: what the database held when the run was claimed. tokens, cost_usd: totals of this walk.
    """

    __slots__ = (
        "_answers", "_committed", "_committer", "claim", "cost_usd", "effect_classes",
        "fenced", "lines", "records", "tokens", "usage", "waiting",
    )  # fmt: skip

    def __init__(
        self,
        claim: Claim,
        committer: Committer,
        steps: Mapping[str, CommittedStep] | None = None,
        answers: Mapping[str, Answer] | None = None,
    ) -> None:
        self.claim = claim
        self._committer = committer
        self._committed = steps or {}
        self._answers = answers or {}
        # (path, attempt) -> row: a later record of the same pair replaces one that is not written yet.
        self.records: dict[tuple[str, int], str] = {}
        self.lines: list[LogLine] = []
        self.usage: dict[str, int] = {}
        self.effect_classes: dict[str, str] = {}
        self.tokens = 0
        self.cost_usd = 0.0
        self.fenced = False
        self.waiting: dict[str, int] = {}

    def load(self) -> Mapping[str, CommittedStep]:
        return self._committed

    def answers(self) -> Mapping[str, Answer]:
        return self._answers

    def append(self, record: StepRecord) -> None:
        if self.fenced:
            raise Fenced
        if not self.records:
            self._committer.appended(self)
        if record.status is StepStatus.WAITING:
            self.waiting[record.path] = record.attempt
        cost = record.cost
        if cost and record.finished_at is not None:
            self.tokens += int(cost.get("tokens") or 0)
            self.cost_usd += float(cost.get("usd") or 0)
        self.records[record.path, record.attempt] = self._row(record)
        if len(self.records) >= APPENDED_RECORDS:
            self._committer.request(self)

    async def commit(self, record: StepRecord) -> None:
        self.append(record)
        await self._durable()

    intend = commit

    async def flush(self) -> None:
        if self.fenced:
            raise Fenced
        if self.records or self._committer.has_more(self):
            await self._durable()

    def log(self, level: str, path: str, message: str, metadata: Any = None) -> None:
        """Add a line for people; written with the next commit of this run."""
        self.lines.append((level, path, message, metadata, datetime.now(UTC)))

    def use(self, metric: str, quantity: int) -> None:
        """Add to what this run has used; written with the next commit of this run."""
        self.usage[metric] = self.usage.get(metric, 0) + quantity

    def waiting_attempt(self, path: str) -> int:
        """Return which attempt of a waiting step waits."""
        committed = self._committed.get(path)
        return self.waiting.get(path) or (committed.attempt if committed else 1)

    async def _durable(self) -> None:
        await self._committer.request(self)

    def _row(self, record: StepRecord) -> str:
        """Return the record as the JSON object that commit_statement.STEPS reads."""
        cost = record.cost or {}
        output = record.output_json
        if output is None:
            output = "null" if record.output is None else compact(record.output)
        started, finished = record.started_at, record.finished_at
        return (
            f'{{"e":"{self.claim.id}","id":"{uuid7()}","p":{compact(record.path)},"s":{compact(record.step_id)},'
            f'"t":"{record.step_type}","a":{record.attempt},"f":{self.claim.attempt},"st":"{record.status}",'
            f'"i":{compact(record.input)},"o":{output},"er":{compact(record.error)},'
            f'"ef":"{self.effect_classes.get(record.path, "")}","es":"{record.effect_state}",'
            f'"k":{compact(record.idempotency_key or "")},"r":{compact(record.recorded or None)},'
            f'"b":"{started.isoformat()}","d":{_instant(finished)},'
            f'"m":{"null" if finished is None else _milliseconds(started, finished)},'
            f'"tk":{int(cost.get("tokens") or 0)},"c":{float(cost.get("usd") or 0)}}}'
        )


def committed_step(row: Mapping[str, Any]) -> CommittedStep:
    """Return a journal row as the engine wants it."""
    return CommittedStep(
        status=StepStatus(row["status"]),
        output=row["output"],
        error=row["error"],
        attempt=row["attempt"],
        effect_state=EffectState(row["effect_state"]),
        idempotency_key=row["idempotency_key"] or None,
        started_at=row["started_at"],
        finished_at=row["finished_at"],
        recorded=row["recorded"] or {},
        input=row["input"],
    )


def answer(row: Mapping[str, Any]) -> Answer:
    """Return an answer row as the engine wants it."""
    return Answer(WakeKind(row["kind"]), row["value"], row["at"], row["attempt"])


def by_run(rows: list[dict[str, Any]], make: Any) -> dict[UUID, dict[str, Any]]:
    """Return execution id -> path -> what `make` makes of its row."""
    found: dict[UUID, dict[str, Any]] = {}
    for row in rows:
        found.setdefault(row["execution_id"], {})[row["path"]] = make(row)
    return found


def _instant(value: datetime | None) -> str:
    return "null" if value is None else f'"{value.isoformat()}"'


def _milliseconds(started: datetime, finished: datetime) -> int:
    return max(0, round((finished - started).total_seconds() * 1000))
