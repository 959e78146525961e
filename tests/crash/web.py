"""kill -9 of the web during intake: what a sender was told is kept is kept, and sending again doubles nothing."""

from __future__ import annotations

import json
import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections import Counter
from typing import Any

import psutil
import psycopg

from accounts.tenancy import system_scope
from config.database import embedded
from tests import databases
from tests.crash.scene import counts, overdue, until, workers
from tests.workflows.triggers.publishing import published
from tests.worlds import make_world
from workflows.models import Trigger

SENDERS = 8
PATIENCE_SECONDS = 120.0
STEPS = {
    "version": 1,
    "steps": [{"id": "note", "type": "set", "values": {"order": "{{ trigger.body.order }}"}}],
    "settings": {"concurrency": 200},
}


class Web:
    """gunicorn as in production, on a port of its own, that comes back when it was killed."""

    def __init__(self, urls: embedded.ConnectionUrls, database: str) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port: int = probe.getsockname()[1]
        self.environment = databases.process_environment(urls, database) | {
            "PORT": str(self.port), "LOG_LEVEL": "CRITICAL", "GUNICORN_LOG_LEVEL": "critical",
        }  # fmt: skip
        self.processes_killed = self.servers_killed = 0
        self.start()

    def start(self) -> None:
        """Start the server, a process group of its own; return when it answers."""
        self.server = subprocess.Popen(
            [sys.executable, "-m", "gunicorn", "-c", "config/gunicorn.py", "config.wsgi:application"],
            cwd=databases.ROOT, env=self.environment, start_new_session=True,
        )  # fmt: skip
        until(self._answers, "the web server")

    def kill_a_process(self) -> None:
        """kill -9 one of the processes that serve requests; gunicorn replaces it."""
        serving = psutil.Process(self.server.pid).children()
        if serving:
            random.choice(serving).kill()
            self.processes_killed += 1

    def kill_all(self) -> None:
        """kill -9 the whole server, and start it again."""
        os.killpg(self.server.pid, signal.SIGKILL)
        self.server.wait()
        self.servers_killed += 1
        self.start()

    def stop(self) -> None:
        self.server.terminate()
        self.server.wait(40)

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/health/live", timeout=2):
                return True
        except urllib.error.HTTPError:
            return True
        except OSError:
            return False


class Senders:
    """Services that send numbered orders, each until somebody says that it was taken. told: order -> run."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.told: dict[int, str] = {}
        self.answers: Counter[str] = Counter()
        self.number = 0
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._threads = [threading.Thread(target=self._send) for _number in range(SENDERS)]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Send nothing new; return when every order that was begun has been taken."""
        self._stopping.set()
        for thread in self._threads:
            thread.join()

    def _send(self) -> None:
        while not self._stopping.is_set():
            with self._lock:
                self.number += 1
                order = self.number
            give_up = time.monotonic() + PATIENCE_SECONDS
            while (run := self._once(order)) is None and time.monotonic() < give_up:
                time.sleep(0.05)
            if run is not None:
                self.told[order] = run

    def _once(self, order: int) -> str | None:
        content = json.dumps({"order": order}).encode()
        request = urllib.request.Request(self.url, content, {"Content-Type": "application/json"})
        try:
            with urllib.request.urlopen(request, timeout=20) as answer:
                self.answers[str(answer.status)] += 1
                return str(json.loads(answer.read())["execution_id"])
        except urllib.error.HTTPError as refused:
            self.answers[str(refused.code)] += 1
        except (OSError, ValueError):
            self.answers["no answer"] += 1
        except Exception as cut:  # noqa: BLE001 - http.client has its own words for a server that dies in the middle
            self.answers[type(cut).__name__] += 1
        return None


def run(urls: embedded.ConnectionUrls, database: str, *, kills: int = 40) -> dict[str, Any]:
    """Kill web processes, and now and then the whole server, while orders come in; return the counts."""
    started = time.monotonic()
    world = make_world("Alder")
    hook = {"type": "webhook", "id": "hook", "dedupe_key": "{{ trigger.body.order }}"}
    workflow = published(world, hook, definition=STEPS)
    with system_scope("crash test"):
        token = Trigger.objects.get(workflow=workflow, key="hook").token
    connection = psycopg.connect(databases.at(urls.superuser, database), autocommit=True)
    with connection, workers(urls, database) as crew:
        crew.start()
        web = Web(urls, database)
        senders = Senders(f"http://127.0.0.1:{web.port}/hooks/{token}/")
        try:
            for number in range(kills):
                time.sleep(random.uniform(0.2, 0.8))
                if number % 5 == 2:
                    web.kill_all()
                else:
                    web.kill_a_process()
            time.sleep(0.5)
        finally:
            senders.stop()
            web.stop()
        until(lambda: set(counts(connection)) <= {"COMPLETED"}, "the end of all runs")
        found: dict[str, int] = dict(
            connection.execute(
                "SELECT id::text, (input -> 'body' ->> 'order')::int FROM workflows_execution"
            ).fetchall()
        )
        late = overdue(connection)
    per_order = Counter(found.values())
    counted: dict[str, Any] = {
        "part": "web", "orders": senders.number, "answers": dict(senders.answers),
        "processes_killed": web.processes_killed, "servers_killed": web.servers_killed, "runs": len(found),
        "lost": len([order for order, run in senders.told.items() if found.get(run) != order]),
        "doubled": sum(count - 1 for count in per_order.values()),
        "unanswered": senders.number - len(senders.told), "overdue": late,
        "seconds": round(time.monotonic() - started, 1),
    }  # fmt: skip
    counted["good"] = (
        counted["lost"] == counted["doubled"] == counted["unanswered"] == late == 0
        and set(per_order) == set(senders.told)
        and bool(web.processes_killed)
    )
    return counted
