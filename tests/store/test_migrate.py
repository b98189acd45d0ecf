"""Migrations: in order, each once, refused when they cannot be right."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from pathlib import Path

import pytest
from tests.postgres import Server

from cumulet.store.api import Database
from cumulet.store.errors import BadStatement, EditedMigration, NewerDatabase
from cumulet.store.migrate import Migration, found, split
from cumulet.store.postgres import Postgres
from cumulet.store.sqlite import SQLite

ONE = Migration(1, "one", "CREATE TABLE a (id TEXT PRIMARY KEY);\nINSERT INTO a VALUES ('x');\n")
TWO = Migration(2, "two", "CREATE TABLE b (id TEXT PRIMARY KEY);\n")
FIVE = Migration(5, "five", "INSERT INTO a VALUES ('y');\n")

type Open = Callable[[Sequence[Migration]], Awaitable[Database]]


@pytest.fixture(params=["sqlite", "postgres"])
def reopen(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Open]:
    """Opens the same, at first empty, database."""
    if request.param == "sqlite":
        yield lambda migrations: SQLite.open(tmp_path / "db", migrations)
        return
    server: Server = request.getfixturevalue("postgres")
    dsn = server.fresh()
    yield lambda migrations: Postgres.open(dsn, migrations)
    server.drop(dsn)


async def a(reopen: Open, migrations: Sequence[Migration]) -> list[object]:
    """What table a holds after `migrations`."""
    database = await reopen(migrations)
    rows = await database.read(lambda tx: tx.all("SELECT id FROM a ORDER BY id"))
    await database.close()
    return [row["id"] for row in rows]


async def test_each_is_applied_once_also_one_that_comes_later_with_a_lower_number(reopen: Open) -> None:
    assert await a(reopen, [ONE]) == ["x"]
    assert await a(reopen, [ONE]) == ["x"]
    assert await a(reopen, [ONE, FIVE]) == ["x", "y"]
    assert await a(reopen, [ONE, TWO, FIVE]) == ["x", "y"]


async def test_a_newer_database_is_refused_and_left_alone(reopen: Open) -> None:
    await a(reopen, [ONE, TWO])
    with pytest.raises(NewerDatabase, match=r"newer Cumulet: it has 0002_two\nhint: "):
        await reopen([ONE])
    assert await a(reopen, [ONE, TWO]) == ["x"]


async def test_an_edited_migration_is_refused(reopen: Open) -> None:
    await a(reopen, [ONE])
    with pytest.raises(EditedMigration, match=r"0001_one.sql has changed"):
        await reopen([Migration(1, "one", "CREATE TABLE a (id BIGINT PRIMARY KEY);\n")])
    commented = Migration(1, "one", f"-- Words may change.\n\n{ONE.text}")
    assert await a(reopen, [commented]) == ["x"]


async def test_a_migration_that_fails_leaves_nothing_of_any(reopen: Open) -> None:
    with pytest.raises(BadStatement, match="nowhere"):
        await reopen([ONE, Migration(2, "bad", "CREATE TABLE b (id TEXT);\nINSERT INTO nowhere VALUES (1);\n")])
    assert await a(reopen, [ONE, TWO]) == ["x"]


async def test_two_files_with_one_number_are_refused(reopen: Open) -> None:
    with pytest.raises(EditedMigration, match="the same number"):
        await reopen([ONE, Migration(1, "other", "CREATE TABLE b (id TEXT);\n")])


async def test_servers_that_start_at_once_on_one_postgresql(postgres: Server) -> None:
    dsn = postgres.fresh()
    opened = await asyncio.gather(*(Postgres.open(dsn, [ONE, TWO, FIVE]) for _ in range(5)))
    rows = await opened[0].read(lambda tx: tx.all("SELECT id FROM a ORDER BY id"))
    assert [row["id"] for row in rows] == ["x", "y"]
    for database in opened:
        await database.close()
    postgres.drop(dsn)


async def test_our_own_schema_fits_both(database: Database) -> None:
    rows = await database.read(lambda tx: tx.all("SELECT version FROM schema_versions ORDER BY version"))
    assert [row["version"] for row in rows] == [migration.version for migration in found()]


def test_only_numbered_files_count_and_they_come_in_order(tmp_path: Path) -> None:
    for name in ("0002_b.sql", "0001_a.sql", "notes.txt", "3_c.sql"):
        (tmp_path / name).write_text("SELECT 1;\n")
    assert [(migration.version, migration.name) for migration in found(tmp_path)] == [(1, "a"), (2, "b")]


def test_statements_end_with_a_semicolon_at_the_end_of_a_line() -> None:
    text = "-- one; two;\nCREATE TABLE a (\n  id TEXT DEFAULT 'x; y' -- no end\n);  \n\nSELECT ';' AS s;\nSELECT 3"
    assert list(split(text)) == [
        "CREATE TABLE a (\n  id TEXT DEFAULT 'x; y' -- no end\n)",
        "SELECT ';' AS s",
        "SELECT 3",
    ]
