"""approval and wait: the run stops until somebody outside answers."""

from datetime import timedelta

from workflows.definition.steps import ApprovalStep, WaitStep
from workflows.definition.wording import gettext as _
from workflows.engine.compile import Compiler, StepKind, seconds
from workflows.engine.here import Here
from workflows.engine.interface import EffectKind, ErrorClass, Json, RunResult, WakeKind
from workflows.engine.signals import DeadlineReached, Stop, failure
from workflows.steps.moments import instant_of


class Approval(StepKind):
    """Output: {"decision": "approve" | "reject", "approved", "form", "who", "by_deadline"}.

    How many have to agree is counted by the runner; the answer that arrives here is the result.
    """

    def __init__(self, step: ApprovalStep, compiler: Compiler):
        self.question = compiler.value(
            {
                "title": step.title,
                "message": step.message,
                "assignees": [
                    assignee.model_dump(mode="json", exclude_none=True) for assignee in step.assignees
                ],
            }
        )
        self.fixed = {
            "form": step.form,
            "required": step.required,
            "on_deadline": step.on_deadline,
            "remind_seconds": seconds(step.remind) if step.remind else None,
        }
        self.deadline = seconds(step.deadline) if step.deadline else None
        self.on_deadline = step.on_deadline
        self.on_reject = step.on_reject

    async def run(self, here: Here) -> Json:
        answer = here.answer(WakeKind.APPROVAL)
        if answer is not None:
            return self._decided({"form": {}, "who": [], **answer.value, "by_deadline": False})
        waiting = here.waiting
        if waiting is None or waiting.get("kind") != WakeKind.APPROVAL:
            deadline_at = None
            if self.deadline is not None:
                deadline_at = (here.started_at + timedelta(seconds=self.deadline)).isoformat()
            inputs = {**self.fixed, **here.render(self.question), "deadline_at": deadline_at}
            result = await here.perform(EffectKind.APPROVAL, inputs)
            output = result.output or {}
            if result.settled is not None:
                return self._decided(
                    {"form": {}, "who": [], **result.settled, **output, "by_deadline": False}
                )
            waiting = {"approval": output, "key": str(output.get("id") or here.key), "wake_at": deadline_at}
        wake_at = instant_of(waiting["wake_at"]) if waiting.get("wake_at") else None
        if wake_at is not None and here.now() >= wake_at:
            return self._at_deadline()
        raise here.suspend(
            WakeKind.APPROVAL, waiting["key"], wake_at, recorded={"approval": waiting["approval"]}
        )

    def _at_deadline(self) -> Json:
        if self.on_deadline == "fail":
            raise failure(_("Nobody decided before the deadline."), error_class=ErrorClass.TIMEOUT)
        return self._decided({"decision": self.on_deadline, "form": {}, "who": [], "by_deadline": True})

    def _decided(self, output: dict[str, Json]) -> Json:
        output["approved"] = output.get("decision") == "approve"
        if not output["approved"]:
            if self.on_reject == "fail":
                raise failure(_("The request was rejected."))
            if self.on_reject == "stop":
                raise Stop(RunResult.CANCELLED, _("The request was rejected."))
        return output


class Wait(StepKind):
    """Output: the body that was posted to the one-time address; null when the time is over and that is fine."""

    def __init__(self, step: WaitStep, compiler: Compiler):
        self.continues = step.on_timeout == "continue"

    async def run(self, here: Here) -> Json:
        answer = here.answer(WakeKind.WAIT)
        if answer is not None:
            return answer.value
        try:
            waiting = here.waiting
            if waiting is None or waiting.get("kind") != WakeKind.WAIT:
                ends = here.frame.deadline
                given = {"deadline_at": ends.isoformat() if ends else None}
                result = await here.perform(EffectKind.WAIT, given)
                output = result.output or {}
                if result.settled is not None:
                    return result.settled
                waiting = {"address": output, "key": str(output.get("id") or here.key)}
            ends = here.frame.deadline if here.frame.owner == here.path else None
            raise here.suspend(WakeKind.WAIT, waiting["key"], ends, recorded={"address": waiting["address"]})
        except DeadlineReached as reached:
            if self.continues and reached.owner == here.path:
                return None
            raise
