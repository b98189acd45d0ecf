"""What a work is given on PostgreSQL, and PostgreSQL's errors in our words. Loaded with `postgres.py` alone.

`:name` becomes `%(name)s`, once for each text. Values come and go as on SQLite: truth values are 0 and 1, sums of
BIGINT are integers, BYTEA is bytes, rows are dicts.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import cast

import psycopg
from psycopg import adapt, errors, pq, rows
from psycopg.abc import Buffer

from cumulet.store.api import Row
from cumulet.store.errors import BadStatement, Conflict, ReadOnly, StorageFull, StoreError, Unreachable
from cumulet.store.hands import Again, Effects

type Connection = psycopg.Connection[dict[str, object]]

_TOKEN = re.compile(
    r"""(?P<keep>'(?:[^']|'')*' | "(?:[^"]|"")*" | --[^\n]* | ::)
      | :(?P<name>[A-Za-z_][A-Za-z0-9_]*)
      | (?P<percent>%)""",
    re.VERBOSE,
)

_AGAIN = (errors.SerializationFailure, errors.DeadlockDetected, errors.LockNotAvailable)
_LOST = (errors.AdminShutdown, errors.CrashShutdown, errors.CannotConnectNow, errors.IdleInTransactionSessionTimeout)
_KINDS: tuple[tuple[type[psycopg.Error], type[StoreError]], ...] = (
    (errors.IntegrityError, Conflict),
    (errors.ReadOnlySqlTransaction, ReadOnly),
    (errors.DiskFull, StorageFull),
    (errors.IoError, StorageFull),
)


def translate(sql: str) -> str:
    """Our `:name` as psycopg's `%(name)s`; strings, quoted names, comments and `::` casts stay as they are."""
    return _TOKEN.sub(_piece, sql)


def _piece(match: re.Match[str]) -> str:
    if match["name"]:
        return f"%({match['name']})s"
    return match[0].replace("%", "%%")


class _Texts(dict[str, str]):
    """SQL as it was written to SQL as psycopg takes it."""

    def __missing__(self, sql: str) -> str:
        self[sql] = translate(sql)
        return self[sql]


class PostgresTransaction:
    """A `store.api.Transaction` over one connection."""

    __slots__ = ("_cursor", "_effects", "_texts", "broken", "connection", "writable", "wrote")

    def __init__(self, connection: Connection, effects: Effects, *, writable: bool) -> None:
        self.connection = connection
        self._cursor = connection.cursor()
        self._effects = effects
        self._texts = _Texts()
        self.broken: StoreError | None = None
        self.writable = writable
        self.wrote = False
        """Whether the present work may have changed something."""

    def run(self, sql: str, /, **values: object) -> int:
        self.wrote = True
        return self._execute(sql, values).rowcount

    def many(self, sql: str, rows: Sequence[Mapping[str, object]], /) -> None:
        self.wrote = True
        try:
            self._cursor.executemany(self._texts[sql], rows)
        except psycopg.Error as error:
            raise self._fail(error, sql) from error

    def all(self, sql: str, /, **values: object) -> list[Row]:
        self.wrote = self.wrote or not sql.startswith("SELECT")
        return cast("list[Row]", self._execute(sql, values).fetchall())

    def one(self, sql: str, /, **values: object) -> Row | None:
        self.wrote = self.wrote or not sql.startswith("SELECT")
        return self._execute(sql, values).fetchone()

    def wake(self, topic: str, /) -> None:
        if not self.writable:
            raise ReadOnly("a read cannot wake anybody")
        self._effects.topics.append(topic)

    def after_commit(self, action: Callable[[], None], /) -> None:
        if not self.writable:
            raise ReadOnly("a read has no commit")
        self._effects.actions.append(action)

    def _execute(self, sql: str, values: Mapping[str, object]) -> psycopg.Cursor[dict[str, object]]:
        try:
            return self._cursor.execute(self._texts[sql], values)
        except psycopg.Error as error:
            raise self._fail(error, sql) from error

    def _fail(self, error: psycopg.Error, sql: str) -> StoreError:
        told = explain(error, self.connection, sql)
        self.broken = self.broken or told  # the first failure says why; later ones only that there was one
        return told


def explain(error: psycopg.Error, connection: Connection, what: str = "") -> StoreError:
    """PostgreSQL's error as one of ours: `Again` where the transaction may simply be run again.

    A connection that is of no more use is closed.
    """
    words = str(error).strip() or type(error).__name__
    if is_lost(error, connection):
        connection.close()
        return Unreachable(words)
    if isinstance(error, _AGAIN):
        return Again(words)
    for theirs, ours in _KINDS:
        if isinstance(error, theirs):
            return ours(words)
    return BadStatement(f"{words}: {what}" if what else words)


def is_lost(error: psycopg.Error, connection: Connection) -> bool:
    """Whether the server or the way to it went away. libpq's own errors have no state."""
    nameless = isinstance(error, psycopg.OperationalError) and error.sqlstate is None
    return connection.closed or nameless or isinstance(error, _LOST)


class _TruthAsNumber(adapt.Dumper):
    """True is 1, as on SQLite: our columns are BIGINT."""

    oid = psycopg.postgres.types["int8"].oid

    def dump(self, obj: bool) -> Buffer:
        return b"1" if obj else b"0"


class _Numeric(adapt.Loader):
    """A sum of BIGINT is an integer, an average is a float, as on SQLite."""

    format = pq.Format.TEXT

    def load(self, data: Buffer) -> float:
        text = bytes(data).decode()
        return int(text) if text.lstrip("-").isdigit() else float(text)


_DURABLE = "SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'"


def connect(dsn: str, *, options: str, seconds: int = 5) -> Connection:
    """A connection in autocommit: transactions are begun by hand. Raises `Unreachable`."""
    try:
        connection = psycopg.connect(
            dsn,
            autocommit=True,
            row_factory=rows.dict_row,
            prepare_threshold=3,
            options=options,
            connect_timeout=seconds,
            application_name="cumulet",
            client_encoding="utf8",
        )
        connection.execute(_DURABLE)
    except psycopg.Error as error:
        raise Unreachable(f"PostgreSQL does not answer: {error}".strip()) from error
    connection.adapters.register_dumper(bool, _TruthAsNumber)
    connection.adapters.register_loader("numeric", _Numeric)
    return connection
