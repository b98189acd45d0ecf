"""HTTP/1.1 by uvicorn (uvloop, httptools), and the little ASGI application that hands requests to `App`.

A request whose body came whole with its head is handed over with `body`; any other with a `stream` that fills as fast
as it is read. `Expect: 100-continue` is granted at the first read, so that a refusal comes before the body is sent. A
body that ends before its Content-Length raises IncompleteBody where it is read, and when the client only closed its
sending half, it is told so. An answer in pieces stops when its reader has gone.
"""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Any

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from cumulet.server.app import App
from cumulet.wire.body_errors import IncompleteBody
from cumulet.wire.http import ByteStream, Headers, Request

type Event = dict[str, Any]
type Receive = Callable[[], Awaitable[Event]]
type Send = Callable[[Event], Awaitable[None]]

BODILESS = (204, 304)
KEEP_ALIVE = 75
"""Seconds that an idle connection is kept."""


class Protocol(HttpToolsProtocol):
    """uvicorn's protocol, but one who has closed only the sending half of a connection still gets an answer."""

    def eof_received(self) -> bool | None:  # type: ignore[override]
        cycle: RequestResponseCycle | None = self.cycle
        if cycle is None or cycle.response_complete:
            return None
        cycle.keep_alive = False
        if cycle.more_body:
            cycle.more_body = False
            cycle.scope["cut"] = True  # type: ignore[typeddict-unknown-key]
            cycle.message_event.set()
        return True


class Arriving:
    """A request's body, piece by piece as it comes."""

    def __init__(self, scope: Event, receive: Receive, first: Event | None) -> None:
        self.begun = first is not None
        self.ended = False
        self._scope = scope
        self._receive = receive
        self._first = first

    async def __aiter__(self) -> AsyncIterator[bytes]:
        event, self._first = self._first, None
        while not self.ended:
            if event is None:
                self.begun = True
                event = await self._receive()
            if event["type"] != "http.request":
                raise IncompleteBody
            self.ended = not event.get("more_body", False)
            if self.ended and self._scope.get("cut"):
                raise IncompleteBody
            piece = event.get("body", b"")
            if piece:
                yield piece
            event = None


class Http:
    """The ASGI application around an `App`."""

    def __init__(self, app: App) -> None:
        self._app = app
        self.open: set[asyncio.Task[None]] = set()
        """Requests under way."""

    async def __call__(self, scope: Event, receive: Receive, send: Send) -> None:
        task = asyncio.current_task()
        assert task is not None
        self.open.add(task)
        try:
            await self._answer(scope, receive, send)
        finally:
            self.open.discard(task)

    async def _answer(self, scope: Event, receive: Receive, send: Send) -> None:
        headers = Headers((name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"])
        request = Request(
            scope["method"], scope["raw_path"].decode("latin-1"), scope["query_string"].decode("latin-1"), headers
        )
        arriving = await _take_body(scope, receive, request)
        response = await self._app.answer(request)
        out = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in response.headers]
        if arriving is not None and not arriving.begun:
            out.append((b"connection", b"close"))  # a body was announced that we shall never read
        body, status = response.body, response.status
        if not isinstance(body, bytes):
            await send({"type": "http.response.start", "status": status, "headers": out})
            await _send_stream(body, receive, send)
            return
        if request.method != "HEAD" and status not in BODILESS and not _has_length(out):
            out.append((b"content-length", b"%d" % len(body)))
        await send({"type": "http.response.start", "status": status, "headers": out})
        await send({"type": "http.response.body", "body": body})


def _has_length(headers: list[tuple[bytes, bytes]]) -> bool:
    return any(name.lower() == b"content-length" for name, _ in headers)


async def _take_body(scope: Event, receive: Receive, request: Request) -> Arriving | None:
    """Give `request` its body, or a stream of it where it is not here yet or must be asked for."""
    length = request.headers.get("content-length")
    if (length is None or length == "0") and "transfer-encoding" not in request.headers:
        return None
    first = None
    if "expect" not in request.headers:
        first = await receive()
        if first["type"] == "http.request" and not first.get("more_body") and not scope.get("cut"):
            request.body = first.get("body", b"")
            return None
    arriving = Arriving(scope, receive, first)
    request.stream = arriving
    return arriving


async def _send_stream(body: ByteStream, receive: Receive, send: Send) -> None:
    """Send the pieces, until there are none or nobody is left to take them."""
    gone = asyncio.create_task(_gone(receive))
    pieces = aiter(body)
    try:
        while not gone.done():
            piece = await anext(pieces, None)
            if piece is None:
                break
            await send({"type": "http.response.body", "body": piece, "more_body": True})
            await asyncio.sleep(0)  # pieces and writes may both be had without waiting: let the loop hear of a hang-up
        await send({"type": "http.response.body", "body": b""})
    finally:
        gone.cancel()
        close = getattr(pieces, "aclose", None)
        if close is not None:
            await close()


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


class Listener(uvicorn.Server):
    """uvicorn's server, with the signals left to `serve`. `up` is set when it listens."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.up = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.up.set()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def listener(http: Http, drain: int) -> Listener:
    """A server for `http`: run `serve(sockets=[...])`, stop it with `should_exit`; `drain` seconds later all is cut."""
    config = uvicorn.Config(
        http,
        http=Protocol,
        ws="none",
        loop="none",
        lifespan="off",
        interface="asgi3",
        access_log=False,
        log_config=None,
        server_header=False,
        timeout_keep_alive=KEEP_ALIVE,
        timeout_graceful_shutdown=drain,
    )
    return Listener(config)
