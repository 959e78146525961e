"""The step types: one module per kind of step, each turning a step of the definition into something that runs."""

from workflows.definition.schema import Definition
from workflows.engine.compile import CompiledWorkflow, StepKind, compile_definition
from workflows.steps.blocks import Branch, Loop, Parallel, Repeat
from workflows.steps.calls import Action, Ai, Http, Respond
from workflows.steps.code import Code
from workflows.steps.delay import Delay
from workflows.steps.people import Approval, Wait
from workflows.steps.set import Set
from workflows.steps.stop import Stop
from workflows.steps.transform import Transform
from workflows.steps.workflow import Workflow

STEP_KINDS: dict[str, type[StepKind]] = {
    "action": Action, "http": Http, "ai": Ai, "set": Set, "transform": Transform, "code": Code, "branch": Branch,
    "parallel": Parallel, "loop": Loop, "repeat": Repeat, "delay": Delay, "approval": Approval, "wait": Wait,
    "workflow": Workflow, "respond": Respond, "stop": Stop,
}  # fmt: skip


def compile_workflow(definition: Definition) -> CompiledWorkflow:
    """Return a parsed definition ready to walk, with every step type there is."""
    return compile_definition(definition, STEP_KINDS)
