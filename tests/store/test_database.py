"""The contract of `store.api`, the same on every database."""

import asyncio

import pytest

from cumulet.store.api import Database, Transaction
from cumulet.store.errors import BadStatement, Conflict, ReadOnly


@pytest.fixture(autouse=True)
async def table(database: Database) -> None:
    await database.write(lambda tx: tx.run("CREATE TABLE things (id TEXT PRIMARY KEY, n BIGINT, body BYTEA)"))


def put(tx: Transaction, id: str, n: int = 0) -> None:
    tx.run("INSERT INTO things (id, n) VALUES (:id, :n)", id=id, n=n)


async def ids(database: Database) -> list[str]:
    return [row["id"] for row in await database.read(lambda tx: tx.all("SELECT id FROM things ORDER BY id"))]


async def test_what_was_written_is_read(database: Database) -> None:
    def work(tx: Transaction) -> str:
        assert tx.run("INSERT INTO things VALUES (:id, :n, :body)", id="a", n=2**53 + 1, body=b"\x00\xff") == 1
        return "done"

    assert await database.write(work) == "done"
    row = await database.read(lambda tx: tx.one("SELECT * FROM things WHERE id = :id", id="a"))
    assert row == {"id": "a", "n": 2**53 + 1, "body": b"\x00\xff"}


async def test_a_group_of_works_where_some_fail(database: Database) -> None:
    def work(n: int) -> None:
        def insert(tx: Transaction) -> int:
            put(tx, f"k{n:03}", n)
            if n % 7 == 3:
                raise ValueError(n)
            return n

        return insert

    answers = await asyncio.gather(*(database.write(work(n)) for n in range(600)), return_exceptions=True)
    for n, answer in enumerate(answers):
        if n % 7 == 3:
            assert isinstance(answer, ValueError)
            assert answer.args == (n,)
        else:
            assert answer == n
    assert await ids(database) == [f"k{n:03}" for n in range(600) if n % 7 != 3]


async def test_wake_and_after_commit_come_after_the_commit_and_not_after_a_failure(database: Database) -> None:
    heard: list[str] = []
    done = asyncio.Event()
    stop = database.listen("topic", lambda: (heard.append("wake"), done.set()))
    database.listen("other", lambda: heard.append("wrong"))

    def bad(tx: Transaction) -> None:
        tx.wake("other")
        tx.after_commit(lambda: heard.append("wrong"))
        put(tx, "a")
        tx.run("INSERT INTO things (id) VALUES ('a')")

    def good(tx: Transaction) -> None:
        tx.wake("topic")
        tx.wake("topic")
        tx.after_commit(lambda: heard.append("after"))
        put(tx, "b")

    first, second = await asyncio.gather(database.write(bad), database.write(good), return_exceptions=True)
    assert isinstance(first, Conflict)
    assert second is None
    assert "after" in heard
    await done.wait()
    assert sorted(heard) == ["after", "wake"]
    stop()
    stop()
    await database.write(good_again)
    assert sorted(heard) == ["after", "wake"]
    assert await ids(database) == ["b", "c"]


def good_again(tx: Transaction) -> None:
    put(tx, "c")
    tx.wake("topic")


async def test_a_read_cannot_write(database: Database) -> None:
    with pytest.raises(ReadOnly):
        await database.read(lambda tx: put(tx, "a"))
    with pytest.raises(ReadOnly):
        await database.read(lambda tx: tx.wake("a"))
    with pytest.raises(ReadOnly):
        await database.read(lambda tx: tx.after_commit(print))
    await database.write(lambda tx: put(tx, "a"))
    assert await ids(database) == ["a"]


async def test_a_failed_statement_ends_its_work_even_when_the_work_goes_on(database: Database) -> None:
    def stubborn(tx: Transaction) -> str:
        put(tx, "a")
        try:
            put(tx, "a")
        except Conflict:
            return "all is well"
        return ""

    with pytest.raises(Conflict):
        await database.write(stubborn)
    assert await ids(database) == []


async def test_a_wrong_statement_is_our_mistake(database: Database) -> None:
    with pytest.raises(BadStatement):
        await database.write(lambda tx: tx.run("INSERT INTO nowhere VALUES (1)"))
    await database.write(lambda tx: put(tx, "a"))
