"""The real clock and the real dice; tests bring their own."""

import asyncio
from datetime import UTC, datetime
from random import Random, SystemRandom


class SystemEnvironment:
    """Environment of a worker process."""

    def __init__(self, random: Random | None = None):
        self.random = random or SystemRandom()

    def now(self) -> datetime:
        return datetime.now(UTC)

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
