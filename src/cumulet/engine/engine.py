"""The durable engine: runs machines of any kind, and loses nothing that it acknowledged.

A *run* is one execution of a machine. What happens to it (it begins, a task ends, a timer is due, somebody stops it) is
a stimulus; the machine answers with a step; the step is written in one transaction, acknowledged after its commit, and
then carried out: tasks are performed at least once, and their results count once.

    intake     the queue of stimuli, and the pump that carries it into the database in batches
    unit       one transaction: load runs, let their machines advance, write
    live       one run within a unit
    dispatch   performs tasks
    timers     fires timers
    leases     keeps this server's leases, takes over from dead servers
    history    reads pages of a run's history

It refuses to know what a run does: that is its machine's and its performer's.
"""

import asyncio
import logging
from collections.abc import Sequence
from functools import partial
from typing import Any

from cumulet.base.clock import Clock
from cumulet.base.ids import Entropy, make_hex
from cumulet.base.step import TaskFailed, TaskStarted, TaskSucceeded
from cumulet.engine import sql
from cumulet.engine.dispatch import Dispatch
from cumulet.engine.faults import reach
from cumulet.engine.intake import Intake
from cumulet.engine.items import Beat, Begin, Handed, Report, Stop
from cumulet.engine.leases import LEASE, Leases
from cumulet.engine.machine import Machine, NewRun, Performer
from cumulet.engine.numbers import Numbers
from cumulet.engine.outage import persist
from cumulet.engine.timers import Timers
from cumulet.engine.unit import CANCELLED, QUEUED, Desk, Effects, Unit
from cumulet.store.api import Database, Row, Transaction
from cumulet.store.errors import StoreError

log = logging.getLogger(__name__)


class Engine:
    """Runs machines on a database.

    `server` names this server in leases; a random part is added, so it need not be unique. `lease` is after how
    many seconds of silence the other servers take over, where there are others.
    """

    def __init__(
        self,
        database: Database,
        clock: Clock,
        entropy: Entropy,
        *,
        server: str,
        concurrency: int = 256,
        lease: float = LEASE,
    ) -> None:
        queries = sql.of(database.kind)
        self._database = database
        self._clock = clock
        self._machines: dict[str, Machine[Any]] = {}
        self._performers: dict[str, Performer] = {}
        self._numbers = Numbers(queries)
        self._desk = Desk(
            machines=self._machines,
            clock=clock,
            entropy=entropy,
            sql=queries,
            numbers=self._numbers,
            server=f"{server}/{make_hex(entropy, 8)}",
            room=self._room,
            live=self._is_live,
            settled=self._settled,
        )
        self._intake = Intake(database, self._desk)
        self._dispatch = Dispatch(database, self._desk, self._performers, self._intake.put, concurrency)
        self._timers = Timers(database, self._desk, self._intake.ask)
        self._leases = Leases(database, self._desk, self._owe, lease)
        self._live = False
        self._refill = asyncio.Event()
        self._checking = asyncio.Event()

    def register(self, machine: Machine[Any], performer: Performer) -> None:
        """Run machines of this kind. Register all kinds before `run`."""
        self._machines[machine.kind] = machine
        self._performers[machine.kind] = performer

    def begin(self, tx: Transaction, new: NewRun) -> Row:
        """Begin a run in the caller's transaction, its first burst included. Its row, as of then.

        Raises `UnknownKind`. A run whose machine never waits is over when the transaction is committed.
        """
        unit = Unit(tx, self._desk)
        row = unit.begin(new)
        unit.flush()
        reach("begin")
        return row

    async def start(self, new: NewRun) -> Row:
        """`begin` in a transaction shared with whatever else happens; its row after the commit."""
        row: Row = await self._intake.ask(Begin(new))
        return row

    async def stop(self, run_id: str, error: str | None = None, cause: str | None = None) -> Row | None:
        """Ask the run to end. Its row afterwards, None when it is not there or over already."""
        row: Row | None = await self._intake.ask(Stop(run_id, error, cause))
        return row

    async def succeed(self, token: str, output: Any) -> None:
        """An open task ended well; `output` is JSON. Raises `TaskGone`."""
        await self._intake.ask(Report(token, TaskSucceeded, (output,)))

    async def fail(self, token: str, error: str, cause: str | None = None) -> None:
        """An open task failed. Raises `TaskGone`."""
        await self._intake.ask(Report(token, TaskFailed, (error, cause)))

    async def beat(self, token: str) -> None:
        """The worker of an open task is alive: its timer "heartbeat" moves on. Raises `TaskGone`, `TaskTimedOut`."""
        await self._intake.ask(Beat(token))

    async def take(self, token: str, worker: str | None = None) -> None:
        """Somebody took up a task that waited for a taker: the machine gets `TaskStarted`. Raises `TaskGone`."""
        await self._intake.ask(Handed(token, TaskStarted, (worker,)))

    async def run(self) -> None:
        """The workers, until cancelled. First whatever an earlier life left behind is taken up again."""
        ears = [
            self._database.listen(QUEUED, self._dispatch.look),
            self._database.listen(CANCELLED, self._checking.set),
        ]
        workers = (self._intake.run, self._dispatch.run, self._timers.run, self._keep, self._check, self._number)
        try:
            await persist(self._clock, self._leases.register)
            self._live = True
            await persist(self._clock, self._leases.keep)
            async with asyncio.TaskGroup() as group:
                for worker in workers:
                    group.create_task(worker(), name=f"engine-{worker.__name__}")
        finally:
            self._live = False
            for stop_listening in ears:
                stop_listening()
            await self._leave()

    async def _leave(self) -> None:
        """Free our leases; where the database is out, they run out by themselves."""
        try:
            await self._leases.leave()
        except StoreError as error:
            log.warning("the engine's leases could not be freed: %s", error)

    def _is_live(self) -> bool:
        return self._live

    def _room(self) -> int:
        return self._dispatch.room()

    def _settled(self, effects: Effects) -> None:
        """After a commit: carry out what it ordered."""
        for run in effects.turns:
            self._intake.turn(run)
        if effects.cancelled:
            self._dispatch.cancel(effects.cancelled)
        if effects.due is not None:
            self._timers.hint(effects.due)
        if effects.queued:
            self._dispatch.look()
        if effects.born:
            self._dispatch.offer(effects.born)
        if self._numbers.low:
            self._refill.set()

    def _owe(self, runs: Sequence[int]) -> None:
        for run in runs:
            self._intake.turn(run)

    async def _keep(self) -> None:
        """On PostgreSQL, where other servers are: renew, take over, compare what we hold."""
        if self._database.kind == "sqlite":
            return
        while True:
            await self._clock.sleep_until(self._clock.now() + self._leases.pause)
            await persist(self._clock, self._leases.keep)
            self._checking.set()
            if self._intake.doubt:
                self._intake.doubt = False
                self._owe(await persist(self._clock, self._leases.turns))

    async def _check(self) -> None:
        while True:
            await self._checking.wait()
            self._checking.clear()
            await persist(self._clock, self._dispatch.check)

    async def _number(self) -> None:
        """Keep numbers for new runs at hand."""
        while True:
            if self._numbers.low:
                await persist(self._clock, partial(self._numbers.refill, self._database))
            await self._refill.wait()
            self._refill.clear()
