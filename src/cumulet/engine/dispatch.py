"""Performs tasks: up to `concurrency` at once, each an asyncio task of its own.

A task that was born on this server comes from memory right after its commit; what this server had no room for, and what
other servers left behind, waits as rows and is claimed in batches as room appears. Whatever a performer does ends as a
report in the intake; here is the worker rim: an exception that is no `TaskError` fails the task with the cause
`Internal`.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial

from cumulet.base import json
from cumulet.base.step import TaskFailed, TaskSubmitted, TaskSucceeded
from cumulet.engine.faults import reach
from cumulet.engine.items import Handed, Item, Report
from cumulet.engine.machine import Performer, Task, TaskError
from cumulet.engine.outage import persist
from cumulet.engine.unit import Desk, Open
from cumulet.store.api import Database, Row, Transaction

log = logging.getLogger(__name__)

INTERNAL = ("States.TaskFailed", "Internal")


class Dispatch:
    """The performers at work, and the leased tasks that wait for one to be free."""

    def __init__(
        self,
        database: Database,
        desk: Desk,
        performers: Mapping[str, Performer],
        report: Callable[[Item], None],
        concurrency: int,
    ) -> None:
        self._database = database
        self._desk = desk
        self._performers = performers
        self._report = report
        self._concurrency = concurrency
        self._ready: deque[Open] = deque()
        self._at_work: dict[str, asyncio.Task[None] | None] = {}
        self._starting = False
        self._live = False
        self._more = True
        """There may be queued tasks in the database."""
        self._claiming = asyncio.Event()
        self._strays: set[str] = set()
        self._waits: set[str] = set()
        """Those at work that somebody else may end while they are being performed."""

    def room(self) -> int:
        """How many more tasks are worth leasing now: as many wait in memory as may be performed at once."""
        if not self._live:
            return 0
        return max(0, 2 * self._concurrency - len(self._ready) - len(self._at_work))

    def offer(self, born: Iterable[Open]) -> None:
        """Perform these tasks, which are leased, as soon as there is room."""
        self._ready.extend(born)
        self._start()

    def look(self) -> None:
        """Somebody left queued tasks in the database."""
        self._more = True
        self._claiming.set()

    def cancel(self, tokens: Iterable[str]) -> None:
        """Stop performing tasks that the machine called off."""
        for token in tokens:
            if (task := self._at_work.get(token)) is not None:
                task.cancel()
        if self._ready:
            gone = set(tokens)
            self._ready = deque(found for found in self._ready if found.task.token not in gone)

    async def check(self) -> None:
        """Compare with the database: stop performing what is no longer ours, queue what is ours and was forgotten.

        A task is forgotten when the answer to a commit got lost: the row says that we have it, and nobody here does.
        """
        sql, server = self._desk.sql, self._desk.server
        mine = [found.task.token for found in self._ready]
        mine += [token for token in self._at_work if token not in self._waits]
        rows = await self._database.read(lambda tx: tx.all(sql.my_tasks, owner=server))
        held = {row["token"] for row in rows}
        self.cancel([token for token in mine if token not in held])
        strays = held.difference(mine, self._at_work, (found.task.token for found in self._ready))
        if lost := self._strays & strays:
            tokens = sql.list(sorted(lost))
            await self._database.write(lambda tx: tx.run(sql.free_strays, owner=server, tokens=tokens))
            self.look()
        self._strays = strays - lost

    async def run(self) -> None:
        """Claim queued tasks as there is room, until cancelled; then stop every performer."""
        self._live = True
        self._start()
        self.look()
        try:
            while True:
                await self._claiming.wait()
                self._claiming.clear()
                while self._more and (room := self.room()) >= self._concurrency:
                    self._more = False
                    claimed = await persist(self._desk.clock, partial(self._claim, room))
                    self._more = self._more or len(claimed) == room
                    if claimed:
                        reach("claimed")
                        self.offer(claimed)
        finally:
            self._live = False
            await self._stop_all()

    async def _claim(self, limit: int) -> Sequence[Open]:
        sql = self._desk.sql

        def work(tx: Transaction) -> list[Open]:
            rows = tx.all(sql.claim_tasks, owner=self._desk.server, limit=limit)
            places = tx.all(sql.places, numbers=sql.list(sorted({row["run"] for row in rows}))) if rows else []
            runs = {place["number"]: place for place in places}
            return [_open(row, runs[row["run"]]) for row in sorted(rows, key=lambda row: row["born"])]

        return await self._database.write(work)

    async def _stop_all(self) -> None:
        self._ready.clear()
        tasks = [task for task in self._at_work.values() if task is not None]
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)

    def _start(self) -> None:
        """Start performers while there is room. A performer that ends at once does not make this recurse."""
        if self._starting:
            return
        self._starting = True
        loop = asyncio.get_running_loop()
        ready, at_work = self._ready, self._at_work
        while self._live and ready and len(at_work) < self._concurrency:
            found = ready.popleft()
            token = found.task.token
            at_work[token] = None
            task = asyncio.Task(self._perform(found), loop=loop, eager_start=True)
            if not task.done():
                at_work[token] = task
        self._starting = False

    async def _perform(self, found: Open) -> None:
        token = found.task.token
        if found.task.wait:
            self._waits.add(token)
        reach("before-performer")
        try:
            item = await self._outcome(found, found.task)
            reach("after-performer")
            self._report(item)
        finally:
            self._at_work.pop(token, None)
            self._waits.discard(token)
            if self._more:
                self._claiming.set()
            self._start()

    async def _outcome(self, found: Open, task: Task) -> Item:
        try:
            output = await self._performers[found.kind](task)
        except TaskError as error:
            return Report(task.token, TaskFailed, (error.error, error.cause), found.number)
        except asyncio.CancelledError:
            if (me := asyncio.current_task()) is None or me.cancelling():
                raise
            log.exception("the performer of %s was cancelled, but not by the engine", task.resource)
            return Report(task.token, TaskFailed, INTERNAL, found.number)
        except Exception:
            log.exception("the performer of %s failed", task.resource)
            return Report(task.token, TaskFailed, INTERNAL, found.number)
        if task.wait:
            return Handed(task.token, TaskSubmitted, (output,), found.number)
        return Report(task.token, TaskSucceeded, (output,), found.number)


def _open(row: Row, run: Row) -> Open:
    task = Task(
        run["id"],
        row["token"],
        row["resource"],
        json.loads(row["payload"]),
        row["attempt"],
        bool(row["wait"]),
        json.loads(row["detail"]),
        run["account"],
        run["region"],
    )
    return Open(row["run"], run["kind"], task)
