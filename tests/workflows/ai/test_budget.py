"""Caps: what is reserved before a call and settled after it, by many at once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import psycopg
import pytest

from billing.entitlements import PLANS
from tests.workflows.ai.vendors import Reply, Vendors
from tests.workflows.runner.test_effects import SECRET
from tests.workflows.runner.working import as_system, begin, ended, published, working
from tests.worlds import World, make_world
from workflows.ai import budget
from workflows.ai.budget import Cap, OverBudget, reserve, settle
from workflows.ai.desk import Desk, own_connection
from workflows.ai.model import Question, ask
from workflows.models import AiPolicy

MakeDesk = Callable[..., Desk]
PARALLEL = 50


def ledger() -> dict[str, tuple[int, int]]:
    """Return scope -> (spent, reserved)."""
    rows = as_system("SELECT scope, spent, reserved FROM workflows_aiallowance ORDER BY scope")
    return {scope: (spent, reserved) for scope, spent, reserved in rows}


def test_fifty_parallel_questions_never_pass_the_cap(desk: MakeDesk, vendors: Vendors, alder: World) -> None:
    # Asked for one token in and 100 out each; what each really costs is far below what had to be put aside for it.
    vendors.replies = [Reply(tokens=(40, 60))]
    cap = Cap("RUN", "one run", 20_000)
    most: list[int] = []

    def look() -> None:
        most.append(max(sum(each) for each in [ledger()["RUN"]]))

    vendors.before = look

    async def everybody() -> list[Any]:
        questions = (ask(desk(caps=(cap,)), Question("Sort this.", max_tokens=100)) for _ in range(PARALLEL))
        return await asyncio.gather(*questions, return_exceptions=True)

    answers = asyncio.run(everybody())
    refused = [each for each in answers if isinstance(each, OverBudget)]
    asked = [each for each in answers if not isinstance(each, BaseException)]
    assert (len(refused) + len(asked), bool(refused), bool(asked)) == (PARALLEL, True, True), answers
    assert len(vendors.asked) == len(asked), "who is refused asks nobody"
    reported = len(asked) * (40 * 1 + 60 * 10)  # millionths of a dollar, at $1 and $10 for a million tokens
    assert ledger() == {"MONTH": (reported, 0), "RUN": (reported, 0)}
    assert max(most) <= 20_000
    assert as_system("SELECT sum(settled)::bigint FROM workflows_aireservation") == [(reported,)]
    assert as_system("SELECT 1 FROM workflows_aireservation WHERE status <> 'SETTLED'") == []
    assert as_system("SELECT sum(cost_usd)::float FROM billing_usageentry") == [(reported / 1_000_000,)]


def test_fifty_reservations_at_once_fill_a_cap_to_the_last_millionth(alder: World) -> None:
    cap = Cap("WORKFLOW", "a:2026-11", 1_000)

    async def everybody() -> list[Any]:
        tries = (
            reserve(own_connection, alder.organization.pk, 100, [cap], seconds=60) for _ in range(PARALLEL)
        )
        return await asyncio.gather(*tries, return_exceptions=True)

    made = asyncio.run(everybody())
    assert sum(not isinstance(each, BaseException) for each in made) == 10
    assert ledger() == {"MONTH": (0, 1_000), "WORKFLOW": (0, 1_000)}


def test_a_refusal_touches_no_cap_and_says_which_and_what_to_do(alder: World) -> None:
    caps = [Cap("RUN", "r", 1_000_000), Cap("STEP", "r:s", 10_000)]
    with pytest.raises(OverBudget, match=r"step's AI budget of \$0\.01.*Raise the budget in the step"):
        asyncio.run(reserve(own_connection, alder.organization.pk, 20_000, caps, seconds=60))
    assert ledger() == {}
    asyncio.run(reserve(own_connection, alder.organization.pk, 10_000, caps, seconds=60))


def test_the_month_is_capped_by_the_plan_and_by_the_organization(alder: World) -> None:
    organization = alder.organization.pk
    allowed = PLANS[alder.organization.plan].monthly_ai_cents
    assert allowed is not None
    with pytest.raises(OverBudget, match=rf"month's AI budget of \${allowed / 100:.2f}"):
        asyncio.run(
            reserve(own_connection, organization, allowed * budget.MICRO_PER_CENT + 1, [], seconds=60)
        )
    with alder.scope():
        AiPolicy.objects.create(organization=alder.organization, month_cents=5)
    with pytest.raises(OverBudget, match=r"\$0\.05"):
        asyncio.run(reserve(own_connection, organization, 60_000, [], seconds=60))
    asyncio.run(reserve(own_connection, organization, 50_000, [], seconds=60))


def test_what_a_crash_left_reserved_is_given_back_when_its_time_is_over(alder: World) -> None:
    organization = alder.organization.pk
    cap = Cap("RUN", "r", 100)
    lost = asyncio.run(reserve(own_connection, organization, 100, [cap], seconds=-1))
    kept = asyncio.run(reserve(own_connection, organization, 100, [cap], seconds=60))
    assert ledger()["RUN"] == (0, 100)

    async def late() -> None:
        async with own_connection() as connection:
            await settle(connection, lost, 30)  # the vendor was asked all the same
            await settle(connection, kept, 70)
            await settle(connection, kept, 70)  # once is once

    asyncio.run(late())
    assert ledger()["RUN"] == (100, 0)


def test_organizations_do_not_wait_for_each_other(alder: World, committed_db: str) -> None:
    birch = make_world("Birch")
    asyncio.run(reserve(own_connection, alder.organization.pk, 1, [], seconds=60))

    async def while_locked() -> None:
        async with own_connection() as holder, holder.transaction():
            await holder.execute(
                "SELECT 1 FROM workflows_aiallowance WHERE organization_id = %s FOR UPDATE",
                [alder.organization.pk],
            )
            async with asyncio.timeout(10):
                await reserve(own_connection, birch.organization.pk, 1, [], seconds=60)
            async with own_connection() as blocked:
                await blocked.execute("SET lock_timeout = '100ms'")
                with pytest.raises(psycopg.errors.LockNotAvailable):
                    await blocked.execute(
                        "UPDATE workflows_aiallowance SET reserved = 2 WHERE organization_id = %s",
                        [alder.organization.pk],
                    )

    asyncio.run(while_locked())


def test_a_step_in_a_run_stops_at_the_budget_of_the_run(
    alder: World, vendors: Vendors, settings: Any
) -> None:
    from tests.workflows.ai.test_runs import connect

    settings.ALLOWED_PRIVATE_HOSTS = frozenset({vendors.host})
    connect(alder, vendors)
    step = {"id": "ask", "type": "ai", "prompt": "Hello {{ inputs.name }}", "max_tokens": 2_000}
    made = published(alder, "Capped", step, budget={"cost_cents": 1})
    identifier = begin(alder, made, {"name": "Anna"})
    with working():
        found = ended(identifier)
    assert (found.status, "AI budget of one run" in found.error["message"]) == ("FAILED", True)
    assert vendors.asked == []
    assert SECRET not in str(found.error)
