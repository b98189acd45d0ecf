"""The queue of all that happens to runs, and the pump that carries it into the database in batches.

While one batch is being committed the next one gathers, so batches grow by themselves under load and a lonely stimulus
is carried at once. A batch is a transaction; who asked is answered after its commit.

A run that wants another turn (`Continue`) waits in a queue of its own: a few of them ride with each batch, first come
first served, so that endless loops neither starve others nor each other.

When a batch fails, its items are tried one by one; the one that breaks its machine ends its run, said plainly. When the
database itself cannot write (full, unreachable), callers are told, and what nobody waits for is tried again later.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Sequence
from functools import partial
from typing import Any

from cumulet.engine.faults import reach
from cumulet.engine.items import Begin, GiveUp, Item, Report, Turn
from cumulet.engine.outage import OUTAGE, PAUSE, persist
from cumulet.engine.unit import Desk, Unit
from cumulet.store.api import Database, Transaction
from cumulet.store.errors import Closed

log = logging.getLogger(__name__)

BATCH = 128
TURNS = 2
"""Turns in a batch: each may be a long burst."""
FLIGHTS = {"sqlite": 3, "postgres": 4}
"""Batches under way at once: one commits while another is worked on."""


class Intake:
    """Where items are put, and what carries them."""

    def __init__(self, database: Database, desk: Desk) -> None:
        self._database = database
        self._desk = desk
        self._items: deque[Item] = deque()
        self._turns: deque[int] = deque()
        self._filled = asyncio.Event()
        self._flights: set[asyncio.Task[None]] = set()
        self._landed = asyncio.Event()
        self._limit = FLIGHTS[database.kind]
        self._running = False
        self.doubt = False
        """A commit may have happened that was told to have failed: turns may be owed that are not in the queue."""

    def put(self, item: Item) -> None:
        """Queue an item that nobody waits for."""
        self._items.append(item)
        self._filled.set()

    def turn(self, run: int) -> None:
        """Queue a run for another turn."""
        self._turns.append(run)
        self._filled.set()

    async def ask(self, item: Item) -> Any:
        """Queue an item and wait for its answer; without a running pump it is carried at once."""
        future = item.future = asyncio.get_running_loop().create_future()  # type: ignore[misc]  # ty: each item's own field
        if self._running:
            self.put(item)
        else:
            await self._carry([item])
        return await future

    async def run(self) -> None:
        """Carry batches until cancelled."""
        self._running = True
        try:
            while True:
                await self._filled.wait()
                self._landed.clear()
                if len(self._flights) >= self._limit:
                    await self._landed.wait()
                    continue
                if batch := self._take():
                    flight = asyncio.create_task(self._carry(batch))
                    self._flights.add(flight)
                    flight.add_done_callback(self._land)
                else:
                    self._filled.clear()
        finally:
            self._running = False
            await self._settle_down()

    def _take(self) -> list[Item]:
        items, turns = self._items, self._turns
        batch = [items.popleft() for _ in range(min(BATCH, len(items)))]
        batch += [Turn(turns.popleft()) for _ in range(min(TURNS, len(turns)))]
        return batch

    def _land(self, flight: asyncio.Task[None]) -> None:
        self._flights.discard(flight)
        self._landed.set()
        if not flight.cancelled() and (error := flight.exception()) is not None:
            log.error("a batch was lost", exc_info=error)

    async def _settle_down(self) -> None:
        """Let batches under way end, and carry what was accepted; turns can wait for the next start."""
        if self._flights:
            await asyncio.wait(set(self._flights))
        rest = list(self._items)
        self._items.clear()
        for start in range(0, len(rest), BATCH):
            await self._carry(rest[start : start + BATCH])

    async def _carry(self, batch: Sequence[Item]) -> None:
        try:
            answers = await self._write(batch)
        except Closed as error:
            _tell(batch, error)
        except OUTAGE as error:
            await self._wait_out(batch, error)
        except Exception as error:  # noqa: BLE001  the worker rim: a machine may raise anything
            await self._isolate(batch, error)
        else:
            for item, (well, answer) in zip(batch, answers, strict=True):
                _answer(item, well, answer)
            reach("after-commit")

    async def _write(self, batch: Sequence[Item]) -> list[tuple[bool, Any]]:
        def work(tx: Transaction) -> list[tuple[bool, Any]]:
            unit = Unit(tx, self._desk)
            unit.load(batch)
            answers = [unit.apply(item) for item in batch]
            unit.flush()
            reach("before-commit")
            return answers

        answers = await self._database.write(work)
        if any(type(item) is Report for item in batch):
            reach("after-result")
        return answers

    async def _wait_out(self, batch: Sequence[Item], error: Exception) -> None:
        """The database cannot write now: callers hear it; what the engine owes is tried again."""
        log.warning("the engine cannot write: %s", error)
        _tell(batch, error)
        self.doubt = True
        await self._desk.clock.sleep_until(self._desk.clock.now() + PAUSE)
        for item in batch:
            if item.future is None:
                self.put(item)

    async def _isolate(self, batch: Sequence[Item], error: Exception) -> None:
        """Something in the batch breaks: find it by carrying each item alone."""
        if len(batch) > 1:
            for item in batch:
                await self._carry([item])
            return
        item = batch[0]
        if type(item) is Begin or isinstance(item, GiveUp):
            if item.future is None:
                log.error("a run could not be given up", exc_info=error)
            _tell(batch, error)
            return
        log.error("a machine broke on %r", item, exc_info=error)
        _tell(batch, error)
        look = partial(self._database.read, partial(self._run_of, item))
        if (number := await persist(self._desk.clock, look)) is not None:
            await self._carry([GiveUp(number, f"{type(error).__name__}: {error}")])

    def _run_of(self, item: Item, tx: Transaction) -> int | None:
        """The number of the run that `item` is for."""
        unit = Unit(tx, self._desk)
        unit.resolve([item])
        return next(iter(unit.touched), None)


def _tell(batch: Sequence[Item], error: Exception) -> None:
    for item in batch:
        _answer(item, well=False, answer=error)


def _answer(item: Item, well: bool, answer: Any) -> None:
    future = item.future
    if future is None or future.done():
        return
    if well:
        future.set_result(answer)
    else:
        future.set_exception(answer)
