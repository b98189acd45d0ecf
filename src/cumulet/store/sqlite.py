"""The default database: one SQLite file, one writer thread, many readers.

WAL with `synchronous=FULL`: what is acknowledged has been written to the disk. The writer takes all works that wait (up
to 256), runs them one after the other, commits once, then answers all. `:memory:` is the same class with one connection
on which reads take their turn between the commits; it is what tests use, and `--ephemeral`.

A group runs without savepoints first, for they cost more than most works. A work that fails before it has written
anything is simply answered; where one fails after it wrote, the group is rolled back and run again with a savepoint
around each work. So a work may run twice, as the contract says.

It refuses: a second server on the same file, a file that is no database of Cumulet, one made by a newer Cumulet.
"""

import asyncio
import fcntl
import os
import sqlite3
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Self

from cumulet.store import migrate
from cumulet.store.api import Transaction
from cumulet.store.errors import Damaged, InUse, StorageFull, StoreError
from cumulet.store.hands import Answer, Ears, Effects, Hands, Item, Work, call_all, outcome, settle
from cumulet.store.sqlite_tx import SQLiteTransaction, explain

GROUP = 256
READERS = 4
WAL_TIDY = 16 * 1024 * 1024
"""Bytes of write-ahead log after which its pages are brought home, when a commit has been answered."""

APPLICATION = 0x43756D75
"""Marks a SQLite file as ours: "Cumu"."""

PRAGMAS = (
    "journal_mode=WAL",
    "synchronous=FULL",
    "wal_autocheckpoint=0",  # `_tidy` does it, after the answers
    f"journal_size_limit={WAL_TIDY}",
    "foreign_keys=ON",
    "case_sensitive_like=ON",  # as PostgreSQL's
    "temp_store=MEMORY",
    "cache_size=-16384",
)
PRAGMAS_READING = ("case_sensitive_like=ON", "temp_store=MEMORY", "cache_size=-4096")


class SQLite:
    """A `store.api.Database` in a file or in memory. Made by `open`."""

    kind = "sqlite"

    def __init__(self, path: str, loop: asyncio.AbstractEventLoop) -> None:
        self.path = path
        self._loop = loop
        self._ears = Ears()
        self._lock: int | None = None
        self._writing = Hands(loop, "sqlite-writer")
        self._reading = self._writing

    @classmethod
    async def open(cls, path: str | Path, migrations: Sequence[migrate.Migration] | None = None) -> Self:
        """Open or create the database and bring it to our schema. `migrations` is for tests."""
        database = cls(str(path), asyncio.get_running_loop())
        todo = migrate.found() if migrations is None else migrations
        await asyncio.to_thread(database._start, todo)
        return database

    async def write[T](self, work: Callable[[Transaction], T], /) -> T:
        answer: T = await self._writing.give(work)
        return answer

    async def read[T](self, work: Callable[[Transaction], T], /) -> T:
        if self._reading is self._writing:
            answer: T = await self._writing.give(_Read(work))
        else:
            answer = await self._reading.give(work)
        return answer

    def listen(self, topic: str, wake: Callable[[], None], /) -> Callable[[], None]:
        return self._ears.listen(topic, wake)

    async def close(self) -> None:
        if self._reading is not self._writing:
            await self._reading.dismiss()
        await self._writing.dismiss()
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def _start(self, migrations: Sequence[migrate.Migration]) -> None:
        try:
            if self.path != ":memory:":
                self._lock = _claim(self.path)
            writer = _Writer(self.path, self._loop, self._ears)
            writer.migrate(migrations)
        except BaseException:
            if self._lock is not None:
                os.close(self._lock)
            raise
        self._writing.hire(writer.group, writer.leave, GROUP)
        if self.path != ":memory:":
            self._reading = Hands(self._loop, "sqlite-reader")
            for _ in range(READERS):
                reader = _Reader(self.path, self._loop)
                self._reading.hire(reader.group, reader.leave, 1)


class _Read:
    """Marks a work that only reads, in the writer's queue of a database in memory."""

    __slots__ = ("work",)

    def __init__(self, work: Callable[[Transaction], Any]) -> None:
        self.work = work

    def __call__(self, tx: Transaction) -> Any:
        return self.work(tx)


class _Writer:
    """The one connection that writes. After `migrate` it lives in one thread."""

    def __init__(self, path: str, loop: asyncio.AbstractEventLoop, ears: Ears) -> None:
        self._loop = loop
        self._ears = ears
        self._path = path
        self._wal = None if path == ":memory:" else f"{path}-wal"
        self._tidy_at = WAL_TIDY
        self._connection = _connect(path)
        self._effects = Effects()
        self._tx = SQLiteTransaction(self._connection, self._effects)

    def migrate(self, migrations: Sequence[migrate.Migration]) -> None:
        """Bring the schema up to date, in one transaction."""
        try:
            self._tx.execute("BEGIN IMMEDIATE")
            self._recognise()
            migrate.apply(self._tx, migrations)
            self._tx.execute("COMMIT")
        except sqlite3.Error as error:
            self._connection.close()
            raise explain(error) from error
        except BaseException:
            self._connection.close()
            raise

    def _recognise(self) -> None:
        """Refuse a file that another program made, and a file system that cannot share memory."""
        ours = self._tx.execute("PRAGMA application_id").fetchall()[0][0]
        if ours != APPLICATION and self._tx.one("SELECT 1 AS found FROM sqlite_schema") is not None:
            raise Damaged(f"{self._path} is a database of another program")
        self._tx.execute(f"PRAGMA application_id = {APPLICATION}")
        mode = self._tx.execute("PRAGMA journal_mode").fetchall()[0][0]
        if mode != ("wal" if self._wal else "memory"):
            raise StoreError(f"{self._path}: the file system does not allow a write-ahead log\nhint: use a local disk")

    def group(self, items: Sequence[Item]) -> None:
        """Run the works of `items`, commit once, answer all."""
        if self._wal is None:
            reads = [item for item in items if type(item[0]) is _Read]
            items = [item for item in items if type(item[0]) is not _Read] if reads else items
        else:
            reads = []
        answers = self._committed(items) if items else []
        if reads:
            answers += self._read_all(reads)
        topics, actions = self._effects.take()
        self._loop.call_soon_threadsafe(self._answer, answers, topics, actions)
        self._tidy()

    def leave(self) -> None:
        """Bring the log home and close."""
        self._connection.close()

    def _answer(self, answers: Sequence[Answer], topics: list[str], actions: list[Callable[[], None]]) -> None:
        settle(answers)
        if actions:
            call_all(self._loop, actions)
        if topics:
            call_all(self._loop, self._ears.wake(topics))

    def _committed(self, items: Sequence[Item]) -> list[Answer]:
        """Answers that are true: what they tell has been committed."""
        connection, tx = self._connection, self._tx
        try:
            tx.execute("BEGIN IMMEDIATE")
            answers = self._plain(items)
            if answers is None:
                tx.execute("BEGIN IMMEDIATE")
                answers = [self._guarded(work, future) for work, future in items]
            if connection.in_transaction:
                tx.execute("COMMIT")
        except sqlite3.Error as error:
            return self._refused(items, explain(error))
        except StorageFull as error:
            return self._refused(items, error)
        return answers

    def _plain(self, items: Sequence[Item]) -> list[Answer] | None:
        """Run all without savepoints. None, and all is rolled back, when one of several failed after it wrote."""
        connection, tx, effects = self._connection, self._tx, self._effects
        answers: list[Answer] = []
        for work, future in items:
            before, mark = connection.total_changes, effects.mark()
            answer = outcome(tx, work, future)
            if not answer[1]:
                effects.back(mark)
                if isinstance(answer[2], StorageFull):
                    raise answer[2]
                if connection.total_changes != before or not connection.in_transaction:
                    self._rollback()
                    return None if len(items) > 1 else [answer]
            answers.append(answer)
        return answers

    def _guarded(self, work: Work, future: asyncio.Future[Any]) -> Answer:
        """Run one work in a savepoint of its own, so that it is rolled back alone."""
        tx, mark = self._tx, self._effects.mark()
        tx.execute("SAVEPOINT work")
        answer = outcome(tx, work, future)
        if not answer[1]:
            self._effects.back(mark)
            if isinstance(answer[2], StorageFull):
                raise answer[2]
            tx.execute("ROLLBACK TO work")
        tx.execute("RELEASE work")
        return answer

    def _refused(self, items: Sequence[Item], error: StoreError) -> list[Answer]:
        """The whole group failed: roll back, and tell everyone of it."""
        try:
            self._rollback()
        except sqlite3.Error as worse:
            error = explain(worse)
        return [(future, False, type(error)(*error.args)) for _, future in items]

    def _rollback(self) -> None:
        self._effects.back((0, 0))
        if self._connection.in_transaction:
            self._tx.execute("ROLLBACK")

    def _read_all(self, items: Sequence[Item]) -> list[Answer]:
        """Reads of a database in memory: between commits the one connection is a snapshot."""
        self._tx.execute("PRAGMA query_only=ON")
        self._tx.writable = False
        answers = [outcome(self._tx, work, future) for work, future in items]
        self._tx.writable = True
        self._tx.execute("PRAGMA query_only=OFF")
        return answers

    def _tidy(self) -> None:
        """Bring the pages of a long log home, so that it starts again from its beginning."""
        if self._wal is None or not (size := _size(self._wal)) > self._tidy_at:
            return
        try:
            busy = self._tx.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()[0][0]
        except sqlite3.Error:
            busy = 1  # a full disk: what is in the log stays there, and is read from there
        self._tidy_at = size + WAL_TIDY if busy else WAL_TIDY


class _Reader:
    """One read-only connection in one thread: each work gets a snapshot."""

    def __init__(self, path: str, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._connection = _connect(path, "ro")
        self._tx = SQLiteTransaction(self._connection, Effects())
        self._tx.writable = False

    def group(self, items: Sequence[Item]) -> None:
        self._loop.call_soon_threadsafe(settle, [self._one(work, future) for work, future in items])

    def leave(self) -> None:
        self._connection.close()

    def _one(self, work: Work, future: asyncio.Future[Any]) -> Answer:
        try:
            self._tx.execute("BEGIN")
            answer = outcome(self._tx, work, future)
            if self._connection.in_transaction:
                self._tx.execute("COMMIT")
        except sqlite3.Error as error:
            return future, False, explain(error)
        return answer


def _connect(path: str, mode: str = "rwc") -> sqlite3.Connection:
    """A connection set up as we need it; whoever opens it may be another thread than who uses it."""
    where = path if path == ":memory:" else f"{Path(path).absolute().as_uri()}?mode={mode}"
    try:
        connection = sqlite3.connect(
            where, uri=True, isolation_level=None, check_same_thread=False, cached_statements=1024, timeout=10
        )
    except sqlite3.Error as error:
        raise explain(error, path) from error
    try:
        for pragma in PRAGMAS if mode == "rwc" else PRAGMAS_READING:
            connection.execute(f"PRAGMA {pragma}")
    except sqlite3.Error as error:
        connection.close()
        raise explain(error, path) from error
    return connection


def _claim(path: str) -> int:
    """Take the lock that says: one server has this file. It goes with the process, however that ends."""
    try:
        lock = os.open(f"{path}.lock", os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise StoreError(f"cannot open {path}: {error.strerror}") from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        os.close(lock)
        hint = "hint: stop that one, or give another --data folder"
        raise InUse(f"{path} is in use by another Cumulet\n{hint}") from error
    return lock


def _size(path: str) -> int:
    try:
        return os.stat(path).st_size  # noqa: PTH116  after every commit: Path is ten times slower
    except FileNotFoundError:
        return 0
