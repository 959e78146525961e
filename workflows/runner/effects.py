"""The engine's effects: each kind of outside call, carried out once and told truthfully."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

import psycopg
from django.db import InterfaceError, OperationalError
from psycopg_pool import AsyncConnectionPool

from integrations.framework import registry
from integrations.framework.auth import NoAuth
from integrations.framework.client import Client
from integrations.framework.errors import ConnectorError, PermanentError, ReconnectError, TemporaryError
from integrations.framework.execute import look_up as look_up_call
from integrations.framework.execute import perform as perform_action
from integrations.health import NotUsable, Usable
from workflows.definition.schema import Budget
from workflows.definition.wording import gettext as _
from workflows.engine.effects import default_class
from workflows.engine.interface import (
    CodeRunner,
    EffectCall,
    EffectClass,
    EffectError,
    EffectKind,
    EffectResult,
    ErrorClass,
    Json,
    StepError,
)
from workflows.runner import ai, dry_run, http_step, own_effects
from workflows.runner.credentials import note_broken, open_integration
from workflows.runner.store import Claim

if TYPE_CHECKING:
    from workflows.runner.group_commit import Committer
    from workflows.runner.journal import RunJournal

log = logging.getLogger("steward.effects")

Result = TypeVar("Result")
DATABASE_PATIENCE_SECONDS = 60.0

# Whose run is calling: the client's connection pool is shared, its metering is not.
calling: ContextVar[RunJournal | None] = ContextVar("calling_run", default=None)


@dataclass(slots=True)
class Hands:
    """What all runs of a worker share: connections, the HTTP door, the sandbox for code."""

    pool: AsyncConnectionPool[Any]
    client: Client
    committer: Committer
    code: CodeRunner | None = None
    held: set[str] = field(default_factory=set)


async def patiently(work: Callable[[], Awaitable[Result]]) -> Result:
    """Return what `work` gives, tried again while our database is away: that is no reason to fail a customer's step.

    work: only what may be repeated, and talks to our database alone.
    """
    give_up = time.monotonic() + DATABASE_PATIENCE_SECONDS
    delay = 0.1
    while True:
        try:
            return await work()
        except (psycopg.OperationalError, psycopg.InterfaceError, OperationalError, InterfaceError) as away:
            if time.monotonic() + delay > give_up:
                raise
            log.warning("a step waits for the database: %s", away)
        await asyncio.sleep(delay)
        delay = min(3.0, delay * 2)


def meter_call(provider: str, status: int, seconds: float) -> None:
    """Count one call for the run that makes it: the client's `on_call`."""
    journal = calling.get()
    if journal is not None:
        journal.use("API_CALLS_MADE", 1)


class RunEffects:
    """Effects of one run; see workflows.engine.interface.Effects. budget: settings.budget of its definition."""

    __slots__ = ("budget", "claim", "hands", "journal")

    def __init__(self, hands: Hands, claim: Claim, journal: RunJournal, budget: Budget | None = None) -> None:
        self.budget = budget
        self.hands = hands
        self.claim = claim
        self.journal = journal

    def effect_class(self, kind: EffectKind, inputs: Mapping[str, Json]) -> EffectClass:
        if self.claim.mode == dry_run.MODE:
            return EffectClass.READ  # nothing leaves a dry run, so nothing is ever in doubt
        return self._class_of(kind, inputs)

    def _class_of(self, kind: EffectKind, inputs: Mapping[str, Json]) -> EffectClass:
        if kind is not EffectKind.ACTION:
            return default_class(kind, inputs)
        try:
            return EffectClass(registry.get(str(inputs["provider"])).action(str(inputs["operation"])).effect)
        except KeyError:
            return EffectClass.READ  # nothing will be sent: perform() says what is missing

    async def perform(self, call: EffectCall) -> EffectResult:
        real_class = self._class_of(call.kind, call.inputs)
        self.journal.effect_classes[call.path] = str(real_class)
        # A workflow that it starts is a dry run as well, so that one really begins.
        is_shown = real_class is not EffectClass.READ and call.kind is not EffectKind.WORKFLOW
        if self.claim.mode == dry_run.MODE and is_shown:
            self.journal.log("INFO", call.path, _("Dry run: this was only shown, nothing was sent."))
            return dry_run.shown(call)
        calling.set(self.journal)
        started = time.monotonic()
        try:
            result = await self._perform(call)
        except EffectError as failed:
            self.journal.log("WARN", call.path, failed.error.message)
            raise
        seconds = time.monotonic() - started
        said = _("Done in {seconds} s.").format(seconds=f"{seconds:.2f}")
        self.journal.log("INFO", call.path, said, {"kind": str(call.kind), "seconds": round(seconds, 3)})
        return result

    async def _perform(self, call: EffectCall) -> EffectResult:
        opened: Usable | None = None
        try:
            if call.kind is EffectKind.HTTP:
                if call.inputs.get("integration"):
                    opened = await self._open(call, "")
                return await http_step.send(self.hands.client, call, opened, depth=self.claim.depth)
            if call.kind is EffectKind.ACTION:
                opened = await self._open(call, str(call.inputs["provider"]))
                return await self._action(call, opened)
            if call.kind is EffectKind.AI:
                opened = await patiently(
                    lambda: ai.account(self.hands, self.claim, str(call.inputs.get("integration") or ""))
                )
                return await ai.perform(self.hands, self.claim, call, opened, self.budget)
            return await patiently(lambda: own_effects.perform(self.hands, self.claim, self.journal, call))
        except ConnectorError as error:
            raise await self._told(error, opened) from None

    async def give_up(self, path: str) -> None:
        await patiently(lambda: own_effects.give_up(self.hands.pool, self.claim, path))

    async def look_up(self, call: EffectCall) -> EffectResult | None:
        calling.set(self.journal)
        opened: Usable | None = None
        try:
            opened = await self._open(call, str(call.inputs["provider"]))
            output = await look_up_call(
                registry.get(opened.provider), str(call.inputs["operation"]), call.inputs.get("with") or {},
                opened.credentials, opened.account, client=self.hands.client, pace_key=str(opened.id),
            )  # fmt: skip
        except ConnectorError as error:
            raise await self._told(error, opened) from None
        return None if output is None else EffectResult(output)

    async def _open(self, call: EffectCall, provider: str) -> Usable:
        reference = str(call.inputs.get("integration") or "")
        if provider and not reference:
            connector = registry.get(provider) if provider.lower() in registry.slugs() else None
            if connector is not None and isinstance(connector.auth, NoAuth):
                nobody = self.claim.organization_id
                return Usable(nobody, nobody, connector.provider, connector.name, {}, {})
        return await patiently(
            lambda: open_integration(
                self.hands.pool, self.claim.organization_id, provider=provider, reference=reference
            )
        )

    async def _action(self, call: EffectCall, opened: Usable) -> EffectResult:
        try:
            connector = registry.get(opened.provider)
            connector.action(str(call.inputs["operation"]))
        except KeyError as missing:
            raise PermanentError(
                _("This step asks for something {service} cannot do. Choose another operation.").format(
                    service=opened.provider.replace("_", " ").title()
                ),
                detail=str(missing),
            ) from None
        result = await perform_action(
            connector, str(call.inputs["operation"]), call.inputs.get("with") or {}, opened.credentials,
            opened.account, idempotency_key=call.key, client=self.hands.client, pace_key=str(opened.id),
        )  # fmt: skip
        return EffectResult(result.output)

    async def _told(self, error: ConnectorError, opened: Usable | None) -> EffectError:
        """Return a connector's error as the engine understands it, and note a credential that has died."""
        held = ""
        if isinstance(error, NotUsable):
            held = str(error.integration_id)
        elif isinstance(error, ReconnectError) and opened is not None:
            held = str(opened.id)
            await note_broken(opened, error)
        kinds = (
            (ReconnectError, ErrorClass.RECONNECT),
            (TemporaryError, ErrorClass.TEMPORARY),
            (PermanentError, ErrorClass.PERMANENT),
        )
        kind = next((found for type_, found in kinds if isinstance(error, type_)), ErrorClass.PERMANENT)
        if kind is ErrorClass.RECONNECT and not held:
            kind = ErrorClass.PERMANENT
        return EffectError(
            StepError(kind, error.message, error.detail, getattr(error, "retry_after", None)),
            may_have_happened=error.may_have_happened,
            held_key=held,
            cost=error.cost,
        )


async def close(hands: Hands) -> None:
    """Close what the runs shared."""
    await hands.client.aclose()
    if hands.code is not None:
        await asyncio.wait_for(hands.code.close(), 5)  # type: ignore[attr-defined] # the worker's own sandbox
    await hands.pool.close()
