"""An unsafe call that a crash interrupted: the person's answer decides, and each answer goes on as it should."""

from __future__ import annotations

import time
from typing import Any

import psycopg

from accounts.tenancy import organization_scope, system_scope
from config.database import embedded
from tests import databases
from tests.crash.recorder import Recorder
from tests.crash.scene import counts, overdue, until, workers
from tests.workflows.runner.working import begin, published
from tests.worlds import World, make_world
from workflows import approvals
from workflows.models import Approval

SETTLED = {"COMPLETED", "WAITING", "CANCELLED"}


def steps(port: int) -> list[dict[str, Any]]:
    """Return a workflow with one unsafe call, of a kind named by its input, and a step that reads its output."""
    url = f"http://127.0.0.1:{port}/{{{{ inputs.kind }}}}/{{{{ execution.id }}}}"
    return [
        {"id": "send", "type": "http", "method": "POST", "url": url, "json": {"run": "{{ execution.id }}"}},
        {"id": "last", "type": "set", "values": {"sent": "{{ steps.send.output.note | default: 'by us' }}"}},
    ]


def run(urls: embedded.ConnectionUrls, database: str, *, runs: int = 60) -> dict[str, Any]:
    """Kill a worker in the middle of unsafe calls, look what happened, answer truthfully; return the counts.

    Every third question is answered with "stop": then nothing more happens.
    """
    started = time.monotonic()
    world = make_world("Alder")
    recorder = Recorder(seconds=1.0)
    made = published(world, "Sending", *steps(recorder.port), concurrency=100)
    kinds = {str(begin(world, made, {"kind": kind})): kind for kind in ["each", "late"] * (runs // 2)}
    connection = psycopg.connect(databases.at(urls.superuser, database), autocommit=True)
    host = f"127.0.0.1:{recorder.port}"
    given: dict[str, str] = {}
    with connection, workers(urls, database, ALLOWED_PRIVATE_HOSTS=host) as crew:
        first = crew.start()
        until(lambda: len(recorder.arrived) == len(kinds), "all calls on their way", 30)
        crew.kill(first)
        before = dict(recorder.done)
        crew.start()
        until(lambda: set(counts(connection)) <= SETTLED, "the questions")
        time.sleep(recorder.seconds)  # a call that was only late would have been carried out by now
        with system_scope("crash test"):
            questions = list(
                Approval.objects.pending().filter(kind=Approval.Kind.UNCERTAIN_EFFECT).order_by("id")
            )
        for number, question in enumerate(questions):
            path = f"/{kinds[str(question.execution_id)]}/{question.execution_id}"
            happened = bool(recorder.done[path])
            resolution = "stop" if number % 3 == 2 else "happened" if happened else "not_happened"
            given[str(question.execution_id)] = resolution
            _answer(world, question, resolution)
        until(lambda: set(counts(connection)) <= {"COMPLETED", "CANCELLED"}, "the end of all runs")
        # What the runs put out: a person's word where one said it had happened, the service's answer elsewhere.
        outputs: dict[str, str] = dict(
            connection.execute(
                "SELECT id::text, coalesce(output ->> 'sent', '') || ' ' || status || ' ' || result"
                " FROM workflows_execution"
            ).fetchall()
        )
        late = overdue(connection)
    recorder.close()
    ends = {"happened": "by a person", "not_happened": "by us"}
    wrong = [
        identifier
        for identifier, kind in kinds.items()
        if not _is_right(
            outputs[identifier], given.get(identifier), recorder.done[f"/{kind}/{identifier}"],
            before.get(f"/{kind}/{identifier}", 0), ends,
        )
    ]  # fmt: skip
    counted: dict[str, Any] = {
        "part": "answers", "runs": len(kinds), "asked": len(given),
        **{word: sum(1 for each in given.values() if each == word) for word in approvals.RESOLUTIONS},
        "wrong": len(wrong), "duplicate_effects": sum(count - 1 for count in recorder.done.values() if count > 1),
        "overdue": late, "seconds": round(time.monotonic() - started, 1),
    }  # fmt: skip
    counted["good"] = not (wrong or counted["duplicate_effects"] or late) and all(
        counted[word] for word in approvals.RESOLUTIONS
    )
    return counted


def _answer(world: World, question: Approval, resolution: str) -> None:
    form: dict[str, Any] = {"resolution": resolution}
    if resolution == "happened":
        form["output"] = {"note": "by a person"}
    with organization_scope(world.organization.pk):
        approvals.vote(question, world.owner, True, form=form, shown_hash=approvals.fingerprint(question))


def _is_right(output: str, resolution: str | None, done: int, before: int, ends: dict[str, str]) -> bool:
    """Return whether a run ended as its answer says, and the outside world was asked as often as it should be."""
    if resolution == "stop":
        return output.strip() == "COMPLETED CANCELLED" and done == before
    return output == f"{ends[resolution or 'not_happened']} COMPLETED SUCCESS" and done == 1
