"""How many complete durable executions a second: engine and store alone.

    python bench/engine.py [--seconds 4] [--database DIR|memory|DSN] [--by begin] [--profile]

One execution: Started -> StartTask -> (an instant performer) -> TaskSucceeded -> Finish: two commits, 11 events.
`--by start` asks the engine to begin runs, `--by begin` begins each in a transaction of its own, as a service does.
Prints a line for each number of clients: executions a second, and latency from asking until the end is durable.
"""

import argparse
import asyncio
import cProfile
import gc
import itertools
import os
import pstats
import shutil
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

from cumulet.base.clock import SystemClock
from cumulet.base.ids import make_uuid
from cumulet.base.step import Env, Finish, Started, StartTask, State, Step, Stimulus, TaskSucceeded
from cumulet.engine import history
from cumulet.engine.engine import Engine
from cumulet.engine.machine import NewRun, Task
from cumulet.store.api import Database, Row, Transaction
from cumulet.store.sqlite import SQLite

BEFORE = ("ExecutionStarted", "TaskStateEntered", "TaskScheduled", "TaskStarted", "Noted", "Noted")
AFTER = ("TaskSucceeded", "TaskStateExited", "PassStateEntered", "PassStateExited", "ExecutionSucceeded")


class Machine:
    """The smallest machine that does a task. Calls `ended` for each run that is over, after the commit."""

    kind = "bench"

    def __init__(self) -> None:
        self.waiting: dict[str, asyncio.Future[None]] = {}

    def program(self, tx: Transaction, spec: str) -> str:  # noqa: ARG002  the contract
        return spec

    def advance(self, state: State[str], stimulus: Stimulus, env: Env) -> Step:
        first = state.next_event
        if isinstance(stimulus, Started):
            events = _events(BEFORE, first, env.now, {"input": state.facts["input"]})
            task = StartTask(0, env.entropy(16).hex(), "instant", {"n": 1})
            return Step({0: {"state": "Work", "data": {"n": 1}}}, events, [task])
        assert isinstance(stimulus, TaskSucceeded)
        assert state.frames[0]["state"] == "Work"
        events = _events(AFTER, first, env.now, {"output": '{"n":2}'})
        return Step({0: None}, events, [Finish("SUCCEEDED", '{"n":2}')])

    def settled(self, tx: Transaction, run: Row, step: Step) -> None:  # noqa: ARG002  the contract
        if run["status"] != "RUNNING" and (future := self.waiting.pop(run["id"], None)) is not None:
            tx.after_commit(lambda: future.set_result(None))


def _events(kinds: tuple[str, ...], first: int, now: int, detail: dict[str, str]) -> list[dict[str, Any]]:
    return [
        {"id": first + i, "previousEventId": first + i - 1, "type": kind, "timestamp": now, "detail": detail}
        for i, kind in enumerate(kinds)
    ]


async def instant(task: Task) -> Any:  # noqa: ARG001  the contract
    return {"n": 2}


def new_run() -> NewRun:
    run = make_uuid(lambda _: time.time_ns().to_bytes(8) + os.urandom(8))  # in order of time: neighbours in an index
    arn = f"arn:aws:states:us-east-1:000000000000:execution:bench:{run}"
    subject = "arn:aws:states:us-east-1:000000000000:stateMachine:bench"
    details = {"roleArn": "arn:aws:iam::000000000000:role/bench", "machineName": "bench"}
    return NewRun(run, "bench", arn, run, "000000000000", "us-east-1", subject, "1", '{"n":1}', details)


async def measure(database: Database, clients: int, seconds: float, by: str) -> str:
    machine = Machine()
    engine = Engine(database, SystemClock(), os.urandom, server="bench", concurrency=max(clients, 256))
    engine.register(machine, instant)
    worker = asyncio.create_task(engine.run())
    loop = asyncio.get_running_loop()
    latencies: list[float] = []
    await asyncio.sleep(0.2)
    begun, cpu = time.perf_counter(), time.process_time()

    async def client() -> None:
        while (now := time.perf_counter()) < begun + seconds:
            new = new_run()
            ended = machine.waiting[new.id] = loop.create_future()
            if by == "start":
                await engine.start(new)
            else:
                await database.write(lambda tx, new=new: engine.begin(tx, new))
            await ended
            latencies.append(time.perf_counter() - now)

    await asyncio.gather(*(client() for _ in range(clients)))
    took, cpu = time.perf_counter() - begun, time.process_time() - cpu
    worker.cancel()
    await asyncio.gather(worker, return_exceptions=True)
    latencies.sort()
    p50, p99 = statistics.median(latencies) * 1e3, latencies[int(len(latencies) * 0.99)] * 1e3
    count = len(latencies)
    return (
        f"{by:>6} {clients:>5} clients {count / took:>9.0f} executions/s   p50 {p50:7.2f} ms   p99 {p99:7.2f} ms"
        f"   {cpu / count * 1e6:6.0f} us of CPU each"
    )


async def paging(database: Database, events: int = 25_000, limit: int = 100) -> str:
    """The first and the last page of a long history, 50 events to a burst."""
    rows = [
        {"run": -1, "first_id": first, "last_id": first + 49,
         "events": "[" + ",".join(f'{{"id":{i},"type":"PassStateEntered"}}' for i in range(first, first + 50)) + "]"}
        for first in range(1, events, 50)
    ]  # fmt: skip
    new = new_run()

    def fill(tx: Transaction) -> None:
        tx.run(
            "INSERT INTO runs (number, id, kind, arn, name, account, region, subject, spec, status, started_at,"
            " version, next_event, next_frame, details, input)"
            " VALUES (-1, :id, 'bench', :id, 'x', 'x', 'x', 'x', 'x', 'SUCCEEDED', 0, 1, :next, 1, '{}', '{}')",
            id=new.id, next=events + 1,
        )  # fmt: skip
        tx.many(
            "INSERT INTO history (run, last_id, first_id, events) VALUES (:run, :last_id, :first_id, :events)", rows
        )

    await database.write(fill)

    def look(tx: Transaction) -> list[float]:
        times = []
        for after, reverse in itertools.product((0, events // 2, events - limit), (False, True)):
            began = time.perf_counter()
            for _ in range(200):
                found, _ = history.page(tx, new.id, after=after, limit=limit, reverse=reverse)
                assert len(found) == limit
            times.append((time.perf_counter() - began) * 5e3)
        return times

    first, first_back, middle, middle_back, last, last_back = await database.read(look)
    return (
        f"history of {events} events, pages of {limit}: first {first:.0f} us, middle {middle:.0f} us,"
        f" last {last:.0f} us; newest first: {first_back:.0f}, {middle_back:.0f}, {last_back:.0f} us"
    )


async def opened(where: str) -> Database:
    if where.startswith("postgres") or "host=" in where:
        from cumulet.store.postgres import Postgres

        return await Postgres.open(where)
    return await SQLite.open(":memory:" if where == "memory" else Path(where) / "bench.db")


async def main() -> None:
    gc.freeze()
    gc.set_threshold(100_000, 20, 50)  # else a third of the time goes to looking through what lives anyway
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=4)
    parser.add_argument("--clients", type=int, nargs="*", default=[1, 64, 1000])
    parser.add_argument("--database", help="a folder, 'memory', or a PostgreSQL DSN; default: a new folder here")
    parser.add_argument("--by", choices=["start", "begin"], nargs="*", default=["start", "begin"])
    parser.add_argument("--profile", action="store_true", help="profile the event loop's thread")
    options = parser.parse_args()
    where = options.database or tempfile.mkdtemp(prefix="engine-", dir=".")
    try:
        database = await opened(where)
        print(await paging(database))
        profile = cProfile.Profile()
        if options.profile:
            profile.enable()
        for by in options.by:
            for clients in options.clients:
                print(await measure(database, clients, options.seconds, by), flush=True)
        if options.profile:
            profile.disable()
            pstats.Stats(profile).sort_stats("tottime").print_stats(40)
        await database.close()
    finally:
        if options.database is None:
            shutil.rmtree(where)


if __name__ == "__main__":
    try:
        import uvloop
    except ImportError:
        asyncio.run(main())
    else:
        uvloop.run(main())
