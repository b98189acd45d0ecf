"""Hears what other servers on the same PostgreSQL woke: LISTEN, on the event loop. Loaded with `postgres.py` alone.

A notice is `ORIGIN ["topic", ...]` or `ORIGIN *`. One's own are passed over, for they were told at once, after the
commit. When the connection was lost, everyone is woken once it is back: something may have been missed.
"""

import asyncio

import psycopg
from psycopg import sql

from cumulet.base import json
from cumulet.store.errors import Unreachable
from cumulet.store.hands import Ears, call_all
from cumulet.store.postgres_tx import Connection, connect


class PostgresEar:
    """One listening connection."""

    def __init__(self, dsn: str, loop: asyncio.AbstractEventLoop, ears: Ears, channel: str) -> None:
        self._dsn = dsn
        self._loop = loop
        self._ears = ears
        self._channel = channel
        self._connection: Connection | None = None
        self._socket = -1
        self._returning: asyncio.Task[None] | None = None
        self.origin = ""
        """Tells this server's notices from others'."""

    async def open(self) -> None:
        """Connect and listen."""
        connection, origin = await asyncio.to_thread(self._connect)
        self.origin = self.origin or origin
        self._connection = connection
        self._socket = connection.fileno()
        self._loop.add_reader(self._socket, self._hear)

    async def close(self) -> None:
        """Stop listening."""
        if self._returning is not None:
            self._returning.cancel()
            await asyncio.gather(self._returning, return_exceptions=True)
        self._drop()

    def _connect(self) -> tuple[Connection, str]:
        connection = connect(self._dsn, options="")
        row = connection.execute("SELECT gen_random_uuid()::text AS id").fetchone()
        connection.execute(sql.SQL("LISTEN {}").format(sql.Identifier(self._channel)))
        return connection, str(row and row["id"])

    def _hear(self) -> None:
        if self._connection is None:
            return
        wire = self._connection.pgconn
        try:
            wire.consume_input()
        except psycopg.OperationalError:
            self._drop()
            self._returning = self._loop.create_task(self._return())
            return
        while (notice := wire.notifies()) is not None:
            self._tell(notice.extra.decode())

    def _tell(self, text: str) -> None:
        origin, _, topics = text.partition(" ")
        if origin == self.origin:
            return
        wakes = self._ears.everyone() if topics == "*" else self._ears.wake(json.loads(topics))
        call_all(self._loop, wakes)

    async def _return(self) -> None:
        pause = 0.02
        while self._connection is None:
            try:
                await self.open()
            except (Unreachable, psycopg.Error):
                await asyncio.sleep(pause)
                pause = min(pause * 2, 0.5)
        call_all(self._loop, self._ears.everyone())

    def _drop(self) -> None:
        if self._connection is not None:
            self._loop.remove_reader(self._socket)
            self._connection.close()
            self._connection = None
