"""code: run a short program that has its inputs and nothing else."""

from workflows.definition.steps import CodeStep
from workflows.definition.wording import gettext as _
from workflows.engine.compile import Compiler, StepKind
from workflows.engine.here import Here
from workflows.engine.interface import EffectError, ErrorClass, Json
from workflows.engine.limits import DEFAULT_CODE_SECONDS
from workflows.engine.payload import check_input
from workflows.engine.signals import DeadlineReached, StepFailed, failure

WAITING_SECONDS = 60.0  # for a free process, beyond the program's own running time


class Code(StepKind):
    """Output: what the program returns, else the value of its last expression."""

    def __init__(self, step: CodeStep, compiler: Compiler):
        self.language = step.language
        self.source = step.source
        self.inputs = compiler.value(step.inputs)

    async def run(self, here: Here) -> Json:
        runner = here.walk.code
        if runner is None:
            raise failure(_("Programs cannot be run here."), error_class=ErrorClass.PLATFORM)
        here.input = inputs = check_input(here.render(self.inputs))
        seconds = here.call_seconds(DEFAULT_CODE_SECONDS)
        program = runner.run(
            self.language,
            self.source,
            inputs,
            timeout=seconds,
            now=here.started_at,
            seed=f"{here.run.execution_id}:{here.path}",
        )
        try:
            return await here.outside(program, seconds + WAITING_SECONDS)
        except EffectError as problem:
            raise StepFailed(problem.error) from None
        except TimeoutError:
            if here.outer.deadline is not None and here.now() >= here.outer.deadline:
                raise DeadlineReached(here.outer.owner) from None
            raise failure(
                _("The program waited too long for a free place."), error_class=ErrorClass.TEMPORARY
            ) from None
