"""Fencing, fairness and the answer to a waiting webhook: what only shows with several parties at once."""

from __future__ import annotations

import asyncio
from typing import Any

import psycopg
import pytest

from accounts.tenancy import uuid7
from config.database import embedded
from tests import databases
from tests.workflows.runner.working import as_system, begin, ended, journal, published, run, working
from tests.worlds import World, make_world
from workflows.engine.environment import SystemEnvironment
from workflows.engine.interface import Fenced, StepRecord, StepStatus
from workflows.runner import responses, store
from workflows.runner.cancel import request_cancel
from workflows.runner.commit_statement import End
from workflows.runner.connections import connect
from workflows.runner.group_commit import Committer
from workflows.runner.journal import RunJournal
from workflows.runner.wake import wake

pytestmark = pytest.mark.usefixtures("committed_db")
GREET = {"id": "greet", "type": "set", "values": {"text": "Hello"}}
CAPS = '{"PROFESSIONAL": 100}'


@pytest.fixture
def alder(committed_db: str) -> World:
    return make_world("Alder")


def record(path: str, text: str) -> StepRecord:
    now = SystemEnvironment().now()
    return StepRecord(path, path, "set", 1, StepStatus.COMPLETED, now, now, output={"text": text})


async def claimed(slots: int = 10, worker: Any = None) -> list[store.Claim]:
    async with await connect() as connection:
        return (await store.claim(connection, worker=worker or uuid7(), slots=slots, caps=CAPS))[0]


def test_a_late_worker_writes_nothing(alder: World) -> None:
    identifier = begin(alder, published(alder, "Greeting", GREET))

    async def scene() -> None:
        (late,) = await claimed()
        as_taken_back = "UPDATE workflows_execution SET status = 'PENDING', worker_id = NULL WHERE id = %s"
        async with await connect() as connection:
            await connection.execute(as_taken_back, [identifier])
        (fresh,) = await claimed()
        assert (late.attempt, fresh.attempt) == (1, 2)
        told: list[RunJournal] = []
        committer = Committer(on_fenced=told.append)
        await committer.start()
        late_journal, journal_now = RunJournal(late, committer), RunJournal(fresh, committer)
        with pytest.raises(Fenced):
            await late_journal.commit(record("greet", "late"))
        await journal_now.commit(record("greet", "fresh"))
        with pytest.raises(Fenced):
            await committer.request(late_journal, End("FAILED", "FAILURE"))
        await committer.request(journal_now, End("COMPLETED", "SUCCESS"))
        with pytest.raises(Fenced):
            late_journal.append(record("more", "late"))
        assert told == [late_journal, late_journal]
        await committer.close()

    asyncio.run(scene())
    assert journal(identifier)["greet"].output == {"text": "fresh"}
    assert run(identifier).status == "COMPLETED"


def test_what_many_runs_commit_at_once_goes_to_disk_together(alder: World) -> None:
    made = published(alder, "Greeting", GREET, concurrency=100)
    for _number in range(40):
        begin(alder, made)

    async def scene() -> int:
        committer = Committer()
        claims = await claimed(40)
        journals = [RunJournal(claim, committer) for claim in claims]
        waiting = [asyncio.ensure_future(each.commit(record("greet", "hello"))) for each in journals]
        await asyncio.sleep(0)
        await committer.start()
        await asyncio.gather(*waiting)
        await committer.close()
        assert len(claims) == 40
        return committer.commits

    assert asyncio.run(scene()) == 1
    assert as_system("SELECT count(*) FROM workflows_executionstep") == [(40,)]


def test_organizations_are_served_in_turn(alder: World) -> None:
    birch = make_world("Birch")
    made, other = published(alder, "Flood", GREET, concurrency=500), published(birch, "Drop", GREET)
    for _number in range(30):
        begin(alder, made)
    single = begin(birch, other)
    first = asyncio.run(claimed(4))
    assert len(first) == 4
    assert single in {claim.id for claim in first}


def test_workflows_of_one_organization_are_served_in_turn(alder: World) -> None:
    made, other = published(alder, "Flood", GREET, concurrency=500), published(alder, "Drop", GREET)
    for _number in range(30):
        begin(alder, made)
    single = begin(alder, other)
    assert single in {claim.id for claim in asyncio.run(claimed(4))}


def test_an_organization_keeps_to_its_plan(alder: World) -> None:
    for name in ("Flood", "Torrent"):
        made = published(alder, name, GREET, concurrency=500)
        for _number in range(70):
            begin(alder, made)
    assert len(asyncio.run(claimed(200))) == 100
    assert asyncio.run(claimed(200)) == []


def test_a_run_that_was_woken_while_it_was_walked_is_due_at_once(alder: World) -> None:
    identifier = begin(alder, published(alder, "Greeting", GREET))
    (claim,) = asyncio.run(claimed())
    with alder.scope():
        assert wake([identifier]) == 1

    async def suspend() -> None:
        committer = Committer()
        await committer.start()
        await committer.request(RunJournal(claim, committer), End("WAITING", waiting_for=[]))
        await committer.close()

    asyncio.run(suspend())
    found = run(identifier)
    assert found.status == "WAITING"
    assert found.wake_at is not None


def test_two_workers_never_claim_the_same_run(alder: World) -> None:
    made = published(alder, "Greeting", GREET, concurrency=500)
    for _number in range(60):
        begin(alder, made)

    async def scene() -> list[list[store.Claim]]:
        return await asyncio.gather(*(claimed(15) for _number in range(4)))

    found = [claim.id for claims in asyncio.run(scene()) for claim in claims]
    assert len(found) == len(set(found)) == 60


def test_a_cancel_is_carried_out_in_spite_of_a_worker_that_does_not_obey(
    alder: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workflows.runner.cancel.CANCEL_GRACE_SECONDS", 0.2)
    identifier, deaf = begin(alder, published(alder, "Greeting", GREET)), uuid7()
    as_system(
        "INSERT INTO workflows_worker (id, host, pid, release, queues, running) VALUES (%s, 'here', 1, '', '{}', 0)",
        deaf,
    )
    (claim,) = asyncio.run(claimed(worker=deaf))
    with alder.scope():
        assert request_cancel(identifier)
        assert run(identifier).status == "RUNNING"
    assert ended(identifier).status == "CANCELLED"

    async def late() -> None:
        committer = Committer()
        await committer.start()
        with pytest.raises(Fenced):
            await committer.request(RunJournal(claim, committer), End("COMPLETED", "SUCCESS"))
        await committer.close()

    asyncio.run(late())
    assert run(identifier).status == "CANCELLED"


def test_a_worker_outlives_the_loss_of_its_connections(
    alder: World, committed_db: str, cluster: embedded.ConnectionUrls, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workflows.runner.worker.RECONNECT_SECONDS", 0.05)
    made = published(alder, "Greeting", GREET)
    with working():
        ended(begin(alder, made))
        with psycopg.connect(databases.at(cluster.superuser, committed_db), autocommit=True) as superuser:
            superuser.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE application_name = 'steward-worker' AND datname = current_database()"
            )
        assert ended(begin(alder, made)).status == "COMPLETED"


def test_what_postgresql_refuses_fails_one_run_and_not_its_neighbours(alder: World) -> None:
    made = published(alder, "Greeting", GREET)
    good, bad = begin(alder, made), begin(alder, made)

    async def scene() -> None:
        claims = {claim.id: claim for claim in await claimed()}
        committer = Committer()
        well, ill = RunJournal(claims[good], committer), RunJournal(claims[bad], committer)
        too_long = record("x" * 600, "no column is that wide")
        waiting = [
            asyncio.ensure_future(well.commit(record("greet", "fine"))),
            asyncio.ensure_future(ill.commit(too_long)),
        ]
        await asyncio.sleep(0)
        await committer.start()
        first, second = await asyncio.gather(*waiting, return_exceptions=True)
        await committer.close()
        assert first is None
        assert isinstance(second, psycopg.Error)

    asyncio.run(scene())
    assert set(journal(good)) == {"greet"}
    assert journal(bad) == {}


def test_a_waiting_webhook_hears_its_answer(alder: World) -> None:
    answer = {"id": "answer", "type": "respond", "status": 201, "body": {"hi": "{{ inputs.name }}"}}
    made = published(alder, "Reply", answer, {"id": "rest", "type": "delay", "for": "1s"})
    with working():
        identifier = begin(alder, made, {"name": "Ada"}, reply_to=responses.channel())
        heard = responses.wait_for(identifier, 10)
        assert not run(identifier).is_finished  # the answer does not wait for the rest
        ended(identifier)
    assert heard is not None
    assert (heard.status, heard.body) == (201, {"hi": "Ada"})


def test_without_a_respond_step_the_output_answers(alder: World) -> None:
    with working():
        identifier = begin(alder, published(alder, "Greeting", GREET), {}, reply_to=responses.channel())
        heard = responses.wait_for(identifier, 10)
    assert heard == responses.Answer(200, {"text": "Hello"})


def test_nobody_waits_for_ever(alder: World) -> None:
    identifier = begin(alder, published(alder, "Greeting", GREET), {}, reply_to=responses.channel())
    assert responses.wait_for(identifier, 0.05) is None
