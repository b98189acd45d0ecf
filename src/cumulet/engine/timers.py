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

    async def run(self) -> None:
        """Fire what is due, for ever."""
        clock = self._desk.clock
        while True:
            self._until = NEVER
            self._earlier.clear()
            due = await self._round()
            self.hint(min(due, clock.now() + self._longest))
            await self._sleep()

    async def _round(self) -> int:
        """Fire up to a round of timers; when to look again."""
        sql, clock = self._desk.sql, self._desk.clock
        now = clock.now()

        def work(tx: Transaction) -> tuple[list[Fire], int]:
            rows = tx.all(sql.due_timers, now=now, limit=ROUND)
            earliest = tx.one(sql.next_due)
            due = NEVER if earliest is None or earliest["due"] is None else earliest["due"]
            return [Fire(row["run"], row["frame"], row["name"]) for row in rows], due

        fires, due = await persist(clock, lambda: self._database.read(work))
        if fires:
            answers = await asyncio.gather(*(self._ask(fire) for fire in fires), return_exceptions=True)
            return 0 if True in answers else clock.now() + PAUSE
        return due

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
