"""Keeps calls below each service's rate: a bucket of permits per service and account, and pauses it asked for."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from integrations.framework.errors import TemporaryError

LONGEST_WAIT_SECONDS = 10.0  # longer waits belong in the queue, not in a worker's memory
MOST_BUCKETS = 10_000


@dataclass
class _Bucket:
    permits: float
    refreshed_at: float
    paused_until: float = 0.0


class Pace:
    """Permits refill steadily; a caller may borrow ahead, and waits for what it borrowed. In this process only."""

    def __init__(
        self,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._clock = clock
        self._sleep = sleep
        self._buckets: dict[str, _Bucket] = {}

    async def take(self, key: str, *, calls: float | None, seconds: float = 1.0) -> None:
        """Wait for a permit. calls: how many in `seconds`; None when only pauses count.

        Raises TemporaryError with the wait when it would be longer than LONGEST_WAIT_SECONDS.
        """
        now = self._clock()
        bucket = self._bucket(key, calls or 1.0, now)
        wait = max(0.0, bucket.paused_until - now)
        if calls is not None:
            rate = calls / seconds
            bucket.permits = min(calls, bucket.permits + (now - bucket.refreshed_at) * rate)
            bucket.refreshed_at = now
            wait = max(wait, (1 - bucket.permits) / rate)
        if wait > LONGEST_WAIT_SECONDS:
            raise TemporaryError(
                "The service's rate limit is used up for now. We will try again.",
                retry_after=wait,
                detail=f"paced for {wait:.1f} s",
            )
        bucket.permits -= 1
        if wait > 0:
            await self._sleep(wait)

    def pause(self, key: str, seconds: float) -> None:
        """Let no call start for that long: the service asked for it."""
        now = self._clock()
        bucket = self._bucket(key, 1.0, now)
        bucket.paused_until = max(bucket.paused_until, now + seconds)

    def _bucket(self, key: str, permits: float, now: float) -> _Bucket:
        if key not in self._buckets:
            if len(self._buckets) >= MOST_BUCKETS:  # forget the longest unused: it is full again anyway
                self._buckets.pop(next(iter(self._buckets)))
            self._buckets[key] = _Bucket(permits, now)
        return self._buckets[key]
