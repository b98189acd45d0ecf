"""PostgreSQL, for when one machine is outgrown: the same works, shared by several servers, any of which may die.

Loaded only when it is used (`cumulet[postgres]`). One writer thread takes works in groups, as on SQLite:
one SERIALIZABLE transaction for each group, run again when PostgreSQL says that it could not be serialised. Why
SERIALIZABLE stands in docs/decisions/0003-transactions.md. Reads are READ ONLY, REPEATABLE READ snapshots.

When the connection is lost before COMMIT was sent, the group is run again on a new one. When it is lost during COMMIT,
PostgreSQL is asked afterwards whether that transaction was committed, so that nothing is acknowledged that was not, and
nothing is done twice. It refuses a database that sorts text by the rules of a language.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Self

import psycopg
from psycopg import sql
from psycopg.errors import UniqueViolation
from psycopg.pq import TransactionStatus

from cumulet.base import json
from cumulet.store import migrate
from cumulet.store.api import Transaction
from cumulet.store.errors import (
    Conflict,
    Contended,
    OutcomeUnknown,
    StorageFull,
    StoreError,
    Unreachable,
    WrongCollation,
)
from cumulet.store.hands import Again, Answer, Ears, Effects, Hands, Item, call_all, outcome, settle
from cumulet.store.postgres_ear import PostgresEar
from cumulet.store.postgres_tx import Connection, PostgresTransaction, connect, explain, is_lost

CHANNEL = "cumulet"
_MIGRATING = 7_236_001
"""The advisory lock of who migrates."""

_WRITER = (
    "-c default_transaction_isolation=serializable"
    " -c idle_in_transaction_session_timeout=15s"  # a server that hangs does not hold up the others for ever
    " -c lock_timeout=20s"
)
_READER = "-c default_transaction_isolation=repeatable\\ read -c default_transaction_read_only=on"
_BY_BYTES = "SELECT 'B' < 'a' AND 'Z' < '_' AND '_' < 'a' AND 'z' < 'é' AND '-b' < '.a' AS by_bytes"
_MARKS = """CREATE TABLE IF NOT EXISTS commit_marks (
    id TEXT PRIMARY KEY, at TIMESTAMPTZ NOT NULL DEFAULT now()
)"""
_TURN = "CREATE TABLE IF NOT EXISTS commit_turn (nothing BIGINT)"
_OLD_MARKS = "DELETE FROM commit_marks WHERE at < now() - interval '1 day'"
WARY = 32
"""For so many groups after a conflict, a writer waits for its turn before it begins."""

MARKS = 256
"""After so many commits their marks are removed."""

LONGEST_NOTICE = 7000
"""Bytes of a NOTIFY; longer ones are shortened to "everything"."""

type _Tell = Callable[[Sequence[Answer], Effects], None]


@dataclass(frozen=True, slots=True)
class Settings:
    """How much of PostgreSQL one server takes."""

    writers: int = 1
    """More than one pays only where the way to PostgreSQL is long: they are in each other's way."""
    readers: int = 4
    group: int = 128
    attempts: int = 30
    patience: float = 20.0
    """Seconds that works wait for a server that is away."""


class Postgres:
    """A `store.api.Database` on a PostgreSQL server. Made by `open`."""

    kind = "postgres"

    def __init__(self, dsn: str, loop: asyncio.AbstractEventLoop, settings: Settings) -> None:
        self.dsn = dsn
        self._loop = loop
        self._settings = settings
        self._ears = Ears()
        self._writing = Hands(loop, "postgres-writer")
        self._reading = Hands(loop, "postgres-reader")
        self._ear = PostgresEar(dsn, loop, self._ears, CHANNEL)

    @classmethod
    async def open(
        cls, dsn: str, migrations: Sequence[migrate.Migration] | None = None, settings: Settings | None = None
    ) -> Self:
        """Connect and bring the database to our schema. `migrations` is for tests."""
        database = cls(dsn, asyncio.get_running_loop(), settings or Settings())
        todo = migrate.found() if migrations is None else migrations
        await asyncio.to_thread(prepare, dsn, todo)
        await database._ear.open()
        database._hire()
        return database

    async def write[T](self, work: Callable[[Transaction], T], /) -> T:
        answer: T = await self._writing.give(work)
        return answer

    async def read[T](self, work: Callable[[Transaction], T], /) -> T:
        answer: T = await self._reading.give(work)
        return answer

    def listen(self, topic: str, wake: Callable[[], None], /) -> Callable[[], None]:
        return self._ears.listen(topic, wake)

    async def close(self) -> None:
        await self._reading.dismiss()
        await self._writing.dismiss()
        await self._ear.close()

    def _hire(self) -> None:
        settings = self._settings
        for number in range(settings.writers):
            writer = _Writer(self.dsn, settings, self._answer, self._ear.origin, number)
            self._writing.hire(writer.group, writer.leave, settings.group)
        for _ in range(settings.readers):
            reader = _Reader(self.dsn, settings, self._answer)
            self._reading.hire(reader.group, reader.leave, 1)

    def _answer(self, answers: Sequence[Answer], effects: Effects) -> None:
        topics, actions = effects.take()
        self._loop.call_soon_threadsafe(self._tell, answers, topics, actions)

    def _tell(self, answers: Sequence[Answer], topics: list[str], actions: list[Callable[[], None]]) -> None:
        settle(answers)
        call_all(self._loop, actions)
        call_all(self._loop, self._ears.wake(topics))


def prepare(dsn: str, migrations: Sequence[migrate.Migration]) -> None:
    """Check the database and migrate it; of several servers that start at once, one after the other."""
    connection = connect(dsn, options="-c default_transaction_isolation=read\\ committed")
    try:
        row = connection.execute(_BY_BYTES).fetchone()
        if row is not None and not row["by_bytes"]:
            raise WrongCollation(
                "this database sorts text by the rules of a language; names must sort by their bytes\n"
                "hint: createdb --template=template0 --encoding=UTF8 --locale=C cumulet"
            )
        connection.execute("SELECT pg_advisory_lock(%s)", (_MIGRATING,))
        with connection.transaction():
            connection.execute(_MARKS)
            connection.execute(_TURN)
            connection.execute(_OLD_MARKS)
            migrate.apply(PostgresTransaction(connection, Effects(), writable=True), migrations)
    except psycopg.Error as error:
        raise explain(error, connection) from error
    finally:
        connection.close()


class _Hand:
    """One thread's connection, made when it is first needed and again when it was lost."""

    writable = False
    options = _READER

    def __init__(self, dsn: str, settings: Settings, answer: _Tell) -> None:
        self._dsn = dsn
        self._settings = settings
        self._answer = answer
        self._effects = Effects()
        self._connection: Connection | None = None
        self._away_since: float | None = None
        self._tx: PostgresTransaction

    def leave(self) -> None:
        """The end: close."""
        if self._connection is not None:
            self._connection.close()

    def _ready(self, until: float) -> Connection:
        """A live connection; tries until `until` (monotonic), then raises `Unreachable`."""
        connection = self._connection
        if connection is not None and not connection.closed:
            return connection
        pause = 0.02
        while True:
            try:
                connection = connect(self._dsn, options=self.options)
            except Unreachable:
                now = time.monotonic()
                self._away_since = self._away_since or now
                if now + pause > until:
                    raise
                time.sleep(pause)
                pause = min(pause * 2, 0.5)
            else:
                self._away_since = None
                self._connection = connection
                self._tx = PostgresTransaction(connection, self._effects, writable=self.writable)
                return connection

    def _until(self) -> float:
        """How long to wait for a server that is away. Who comes after the patience has run out is told at once."""
        return (self._away_since or time.monotonic()) + self._settings.patience


class _Reader(_Hand):
    """Gives each work a snapshot."""

    def group(self, items: Sequence[Item]) -> None:
        self._answer([self._one(item, self._until()) for item in items], self._effects)

    def _one(self, item: Item, until: float) -> Answer:
        while True:
            try:
                answer = self._once(item, self._ready(until))
            except Unreachable as error:
                return item[1], False, error
            if not isinstance(answer[2], Again | Unreachable) or time.monotonic() > until:
                return answer

    def _once(self, item: Item, connection: Connection) -> Answer:
        try:
            connection.execute("BEGIN")
            answer = outcome(self._tx, *item)
            if not connection.closed:
                connection.execute("ROLLBACK")  # there is nothing to commit, and it ends a failed one too
        except psycopg.Error as error:
            return item[1], False, explain(error, connection)
        return answer


class _Writer(_Hand):
    """Takes works in groups, one transaction for each group."""

    writable = True
    options = _WRITER

    def __init__(self, dsn: str, settings: Settings, answer: _Tell, origin: str, number: int) -> None:
        super().__init__(dsn, settings, answer)
        self._origin = origin
        self._number = number
        self._commits = 0
        self._marks: list[str] = []
        self._wary = 0

    def group(self, items: Sequence[Item]) -> None:
        """Run the works of `items` together and answer all; where others win again and again, one by one."""
        until = self._until()
        error: StoreError = Contended("other writers changed the same rows again and again")
        for number in range(self._settings.attempts):
            try:
                answers = self._transaction(items, until, first=number == 0)
            except Again:
                self._wary = WARY
                if number and len(items) > 1:
                    for item in items:
                        self.group([item])
                    return
            except Unreachable as lost:
                error = lost
                if time.monotonic() > until:
                    break
            except StoreError as final:
                error = final
                break
            else:
                self._answer(answers, self._effects)
                self._tidy()
                return
        self._effects.take()
        self._answer([(future, False, type(error)(*error.args)) for _, future in items], self._effects)

    def _transaction(self, items: Sequence[Item], until: float, *, first: bool) -> list[Answer]:
        """Run `items` in one transaction and commit it.

        Raises `Again`, `Unreachable` (both: nothing was done), or what is final. After a conflict writers take turns
        for a while, so that they do not refuse each other for ever; LOCK takes no snapshot: theirs is fresh.
        """
        connection = self._ready(until)
        self._effects.take()
        turn, self._wary = self._wary > 0, max(self._wary - 1, 0)
        begin = "BEGIN; LOCK TABLE commit_turn IN EXCLUSIVE MODE" if turn else "BEGIN"
        try:
            connection.execute(begin, prepare=False)
            answers = self._plain(items, first=first)
            if answers is None:
                connection.execute("ROLLBACK")
                connection.execute(begin, prepare=False)
                answers = [self._guarded(item, connection) for item in items]
            if connection.info.transaction_status == TransactionStatus.INTRANS:
                self._commit(connection, until)
        except psycopg.Error as error:
            raise explain(error, connection) from error
        finally:
            _end(connection)
        return answers

    def _plain(self, items: Sequence[Item], *, first: bool) -> list[Answer] | None:
        """Run all without savepoints; None when one of several failed after it may have written."""
        tx, effects = self._tx, self._effects
        answers: list[Answer] = []
        for item in items:
            mark, tx.wrote = effects.mark(), False
            answer = _attempt(tx, item)
            if not answer[1]:
                effects.back(mark)
                if tx.wrote or isinstance(answer[2], StoreError):
                    if len(items) > 1:
                        effects.take()
                        return None
                    if first and isinstance(answer[2], Conflict):
                        raise Again(str(answer[2]))  # perhaps only because the snapshot was old: look once more
                    _end(tx.connection)
            answers.append(answer)
        return answers

    def _guarded(self, item: Item, connection: Connection) -> Answer:
        """Run one work in a savepoint of its own, so that it is rolled back alone."""
        mark = self._effects.mark()
        connection.execute("SAVEPOINT work")
        answer = _attempt(self._tx, item)
        if not answer[1]:
            self._effects.back(mark)
            connection.execute("ROLLBACK TO work")
        connection.execute("RELEASE work")
        return answer

    def _commit(self, connection: Connection, until: float) -> None:
        """Commit, with a mark that tells later whether it was done, and the notice to other servers."""
        self._commits += 1
        mark = f"{self._origin}-{self._number}-{self._commits}"
        notice = f"{self._origin} {json.dumps(list(dict.fromkeys(self._effects.topics)))}"
        statements: list[sql.Composable] = [sql.SQL("INSERT INTO commit_marks (id) VALUES ({})").format(mark)]
        if self._effects.topics:
            notice = notice if len(notice) < LONGEST_NOTICE else f"{self._origin} *"
            statements.append(sql.SQL("SELECT pg_notify({}, {})").format(CHANNEL, notice))
        statements.append(sql.SQL("COMMIT"))
        try:
            connection.execute(sql.SQL("; ").join(statements), prepare=False)
        except psycopg.Error as error:
            if not is_lost(error, connection):
                raise
            connection.close()
            if not self._was_committed(mark, until):
                raise
        self._marks.append(mark)

    def _tidy(self) -> None:
        """Remove marks that nobody will ask for: their works are answered."""
        connection = self._connection
        if len(self._marks) < MARKS or connection is None:
            return
        marks, self._marks = self._marks, []
        try:  # at another isolation level: reading them must not look like a conflict to other writers
            connection.execute("BEGIN ISOLATION LEVEL READ COMMITTED")
            connection.execute("DELETE FROM commit_marks WHERE id = ANY(%s)", (marks,))
            connection.execute("COMMIT")
        except psycopg.Error:
            _end(connection)

    def _was_committed(self, mark: str, until: float) -> bool:
        """Whether the transaction with `mark` was committed. If not, it never will be: the mark is ours now."""
        while True:
            try:
                self._ready(until).execute("INSERT INTO commit_marks (id) VALUES (%s)", (mark,))
            except UniqueViolation:
                return True
            except Unreachable as error:
                raise OutcomeUnknown(f"the server went away in the middle of a commit: {error}") from error
            except psycopg.Error as error:
                if self._connection is not None:
                    explain(error, self._connection)
                if time.monotonic() > until:
                    raise OutcomeUnknown(f"the server went away in the middle of a commit: {error}") from error
            else:
                return False


def _attempt(tx: PostgresTransaction, item: Item) -> Answer:
    """One work's answer; raises what concerns the whole transaction."""
    answer = outcome(tx, *item)
    if not answer[1] and isinstance(answer[2], Again | Unreachable | StorageFull):
        raise answer[2]
    return answer


def _end(connection: Connection) -> None:
    """Roll back what is open. Where that fails, closing does it."""
    try:
        if not connection.closed and connection.info.transaction_status != TransactionStatus.IDLE:
            connection.execute("ROLLBACK")
    except psycopg.Error:
        connection.close()
