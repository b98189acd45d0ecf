"""The database contract: small, synchronous inside, durable outside.

    async def write(self, work): ...   # returns after the durable commit
    async def read(self, work): ...    # one consistent snapshot

`work(tx)` is an ordinary function without other IO. It may be grouped with others into one commit, run again, and run
on SQLite or PostgreSQL alike. SQL is portable: TEXT, BIGINT (microseconds), BYTEA for small bodies, `ON CONFLICT`,
`RETURNING`, parameters as `:name`.
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
