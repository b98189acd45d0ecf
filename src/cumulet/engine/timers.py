"""Fires timers that are due. Waiting runs cost rows, nothing in memory: one sleeper waits for the earliest of all.

It looks at the index of due times, puts what is due into the intake in rounds, and sleeps until the next is due; a
timer that is set earlier than that wakes it. On PostgreSQL it also looks now and then for timers that another server
set and did not live to fire.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from cumulet.base.clock import SECOND
from cumulet.engine.items import Fire, Item
from cumulet.engine.outage import PAUSE, persist
from cumulet.engine.unit import Desk
from cumulet.store.api import Database, Transaction

ROUND = 512
LOOK = 3 * SECOND
"""How long a server on PostgreSQL sleeps at most."""
NEVER = 1 << 62


class Timers:
    """The sleeper."""

    def __init__(self, database: Database, desk: Desk, ask: Callable[[Item], Awaitable[Any]]) -> None:
        self._database = database
        self._desk = desk
        self._ask = ask
        self._until = NEVER
        self._earlier = asyncio.Event()
        self._longest = NEVER if database.kind == "sqlite" else LOOK

    def hint(self, due: int) -> None:
        """A timer was set for `due`."""
        if due < self._until:
            self._until = due
            self._earlier.set()

    def look(self) -> None:
        """There may be timers that nobody told of."""
        self.hint(0)

    async def run(self) -> None:
        """Fire what is due, for ever."""
        clock = self._desk.clock
        while True:
            self._until = NEVER
            self._earlier.clear()
            fired, due = await self._round()
            now = clock.now()
            if due is not None and due <= now and not fired:
                due = now + PAUSE
            self.hint(min(NEVER if due is None else due, now + self._longest))
            await self._sleep()

    async def _round(self) -> tuple[int, int | None]:
        """Fire up to a round of timers: how many there were, and when the earliest of all is due."""
        sql, now = self._desk.sql, self._desk.clock.now()

        def work(tx: Transaction) -> tuple[list[Fire], int | None]:
            rows = tx.all(sql.due_timers, now=now, limit=ROUND)
            earliest = tx.one(sql.next_due)
            due: int | None = None if earliest is None else earliest["due"]
            return [Fire(row["run"], row["frame"], row["name"]) for row in rows], due

        fires, due = await persist(self._desk.clock, lambda: self._database.read(work))
        if fires:
            answers = await asyncio.gather(*(self._ask(fire) for fire in fires), return_exceptions=True)
            return answers.count(True), 0
        return 0, due

    async def _sleep(self) -> None:
        """Until the earliest timer is due; hints may bring that forward."""
        while self._until > self._desk.clock.now():
            self._earlier.clear()
            sleeper = asyncio.ensure_future(self._desk.clock.sleep_until(self._until))
            hint = asyncio.ensure_future(self._earlier.wait())
            try:
                await asyncio.wait((sleeper, hint), return_when=asyncio.FIRST_COMPLETED)
            finally:
                sleeper.cancel()
                hint.cancel()
