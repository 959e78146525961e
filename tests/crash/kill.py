"""kill -9, SIGSTOP past the lease, lost connections and a restarted PostgreSQL, all at once, while runs are begun."""

from __future__ import annotations

import random
import threading
import time
from typing import Any

import psycopg

from config.database import embedded
from tests import databases
from tests.crash.recorder import Recorder
from tests.crash.scene import counts, overdue, steps_of, twice_committed, workers
from tests.workflows.runner.working import begin, published
from tests.worlds import make_world

MOST_SECONDS = 900


def run(urls: embedded.ConnectionUrls, database: str, *, runs: int = 300) -> dict[str, Any]:
    """Run so many runs through three workers to which everything happens at random; return the counts."""
    alder = make_world("Alder")
    recorder = Recorder(seconds=0.3)
    made = published(alder, "Crossing", *steps_of(recorder.port), concurrency=100)
    url = databases.at(urls.superuser, database)
    accepted: list[object] = []
    feeder = threading.Thread(target=feed, args=[lambda: begin(alder, made, {}), runs, accepted])
    cuts = freezes = restarts = 0
    started = time.monotonic()
    with workers(urls, database, ALLOWED_PRIVATE_HOSTS=f"127.0.0.1:{recorder.port}") as crew:
        for _number in range(3):
            crew.start()
        feeder.start()
        while time.monotonic() - started < MOST_SECONDS:
            time.sleep(random.uniform(0.3, 1.5))
            if feeder.is_alive() and random.random() < 0.04:
                embedded.stop(embedded.data_folder())
                embedded.ensure_running(embedded.data_folder())
                restarts += 1
            with psycopg.connect(url, autocommit=True) as connection:
                found = counts(connection)
                if not feeder.is_alive() and sum(found.values()) >= len(accepted) and not set(found) - {
                    "COMPLETED", "WAITING",
                }:  # fmt: skip
                    break
                busy = crew.busy(connection)
                if busy and (feeder.is_alive() or random.random() < 0.2):
                    event = random.choice(["kill", "kill", "kill", "freeze", "cut"])
                    if event == "kill":
                        crew.kill(random.choice(busy))
                        crew.start()
                    elif event == "freeze":
                        frozen = random.choice(busy)
                        crew.freeze(frozen)
                        threading.Timer(4, crew.thaw, [frozen]).start()
                        freezes += 1
                    else:
                        connection.execute(
                            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                            " WHERE application_name = 'steward-worker' AND datname = %s",
                            [database],
                        )
                        cuts += 1
        time.sleep(5)  # whoever is still frozen thaws, and finds that its runs have gone on without it
        with psycopg.connect(url, autocommit=True) as connection:
            found = counts(connection)
            asked = connection.execute(
                "SELECT count(DISTINCT execution_id) FROM workflows_approval"
                " WHERE kind = 'UNCERTAIN_EFFECT' AND status = 'PENDING'"
            ).fetchone()
            late = overdue(connection)
            repeated = twice_committed(connection)
            lost = len(accepted) - int(
                connection.execute(
                    "SELECT count(*) FROM workflows_execution WHERE id = ANY(%s)", [accepted]
                ).fetchone()[0]  # type: ignore[index]
            )
    recorder.close()
    counted = {
        "part": "kill", "accepted": len(accepted), "by_status": found, "kills": crew.kills,
        "freezes": freezes, "cuts": cuts,
        "database_restarts": restarts, "lost": lost,
        "effects": sum(recorder.done.values()),
        "duplicate_effects": sum(count - 1 for count in recorder.done.values()),
        "repeated_with_the_same_key": sum(recorder.arrived.values()) - sum(recorder.done.values()),
        "asked_about": asked and asked[0], "committed_twice": repeated, "overdue": late,
        "seconds": round(time.monotonic() - started, 1),
    }  # fmt: skip
    counted["good"] = (
        lost == 0
        and not set(found) - {"COMPLETED", "WAITING"}
        and counted["duplicate_effects"] == counted["committed_twice"] == counted["overdue"] == 0
        and found.get("WAITING", 0) == counted["asked_about"]
    )
    return counted


def feed(begin: Any, runs: int, accepted: list[object]) -> None:
    """Start runs, one after the other; accepted gets the id of each that was committed as far as we were told."""
    from django.db import DatabaseError, connection

    for _number in range(runs):
        try:
            accepted.append(begin())
        except DatabaseError:
            connection.close()
        time.sleep(0.1)
    connection.close()
