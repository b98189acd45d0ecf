"""Keeps this server's leases, and takes over from servers that died.

A lease belongs to a server, not to a task: one row per server, good for 10 s, renewed three times in that. All tasks
and turns that name a server as owner are leased as long as its row is; when it is not, whoever notices first queues its
tasks anew and owes its turns. SQLite has one server: nothing to renew, and whatever it finds at its start is void.
"""

from collections.abc import Callable, Sequence

from cumulet.base.clock import SECOND
from cumulet.engine.unit import NOBODY, QUEUED, Desk
from cumulet.store.api import Database, Transaction

LEASE = 10.0
"""Seconds."""
LINGER = 6
"""How many leases long a dead server's row is kept: it may have been asleep, and have leased more before it noticed.
Then it is swept once more."""


class Leases:
    """This server's row in `servers`."""

    def __init__(
        self, database: Database, desk: Desk, owe: Callable[[Sequence[int]], None], lease: float = LEASE
    ) -> None:
        self._database = database
        self._desk = desk
        self._owe = owe
        self._lease = int(lease * SECOND)
        self.pause = self._lease // 3
        """Microseconds between two renewals."""

    async def register(self) -> None:
        """Before anything is promised in this server's name."""
        if self._database.kind != "sqlite":
            await self._database.write(self._renew)

    async def keep(self) -> None:
        """Renew, and take over from the dead: their tasks become queued, their turns ours."""
        self._owe(await self._database.write(self._take_all if self._database.kind == "sqlite" else self._keep))

    async def leave(self) -> None:
        """At an orderly end: what is ours is free at once."""
        await self._database.write(self._leave)

    async def turns(self) -> list[int]:
        """The runs that we owe a turn."""
        sql, server = self._desk.sql, self._desk.server
        rows = await self._database.read(lambda tx: tx.all(sql.my_turns, owner=server))
        return sorted(row["number"] for row in rows)

    def _take_all(self, tx: Transaction) -> list[int]:
        tx.run(self._desk.sql.free_all_tasks)
        rows = tx.all(self._desk.sql.take_all_turns, to=self._desk.server)
        return sorted(row["number"] for row in rows)

    def _keep(self, tx: Transaction) -> list[int]:
        desk, sql = self._desk, self._desk.sql
        now = desk.clock.now()
        self._renew(tx)
        turns = self._take(tx, NOBODY)
        long_ago = now - LINGER * self._lease
        for row in tx.all(sql.expired, now=now, long_ago=long_ago):
            turns += self._take(tx, row["id"])
            if row["until"] < long_ago:
                tx.run(sql.forget_server, id=row["id"])
            else:
                tx.run(sql.mark_swept, id=row["id"])
        return turns

    def _renew(self, tx: Transaction) -> None:
        desk = self._desk
        tx.run(desk.sql.renew, id=desk.server, until=desk.clock.now() + self._lease)

    def _take(self, tx: Transaction, server: str) -> list[int]:
        """Free the tasks of `server`, owe its turns. It may be nobody: turns that were owed while no worker lived."""
        sql = self._desk.sql
        if server != NOBODY and tx.run(sql.free_tasks, owner=server):
            tx.wake(QUEUED)
        rows = tx.all(sql.take_turns, owner=server, to=self._desk.server)
        return sorted(row["number"] for row in rows)

    def _leave(self, tx: Transaction) -> None:
        desk = self._desk
        if tx.run(desk.sql.free_tasks, owner=desk.server):
            tx.wake(QUEUED)
        if self._database.kind != "sqlite":
            tx.run(desk.sql.renew, id=desk.server, until=0)
