"""workflow: start another workflow's run, and wait for it or go on."""

from workflows.definition.steps import WorkflowStep
from workflows.definition.wording import gettext as _
from workflows.engine.compile import Compiler, StepKind
from workflows.engine.here import Here
from workflows.engine.interface import EffectKind, ErrorClass, Json, RunResult, StepError, WakeKind
from workflows.engine.limits import MAX_WORKFLOW_DEPTH
from workflows.engine.signals import StepFailed, failure


class Workflow(StepKind):
    """Output: the child's output, or {"execution_id"} when the run does not wait for it."""

    waits_for_runs = True

    def __init__(self, step: WorkflowStep, compiler: Compiler):
        self.workflow = step.workflow
        self.input = compiler.value(step.input)
        self.wait = step.wait

    async def run(self, here: Here) -> Json:
        answer = here.answer(WakeKind.CHILD)
        if answer is not None:
            return _result(answer.value)
        waiting = here.waiting
        if waiting is None or waiting.get("kind") != WakeKind.CHILD:
            depth = here.run.depth + 1
            if depth > MAX_WORKFLOW_DEPTH:
                raise failure(
                    _(
                        "Workflows have started each other {depth} times over; this looks like a circle."
                    ).format(depth=MAX_WORKFLOW_DEPTH),
                    detail=f"depth {depth}, limit {MAX_WORKFLOW_DEPTH}",
                )
            inputs = {
                "workflow": self.workflow,
                "input": here.render(self.input),
                "wait": self.wait,
                "depth": depth,
            }
            output = (await here.perform(EffectKind.WORKFLOW, inputs)).output or {}
            if not self.wait:
                return output
            waiting = {"child": output, "key": str(output.get("execution_id") or here.key)}
        raise here.suspend(WakeKind.CHILD, waiting["key"], recorded={"child": waiting["child"]})


def _result(child: dict[str, Json]) -> Json:
    """Return the child's output. Raises StepFailed with the child's own reason when it did not succeed."""
    status, result = child.get("status"), child.get("result")
    if status == "COMPLETED" and result not in (RunResult.FAILURE, RunResult.CANCELLED):
        return child.get("output")
    if child.get("error"):
        error = StepError.from_json(child["error"])
        # A temporary trouble inside the child does not make the finished child worth asking again.
        kind = ErrorClass.PERMANENT if error.error_class is ErrorClass.TEMPORARY else error.error_class
        raise StepFailed(StepError(kind, error.message, error.detail))
    if status == "CANCELLED" or result == RunResult.CANCELLED:
        raise failure(_("The workflow that this step started was cancelled."))
    if status == "TIMEOUT":
        raise failure(_("The workflow that this step started took too long."), error_class=ErrorClass.TIMEOUT)
    raise failure(_("The workflow that this step started failed."))
