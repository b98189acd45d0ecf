"""An engine in a test: its toy machine, performers that a test can direct, and a way to let time pass."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from tests.engine.toy import Script, Toy, new_run

from cumulet.base import json
from cumulet.base.clock import JumpClock
from cumulet.base.ids import Entropy
from cumulet.engine import history
from cumulet.engine.engine import Engine
from cumulet.engine.machine import Task, TaskError
from cumulet.store.api import Database, Row, Transaction
from cumulet.store.errors import Closed


class Cut:
    """A database that can be torn from its engine, as by a kill: from then on nothing gets through."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.kind = database.kind
        self.torn = False
        self.error: Exception | None = None

    async def write[T](self, work: Callable[[Transaction], T], /) -> T:
        if self.torn:
            raise Closed("torn")
        if self.error is not None:
            raise self.error
        answer = await self._database.write(work)
        if self.torn:
            raise Closed("torn")
        return answer

    async def read[T](self, work: Callable[[Transaction], T], /) -> T:
        if self.torn:
            raise Closed("torn")
        return await self._database.read(work)

    def listen(self, topic: str, wake: Callable[[], None], /) -> Callable[[], None]:
        return self._database.listen(topic, wake)

    async def close(self) -> None:
        raise AssertionError("an engine does not close its database")


class World:
    """One engine and what surrounds it. Resources: echo, fail, crash, stall (until `release`), slow (a turn of the loop)."""

    def __init__(self, database: Database, clock: JumpClock, entropy: Entropy, concurrency: int = 256) -> None:
        self.database = database
        self.clock = clock
        self.entropy = entropy
        self.link = Cut(database)
        self.toy = Toy()
        self.engine = Engine(self.link, clock, entropy, server="test", concurrency=concurrency)
        self.engine.register(self.toy, self.perform)
        self.performed: list[Task] = []
        self.cancelled: list[str] = []
        self.stalled: dict[str, asyncio.Event] = {}
        self.at_work = 0
        self.most_at_work = 0
        self._worker: asyncio.Task[None] | None = None
        self.also: dict[str, Callable[[Task], Awaitable[Any]]] = {}

    async def perform(self, task: Task) -> Any:
        self.performed.append(task)
        self.at_work += 1
        self.most_at_work = max(self.most_at_work, self.at_work)
        try:
            return await self._do(task)
        except asyncio.CancelledError:
            self.cancelled.append(task.resource)
            raise
        finally:
            self.at_work -= 1

    async def _do(self, task: Task) -> Any:
        if task.resource in self.also:
            return await self.also[task.resource](task)
        match task.resource:
            case "fail":
                raise TaskError("Toy.Failed", "as it was told")
            case "crash":
                raise ZeroDivisionError("a performer broke")
            case "flaky" if task.token not in self.stalled and len(self.performed) < 3:
                raise TaskError("Toy.Flaky")
            case "stall":
                await self.stalled.setdefault(task.token, asyncio.Event()).wait()
            case "slow":
                await asyncio.sleep(0)
        return task.payload

    def up(self) -> "World":
        """Start the workers."""
        self._worker = asyncio.create_task(self.engine.run())
        return self

    async def down(self) -> None:
        """Stop the workers in an orderly way."""
        assert self._worker is not None
        self._worker.cancel()
        await asyncio.gather(self._worker, return_exceptions=True)

    async def kill(self) -> "World":
        """Tear the engine from its database, and build a new one on it."""
        self.link.torn = True
        if self._worker is not None:
            self._worker.cancel()
            await asyncio.gather(self._worker, return_exceptions=True)
        return World(self.database, self.clock, self.entropy)

    async def begin(self, script: Script, number: int | str = 1, **details: Any) -> Row:
        """Begin a run in a transaction of its own."""
        new = new_run(script, number, **details)
        return await self.database.write(lambda tx: self.engine.begin(tx, new))

    async def row(self, number: int | str = 1) -> Row:
        row = await self.database.read(lambda tx: tx.one("SELECT * FROM runs WHERE id = :id", id=f"id-{number}"))
        assert row is not None
        return row

    async def over(self, *numbers: int | str) -> Row:
        """The row of the last of these runs, once all are over. Time stands still."""
        return await self.until(*(numbers or (1,)), seconds=0)

    async def until(self, *numbers: int | str, seconds: float = 1) -> Row:
        """The row of the last of these runs, once all are over; time passes by so many seconds at each look."""
        ids = {f"id-{number}" for number in numbers}

        async def ended() -> bool:
            rows = await self.all("SELECT id FROM runs WHERE status <> 'RUNNING'")
            return ids <= {row["id"] for row in rows}

        await self.wait_for(ended, seconds)
        return await self.row(numbers[-1])

    async def wait_for(self, condition: Callable[[], Awaitable[bool]], seconds: float = 0) -> None:
        """Look again and again, each look a read of the database; `seconds` pass between two looks."""
        async with asyncio.timeout(20):
            while not await condition():
                if seconds:
                    self.clock.jump(seconds)
                for _ in range(5):
                    await asyncio.sleep(0)

    async def wait_till(self, condition: Callable[[], bool]) -> None:
        """Look again and again at something in memory."""

        async def look() -> bool:
            await self.all("SELECT 1 AS one")
            return condition()

        await self.wait_for(look)

    async def all(self, sql: str, **values: Any) -> list[Row]:
        return await self.database.read(lambda tx: tx.all(sql, **values))

    async def row_and_events(self, number: int | str) -> tuple[Row, list[dict[str, Any]]]:
        """Both as of one moment."""

        def look(tx: Transaction) -> tuple[Row, list[dict[str, Any]]]:
            row = tx.one("SELECT * FROM runs WHERE id = :id", id=f"id-{number}")
            assert row is not None
            return row, history.page(tx, row["id"], limit=100_000)[0]

        return await self.database.read(look)

    async def events(self, number: int | str = 1) -> list[dict[str, Any]]:
        """The whole history; its ids have no gaps."""
        page, following = await self.database.read(lambda tx: history.page(tx, f"id-{number}", limit=100_000))
        assert following is None
        assert [event["id"] for event in page] == list(range(1, len(page) + 1))
        return page

    async def leftovers(self) -> int:
        """How many rows runs have left behind that are over."""
        total = 0
        for table in ("frames", "tasks", "timers"):
            rows = await self.all(
                f"SELECT COUNT(*) AS n FROM {table} JOIN runs ON run = number WHERE status <> 'RUNNING'"
            )
            total += rows[0]["n"]
        return total

    @staticmethod
    def notes(row: Row) -> Any:
        return json.loads(row["output"])
