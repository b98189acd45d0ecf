"""Time: a door that is passed in, never reached for.

All instants are integers, microseconds since the Unix epoch, UTC.
"""

import asyncio
import heapq
import time
from datetime import UTC, datetime
from typing import Protocol

SECOND = 1_000_000


class Clock(Protocol):
    """Tells the time and waits for it."""

    def now(self) -> int:
        """Microseconds since the epoch."""
        ...

    async def sleep_until(self, instant: int) -> None:
        """Return once `now() >= instant`."""
        ...


class SystemClock:
    """The machine's own time; never goes back within one process."""

    def __init__(self) -> None:
        self._last = 0

    def now(self) -> int:
        self._last = max(self._last, time.time_ns() // 1000)
        return self._last

    async def sleep_until(self, instant: int) -> None:
        while (left := instant - self.now()) > 0:  # noqa: ASYNC110  a wall clock can be set: look again
            await asyncio.sleep(min(left / SECOND, 3600.0))


class JumpClock:
    """A clock for tests: stands still until it is told to jump, then wakes every sleeper that is due, in order."""

    def __init__(self, start: int = 1_700_000_000 * SECOND) -> None:
        self._now = start
        self._sleepers: list[tuple[int, int, asyncio.Future[None]]] = []
        self._count = 0

    def now(self) -> int:
        return self._now

    async def sleep_until(self, instant: int) -> None:
        if instant <= self._now:
            await asyncio.sleep(0)
            return
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._count += 1
        heapq.heappush(self._sleepers, (instant, self._count, future))
        await future

    def jump(self, seconds: float) -> None:
        """Move on by `seconds` and wake whoever is due."""
        self._now += int(seconds * SECOND)
        while self._sleepers and self._sleepers[0][0] <= self._now:
            future = heapq.heappop(self._sleepers)[2]
            if not future.done():
                future.set_result(None)

    @property
    def next_due(self) -> int | None:
        """The instant the earliest sleeper waits for."""
        while self._sleepers and self._sleepers[0][2].done():
            heapq.heappop(self._sleepers)
        return self._sleepers[0][0] if self._sleepers else None


def iso(instant: int) -> str:
    """ISO 8601 with milliseconds, as AWS writes times in text: `2026-11-23T08:33:00.123Z`."""
    whole, micros = divmod(instant, SECOND)
    return f"{datetime.fromtimestamp(whole, UTC):%Y-%m-%dT%H:%M:%S}.{micros // 1000:03d}Z"


def moment(instant: int) -> datetime:
    """The instant as an aware datetime in UTC: what the wire's timestamps are made from."""
    whole, micros = divmod(instant, SECOND)
    return datetime.fromtimestamp(whole, UTC).replace(microsecond=micros)
