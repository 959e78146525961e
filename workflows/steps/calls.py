"""http, action, ai and respond: render what the step says and hand it to the effects."""

from workflows.definition.steps import ActionStep, AiStep, HttpStep, RespondStep
from workflows.definition.wording import gettext as _
from workflows.engine.compile import Compiler, StepKind
from workflows.engine.here import Here
from workflows.engine.interface import EffectKind, Json
from workflows.engine.signals import failure
from workflows.steps import marks


class Http(StepKind):
    """Output: {"status", "headers", "body"}."""

    def __init__(self, step: HttpStep, compiler: Compiler):
        self.fixed = {
            "method": step.method,
            "integration": step.integration,
            "allow_errors": step.allow_errors,
            "pagination": step.pagination.model_dump(mode="json") if step.pagination else None,
        }
        rendered = {"url": step.url, "headers": step.headers, "query": step.query}
        for key, value in (("json", step.json_body), ("form", step.form), ("body", step.body)):
            if value is not None:
                rendered[key] = value
        self.rendered = compiler.value(rendered)

    async def run(self, here: Here) -> Json:
        inputs = {**self.fixed, **here.render(self.rendered)}
        if not isinstance(inputs["url"], str) or not inputs["url"].strip():
            raise failure(_("This step has no address to call: the url came out empty."))
        return (await here.perform(EffectKind.HTTP, inputs)).output


class Action(StepKind):
    """Output: what the connector declares."""

    def __init__(self, step: ActionStep, compiler: Compiler):
        self.fixed = {"provider": step.provider, "operation": step.operation, "integration": step.integration}
        self.fields = compiler.value(step.with_)

    async def run(self, here: Here) -> Json:
        return (
            await here.perform(EffectKind.ACTION, {**self.fixed, "with": here.render(self.fields)})
        ).output


class Ai(StepKind):
    """Output: the model's text or typed object, with usage."""

    def __init__(self, step: AiStep, compiler: Compiler):
        self.fixed = {
            "operation": step.operation,
            "integration": step.integration,
            "model": step.model,
            "schema": step.output_schema,
            "labels": step.labels,
            "tools": [tool.model_dump(mode="json", exclude_none=True) for tool in step.tools],
            "temperature": step.temperature,
            "max_tokens": step.max_tokens,
            "budget": step.budget.model_dump(mode="json") if step.budget else None,
        }
        if step.redact:
            self.fixed["redact"] = True
        if step.language:
            self.fixed["language"] = step.language
        rendered = {"system": step.system, "prompt": marks.with_marks(step.prompt)}
        rendered |= {
            key: value for key, value in (("images", step.images), ("file", step.file)) if value is not None
        }
        self.rendered = compiler.value(rendered)

    async def run(self, here: Here) -> Json:
        rendered = here.render(self.rendered)
        rendered["prompt"], spans = marks.taken_out(rendered["prompt"])
        if spans:
            rendered["marked"] = spans
        return (await here.perform(EffectKind.AI, {**self.fixed, **rendered})).output


class Respond(StepKind):
    """Answers the webhook that waits; no output."""

    def __init__(self, step: RespondStep, compiler: Compiler):
        self.answer = compiler.value({"status": step.status, "headers": step.headers, "body": step.body})

    async def run(self, here: Here) -> Json:
        answer = here.render(self.answer)
        status = answer["status"]
        if isinstance(status, str) and status.strip().isdigit():
            status = int(status)
        if isinstance(status, bool) or not isinstance(status, int) or not 200 <= status <= 599:
            raise failure(
                _("The answer's status must be a number from 200 to 599."), detail=repr(status)[:80]
            )
        await here.perform(EffectKind.RESPOND, {**answer, "status": status})
        return None
