"""A real server on a free port of the loopback, with tiny services, and a socket to talk to it by hand."""

import asyncio
import socket
import threading
from pathlib import Path

from tests.server.fakes import Machines, Objects, Whoami

from cumulet.server.config import Config
from cumulet.server.serve import Running, serve


class Server:
    """`serve` in a thread. Leave the `with` block to stop it."""

    def __init__(self, data: Path, **options) -> None:
        self.machines: Machines
        self.objects: Objects
        self._config = Config(data=data, port=0, **options)
        self._ready = threading.Event()
        self._failed: BaseException | None = None
        self._thread = threading.Thread(target=self._run, daemon=True)

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        except BaseException as error:
            self._failed = error
        finally:
            self._ready.set()

    async def _serve(self) -> None:
        self.loop = asyncio.get_running_loop()
        self.stop_event = asyncio.Event()
        self.machines, self.objects = Machines(), Objects()
        services = [lambda _: self.machines, lambda _: self.objects, lambda _: Whoami()]
        await serve(self._config, self._begin, self.stop_event, services)

    def _begin(self, running: Running) -> None:
        self.running = running
        self.endpoint = running.endpoint
        self.port = int(running.endpoint.rpartition(":")[2])
        self._ready.set()

    def __enter__(self):
        self._thread.start()
        assert self._ready.wait(30)
        if self._failed is not None:
            raise self._failed
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        self._thread.join(30)
        assert not self._thread.is_alive()
        if self._failed is not None:
            raise self._failed

    def stop(self) -> None:
        if not self.loop.is_closed():
            self.loop.call_soon_threadsafe(self.stop_event.set)

    def on_loop(self, work):
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(30)

    def wait_for(self, condition) -> None:
        """Until `condition()` holds, looked at between the loop's turns."""

        async def look() -> None:
            while not condition():
                await asyncio.sleep(0.001)

        self.on_loop(asyncio.wait_for(look(), 20))


class Wire:
    """A socket, and answers read from it."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=30)
        self.file = self.socket.makefile("rb")

    def __enter__(self):
        return self

    def __exit__(self, *_: object) -> None:
        self.file.close()
        self.socket.close()

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def half_close(self) -> None:
        self.socket.shutdown(socket.SHUT_WR)

    def line(self) -> bytes:
        return self.file.readline()

    def answer(self, *, head: bool = False) -> tuple[int, dict[str, str], bytes]:
        """Status, headers, body."""
        status = int(self.line().split()[1])
        headers = {}
        while (line := self.line().strip()) != b"":
            name, _, value = line.decode().partition(":")
            headers[name.lower()] = value.strip()
        if head or status < 200:
            return status, headers, b""
        if headers.get("transfer-encoding") == "chunked":
            return status, headers, self._chunks()
        return status, headers, self.file.read(int(headers.get("content-length", 0)))

    def _chunks(self) -> bytes:
        body = b""
        while size := int(self.line(), 16):
            body += self.file.read(size)
            self.line()
        self.line()
        return body

    def closed(self) -> bool:
        """Whether the server closes the connection now."""
        return self.file.read(1) == b""
