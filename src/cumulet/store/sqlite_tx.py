"""What a work is given on SQLite, and SQLite's errors in our words.

PostgreSQL's ` FOR UPDATE` and ` FOR UPDATE SKIP LOCKED` are taken out of the text: here works run one at a time.
"""

import re
import sqlite3
from collections.abc import Callable, Mapping, Sequence

from cumulet.store.api import Row
from cumulet.store.errors import (
    BadStatement,
    Conflict,
    Contended,
    Damaged,
    ReadOnly,
    StorageFull,
    StoreError,
)
from cumulet.store.hands import Effects

_LOCKING = re.compile(r"\s+FOR\s+UPDATE(?:\s+SKIP\s+LOCKED)?\b", re.IGNORECASE)

_BY_CODE: Mapping[int, type[StoreError]] = {
    sqlite3.SQLITE_FULL: StorageFull,
    sqlite3.SQLITE_IOERR: StorageFull,
    sqlite3.SQLITE_CANTOPEN: StorageFull,
    sqlite3.SQLITE_CONSTRAINT: Conflict,
    sqlite3.SQLITE_READONLY: ReadOnly,
    sqlite3.SQLITE_BUSY: Contended,
    sqlite3.SQLITE_LOCKED: Contended,
    sqlite3.SQLITE_CORRUPT: Damaged,
    sqlite3.SQLITE_NOTADB: Damaged,
}

type _Failure = sqlite3.Error | sqlite3.Warning | OverflowError | UnicodeEncodeError


class _Texts(dict[str, str]):
    """SQL as it was written to SQL as SQLite takes it."""

    def __missing__(self, sql: str) -> str:
        text = _LOCKING.sub("", sql)
        self[sql] = text
        return text


class SQLiteTransaction:
    """A `store.api.Transaction` over one connection; one cursor serves every statement."""

    __slots__ = ("_columns", "_cursor", "_effects", "_texts", "broken", "execute", "writable")

    def __init__(self, connection: sqlite3.Connection, effects: Effects) -> None:
        self._cursor = connection.cursor()
        self.execute = self._cursor.execute
        """For BEGIN and COMMIT too: the one cursor lets go of a statement that was not read to its end."""
        self._effects = effects
        self._texts = _Texts()
        self._columns: dict[str, tuple[str, ...]] = {}
        self.broken: StoreError | None = None
        self.writable = True

    def run(self, sql: str, /, **values: object) -> int:
        try:
            return self.execute(self._texts[sql], values).rowcount
        except _FAILURES as error:
            raise self._fail(error, sql) from error

    def many(self, sql: str, rows: Sequence[Mapping[str, object]], /) -> None:
        try:
            self._cursor.executemany(self._texts[sql], rows)
        except _FAILURES as error:
            raise self._fail(error, sql) from error

    def all(self, sql: str, /, **values: object) -> list[Row]:
        try:
            rows = self.execute(self._texts[sql], values).fetchall()
        except _FAILURES as error:
            raise self._fail(error, sql) from error
        if not rows:
            return rows
        columns = self._columns.get(sql) or self._name(sql)
        return [dict(zip(columns, row, strict=True)) for row in rows]

    def one(self, sql: str, /, **values: object) -> Row | None:
        try:
            row = self.execute(self._texts[sql], values).fetchone()
        except _FAILURES as error:
            raise self._fail(error, sql) from error
        if row is None:
            return None
        return dict(zip(self._columns.get(sql) or self._name(sql), row, strict=True))

    def wake(self, topic: str, /) -> None:
        if not self.writable:
            raise ReadOnly("a read cannot wake anybody")
        self._effects.topics.append(topic)

    def after_commit(self, action: Callable[[], None], /) -> None:
        if not self.writable:
            raise ReadOnly("a read has no commit")
        self._effects.actions.append(action)

    def _name(self, sql: str) -> tuple[str, ...]:
        columns = self._columns[sql] = tuple(column[0] for column in self._cursor.description)
        return columns

    def _fail(self, error: _Failure, sql: str) -> StoreError:
        self.broken = explain(error, sql) if isinstance(error, sqlite3.Error) else BadStatement(f"{error}: {sql}")
        return self.broken


_FAILURES = (sqlite3.Error, sqlite3.Warning, OverflowError, UnicodeEncodeError)


def explain(error: sqlite3.Error, what: str = "") -> StoreError:
    """SQLite's error as one of ours."""
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR)
    kind = _BY_CODE.get(code & 0xFF, BadStatement)
    return kind(f"{error}: {what}" if what and kind is not StorageFull else str(error))
