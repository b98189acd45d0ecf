"""`kill -9` at every named point and at random: nothing acknowledged is lost, each result counts once, histories are whole."""

import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.crash.scripts import outcome_of, tasks_of

from cumulet.base import json
from cumulet.engine import history
from cumulet.engine.faults import POINTS
from cumulet.store.api import Database, Row, Transaction
from cumulet.store.postgres import Postgres
from cumulet.store.sqlite import SQLite

pytestmark = pytest.mark.crash

HOME = Path(__file__).parents[2]
RUNS = 48


class Place:
    """A database, a folder, and the servers on them."""

    def __init__(self, database: str, folder: Path) -> None:
        self.database = database
        self.folder = folder
        self.children: list[subprocess.Popen[str]] = []

    def start(self, first: int, last: int, *options: str, fault: str = "") -> subprocess.Popen[str]:
        """A server; it is up when this returns."""
        command = [
            sys.executable,
            "-m",
            "tests.crash.child",
            self.database,
            str(self.folder),
            str(first),
            str(last),
            *options,
        ]
        child = subprocess.Popen(
            command, cwd=HOME, env={"CUMULET_FAULT": fault, "PYTHONPATH": "src"}, stdout=subprocess.PIPE, text=True
        )
        self.children.append(child)
        assert child.stdout is not None
        assert child.stdout.readline() == "up\n" or fault
        return child

    def kill(self, child: subprocess.Popen[str]) -> None:
        """End a server as a power cut would."""
        child.kill()
        child.communicate()

    def clear(self) -> None:
        """See that no server is left."""
        for child in self.children:
            if child.poll() is None:
                self.kill(child)

    def end(self, child: subprocess.Popen[str]) -> int:
        """Wait for a server's end: its exit status."""
        out, _ = child.communicate(timeout=60)
        assert child.returncode != 0 or out == "over\n"
        return child.returncode

    def lines(self, name: str) -> list[str]:
        path = self.folder / name
        return path.read_text().splitlines() if path.exists() else []

    async def open(self) -> Database:
        return await (Postgres.open(self.database) if "host=" in self.database else SQLite.open(self.database))


@pytest.fixture(params=["sqlite", "postgres"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    """An empty database for child processes."""
    where = request.getfixturevalue("postgres_dsn") if request.param == "postgres" else str(tmp_path / "crash.db")
    built = Place(where, tmp_path)
    yield built
    built.clear()


async def check(place: Place) -> None:
    """Every promise, after all servers are gone."""
    database = await place.open()
    try:
        performed = Counter(line.split()[0] for line in place.lines("effects"))
        await database.read(lambda tx: _check(tx, place.lines("acked"), performed))
    finally:
        await database.close()


def _check(tx: Transaction, acked: list[str], performed: Counter[str]) -> None:
    runs = {row["id"]: row for row in tx.all("SELECT * FROM runs")}
    assert set(acked) <= set(runs), "an acknowledged run is lost"
    for run in runs.values():
        _check_run(tx, run, performed[run["id"]])
    for table in ("frames", "tasks", "timers"):
        assert tx.all(f"SELECT * FROM {table}") == []


def _check_run(tx: Transaction, run: Row, performed: int) -> None:
    number = int(run["id"].removeprefix("id-"))
    assert run["status"] == "SUCCEEDED", run
    assert json.loads(run["output"]) == outcome_of(number), run
    events, following = history.page(tx, run["id"], limit=10_000)
    assert following is None
    assert [event["id"] for event in events] == list(range(1, run["next_event"]))
    kinds = Counter(event["type"] for event in events)
    assert kinds["TaskSucceeded"] == tasks_of(number) <= performed
    assert kinds["Started"] == kinds["Finished"] == 1


@pytest.mark.parametrize(
    "point", [*POINTS, "before-commit:20", "after-commit:20", "after-performer:20", "after-result:9"]
)
async def test_killed_at_a_named_point(place: Place, point: str) -> None:
    if point == "claimed":  # there must be something to claim: what a first server left behind
        place.end(place.start(0, RUNS, fault="after-commit:15"))
    assert place.end(place.start(0, RUNS, fault=point)) == -signal.SIGKILL, f"{point} was not reached"
    assert place.end(place.start(0, RUNS)) == 0
    await check(place)
    assert len(place.lines("acked")) >= RUNS - 16 * 2


async def test_killed_at_random_under_load(place: Place) -> None:
    chance = random.Random()
    total = 0
    for _ in range(5):
        total += 200
        child = place.start(0, total)
        time.sleep(chance.uniform(0.05, 0.6))
        place.kill(child)
    assert place.end(place.start(0, total)) == 0
    await check(place)


async def test_one_of_two_servers_is_killed(postgres_dsn: str, tmp_path: Path) -> None:
    place = Place(postgres_dsn, tmp_path)
    for round_ in range(3):
        helper = place.start(0, 0, "--only-work", fault=("after-commit:9", "after-performer:9", "")[round_])
        child = place.start(round_ * 60, round_ * 60 + 60)
        time.sleep(0.2)
        place.kill(helper)
        assert place.end(child) == 0
    await check(place)


async def test_the_server_that_began_the_runs_is_killed_and_another_ends_them(
    postgres_dsn: str, tmp_path: Path
) -> None:
    place = Place(postgres_dsn, tmp_path)
    child = place.start(0, 60, fault="after-commit:12")
    other = place.start(1000, 1006)
    assert place.end(child) == -signal.SIGKILL
    assert place.end(other) == 0
    await check(place)
