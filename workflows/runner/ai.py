"""The ai step of a run: who asks, under which caps, and what it cost."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from integrations.framework.errors import ConnectorError
from integrations.health import Usable
from workflows.ai.budget import Cap, cents
from workflows.ai.desk import Desk, ai_account, policy_of
from workflows.definition.schema import Budget
from workflows.engine.interface import EffectCall, EffectResult

if TYPE_CHECKING:
    from workflows.runner.effects import Hands
    from workflows.runner.store import Claim


async def account(hands: Hands, claim: Claim, reference: str) -> Usable:
    """Return the AI account that the step names, or the organization's first. Raises PermanentError, NotUsable."""
    return await ai_account(hands.pool.connection, claim.organization_id, reference)


async def desk_for(
    hands: Hands, claim: Claim, call: EffectCall, opened: Usable, run_budget: Budget | None
) -> Desk:
    """Return the desk of one step of a run. run_budget: settings.budget of the workflow's definition."""
    keep_content, redact = await policy_of(hands.pool.connection, claim.organization_id)
    step_budget: Any = call.inputs.get("budget") or {}
    return Desk(
        organization_id=claim.organization_id,
        connections=hands.pool.connection,
        client=hands.client,
        account=opened,
        workflow_id=claim.workflow_id,
        execution_id=claim.id,
        path=call.path,
        key=call.key,
        attempt=call.attempt,
        caps=caps_of(claim, call.path, step_budget.get("cost_cents"), run_budget),
        token_limit=step_budget.get("tokens"),
        keep_content=keep_content,
        redact=redact or bool(call.inputs.get("redact")),
        timeout_seconds=max(1.0, call.timeout or 120.0),
    )


def caps_of(claim: Claim, path: str, step_cents: int | None, run_budget: Budget | None) -> tuple[Cap, ...]:
    """Return the caps of a step and its run; the month's is added by workflows.ai.budget.reserve."""
    caps = []
    if step_cents is not None:
        caps.append(Cap("STEP", f"{claim.id}:{path}", cents(step_cents)))
    if run_budget is not None and run_budget.cost_cents is not None:
        caps.append(Cap("RUN", str(claim.id), cents(run_budget.cost_cents)))
    return tuple(caps)


async def perform(
    hands: Hands, claim: Claim, call: EffectCall, opened: Usable, run_budget: Budget | None
) -> EffectResult:
    """Return the step's output and cost. Raises ConnectorError, whose `cost` tells what a failed step has used."""
    from workflows.ai import operations

    desk = await desk_for(hands, claim, call, opened, run_budget)
    try:
        output = await operations.run(desk, call.inputs)
    except ConnectorError as error:
        error.cost = desk.spent.as_cost()
        raise
    return EffectResult(output, desk.spent.as_cost())
