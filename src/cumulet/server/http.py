"""The server's front: one listening socket, its connections, and how they end."""

import asyncio
import socket

from cumulet.server.connection import Connection, Handler

BACKLOG = 2048


class Front:
    """Listens on `sock` and has `handler` answer."""

    def __init__(self, handler: Handler) -> None:
        self._handler = handler
        self._connections: set[Connection] = set()
        self._server: asyncio.Server | None = None

    async def open(self, sock: socket.socket) -> None:
        """Begin to listen."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(
            lambda: Connection(self._handler, self._connections), sock=sock, backlog=BACKLOG
        )

    @property
    def under_way(self) -> set[asyncio.Task[None]]:
        """Connections that have requests to answer at this moment."""
        return {connection.working for connection in self._connections if connection.working is not None}

    async def close(self, patience: float) -> None:
        """Listen no more, finish what is under way within `patience` seconds, then cut."""
        if self._server is not None:
            self._server.close()
        for connection in list(self._connections):
            connection.close()
        if waiting := self.under_way:
            await asyncio.wait(waiting, timeout=patience)
        for connection in list(self._connections):
            connection.abort()
