"""Lambda's Runtime API: how a runtime asks for its next invocation and gives the answer.

    GET  /2018-06-01/runtime/invocation/next             held until there is one
    POST /2018-06-01/runtime/invocation/{id}/response
    POST /2018-06-01/runtime/invocation/{id}/error
    POST /2018-06-01/runtime/init/error

One `RuntimeApi` serves one environment, on a Unix socket that only its cell can see, or on loopback TCP behind a host
name that only its cell knows. It refuses streamed responses, answers to what is not being carried out, and whoever does
not know the host name.
"""

import asyncio
import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, cast

import httptools

from cumulet.base import json

PREFIX = "/2018-06-01/runtime/"
MAX_BODY = 6 * 1024 * 1024 + 100
"""AWS's limit of a response, 6,291,556 bytes: what is beyond is counted, not kept."""
REASONS = {200: "OK", 202: "Accepted", 400: "Bad Request", 403: "Forbidden", 404: "Not Found", 501: "Not Implemented"}


@dataclass(frozen=True, slots=True)
class Invocation:
    """One call of a function, as its runtime is told."""

    id: str
    payload: bytes
    arn: str
    deadline_ms: int
    trace: str
    client_context: str = ""

    def head(self) -> list[tuple[str, str]]:
        fields = [
            ("Lambda-Runtime-Aws-Request-Id", self.id),
            ("Lambda-Runtime-Deadline-Ms", str(self.deadline_ms)),
            ("Lambda-Runtime-Invoked-Function-Arn", self.arn),
            ("Lambda-Runtime-Trace-Id", self.trace),
        ]
        if self.client_context:
            fields.append(("Lambda-Runtime-Client-Context", self.client_context))
        return fields


@dataclass(frozen=True, slots=True)
class Body:
    """What a runtime sent: the first `MAX_BODY` bytes, and how many there were."""

    data: bytes
    size: int

    @property
    def too_large(self) -> bool:
        return self.size > MAX_BODY


class Listener(Protocol):
    """Who hears of the runtime."""

    def ready(self) -> None:
        """It asks for an invocation."""
        ...

    def answered(self, id: str, body: Body) -> None: ...

    def failed(self, id: str, body: Body) -> None: ...

    def init_failed(self, body: Body) -> None: ...


class RuntimeApi:
    """The Runtime API of one environment."""

    def __init__(self, listener: Listener) -> None:
        self._listener = listener
        self._server: asyncio.Server | None = None
        self._waiting: _Connection | None = None
        self._next: Invocation | None = None
        self._current: str | None = None
        self._connections: set[_Connection] = set()

    async def listen_unix(self, path: Path) -> None:
        """Serve on the socket `path`, for whoever can see it."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_unix_server(lambda: _Connection(self, None), str(path))
        os.chmod(path, 0o666)  # noqa: PTH101, S103  one call of the kernel, no waiting

    async def listen_tcp(self, host: str | None) -> int:
        """Serve on a free port of loopback, for requests to `host` (any where None); the port."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: _Connection(self, host), "127.0.0.1", 0)
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    def hand(self, invocation: Invocation) -> None:
        """Give the runtime its next invocation, now or when it asks."""
        self._next = invocation
        self._deliver()

    def _deliver(self) -> None:
        if self._waiting is None or self._next is None:
            return
        connection, invocation = self._waiting, self._next
        self._waiting = self._next = None
        self._current = invocation.id
        connection.reply(200, invocation.payload, invocation.head())

    def close(self) -> None:
        if self._server is not None:
            self._server.close()
        for connection in list(self._connections):
            connection.abort()

    def joined(self, connection: "_Connection") -> None:
        self._connections.add(connection)

    def left(self, connection: "_Connection") -> None:
        self._connections.discard(connection)
        if self._waiting is connection:
            self._waiting = None

    def asked(self, connection: "_Connection", method: str, path: str, body: Body, *, streamed: bool) -> None:
        """One request, whole."""
        match method, path.removeprefix(PREFIX).split("/") if path.startswith(PREFIX) else []:
            case "GET", ["invocation", "next"]:
                self._waiting, self._current = connection, None
                self._listener.ready()
                self._deliver()
            case "POST", ["init", "error"]:
                connection.accept()
                self._listener.init_failed(body)
            case "POST", ["invocation", id, "response" | "error" as kind]:
                self._settle(connection, id, kind, body, streamed=streamed)
            case _:
                connection.refuse(404, "NotFound", f"{method} {path} is not part of the Runtime API")

    def _settle(self, connection: "_Connection", id: str, kind: str, body: Body, *, streamed: bool) -> None:
        if id != self._current:
            connection.refuse(400, "InvalidRequestID", "Invalid request ID")
            return
        self._current = None
        if streamed and kind == "response":
            connection.refuse(501, "NotImplemented", STREAMED)
            text = {"errorMessage": STREAMED, "errorType": "Function.StreamingNotImplemented"}
            data = json.dumps(text).encode()
            self._listener.failed(id, Body(data, len(data)))
            return
        connection.accept()
        tell: Callable[[str, Body], None] = self._listener.answered if kind == "response" else self._listener.failed
        tell(id, body)


STREAMED = "Cumulet does not carry out response streaming yet"


class _Connection(asyncio.Protocol):
    """One connection of a runtime: bytes to requests, answers to bytes."""

    def __init__(self, api: RuntimeApi, host: str | None) -> None:
        self._api = api
        self._host = host
        self._parser = httptools.HttpRequestParser(self)
        self._transport: asyncio.Transport | None = None
        self._begin()

    def _begin(self) -> None:
        self._url = b""
        self._parts: list[bytes] = []
        self._size = 0
        self._known = self._host is None
        self._streamed = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's are not instances of it
        self._api.joined(self)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002
        self._api.left(self)
        self._transport = None

    def data_received(self, data: bytes) -> None:
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError:
            self.abort()

    # what httptools calls

    def on_message_begin(self) -> None:
        self._begin()

    def on_url(self, url: bytes) -> None:
        self._url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        name = name.lower()
        if name == b"host" and self._host is not None:
            self._known = value.decode("latin-1").partition(":")[0] == self._host
        elif name == b"lambda-runtime-function-response-mode":
            self._streamed = value.lower() == b"streaming"

    def on_headers_complete(self) -> None:
        if not self._known and self._transport is not None:
            self.refuse(403, "Forbidden", "This environment is not yours")
            self._transport.close()

    def on_body(self, body: bytes) -> None:
        if self._size < MAX_BODY:
            self._parts.append(body[: MAX_BODY - self._size])
        self._size += len(body)

    def on_message_complete(self) -> None:
        if self._known:
            body = Body(b"".join(self._parts), self._size)
            method = self._parser.get_method().decode("latin-1")
            self._api.asked(self, method, self._url.decode("latin-1"), body, streamed=self._streamed)

    # answers

    def reply(self, status: int, body: bytes, fields: list[tuple[str, str]] | None = None) -> None:
        lines = [f"HTTP/1.1 {status} {REASONS[status]}", *(f"{name}: {value}" for name, value in fields or ())]
        lines += ["Content-Type: application/json", f"Content-Length: {len(body)}", "", ""]
        if self._transport is not None:
            self._transport.write("\r\n".join(lines).encode("latin-1") + body)

    def accept(self) -> None:
        self.reply(202, b'{"status":"OK"}\n')

    def refuse(self, status: int, kind: str, words: str) -> None:
        self.reply(status, json.dumps({"errorMessage": words, "errorType": kind}).encode())

    def abort(self) -> None:
        if self._transport is not None:
            with suppress(OSError):
                self._transport.abort()
