"""One recorded call to a model: look for its recorded answer, reserve, call, settle.

`budgeted(desk)` is a pydantic-ai model, so that agents' turns go the same way as single questions.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import time
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic_ai.exceptions import ContentFilterError, ModelAPIError, UnexpectedModelBehavior
from pydantic_ai.messages import (
    BinaryContent,
    ModelMessage,
    ModelRequest,
    ModelResponse,
    SystemPromptPart,
    UserPromptPart,
)
from pydantic_ai.models import Model, ModelRequestParameters, StreamedResponse
from pydantic_ai.models.wrapper import WrapperModel
from pydantic_ai.output import OutputObjectDefinition
from pydantic_ai.settings import ModelSettings
from pydantic_ai.tools import ToolDefinition

from integrations.framework.errors import ConnectorError, PermanentError, TemporaryError
from integrations.framework.redaction import redact, secrets_in
from workflows.ai import budget, providers
from workflows.ai.desk import Desk
from workflows.ai.door import found_in
from workflows.ai.exchanges import Asked, asked, keep, recorded
from workflows.ai.marking import cleaned
from workflows.ai.prices import tariff_of
from workflows.ai.refusals import OVERLOADED
from workflows.definition.wording import gettext as _

log = logging.getLogger("steward.ai")

DEFAULT_MAX_TOKENS = 4_096
STREAMED_FROM_TOKENS = 4_097  # longer answers arrive in pieces, so that no time-out meets a silent connection
SETTLE_SECONDS = 300.0  # beyond the call's own time: then its reservation is given back
REFUSED, TRUNCATED, MALFORMED = "refused", "truncated", "malformed"
SCHEMA_TOOL = "answer"


@dataclass(slots=True)
class Question:
    """What to ask. schema: JSON Schema of an object that the answer must be. images: (bytes, media type).

    history: messages before this one (pydantic-ai's), for a repair. model: None takes the account's.
    """

    prompt: str = ""
    system: str = ""
    schema: dict[str, Any] | None = None
    model: str | None = None
    max_tokens: int | None = None
    temperature: float | None = None
    images: Sequence[tuple[bytes, str]] = ()
    history: Sequence[ModelMessage] = ()
    purpose: str = "generate"


@dataclass(slots=True)
class Exchange:
    """An answer. data: the parsed object when a schema was given. response, messages: pydantic-ai's, for going on."""

    text: str
    data: Any
    model: str
    response: ModelResponse
    messages: list[ModelMessage] = field(default_factory=list)
    cost: dict[str, Any] = field(default_factory=dict)


class NotAsAsked(PermanentError):
    """The answer is not the JSON object that was asked for; `exchange` is what came."""

    def __init__(self, message: str, exchange: Exchange, **details: Any) -> None:
        super().__init__(message, **details)
        self.exchange = exchange


async def ask(desk: Desk, question: Question) -> Exchange:
    """Return the model's answer, recorded and paid for.

    Raises ConnectorError: OverBudget before anything is asked; code "refused", "truncated", "context_length",
    "no_credit" or "overloaded" where the vendor says so; NotAsAsked for an answer that is no JSON object.
    """
    hidden = secrets_in(desk.account.credentials)
    clean = lambda text: cleaned(text, hidden, personal=desk.redact)  # noqa: E731 - used three times below
    parts: list[Any] = [SystemPromptPart(clean(question.system))] if question.system else []
    if question.prompt or question.images:
        content: Any = clean(question.prompt)
        if question.images:
            content = [content, *(BinaryContent(data, media_type=kind) for data, kind in question.images)]
        parts.append(UserPromptPart(content))
    messages: list[ModelMessage] = [*question.history, ModelRequest(parts)]
    settings = ModelSettings(max_tokens=question.max_tokens or DEFAULT_MAX_TOKENS)
    if question.temperature is not None:
        settings["temperature"] = question.temperature
    model = budgeted(desk, question.model, purpose=question.purpose)
    response = await model.request(messages, settings, _parameters(desk, question.schema))
    exchange = Exchange(
        _text(response), None, response.model_name or model.model_name, response, [*messages, response],
        desk.spent.as_cost(),
    )  # fmt: skip
    if question.schema is not None:
        exchange.data = _object(exchange)
    return exchange


def budgeted(desk: Desk, model: str | None = None, *, purpose: str = "generate") -> BudgetedModel:
    """Return a pydantic-ai model whose every request is reserved, recorded and settled at this desk."""
    name = providers.default_model(desk.account, model)
    return BudgetedModel(desk, name, purpose)


class BudgetedModel(WrapperModel):
    """A model behind a desk. Requests raise ConnectorError, never a vendor's own errors."""

    def __init__(self, desk: Desk, name: str, purpose: str) -> None:
        self.desk, self.purpose = desk, purpose
        self._make = lambda chosen: providers.model_of(
            desk.client, desk.account, chosen, timeout_seconds=desk.timeout_seconds
        )
        super().__init__(self._make(name))
        self._tariff = tariff_of(desk.account.provider, providers.settings_of(desk.account))

    async def request(
        self,
        messages: list[ModelMessage],
        model_settings: ModelSettings | None,
        model_request_parameters: ModelRequestParameters,
    ) -> ModelResponse:
        settings = ModelSettings(**{"max_tokens": DEFAULT_MAX_TOKENS, **(model_settings or {})})
        self.desk.turn += 1
        try:
            return await self._turn(self.wrapped, messages, settings, model_request_parameters)
        except TemporaryError as overloaded:
            other = providers.fallback_model(self.desk.account, self.wrapped.model_name)
            if overloaded.code != OVERLOADED or other is None:
                raise
            log.info("model overloaded model=%s fallback=%s", self.wrapped.model_name, other)
            try:
                return await self._turn(self._make(other), messages, settings, model_request_parameters)
            except TemporaryError:
                raise overloaded from None

    @contextlib.asynccontextmanager
    async def request_stream(
        self, messages: Any, model_settings: Any, model_request_parameters: Any, run_context: Any = None
    ) -> AsyncGenerator[StreamedResponse]:
        # A stream that its reader abandons could not be settled; request() streams by itself where that helps.
        raise NotImplementedError("ask with request()")
        yield  # type: ignore[unreachable]  # what makes it the generator that the base class promises

    async def _turn(
        self,
        model: Model[Any],
        messages: list[ModelMessage],
        settings: ModelSettings,
        parameters: ModelRequestParameters,
    ) -> ModelResponse:
        desk, tariff = self.desk, self._tariff
        question = asked(desk, model.model_name, messages, settings, parameters, self.purpose)
        found = await recorded(desk, question)
        if found is not None:
            response, row = found
            self._add(row["input_tokens"], row["output_tokens"], row["cost_micro"])
            return response
        settings = _within_tokens(desk, question, settings)
        amount = tariff.micro(model.model_name, question.most_input_tokens, int(settings["max_tokens"]))
        reservation = None
        if desk.is_charged:
            reservation = await budget.reserve(
                desk.connections, desk.organization_id, amount, desk.caps, seconds=desk.timeout_seconds + SETTLE_SECONDS
            )  # fmt: skip
        started = time.monotonic()
        try:
            async with asyncio.timeout(desk.timeout_seconds):
                response = await _respond(model, messages, settings, parameters)
        except (Exception, asyncio.CancelledError) as fault:
            error = _told(fault, desk)
            await asyncio.shield(
                keep(desk, question, reservation, error=error.message, seconds=time.monotonic() - started)
            )
            if isinstance(fault, asyncio.CancelledError):
                raise
            raise error from None
        usage = response.usage
        micro = tariff.micro(
            model.model_name, usage.input_tokens, usage.output_tokens, cached=usage.cache_read_tokens
        )
        problem = _problem(response)
        await asyncio.shield(
            keep(
                desk, question, reservation, response=response, micro=micro,
                error=problem.message if problem else "", seconds=time.monotonic() - started,
            )
        )  # fmt: skip
        self._add(usage.input_tokens, usage.output_tokens, micro)
        if problem is not None:
            raise problem
        return response

    def _add(self, input_tokens: int, output_tokens: int, micro: int) -> None:
        spent = self.desk.spent
        spent.input_tokens += input_tokens
        spent.output_tokens += output_tokens
        spent.micro += micro
        spent.calls += 1


async def _respond(
    model: Model[Any],
    messages: list[ModelMessage],
    settings: ModelSettings,
    parameters: ModelRequestParameters,
) -> ModelResponse:
    if int(settings["max_tokens"]) < STREAMED_FROM_TOKENS:
        return await model.request(messages, settings, parameters)
    async with model.request_stream(messages, settings, parameters) as stream:
        async for _event in stream:
            pass
    return stream.get()


def _within_tokens(desk: Desk, question: Asked, settings: ModelSettings) -> ModelSettings:
    """Return the settings with an answer no longer than what is left of the desk's tokens. Raises OverBudget."""
    if desk.token_limit is None:
        return settings
    left = desk.token_limit - desk.spent.tokens - question.likely_input_tokens
    if left < 1:
        raise budget.OverBudget(
            _(
                "This step may use {limit} AI tokens, and the question alone takes them. Raise the budget in the step, "
                "or ask with less text."
            ).format(limit=desk.token_limit),
            code=budget.CODE,
        )
    return ModelSettings(**{**settings, "max_tokens": min(int(settings["max_tokens"]), left)})


def _problem(response: ModelResponse) -> PermanentError | None:
    """Return what is wrong with an answer that came in full form but is no use."""
    if response.finish_reason == "content_filter":
        return PermanentError(
            _("The model refused to answer this. Change the question, or choose another model."),
            code=REFUSED,
            detail=_text(response)[:500],
        )
    if response.finish_reason == "length":
        return PermanentError(
            _("The answer was cut off. Allow more tokens in the step, or ask for a shorter answer."),
            code=TRUNCATED,
            detail=_text(response)[-200:],
        )
    return None


def _told(fault: BaseException, desk: Desk) -> ConnectorError:
    """Return a failure of a vendor's library as one of our errors."""
    found = found_in(fault)
    if found is not None:
        return found
    hidden = secrets_in(desk.account.credentials)
    detail = redact(f"{type(fault).__name__}: {fault}", hidden)[:1_000]
    if isinstance(fault, TimeoutError):
        return TemporaryError(
            _("The model did not answer within {seconds} seconds. We will try again.").format(
                seconds=f"{desk.timeout_seconds:g}"
            ),
            may_have_happened=True,
        )
    if isinstance(fault, asyncio.CancelledError):
        return TemporaryError(_("The call was given up."), may_have_happened=True)
    if isinstance(fault, ContentFilterError):
        return PermanentError(
            _("The model refused to answer this. Change the question, or choose another model."),
            code=REFUSED,
            detail=detail,
        )
    if isinstance(fault, UnexpectedModelBehavior | ModelAPIError | ValueError | KeyError | TypeError):
        # An answer that even the vendor's own library cannot read: a proxy's page, half a line.
        return TemporaryError(
            _("The model's answer could not be read. We will try again."),
            code=MALFORMED,
            detail=detail,
            may_have_happened=True,
        )
    log.error("a call to a model failed in an unknown way: %s", detail, exc_info=fault)
    return PermanentError(
        _("The model could not be asked. Check the step's model and settings."), detail=detail
    )


def _parameters(desk: Desk, schema: dict[str, Any] | None) -> ModelRequestParameters:
    if schema is None:
        return ModelRequestParameters()
    if desk.account.provider in providers.NATIVE_SCHEMA:
        return ModelRequestParameters(
            output_mode="native",
            output_object=OutputObjectDefinition(schema, name=SCHEMA_TOOL, strict=False),
        )
    tool = ToolDefinition(
        name=SCHEMA_TOOL,
        description="Give the answer.",
        parameters_json_schema=schema,
        kind="output",
    )
    return ModelRequestParameters(output_mode="tool", output_tools=[tool], allow_text_output=False)


def _text(response: ModelResponse) -> str:
    return (response.text or "").strip()


def _object(exchange: Exchange) -> Any:
    """Return the object of an answer. Raises NotAsAsked."""
    for call in exchange.response.tool_calls:
        try:
            return call.args_as_dict(raise_if_invalid=True)
        except (ValueError, AssertionError):
            break
    text = exchange.text.removeprefix("```json").removeprefix("```").removesuffix("```")
    with contextlib.suppress(ValueError):
        found = json.loads(text)
        if isinstance(found, dict):
            return found
    raise NotAsAsked(
        _("The model's answer did not have the shape that was asked for."),
        exchange,
        code=MALFORMED,
        detail=exchange.text[:500],
    )
