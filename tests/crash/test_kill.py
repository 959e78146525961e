"""kill -9 of the worker in the middle of runs: another worker finishes them, and nothing committed runs again."""

from __future__ import annotations

import psycopg
import pytest

from config.database import embedded
from tests import databases
from tests.crash.recorder import Recorder
from tests.crash.scene import counts, steps_of, twice_committed, until, workers
from tests.workflows.runner.working import begin, published
from tests.worlds import make_world


@pytest.mark.parametrize("runs", [12])
def test_another_worker_finishes_what_a_killed_one_had_begun(
    committed_db: str, cluster: embedded.ConnectionUrls, runs: int
) -> None:
    alder = make_world("Alder")
    recorder = Recorder(seconds=0.3)
    made = published(alder, "Crossing", *steps_of(recorder.port), concurrency=100)
    identifiers = [begin(alder, made, {}) for _number in range(runs)]
    host = f"127.0.0.1:{recorder.port}"
    connection = psycopg.connect(databases.at(cluster.superuser, committed_db), autocommit=True)
    with connection, workers(cluster, committed_db, ALLOWED_PRIVATE_HOSTS=host) as crew:
        first = crew.start()
        # Unsafe calls are on their way when the worker dies.
        until(lambda: any(path.startswith("/each/") for path in recorder.arrived), "the unsafe call")
        crew.kill(first)
        sent = sum(1 for path in recorder.done if path.startswith("/each/"))
        crew.start()
        until(lambda: set(counts(connection)) <= {"COMPLETED", "WAITING"}, "the end")
        asked = connection.execute(
            "SELECT count(*) FROM workflows_approval WHERE kind = 'UNCERTAIN_EFFECT' AND status = 'PENDING'"
        ).fetchone()
        found = counts(connection)
        assert twice_committed(connection) == 0
    recorder.close()
    assert sum(found.values()) == len(identifiers)
    # Whoever was interrupted in an unsafe call waits for a person; nobody called twice.
    assert asked == (found.get("WAITING", 0),)
    assert found.get("WAITING", 0) >= 1
    assert sent >= 1
    assert max(recorder.done.values()) == 1
