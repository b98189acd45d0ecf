"""What goes wrong between us and PostgreSQL: lost connections at the worst moment, endless conflicts, full disks."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import psycopg
import pytest
from tests.postgres import Server

from cumulet.store import postgres as module
from cumulet.store.api import Transaction
from cumulet.store.errors import Conflict, Contended, OutcomeUnknown, StorageFull, StoreError
from cumulet.store.migrate import Migration
from cumulet.store.postgres import Postgres, Settings

THINGS = [Migration(1, "things", "CREATE TABLE things (id TEXT PRIMARY KEY, n BIGINT NOT NULL);\n")]


@pytest.fixture
def dsn(postgres: Server) -> Iterator[str]:
    dsn = postgres.fresh()
    yield dsn
    postgres.drop(dsn)


@pytest.fixture
def admin(dsn: str) -> Iterator[psycopg.Connection]:
    with psycopg.connect(dsn, autocommit=True) as connection:
        yield connection


class Proxy:
    """Stands between Cumulet and PostgreSQL. `cut` says what happens to the next COMMIT of a work."""

    def __init__(self, server: Path, folder: Path) -> None:
        self._server = server
        self._path = folder / ".s.PGSQL.5432"
        self._writers: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._listener: asyncio.Server
        self.cut = ""
        self.away = False

    async def open(self) -> None:
        self._listener = await asyncio.start_unix_server(self._client, self._path)

    async def close(self) -> None:
        self._listener.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _client(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        there: asyncio.StreamWriter | None = None
        try:
            if self.away:
                return
            back, there = await asyncio.open_unix_connection(self._server)
            answers = asyncio.create_task(self._pass(back, writer))
            self._tasks.add(answers)
            while data := await reader.read(1 << 16):
                if self.cut and b"COMMIT" in data:
                    answers.cancel()
                    await self._lose(data, back, there)
                    return
                there.write(data)
        finally:
            writer.close()
            if there is not None:
                there.close()

    async def _lose(self, data: bytes, back: asyncio.StreamReader, there: asyncio.StreamWriter) -> None:
        how, self.cut = self.cut, ""
        self.away = "away" in how
        if "answer" in how:  # it is carried out, and the answer is lost
            there.write(data)
            await back.readuntil(b"COMMIT\0Z")

    async def _pass(self, back: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await back.read(1 << 16):
            writer.write(data)
        writer.close()


@pytest.fixture
async def proxy(dsn: str, tmp_path: Path) -> AsyncIterator[tuple[Proxy, str]]:
    """The proxy and the DSN through it."""
    folder = Path(dsn.split(maxsplit=1)[0].removeprefix("host="))
    between = Proxy(folder / ".s.PGSQL.5432", tmp_path)
    await between.open()
    yield between, dsn.replace(str(folder), str(tmp_path))
    await between.close()


def counting(runs: list[int]) -> object:
    def work(tx: Transaction) -> int:
        runs.append(1)
        return tx.run("INSERT INTO things VALUES ('a', 1)")

    return work


@pytest.mark.parametrize(("cut", "times"), [("the answer", 1), ("the request", 2)])
async def test_a_commit_whose_answer_is_lost_is_neither_lost_nor_done_twice(
    proxy: tuple[Proxy, str], cut: str, times: int
) -> None:
    between, dsn = proxy
    database = await Postgres.open(dsn, THINGS)
    await database.write(lambda tx: tx.run("INSERT INTO things VALUES ('before', 0)"))
    between.cut = cut
    runs: list[int] = []
    assert await database.write(counting(runs)) == 1
    assert len(runs) == times
    rows = await database.read(lambda tx: tx.all("SELECT id FROM things ORDER BY id"))
    assert [row["id"] for row in rows] == ["a", "before"]
    await database.close()


async def test_when_nobody_can_be_asked_the_outcome_is_said_to_be_unknown(proxy: tuple[Proxy, str]) -> None:
    between, dsn = proxy
    database = await Postgres.open(dsn, THINGS, Settings(patience=0.1))
    between.cut = "the answer, then away"
    with pytest.raises(OutcomeUnknown, match="in the middle of a commit"):
        await database.write(counting([]))
    between.away = False
    assert await database.read(lambda tx: tx.one("SELECT n FROM things")) == {"n": 1}
    with pytest.raises(Conflict):
        await database.write(counting([]))
    await database.close()


async def test_a_work_that_loses_twice_is_run_alone_and_the_others_do_not_suffer(
    dsn: str, admin: psycopg.Connection
) -> None:
    database = await Postgres.open(dsn, THINGS)
    await database.write(lambda tx: tx.run("INSERT INTO things VALUES ('hot', 0)"))
    runs: list[int] = []

    def unlucky(tx: Transaction) -> int:
        row = tx.one("SELECT n FROM things WHERE id = 'hot'")
        assert row is not None
        runs.append(row["n"])
        if len(runs) < 4:
            admin.execute("UPDATE things SET n = n + 1 WHERE id = 'hot'")
        tx.run("UPDATE things SET n = :n WHERE id = 'hot'", n=row["n"] + 100)
        return row["n"] + 100

    others = [lambda tx, n=n: tx.run("INSERT INTO things VALUES (:id, 0)", id=f"{n}") for n in range(20)]
    blocker = asyncio.ensure_future(database.write(lambda tx: tx.run("SELECT pg_sleep(0.05)")))
    answers = await asyncio.gather(*(database.write(work) for work in [*others[:10], unlucky, *others[10:]]))
    await blocker
    assert answers.pop(10) == 103
    assert answers == [1] * 20
    assert runs == [0, 1, 2, 3]
    await database.close()


async def test_a_work_that_always_loses_is_refused(dsn: str, admin: psycopg.Connection) -> None:
    database = await Postgres.open(dsn, THINGS, Settings(attempts=3))
    await database.write(lambda tx: tx.run("INSERT INTO things VALUES ('hot', 0)"))

    def unlucky(tx: Transaction) -> None:
        tx.one("SELECT n FROM things WHERE id = 'hot'")
        admin.execute("UPDATE things SET n = n + 1 WHERE id = 'hot'")
        try:
            tx.run("UPDATE things SET n = 0 WHERE id = 'hot'")
        except StoreError:
            raise ValueError("hides the reason") from None

    with pytest.raises(Contended):
        await database.write(unlucky)
    assert await database.read(lambda tx: tx.one("SELECT n FROM things")) == {"n": 3}
    await database.close()


async def test_a_full_disk_refuses_all_that_wait(dsn: str, admin: psycopg.Connection) -> None:
    database = await Postgres.open(dsn, THINGS)
    admin.execute("""CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        RAISE EXCEPTION 'could not extend file' USING ERRCODE = 'disk_full'; END $$""")
    admin.execute("CREATE TRIGGER full_disk BEFORE INSERT ON things EXECUTE FUNCTION full_disk()")
    with pytest.raises(StorageFull, match="could not extend file"):
        await database.write(counting([]))
    admin.execute("DROP TRIGGER full_disk ON things")
    assert await database.write(counting([])) == 1
    await database.close()


async def test_marks_of_commits_do_not_pile_up(
    dsn: str, admin: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MARKS", 5)
    database = await Postgres.open(dsn, THINGS)
    for n in range(23):
        await database.write(lambda tx, n=n: tx.run("INSERT INTO things VALUES (:id, 0)", id=f"{n}"))
    await database.close()
    row = admin.execute("SELECT count(*) FROM commit_marks").fetchone()
    assert row is not None
    assert row[0] < 5
