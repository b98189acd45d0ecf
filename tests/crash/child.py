"""A server that a test kills: begins runs, performs their tasks with an effect in a file, and ends when all are over.

    python -m tests.crash.child DATABASE FOLDER FIRST LAST [--only-work]

DATABASE is a file or a PostgreSQL DSN. For each run it begins, and that was acknowledged, a line is added to FOLDER/acked; for
each task that is performed, a line to FOLDER/effects. With --only-work it begins nothing, and works until it is killed.
"""

import asyncio
import os
import sys
from pathlib import Path
from typing import Any

from tests.crash.scripts import SCRIPTS, script_of
from tests.engine.toy import Toy, new_run

from cumulet.base.clock import SystemClock
from cumulet.engine.engine import Engine
from cumulet.engine.errors import TaskGone
from cumulet.engine.machine import Task
from cumulet.store.api import Database
from cumulet.store.postgres import Postgres
from cumulet.store.sqlite import SQLite

LEASE = 1.0


class File:
    """Lines that survive this process."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    def add(self, line: str) -> None:
        os.write(self._file, line.encode() + b"\n")


class Child:
    def __init__(self, database: Database, folder: Path) -> None:
        self.database = database
        self.acked = File(folder / "acked")
        self.effects = File(folder / "effects")
        self.engine = Engine(database, SystemClock(), os.urandom, server="child", concurrency=8, lease=LEASE)
        self.engine.register(Toy(), self.perform)

    async def perform(self, task: Task) -> Any:
        self.effects.add(f"{task.run} {task.token}")
        if task.resource == "slow":
            await asyncio.sleep(0.005)
        return task.payload

    async def begin(self, first: int, last: int) -> None:
        """Begin what is not there yet, some at a time, in both ways."""
        rows = await self.database.read(lambda tx: tx.all("SELECT id FROM runs"))
        known = {row["id"] for row in rows}
        limit = asyncio.Semaphore(16)

        async def one(number: int) -> None:
            new = new_run(script_of(number), number)
            async with limit:
                if number % 2:
                    await self.engine.start(new)
                else:
                    await self.database.write(lambda tx: self.engine.begin(tx, new))
            self.acked.add(new.id)

        await asyncio.gather(*(one(number) for number in range(first, last) if f"id-{number}" not in known))

    async def report(self) -> None:
        """Somebody outside, who answers what was handed over."""
        while True:
            rows = await self.database.read(lambda tx: tx.all("SELECT token FROM tasks WHERE state = 'waiting'"))
            for row in rows:
                try:
                    await self.engine.succeed(row["token"], "reported")
                except TaskGone:
                    continue
            await asyncio.sleep(0.02)

    async def over(self) -> None:
        """Until no run is open."""
        while True:
            rows = await self.database.read(lambda tx: tx.all("SELECT id FROM runs WHERE status = 'RUNNING' LIMIT 1"))
            if not rows:
                return
            await asyncio.sleep(0.02)


async def main(where: str, folder: str, first: str, last: str, *options: str) -> None:
    database: Database = await (Postgres.open(where) if "host=" in where else SQLite.open(where))
    child = Child(database, Path(folder))
    workers = [asyncio.create_task(child.engine.run()), asyncio.create_task(child.report())]
    print("up", flush=True)
    if options:
        await asyncio.gather(*workers)
    await child.begin(int(first), int(last))
    await child.over()
    for worker in workers:
        worker.cancel()
    await asyncio.gather(*workers, return_exceptions=True)
    await database.close()
    print("over", flush=True)


if __name__ == "__main__":
    assert SCRIPTS
    asyncio.run(main(*sys.argv[1:]))
