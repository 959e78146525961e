"""A lean HTTP client: keep-alive connections that each send the same POST again and again, and take the time."""

from __future__ import annotations

import asyncio
import time
from collections import Counter


class Caller:
    """Sends `body` to http://127.0.0.1:port/path. latencies: seconds per answer. statuses: how often each came."""

    def __init__(self, port: int, path: str, body: bytes) -> None:
        self.port = port
        self.request = (
            f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(body)}\r\n\r\n"
        ).encode() + body
        self.latencies: list[float] = []
        self.statuses: Counter[int] = Counter()
        self.last_body = b""

    def call(self, *, connections: int, seconds: float, most: int | None = None) -> float:
        """Call for that long (or `most` times in all) over that many connections; return calls per second."""
        return asyncio.run(self._call(connections, seconds, most))

    async def _call(self, connections: int, seconds: float, most: int | None) -> float:
        started = time.monotonic()
        await asyncio.gather(*(self._repeat(started + seconds, most) for _number in range(connections)))
        return len(self.latencies) / (time.monotonic() - started)

    async def _repeat(self, until: float, most: int | None) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        while time.monotonic() < until and (most is None or len(self.latencies) < most):
            began = time.monotonic()
            writer.write(self.request)
            try:
                head = await reader.readuntil(b"\r\n\r\n")
            except (
                asyncio.IncompleteReadError,
                ConnectionError,
            ):  # the server ends a connection after a while
                reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
                continue
            lower = head.lower()
            length = int(lower.split(b"content-length:", 1)[1].split(b"\r\n", 1)[0])
            self.last_body = await reader.readexactly(length)
            self.latencies.append(time.monotonic() - began)
            self.statuses[int(head[9:12])] += 1
            if b"connection: close" in lower:
                reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        writer.close()
