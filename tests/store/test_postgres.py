"""PostgreSQL's own: several servers, conflicts, restarts, lost connections."""

import asyncio
from collections.abc import AsyncIterator

import psycopg
import pytest
from tests.postgres import Server

from cumulet.store.api import Transaction
from cumulet.store.errors import StoreError, Unreachable, WrongCollation
from cumulet.store.migrate import Migration
from cumulet.store.opening import open_database
from cumulet.store.postgres import Postgres, Settings
from cumulet.store.postgres_tx import translate

THINGS = [Migration(1, "things", "CREATE TABLE things (id TEXT PRIMARY KEY, n BIGINT NOT NULL);\n")]


@pytest.fixture
def dsn(postgres: Server) -> AsyncIterator[str]:
    dsn = postgres.fresh()
    yield dsn
    postgres.drop(dsn)


@pytest.fixture
async def pair(dsn: str) -> AsyncIterator[tuple[Postgres, Postgres]]:
    """Two servers on one database."""
    first, second = await Postgres.open(dsn, THINGS), await Postgres.open(dsn, THINGS)
    yield first, second
    await first.close()
    await second.close()


def put(id: str, n: int = 0) -> object:
    return lambda tx: tx.run("INSERT INTO things VALUES (:id, :n)", id=id, n=n)


async def rows(database: Postgres) -> dict[str, int]:
    found = await database.read(lambda tx: tx.all("SELECT id, n FROM things"))
    return {row["id"]: row["n"] for row in found}


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ("SELECT :a, :b_2", "SELECT %(a)s, %(b_2)s"),
        ("SELECT :a::bigint, ':x', \":y\", x::text", "SELECT %(a)s::bigint, ':x', \":y\", x::text"),
        ("SELECT a % :b, 'it''s :c 5%' -- :d %", "SELECT a %% %(b)s, 'it''s :c 5%%' -- :d %%"),
        ("SELECT '{\"a\": 1}', a[1:2]", "SELECT '{\"a\": 1}', a[1:2]"),
    ],
)
def test_names_of_values_in_our_words_and_in_theirs(ours: str, theirs: str) -> None:
    assert translate(ours) == theirs


async def test_values_come_and_go_as_on_sqlite(pair: tuple[Postgres, Postgres]) -> None:
    database = pair[0]
    await database.write(lambda tx: tx.run("INSERT INTO things VALUES ('5% of ''a''', :yes)", yes=True))
    await database.write(put("b", 2**62))
    found = await database.read(
        lambda tx: tx.one("SELECT SUM(n) AS total, AVG(1.5) AS mean, COUNT(*) AS rows FROM things")
    )
    assert found == {"total": 2**62 + 1, "mean": 1.5, "rows": 2}
    assert isinstance(found["total"], int)


async def test_works_written_as_read_modify_write_are_safe_across_servers(pair: tuple[Postgres, Postgres]) -> None:
    await pair[0].write(put("counter"))

    def add(tx: Transaction) -> None:
        row = tx.one("SELECT n FROM things WHERE id = 'counter'")
        assert row is not None
        tx.run("UPDATE things SET n = :n WHERE id = 'counter'", n=row["n"] + 1)

    await asyncio.gather(*(pair[n % 2].write(add) for n in range(200)))
    assert await rows(pair[1]) == {"counter": 200}


async def test_no_write_skew(pair: tuple[Postgres, Postgres]) -> None:
    """Of two doctors on call at most one may leave: each looks at the other's row and changes its own."""
    for round_ in range(10):
        for doctor in "ab":
            await pair[0].write(put(f"{doctor}{round_}", 1))

        def leave(tx: Transaction, doctor: str, ward: int = round_) -> bool:
            on_call = tx.all("SELECT id FROM things WHERE n = 1 AND id LIKE :ward", ward=f"_{ward}")
            if len(on_call) > 1:
                tx.run("UPDATE things SET n = 0 WHERE id = :id", id=f"{doctor}{ward}")
            return len(on_call) > 1

        left = await asyncio.gather(
            pair[0].write(lambda tx: leave(tx, "a")),
            pair[1].write(lambda tx: leave(tx, "b")),
        )
        assert sorted(left) == [False, True]


async def test_a_key_that_two_servers_want_is_given_once(pair: tuple[Postgres, Postgres]) -> None:
    def create(tx: Transaction) -> bool:
        if tx.one("SELECT id FROM things WHERE id = 'bucket'") is not None:
            return False
        tx.run("INSERT INTO things VALUES ('bucket', 1)")
        return True

    answers = await asyncio.gather(*(pair[n % 2].write(create) for n in range(20)))
    assert answers.count(True) == 1


async def test_claims_pass_over_what_others_claimed(pair: tuple[Postgres, Postgres]) -> None:
    await pair[0].write(
        lambda tx: tx.many("INSERT INTO things VALUES (:id, 0)", [{"id": f"t{n:03}"} for n in range(60)])
    )
    sql = """UPDATE things SET n = 1 WHERE id IN (SELECT id FROM things WHERE n = 0 ORDER BY id LIMIT 5
        FOR UPDATE SKIP LOCKED) RETURNING id"""
    claimed = await asyncio.gather(*(pair[n % 2].write(lambda tx: tx.all(sql)) for n in range(12)))
    assert sorted(row["id"] for group in claimed for row in group) == [f"t{n:03}" for n in range(60)]


async def test_a_wake_reaches_every_server_once_committed(pair: tuple[Postgres, Postgres]) -> None:
    heard: asyncio.Queue[str] = asyncio.Queue()
    for name, database in zip("ab", pair, strict=True):
        database.listen("topic", lambda name=name: heard.put_nowait(name))
        database.listen(f"topic of {name}", lambda name=name: heard.put_nowait(f"own {name}"))

    def fail(tx: Transaction) -> None:
        tx.wake("topic")
        tx.run("SELECT 1")
        raise ValueError

    with pytest.raises(ValueError):
        await pair[0].write(fail)
    await pair[0].write(lambda tx: tx.wake("topic"))
    assert {await heard.get(), await heard.get()} == {"a", "b"}
    await pair[0].write(lambda tx: tx.wake("topic of b"))
    assert await heard.get() == "own b"
    await pair[0].write(lambda tx: [tx.wake(f"a long list of topics {n}") for n in range(400)])
    assert {await heard.get(), await heard.get()} == {"b", "own b"}  # too long to tell: everyone there is woken
    assert heard.empty()


async def test_works_go_on_over_restarts_and_none_is_lost_or_done_twice(postgres: Server, dsn: str) -> None:
    database = await Postgres.open(dsn, THINGS)
    stop = False

    async def lane(name: str) -> int:
        done = 0
        while not stop:
            await database.write(put(f"{name}-{done}"))
            done += 1
            await rows(database)
        return done

    heard = asyncio.Event()
    database.listen("anything", heard.set)
    lanes = [asyncio.create_task(lane(f"lane{n}")) for n in range(8)]
    for mode in ("fast", "immediate"):
        await asyncio.to_thread(postgres.restart, mode)
        await database.write(put(f"after {mode}"))
        await heard.wait()  # whoever listens is woken when the connection is back
        heard.clear()
    stop = True
    done = await asyncio.gather(*lanes)
    expected = {f"lane{n}-{i}" for n, count in enumerate(done) for i in range(count)}
    assert set(await rows(database)) == expected | {"after fast", "after immediate"}
    await database.close()


async def test_a_connection_that_is_lost_in_a_commit_is_asked_about(dsn: str) -> None:
    """A trigger ends the backend in the middle of COMMIT; on the second try it lets the work pass."""
    database = await Postgres.open(dsn, THINGS)
    with psycopg.connect(dsn, autocommit=True) as admin:
        admin.execute("CREATE SEQUENCE tries")
        admin.execute("""CREATE FUNCTION cut() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
            IF nextval('tries') = 1 THEN PERFORM pg_terminate_backend(pg_backend_pid()); END IF; RETURN NEW; END $$""")
        admin.execute("""CREATE CONSTRAINT TRIGGER cut AFTER INSERT ON things DEFERRABLE INITIALLY DEFERRED
            FOR EACH ROW EXECUTE FUNCTION cut()""")
    runs = []

    def work(tx: Transaction) -> int:
        runs.append(1)
        return tx.run("INSERT INTO things VALUES ('a', 1)")

    assert await database.write(work) == 1
    assert len(runs) == 2
    assert await rows(database) == {"a": 1}
    await database.close()


async def test_a_server_that_stays_away_is_told(postgres: Server, dsn: str) -> None:
    database = await Postgres.open(dsn, THINGS, Settings(patience=0.1))
    await database.write(put("a"))
    await asyncio.to_thread(postgres.down, "fast")
    try:
        with pytest.raises(Unreachable):
            await database.write(put("b"))
        with pytest.raises(Unreachable):
            await database.read(lambda tx: tx.all("SELECT * FROM things"))
        with pytest.raises(Unreachable):
            await Postgres.open(dsn, THINGS)
    finally:
        await asyncio.to_thread(postgres.up)
    assert await rows(database) == {"a": 0}
    await database.close()


async def test_works_of_a_group_that_fail_are_rolled_back_alone(dsn: str) -> None:
    database = await Postgres.open(dsn, THINGS)

    def work(n: int) -> object:
        def insert(tx: Transaction) -> int:
            tx.run("INSERT INTO things VALUES (:id, :n)", id=f"{n % 50}", n=n)
            return n

        return insert

    answers = await asyncio.gather(*(database.write(work(n)) for n in range(100)), return_exceptions=True)
    assert answers[:50] == list(range(50))
    assert all(isinstance(answer, StoreError) for answer in answers[50:])
    assert await rows(database) == {f"{n}": n for n in range(50)}
    await database.close()


async def test_text_must_sort_by_its_bytes(postgres: Server) -> None:
    postgres.admin("CREATE DATABASE lingual TEMPLATE template0 LOCALE_PROVIDER icu ICU_LOCALE 'en-US'")
    with pytest.raises(WrongCollation, match="rules of a language.*\nhint: createdb"):
        await Postgres.open(postgres.dsn("lingual"), THINGS)
    postgres.admin("DROP DATABASE lingual")


async def test_an_address_with_the_scheme(dsn: str) -> None:
    parts = dict(part.split("=", 1) for part in dsn.split())
    database = await open_database(f"postgresql://postgres@/{parts['dbname']}?host={parts['host']}")
    assert database.kind == "postgres"
    await database.close()
