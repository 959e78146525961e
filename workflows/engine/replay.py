"""What is already done: puts finished steps into the scope as if they had just run."""

from __future__ import annotations

from collections.abc import Mapping

from workflows.engine.compile import Node
from workflows.engine.frame import Frame
from workflows.engine.interface import CommittedStep, Json, RunResult, StepStatus
from workflows.engine.signals import Stop

NOTHING = object()
"""Output of a step that was passed over: the block's output stays what it was."""

SKIPPED_VIEW = {"output": None, "status": "SKIPPED", "error": None}

Committed = Mapping[str, CommittedStep]


def replay(journal: Committed, node: Node, path: str, frame: Frame, committed: CommittedStep) -> Json:
    """Return the output of a COMPLETED or SKIPPED step, and leave in the scope what it left there.

    journal: step path -> newest attempt. Raises Stop where the step ended the run.
    """
    if committed.status is StepStatus.SKIPPED:
        frame.steps[node.id] = SKIPPED_VIEW
        return NOTHING
    output = committed.output
    if node.kind.ends_run:
        raise Stop(RunResult(output["result"]), output["message"], output)
    frame.steps[node.id] = {"output": output, "status": "COMPLETED", "error": None}
    if node.kind.remembers:
        node.kind.remember(frame, output)
    if node.kind.is_block:
        restore(journal, node, path, frame, committed)
    return output


def restore(journal: Committed, node: Node, path: str, frame: Frame, committed: CommittedStep) -> None:
    """Put the steps inside a finished block into the scope, in the order in which they ran."""
    if "vars" in committed.recorded:
        frame.scope["vars"].update(committed.recorded["vars"])
    for nodes, prefix in node.kind.visible(path, committed):
        for inner in nodes:
            _restore_step(journal, inner, prefix + inner.id, frame)


def _restore_step(journal: Committed, node: Node, path: str, frame: Frame) -> None:
    found = journal.get(path)
    if found is None or node.kind.ends_run:
        return
    if found.status in (StepStatus.COMPLETED, StepStatus.SKIPPED):
        replay(journal, node, path, frame, found)
    elif found.status is StepStatus.FAILED and "retry_at" not in found.recorded:
        restore(journal, node, path, frame, found)
        if node.on_error == "fail":
            return
        frame.steps[node.id] = {"output": None, "status": "FAILED", "error": found.error}
        for inner in node.handler:
            _restore_step(journal, inner, f"{path}.on_error.{inner.id}", frame)
