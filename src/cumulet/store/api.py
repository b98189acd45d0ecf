"""The database contract: small, synchronous inside, durable outside.

    async def write(self, work): ...   # returns after the durable commit
    async def read(self, work): ...    # one consistent snapshot

`work(tx)` is an ordinary function without other IO. It may be grouped with others into one commit, run again, and run
on SQLite or PostgreSQL alike. SQL is portable: TEXT, BIGINT (microseconds), BYTEA for small bodies, `ON CONFLICT`,
`RETURNING`, parameters as `:name`.

- Works are serialisable: what a work read has not changed when it commits, so read-modify-write needs no lock. A work
  that lost a race is run again by the database; it must not keep anything from its first run.
- ` FOR UPDATE` and ` FOR UPDATE SKIP LOCKED` may stand in the text where servers compete for rows (claims): PostgreSQL
  obeys them, on SQLite, where works run one at a time, they are taken out.
- A statement that fails ends its work, even where the work catches the error: ask with ON CONFLICT, do not try.
- No DDL outside the schema files; truth values are 0 and 1; no NUL in TEXT; a parameter that stands alone is cast:
  `CAST(:x AS TEXT) IS NULL`.
- The errors are in `store/errors.py`.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

type Row = Mapping[str, Any]


class Transaction(Protocol):
    """What `work` is given."""

    def run(self, sql: str, /, **values: object) -> int:
        """Execute; the number of rows that changed."""
        ...

    def many(self, sql: str, rows: Sequence[Mapping[str, object]], /) -> None:
        """Execute once for each row of values."""
        ...

    def all(self, sql: str, /, **values: object) -> list[Row]:
        """All rows, each readable as `row["column"]`."""
        ...

    def one(self, sql: str, /, **values: object) -> Row | None:
        """The first row, or None."""
        ...

    def wake(self, topic: str, /) -> None:
        """After the durable commit, wake all that listen for `topic`, in every server on this database."""
        ...

    def after_commit(self, action: Callable[[], None], /) -> None:
        """Call `action` on this server's event loop after the durable commit; not at all when `work` failed."""
        ...


class Database(Protocol):
    """A database. `kind` is "sqlite" or "postgres"."""

    kind: str

    async def write[T](self, work: Callable[[Transaction], T], /) -> T:
        """Run `work` in a transaction of its own and return after its durable commit.

        An exception of `work` rolls back this work alone and is raised here. A full disk raises `StorageFull`.
        """
        ...

    async def read[T](self, work: Callable[[Transaction], T], /) -> T:
        """Run `work` on one consistent snapshot; writing fails."""
        ...

    def listen(self, topic: str, wake: Callable[[], None], /) -> Callable[[], None]:
        """Call `wake` on the event loop whenever `topic` is woken; the answer stops listening."""
        ...

    async def close(self) -> None:
        """Finish what was accepted, then close."""
        ...
