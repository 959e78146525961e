"""branch, parallel, loop and repeat: the steps that hold steps."""

from collections.abc import Iterable

from workflows.definition.limits import MAX_LOOP_ITEMS
from workflows.definition.steps import BranchStep, LoopStep, ParallelStep, RepeatStep, SetStep, StepBase
from workflows.definition.tree import OTHERWISE, child_lists
from workflows.definition.wording import gettext as _
from workflows.engine.compile import Compiler, Nodes, StepKind
from workflows.engine.frame import Join
from workflows.engine.here import Here
from workflows.engine.interface import CommittedStep, Json
from workflows.engine.siblings import side_by_side
from workflows.engine.signals import failure
from workflows.steps.moments import instant_of, seconds_of


class Branch(StepKind):
    """The first branch whose condition holds; its last output, or null when none holds."""

    is_block = True

    def __init__(self, step: BranchStep, compiler: Compiler):
        self.branches = tuple((branch.name, compiler.condition(branch.when)) for branch in step.branches)
        self.steps: dict[str, Nodes] = {branch.name: compiler.nodes(branch.steps) for branch in step.branches}
        if step.otherwise is not None:
            self.steps[OTHERWISE] = compiler.nodes(step.otherwise)

    async def run(self, here: Here) -> Json:
        # The choice is recorded before anything inside runs: a condition on the time may turn out otherwise later.
        name = here.committed.recorded.get("branch") if here.committed is not None else None
        if name is None:
            name = next((name for name, when in self.branches if here.render(when)), OTHERWISE)
        here.begin(branch=name)
        if name not in self.steps:
            return None
        return await here.block(self.steps[name], f"{here.path}.{name}.")

    def visible(self, path: str, committed: CommittedStep) -> Iterable[tuple[Nodes, str]]:
        name = committed.recorded.get("branch")
        if name in self.steps:
            yield self.steps[name], f"{path}.{name}."


class Parallel(StepKind):
    """All branches at once; an object of their last outputs by name."""

    is_block = True

    def __init__(self, step: ParallelStep, compiler: Compiler):
        self.branches = tuple((branch.name, compiler.nodes(branch.steps)) for branch in step.branches)

    async def run(self, here: Here) -> Json:
        here.begin()
        join = Join(here.frame.join)
        frames = [here.frame.forked(join, {}) for _branch in self.branches]

        async def branch(index: int) -> Json:
            name, nodes = self.branches[index]
            return await here.block(nodes, f"{here.path}.{name}.", frames[index])

        count = len(self.branches)
        try:
            outputs = await side_by_side(count, count, branch, join)
        finally:
            for frame in frames:
                here.frame.merge(frame)
        return {name: output for (name, _nodes), output in zip(self.branches, outputs, strict=True)}

    def visible(self, path: str, committed: CommittedStep) -> Iterable[tuple[Nodes, str]]:
        for name, nodes in self.branches:
            yield nodes, f"{path}.{name}."


class Loop(StepKind):
    """The same steps for every item; a list of each round's last output.

    One at a time, rounds see the vars that earlier rounds set; several at once, each has its own.
    """

    is_block = True

    def __init__(self, step: LoopStep, compiler: Compiler):
        self.items = compiler.value(step.items)
        self.name = step.as_
        self.width = step.concurrency
        self.steps = compiler.nodes(step.steps)
        self.vars = frozenset(_vars_set_by(step)) if step.concurrency == 1 else frozenset()

    async def run(self, here: Here) -> Json:
        items = self._list(here.render(self.items))
        here.begin()
        count, path, steps = len(items), here.path, self.steps
        join = Join(here.frame.join)
        sequential = self.width == 1

        async def round_of(index: int) -> Json:
            item = items[index]
            loop = {
                "index": index,
                "number": index + 1,
                "length": count,
                "first": index == 0,
                "last": index == count - 1,
                "parent": here.frame.scope.get("loop"),
            }
            names = {"item": item, self.name: item, "loop": loop}
            frame = here.frame.iteration(names) if sequential else here.frame.forked(join, names)
            return await here.block(steps, f"{path}[{index}].", frame)

        try:
            return await side_by_side(count, self.width, round_of, join)
        finally:
            if self.vars:
                found = here.frame.scope["vars"]
                here.recorded = {"vars": {name: found[name] for name in self.vars if name in found}}

    def _list(self, value: Json) -> list[Json]:
        if value is None:
            return []
        if isinstance(value, dict):
            value = [{"key": key, "value": item} for key, item in value.items()]
        if not isinstance(value, list):
            raise failure(
                _("A loop needs a list, but it got {kind}. Point it at a list.").format(kind=_kind(value)),
                detail=repr(value)[:200],
            )
        if len(value) > MAX_LOOP_ITEMS:
            raise failure(
                _("This loop got {count} items; {limit} is the most. Filter or limit the list first.").format(
                    count=len(value), limit=MAX_LOOP_ITEMS
                )
            )
        return value


class Repeat(StepKind):
    """The same steps until the condition holds after a round, or max_times; the last round's last output."""

    is_block = True

    def __init__(self, step: RepeatStep, compiler: Compiler):
        self.steps = compiler.nodes(step.steps)
        self.until = compiler.condition(step.until)
        self.max_times = step.max_times
        self.delay = None if step.delay is None else compiler.value(step.delay)

    async def run(self, here: Here) -> Json:
        # Which round is reached, and when it may begin, is recorded: the condition may look at the clock.
        recorded = here.committed.recorded if here.committed is not None else {}
        reached = int(recorded.get("round", 0))
        here.recorded = recorded or {"round": 0}
        if not recorded:
            here.begin(round=0)
        outer_loop = here.frame.scope.get("loop")
        output: Json = None
        for index in range(self.max_times):
            if index == reached and "due_at" in here.recorded:
                await here.walk.pause(here, instant_of(here.recorded["due_at"]), own_timeout=True)
            loop = {"index": index, "number": index + 1, "first": index == 0, "parent": outer_loop}
            frame = here.frame.named(loop=loop)
            output = await here.block(self.steps, f"{here.path}[{index}].", frame)
            if index < reached:
                continue
            here.frame.scope["now"] = frame.scope["now"] = here.now()
            if self.until(frame.scope) or index + 1 == self.max_times:
                break
            reached = index + 1
            due = here.now() + seconds_of(self.delay(frame.scope)) if self.delay is not None else None
            here.committed = None
            here.begin(round=reached, **({"due_at": due.isoformat()} if due else {}))
        return output

    def visible(self, path: str, committed: CommittedStep) -> Iterable[tuple[Nodes, str]]:
        for index in range(int(committed.recorded.get("round", 0)) + 1):
            yield self.steps, f"{path}[{index}]."


def _vars_set_by(step: StepBase) -> Iterable[str]:
    for _name, _suffix, steps, _place in child_lists(step):
        for inner in steps:
            if isinstance(inner, SetStep):
                yield from inner.values
            yield from _vars_set_by(inner)


def _kind(value: Json) -> str:
    if isinstance(value, str):
        return _("a text")
    return _("a number") if not isinstance(value, bool) else _("yes or no")
