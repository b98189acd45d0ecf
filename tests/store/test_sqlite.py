"""SQLite's own: the file, the log, the full disk, the killed process."""

import asyncio
import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from cumulet.store import sqlite
from cumulet.store.api import Transaction
from cumulet.store.errors import BadStatement, Closed, Damaged, InUse, NewerDatabase, StorageFull, StoreError
from cumulet.store.migrate import Migration
from cumulet.store.opening import open_database
from cumulet.store.sqlite import SQLite

THINGS = [Migration(1, "things", "CREATE TABLE things (id BIGINT PRIMARY KEY, body BYTEA);\n")]


def put(n: int, size: int = 0) -> object:
    return lambda tx: tx.run("INSERT INTO things VALUES (:id, :body)", id=n, body=bytes(size))


async def ids(database: SQLite) -> list[int]:
    return [row["id"] for row in await database.read(lambda tx: tx.all("SELECT id FROM things ORDER BY id"))]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "cumulet.db"


async def test_what_was_written_is_there_after_reopening(path: Path) -> None:
    first = await SQLite.open(path, THINGS)
    await first.write(put(1))
    await first.close()
    second = await SQLite.open(path, THINGS)
    assert await ids(second) == [1]
    await second.close()


async def test_a_second_server_on_one_file_is_refused(path: Path) -> None:
    first = await SQLite.open(path, THINGS)
    with pytest.raises(InUse, match="in use by another Cumulet\nhint: "):
        await SQLite.open(path, THINGS)
    await first.close()
    await (await SQLite.open(path, THINGS)).close()


async def test_works_that_were_accepted_are_done_before_it_closes(path: Path) -> None:
    database = await SQLite.open(path, THINGS)
    writing = [asyncio.ensure_future(database.write(put(n))) for n in range(700)]
    reading = asyncio.ensure_future(database.read(lambda tx: tx.one("SELECT 1 AS one")))
    await asyncio.sleep(0)
    await database.close()
    assert await asyncio.gather(*writing) == [1] * 700
    assert await reading == {"one": 1}
    with pytest.raises(Closed):
        await database.write(put(1))
    with pytest.raises(Closed):
        await database.read(lambda tx: None)
    await database.close()


async def test_a_reader_keeps_its_snapshot_and_does_not_stop_the_writer(path: Path) -> None:
    database = await SQLite.open(path, THINGS)
    loop = asyncio.get_running_loop()

    def look(tx: Transaction) -> tuple[int, int]:
        before = len(tx.all("SELECT * FROM things"))
        asyncio.run_coroutine_threadsafe(database.write(put(1)), loop).result()
        return before, len(tx.all("SELECT * FROM things"))

    assert await database.read(look) == (0, 0)
    assert await ids(database) == [1]
    await database.close()


async def test_a_statement_that_was_not_read_to_its_end_holds_nothing_back(path: Path) -> None:
    database = await SQLite.open(path, THINGS)
    await asyncio.gather(*(database.write(put(n)) for n in range(5)))
    for _ in range(sqlite.READERS + 1):
        await database.read(lambda tx: tx.one("SELECT * FROM things"))
    moved = await database.write(lambda tx: tx.one("UPDATE things SET id = id + 10 RETURNING id"))
    assert moved == {"id": 10}
    for _ in range(sqlite.READERS + 1):
        assert await ids(database) == [10, 11, 12, 13, 14]
    await database.close()


async def test_the_log_does_not_grow_without_bound(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite, "WAL_TIDY", 100_000)
    database = await SQLite.open(path, THINGS)
    for n in range(60):
        await database.write(put(n, 10_000))
    await database.write(put(100))  # the last checkpoint comes after the answer before it
    assert Path(f"{path}-wal").stat().st_size < 200_000
    await database.close()


async def test_a_file_that_is_no_database(path: Path) -> None:
    path.write_bytes(b"This is a letter to my aunt. " * 100)
    with pytest.raises(Damaged, match="not a database"):
        await SQLite.open(path, THINGS)
    assert path.read_bytes().startswith(b"This is a letter")


async def test_a_database_of_another_program(path: Path) -> None:
    other = sqlite3.connect(path)
    other.execute("CREATE TABLE theirs (id)")
    other.commit()
    other.close()
    with pytest.raises(Damaged, match="is a database of another program"):
        await SQLite.open(path, THINGS)


async def test_a_damaged_page_is_told_as_such(path: Path) -> None:
    database = await SQLite.open(path, THINGS)
    await asyncio.gather(*(database.write(put(n, 1000)) for n in range(200)))
    await database.close()
    with path.open("r+b") as file:
        file.seek(100_000)
        file.write(os.urandom(20_000))
    database = await SQLite.open(path, THINGS)
    with pytest.raises(Damaged):
        await database.write(lambda tx: tx.all("SELECT * FROM things"))
    await database.close()


async def test_a_newer_database_leaves_the_lock_free(path: Path) -> None:
    await (await SQLite.open(path, [*THINGS, Migration(2, "more", "CREATE TABLE more (id TEXT);\n")])).close()
    with pytest.raises(NewerDatabase):
        await SQLite.open(path, THINGS)
    await (await SQLite.open(path, [*THINGS, Migration(2, "more", "CREATE TABLE more (id TEXT);\n")])).close()


async def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="No such file"):
        await SQLite.open(tmp_path / "nowhere" / "cumulet.db")


async def test_strange_names_of_files(tmp_path: Path) -> None:
    path = tmp_path / "a b?mode=ro&%41#é.db"
    database = await SQLite.open(path, THINGS)
    await database.write(put(1))
    assert await ids(database) == [1]
    await database.close()
    assert path.exists()


async def test_values_that_do_not_fit_are_refused(path: Path) -> None:
    database = await SQLite.open(path, THINGS)
    for value in (2**63, "\ud800", object()):
        with pytest.raises(BadStatement):
            await database.write(lambda tx, value=value: tx.run("INSERT INTO things VALUES (:id, NULL)", id=value))
    with pytest.raises(BadStatement):
        await database.write(lambda tx: tx.many("INSERT INTO things VALUES (:id, NULL)", [{"id": 1}, {"no": 2}]))
    assert await ids(database) == []
    await database.close()


async def test_a_work_that_raises_stop_iteration(path: Path) -> None:
    database = await SQLite.open(path, THINGS)
    with pytest.raises(RuntimeError, match="StopIteration"):
        await database.write(lambda tx: next(iter(())))
    await database.close()


async def test_an_action_that_fails_does_not_stop_the_others(path: Path) -> None:
    database = await SQLite.open(path, THINGS)
    told: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda loop, context: told.append(context["exception"]))

    def work(tx: Transaction) -> None:
        tx.after_commit(lambda: {}["missing"])
        tx.after_commit(lambda: told.append("next"))

    await database.write(work)
    assert isinstance(told[0], KeyError)
    assert told[1:] == ["next"]
    await database.close()


async def test_a_full_disk_refuses_all_that_wait_loses_nothing_and_works_again(small_disk: Path) -> None:
    ballast = small_disk / "ballast"
    database = await SQLite.open(small_disk / "cumulet.db", THINGS)
    await database.write(put(0))
    ballast.write_bytes(bytes(3_000_000))

    written = {0}
    answers = await asyncio.gather(*(database.write(put(n, 50_000)) for n in range(1, 60)), return_exceptions=True)
    written |= {n for n, answer in enumerate(answers, 1) if answer == 1}
    refused = [answer for answer in answers if answer != 1]
    assert refused
    assert all(isinstance(answer, StorageFull) for answer in refused)
    assert await ids(database) == sorted(written)

    ballast.unlink()
    await database.write(put(1000, 50_000))
    written.add(1000)
    await database.close()

    database = await SQLite.open(small_disk / "cumulet.db", THINGS)
    assert await ids(database) == sorted(written)
    assert await database.read(lambda tx: tx.one("PRAGMA integrity_check")) == {"integrity_check": "ok"}
    await database.close()


CHILD = """
import asyncio, sys
from cumulet.store.migrate import Migration
from cumulet.store.sqlite import SQLite
async def main():
    schema = [Migration(1, "things", "CREATE TABLE things (id BIGINT PRIMARY KEY, body BYTEA);\\n")]
    database = await SQLite.open(sys.argv[1], schema)
    async def lane(first):
        for n in range(first, 10**9, 32):
            await database.write(lambda tx: tx.run("INSERT INTO things VALUES (:id, :body)", id=n, body=bytes(2000)))
            print(n, flush=True)
    await asyncio.gather(*(lane(n) for n in range(32)))
asyncio.run(main())
"""


async def test_a_process_that_is_killed_loses_nothing_it_acknowledged(path: Path) -> None:
    acknowledged: set[int] = set()
    for lines in (50, 400):
        path.unlink(missing_ok=True)
        acknowledged.clear()
        child = subprocess.Popen([sys.executable, "-c", CHILD, path], stdout=subprocess.PIPE)
        assert child.stdout is not None
        acknowledged |= {int(child.stdout.readline()) for _ in range(lines)}
        child.kill()
        acknowledged |= {int(line) for line in child.stdout.read().splitlines(keepends=True) if line.endswith(b"\n")}
        child.stdout.close()
        child.wait()
        database = await SQLite.open(path, THINGS)
        assert acknowledged <= set(await ids(database))
        await database.close()


async def test_an_address_without_a_scheme_is_a_file(path: Path) -> None:
    database = await open_database(path)
    assert database.kind == "sqlite"
    assert path.exists()
    await database.close()
