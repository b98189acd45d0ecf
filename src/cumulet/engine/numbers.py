"""Numbers for runs: they grow with time, and two servers never give the same.

A server takes a block of them in a transaction of its own, and gives them out from memory. When the block is used up
before the next one is there, a run's own transaction takes one. A transaction that fails loses its number; gaps do no
harm.
"""

from collections import deque

from cumulet.engine.sql import Sql
from cumulet.store.api import Database, Transaction

BLOCK = 4096
LOW = BLOCK // 4


class Numbers:
    """The numbers that this server may give. Works of several threads take from it."""

    def __init__(self, sql: Sql) -> None:
        self._sql = sql
        self._free: deque[int] = deque()

    def take(self, tx: Transaction) -> int:
        """The next number."""
        try:
            return self._free.popleft()
        except IndexError:
            return self._reserve(tx, 1)

    @property
    def low(self) -> bool:
        """Whether it is time to `refill`."""
        return len(self._free) < LOW

    async def refill(self, database: Database) -> None:
        """Take another block, durably."""
        first = await database.write(lambda tx: self._reserve(tx, BLOCK))
        self._free.extend(range(first, first + BLOCK))

    def _reserve(self, tx: Transaction, count: int) -> int:
        row = tx.one(self._sql.take_numbers, count=count)
        assert row is not None
        following: int = row["next"]
        return following - count
