"""How many requests a second one public address takes: a token bucket in the memory of each web process."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict

KEPT = 20_000


class Pace:
    """Per key: `rate` a second, with bursts of up to `burst`."""

    def __init__(self, rate: float, burst: float, clock: object = time.monotonic) -> None:
        self.rate, self.burst, self._clock = rate, burst, clock
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()
        self._lock = threading.Lock()

    def wait(self, key: str) -> float:
        """Take one; return 0 when there was one, else the seconds until there will be."""
        now = self._clock()  # type: ignore[operator]
        with self._lock:
            level, at = self._buckets.pop(key, (self.burst, now))
            level = min(self.burst, level + (now - at) * self.rate)
            allowed = level >= 1
            self._buckets[key] = (level - 1 if allowed else level, now)
            while len(self._buckets) > KEPT:
                self._buckets.popitem(last=False)
        return 0.0 if allowed else (1 - level) / self.rate
