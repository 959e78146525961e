"""set: keep values under names; later steps read them as the step's output and as vars.<name>."""

from workflows.definition.steps import SetStep
from workflows.engine.compile import Compiler, StepKind
from workflows.engine.frame import Frame
from workflows.engine.here import Here
from workflows.engine.interface import Json


class Set(StepKind):
    pure = True
    remembers = True

    def __init__(self, step: SetStep, compiler: Compiler):
        self.values = compiler.value(step.values)

    def compute(self, here: Here) -> Json:
        return here.render(self.values)

    def remember(self, frame: Frame, output: Json) -> None:
        frame.scope["vars"].update(output)
