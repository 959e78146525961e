"""stop: end the whole run, from however deep inside loops and branches."""

from workflows.definition.steps import StopStep
from workflows.engine.compile import Compiler, StepKind
from workflows.engine.here import Here
from workflows.engine.interface import Json, RunResult
from workflows.engine.signals import Stop as StopSignal

RESULTS = {"success": RunResult.SUCCESS, "failure": RunResult.FAILURE, "cancelled": RunResult.CANCELLED}


class Stop(StepKind):
    pure = True
    ends_run = True

    def __init__(self, step: StopStep, compiler: Compiler):
        self.result = RESULTS[step.outcome]
        self.message = compiler.value(step.message)

    def compute(self, here: Here) -> Json:
        message = here.render(self.message)
        message = message if isinstance(message, str) else str(message)
        raise StopSignal(self.result, message, {"result": str(self.result), "message": message})
