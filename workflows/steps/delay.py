"""delay: wait for a length of time or until an instant, within business hours if asked; costs nothing meanwhile."""

from workflows.definition.steps import DelayStep
from workflows.engine.compile import Compiler, StepKind
from workflows.engine.here import Here
from workflows.engine.interface import Json, WakeKind
from workflows.engine.limits import SHORT_WAIT_SECONDS
from workflows.steps.moments import home_of, in_business_hours, instant_of, seconds_of


class Delay(StepKind):
    """Output: {"until": the instant, ISO 8601}."""

    def __init__(self, step: DelayStep, compiler: Compiler):
        self.length = None if step.for_ is None else compiler.value(step.for_)
        self.until = None if step.until is None else compiler.value(step.until)
        self.business_hours = step.business_hours

    async def run(self, here: Here) -> Json:
        if here.waiting is not None:
            until = instant_of(here.waiting["wake_at"])
        else:
            organization = here.run.organization
            until = here.started_at
            if self.length is not None:
                until += seconds_of(here.render(self.length))
            if self.until is not None:
                until = max(until, instant_of(here.render(self.until), home_of(organization)))
            if self.business_hours:
                until = in_business_hours(until, organization)
        # A dry run shows how long it would wait.
        if until > here.now() and here.run.execution.get("mode") != "DRY_RUN":
            wait = here.suspend(WakeKind.DELAY, here.walk.key_of(here.path), until)
            if (until - here.now()).total_seconds() >= SHORT_WAIT_SECONDS:
                raise wait
            await here.walk.pause(here, until, own_timeout=True)
        return {"until": until.isoformat()}
