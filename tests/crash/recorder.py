"""A server that records what it is asked to do, and can say whether it was asked before: the outside world."""

from __future__ import annotations

import json
import select
import socket
import threading
import time
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class Recorder:
    """Counts requests per key. POST /once/<key> honours an Idempotency-Key; POST /each/<key> does not; GET reads.

    POST /late/<key> acts only when its time is over, and not at all for a caller that has gone by then.
    seconds: how long an answer takes, so that a crash finds calls in flight.
    """

    def __init__(self, seconds: float = 0.02) -> None:
        self.seconds = seconds
        self.arrived: Counter[str] = Counter()
        self.done: Counter[str] = Counter()
        self._keys: set[str] = set()
        self._lock = threading.Lock()
        recorder = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                self._answer({"path": self.path})

            def do_POST(self) -> None:
                self.rfile.read(int(self.headers.get("content-length") or 0))
                if self.path.startswith("/late/"):
                    recorder.arrived[self.path] += 1
                    time.sleep(recorder.seconds)
                    if has_gone(self.connection):
                        self.close_connection = True
                        return
                self._answer(recorder.take(self.path, self.headers.get("idempotency-key", "")))

            def _answer(self, body: dict[str, Any]) -> None:
                time.sleep(recorder.seconds)
                content = json.dumps(body).encode()
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 the base class's name
                pass

        class Server(ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 512

            def handle_error(self, request: Any, client_address: Any) -> None:
                pass  # a killed client hangs up in the middle: that is the point

        self._server = Server(("127.0.0.1", 0), Handler)
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def take(self, path: str, key: str) -> dict[str, Any]:
        """Do what was asked, once per idempotency key where the path honours one."""
        with self._lock:
            if not path.startswith("/late/"):
                self.arrived[path] += 1
            if path.startswith("/once/"):
                if key in self._keys:
                    return {"repeated": True}
                self._keys.add(key)
            self.done[path] += 1
        return {"repeated": False}

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


def has_gone(connection: socket.socket) -> bool:
    """Return whether the other side has hung up."""
    try:
        readable, _writable, _broken = select.select([connection], [], [], 0)
        return bool(readable) and connection.recv(1, socket.MSG_PEEK) == b""
    except OSError:
        return True
