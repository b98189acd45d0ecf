"""One HTTP/1.1 connection: bytes in, requests out, their answers back in order. httptools (llhttp) reads the bytes.

A request whose body came with its head is handed over whole; any other with a stream that is read from the socket only
as fast as it is consumed. `Expect: 100-continue` is granted at the first read, so a refusal comes before the body is
sent. A body that ends early raises IncompleteBody where it is read, and a client that closed only its sending half is
told so; a body that stops coming raises RequestTimeout. An answer in pieces stops when its reader has gone. What is no
HTTP, or has a head beyond 64 KiB, is answered once and the connection closed. No TLS, no HTTP/2, no upgrades.
"""

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import lru_cache
from http import HTTPStatus
from typing import Any

import httptools

from cumulet.base.errors import AwsError
from cumulet.wire.body_errors import IncompleteBody
from cumulet.wire.http import ByteStream, Headers, Request, Response

type Handler = Callable[[Request], Awaitable[Response]]

KEEP_ALIVE = 75
"""Seconds that an idle connection is kept."""
STALLED = 60
"""Seconds without a byte of a body that is waited for."""
HEAD_LIMIT = 64 * 1024
BUFFER = 512 * 1024
"""Bytes of a body that wait to be read before the socket is left alone."""
QUEUE = 64
"""Pipelined requests that wait before the socket is left alone."""
BODILESS = (204, 304)


class RequestTimeout(AwsError):
    """Your socket connection to the server was not read from or written to within the timeout period. Idle connections will be closed."""  # noqa: E501  AWS's words


class Gone(ConnectionError):
    """Nobody is left to answer to."""


class Arriving:
    """A request as it arrives. As a `ByteStream` it is the request's body."""

    def __init__(self, connection: "Connection") -> None:
        self.target = b""
        self.headers: list[tuple[str, str]] = []
        self.method = ""
        self.headed = False
        self.ended = False
        self.cut = False
        self.answered = False
        self.keep = True
        self.expects = False
        self.pieces: list[bytes] = []
        self.size = 0
        self._connection = connection
        self._waiter: asyncio.Future[None] | None = None

    def wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def take(self) -> bytes:
        """What has come and was not yet read."""
        pieces, self.pieces, self.size = self.pieces, [], 0
        self._connection.look()
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while True:
            if self.cut:
                raise IncompleteBody
            if self.pieces:
                yield self.take()
            elif self.ended:
                return
            else:
                await self._more()

    async def _more(self) -> None:
        if self.expects:
            self.expects = False
            self._connection.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        self._waiter = asyncio.get_running_loop().create_future()
        try:
            async with asyncio.timeout(STALLED):
                await self._waiter
        except TimeoutError:
            raise RequestTimeout from None

    def request(self) -> Request:
        """The request for the handler: whole if all of it is here."""
        path, _, query = self.target.decode("latin-1").partition("?")
        if not path.startswith("/"):
            path = "/" + path.partition("://")[2].partition("/")[2]
        request = Request(self.method, path, query, Headers(self.headers))
        if self.ended and not self.cut:
            request.body = self.take() if self.pieces else b""
        else:
            request.stream = self
        return request


class Connection(asyncio.Protocol):
    """Reads requests, has `handler` answer them one after the other, writes the answers."""

    def __init__(self, handler: Handler, connections: "set[Connection]") -> None:
        self.working: asyncio.Task[None] | None = None
        self._handler = handler
        self._connections = connections
        self._parser = httptools.HttpRequestParser(self)
        self._parser.set_dangerous_leniencies(lenient_data_after_close=True)
        self._queue: deque[Arriving] = deque()
        self._last: Arriving | None = None
        self._head_size = 0
        self._paused = False
        self._closing = False
        """Nothing more is read; what waits is answered."""
        self._bad = 0
        """The status to end with: what came is no HTTP."""
        self._gone = False
        self._drained: asyncio.Future[None] | None = None
        self._idle: asyncio.TimerHandle | None = None
        self._transport: Any = None

    # The transport's calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        self._connections.add(self)
        self._rest()

    def data_received(self, data: bytes) -> None:
        if self._closing or self._bad:
            return
        if self._idle is not None:
            self._idle.cancel()
            self._idle = None
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            self._closing = True  # we stay with HTTP/1.1, and whatever follows cannot be read
            if self._last is not None and any(name == "content-length" for name, _ in self._last.headers):
                self._bad = 400
        except httptools.HttpParserError:
            self._bad = 400
        last = self._last
        if last is not None and not last.headed:
            self._head_size += len(data)
            if self._head_size > HEAD_LIMIT:
                self._bad = 431
        if self._bad and last is not None and last.headed and not last.ended:
            last.cut = last.ended = self._closing = True  # whoever reads the body tells of it
            self._bad = 0
        if last is not None:
            last.wake()
        if self.working is None:
            self._work_on()

    def eof_received(self) -> bool:
        last = self._last
        if last is not None and last.headed and not last.ended:
            last.cut = last.ended = True
            last.wake()
        self._closing = True
        return self.working is not None

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002  asyncio's signature
        self._gone = self._closing = True
        self._connections.discard(self)
        if self._idle is not None:
            self._idle.cancel()
        self.resume_writing()
        for arriving in self._queue:
            if not arriving.ended:
                arriving.cut = arriving.ended = True
                arriving.wake()

    def pause_writing(self) -> None:
        self._drained = asyncio.get_running_loop().create_future()

    def resume_writing(self) -> None:
        if self._drained is not None and not self._drained.done():
            self._drained.set_result(None)
        self._drained = None

    # The parser's calls.

    def on_message_begin(self) -> None:
        self._last = Arriving(self)
        self._head_size = 0

    def on_url(self, url: bytes) -> None:
        assert self._last is not None
        self._last.target += url

    def on_header(self, name: bytes, value: bytes) -> None:
        assert self._last is not None
        self._last.headers.append((name.decode("latin-1").lower(), value.decode("latin-1")))

    def on_headers_complete(self) -> None:
        last = self._last
        assert last is not None
        last.headed = True
        last.method = self._parser.get_method().decode("latin-1")
        last.keep = self._parser.get_http_version() != "1.0" and self._parser.should_keep_alive()
        last.expects = any(name == "expect" and value.lower() == "100-continue" for name, value in last.headers)
        self._queue.append(last)

    def on_body(self, body: bytes) -> None:
        last = self._last
        assert last is not None
        if not last.answered:
            last.expects = False
            last.pieces.append(body)
            last.size += len(body)
            self.look()

    def on_message_complete(self) -> None:
        assert self._last is not None
        self._last.ended = True

    # Ours.

    def write(self, data: bytes) -> None:
        if not self._gone:
            self._transport.write(data)

    def look(self) -> None:
        """Leave the socket alone while enough waits to be read; come back to it afterwards."""
        last = self._last
        full = len(self._queue) > QUEUE or (last is not None and last.size > BUFFER)
        if full != self._paused and not self._transport.is_closing():
            self._paused = full
            (self._transport.pause_reading if full else self._transport.resume_reading)()

    def close(self) -> None:
        """End after what is under way."""
        self._closing = True
        if self.working is None:
            self._transport.close()

    def abort(self) -> None:
        """End now."""
        if self.working is not None:
            self.working.cancel()
        self._transport.abort()

    def _work_on(self) -> None:
        """Begin with what waits, or end, or wait for more."""
        if self._queue and not self._gone:
            self.working = asyncio.get_running_loop().create_task(self._work())
            self.working.add_done_callback(self._worked)
        elif self._bad:
            phrase = HTTPStatus(self._bad).phrase
            self.write(f"HTTP/1.1 {self._bad} {phrase}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n".encode())
            self._transport.close()
        elif self._closing:
            self._transport.close()
        else:
            self._rest()

    def _rest(self) -> None:
        if self._idle is None:
            self._idle = asyncio.get_running_loop().call_later(KEEP_ALIVE, self._transport.close)

    async def _work(self) -> None:
        """Answer what has arrived, in order."""
        while self._queue:
            arriving = self._queue[0]
            response = await self._handler(arriving.request())
            last = self._closing and len(self._queue) == 1
            keep = arriving.keep and not last and not arriving.expects and not arriving.cut
            await self._answer(arriving, response, keep=keep)
            self._queue.popleft()
            arriving.answered = True
            arriving.pieces, arriving.size = [], 0  # what nobody wanted
            self.look()
            if not keep:
                self._closing = True
                self._queue.clear()

    def _worked(self, task: asyncio.Task[None]) -> None:
        self.working = None
        if task.cancelled() or (error := task.exception()) is not None:
            self._transport.abort()
            if not task.cancelled() and not isinstance(error, Gone):
                asyncio.get_running_loop().call_exception_handler(
                    {"message": "an answer broke off", "exception": error, "task": task}
                )
            return
        self._work_on()

    async def _answer(self, arriving: Arriving, response: Response, *, keep: bool) -> None:
        body = response.body
        headless = arriving.method == "HEAD" or response.status in BODILESS
        if isinstance(body, bytes):
            length = None if headless else len(body)
            self.write(head_of(response, length, keep=keep) + (b"" if headless else body))
            if self._drained is not None:
                await self._drained
            return
        told = any(name.lower() == "content-length" for name, _ in response.headers)
        chunked = not told and not headless
        self.write(head_of(response, None, keep=keep, chunked=chunked))
        await self._send(body, chunked=chunked, headless=headless)

    async def _send(self, body: ByteStream, *, chunked: bool, headless: bool) -> None:
        """The pieces of a body, until there are none or nobody is left to take them."""
        pieces = aiter(body)
        try:
            while not headless and (piece := await anext(pieces, None)) is not None:
                if self._gone:
                    raise Gone
                self.write(b"%x\r\n%b\r\n" % (len(piece), piece) if chunked else piece)
                # pieces and writes may both be had without waiting: let the loop hear of a hang-up
                await (self._drained or asyncio.sleep(0))
        finally:
            close = getattr(pieces, "aclose", None)
            if close is not None:
                await close()
        if chunked:
            self.write(b"0\r\n\r\n")


def head_of(response: Response, length: int | None, *, keep: bool, chunked: bool = False) -> bytes:
    """The status line and the headers. Refuses a header that would break out of its line."""
    lines = [_status_line(response.status), _date(int(time.time()))]
    told = False
    for name, value in response.headers:
        lines.append(f"{name}: {value}")
        told = told or name.lower() == "content-length"
    if length is not None and not told:
        lines.append(f"content-length: {length}")
    if chunked:
        lines.append("transfer-encoding: chunked")
    if not keep:
        lines.append("connection: close")
    head = "\r\n".join(lines)
    if head.count("\n") != len(lines) - 1 or head.count("\r") != len(lines) - 1 or "\0" in head:
        raise ValueError("a header of an answer holds a line end")
    return f"{head}\r\n\r\n".encode("latin-1")


@lru_cache(128)
def _status_line(status: int) -> str:
    phrase = HTTPStatus(status).phrase if status in HTTPStatus else ""
    return f"HTTP/1.1 {status} {phrase}"


@lru_cache(2)
def _date(second: int) -> str:
    return time.strftime("date: %a, %d %b %Y %H:%M:%S GMT", time.gmtime(second))
