"""Memory: what a worker holds while 500 runs are in progress, each in a call to a slow service."""

from __future__ import annotations

import os
import socket
import threading
from typing import Any

import psycopg

from tests.bench import stage as on
from tests.bench.companies import make_company, queue

RUNS = int(os.environ.get("BENCH_RUNS", "500"))
ANSWER = (
    b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}"
)


class SlowService:
    """A server that takes every call and answers none before it is told to."""

    def __init__(self) -> None:
        self.calls: list[socket.socket] = []
        self._listening = socket.create_server(("127.0.0.1", 0), backlog=1024)
        self.address = f"127.0.0.1:{self._listening.getsockname()[1]}"
        threading.Thread(target=self._take, daemon=True).start()

    def answer_all(self) -> None:
        for call in self.calls:
            call.recv(65536)
            call.sendall(ANSWER)
            call.close()

    def _take(self) -> None:
        while True:
            self.calls.append(self._listening.accept()[0])


def run() -> dict[str, Any]:
    """Return the figures. rss_mb: of the worker while all runs are in their call; idle_rss_mb: before them."""
    service = SlowService()
    call = {"id": "ask", "type": "http", "url": f"http://{service.address}/", "timeout": "5m"}
    definition = {"version": 1, "steps": [call], "settings": {"concurrency": RUNS}}
    with on.stage() as stage, stage.connect() as connection:
        company = make_company("Alder", definition)
        worker = stage.worker(WORKER_CONCURRENCY=str(RUNS), ALLOWED_PRIVATE_HOSTS=service.address)
        idle = on.rss_mb(worker)
        queue(company, RUNS)
        on.wait_until(lambda: len(service.calls) >= RUNS, f"{RUNS} calls at once", 120)
        busy = on.rss_mb(worker)
        service.answer_all()
        on.wait_until(lambda: on.unfinished(connection) == 0, "the end", 120)
        completed = _completed(connection)
        after = on.rss_mb(worker)
    return on.figures(
        "memory",
        settings=f"{RUNS} runs in an http call at once, one worker, {on.settings_text()}",
        rss_mb=busy,
        idle_rss_mb=idle,
        rss_mb_afterwards=after,
        completed=completed,
    )


def _completed(connection: psycopg.Connection[Any]) -> int:
    row = connection.execute("SELECT count(*) FROM workflows_execution WHERE status = 'COMPLETED'").fetchone()
    return int(row[0]) if row else 0
