"""One execution environment: a cell, its Runtime API, and one invocation at a time.

    start -> (invoke -> settled) * -> close

`start` returns when the runtime asks for its first invocation, or could not. What the cell prints goes line by line to
`print_line`; `settled` waits until the log of an invocation has been read, so that END and REPORT come after it.
"""

import asyncio
import shutil
from collections import deque
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from cumulet.base.clock import SECOND, Clock
from cumulet.sandbox.api import Cell, Ended, Plan, Sandbox
from cumulet.sandbox.errors import SandboxError
from cumulet.sandbox.folders import make_folder
from cumulet.sandbox.runtime_api import Body, Invocation, RuntimeApi
from cumulet.services.lambda_ import outcome
from cumulet.services.lambda_.function import Function
from cumulet.services.lambda_.lines import TAIL, Lines
from cumulet.services.lambda_.names import LATEST
from cumulet.services.lambda_.outcome import Outcome

SETTLE = 0.25
"""Seconds that a runtime's mark may take to arrive: never, but for a function that closed its own output."""
TURNS = 6
"""Turns of the event loop in which what was printed before an answer has been read, where there is no mark."""
KILLED = Ended(-9)
MEGABYTE = 1024 * 1024

type Place = tuple[Path | None, str, Path | None]
"""The socket on the host, the address for TCP, the hosts file: as `Surroundings` has them."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What an environment is made from."""

    function: Function
    family: str
    """The runtime's family: "provided" is reached by TCP."""
    host: str
    """A name that only this environment will know."""
    init: float
    """Seconds for the start."""
    make_plan: Callable[[Place], Awaitable[Plan]]
    print_line: Callable[[int, str], None]
    """Takes the instant and the text of each line for the log."""


class Environment:
    """See the module."""

    def __init__(self, wanted: Wanted, sandbox: Sandbox, clock: Clock) -> None:
        self.function = wanted.function
        self.started = clock.now()
        self.used = self.started
        self.init_ms: float | None = None
        self.alive = True
        self._wanted = wanted
        self._sandbox = sandbox
        self._clock = clock
        self._api = RuntimeApi(self)
        self._folder: Path | None = None
        self._cell: Cell | None = None
        self._reader: asyncio.Task[None] | None = None
        self._lines = Lines(self._line, self._mark)
        self._result: asyncio.Future[Outcome] | None = None
        self._init: asyncio.Future[Outcome | None] = asyncio.get_running_loop().create_future()
        self._printed: asyncio.Future[None] | None = None
        self._tail: deque[str] = deque()
        self._tail_size = 0
        self._request = ""
        self._begun = 0

    # its life

    async def start(self) -> Outcome | None:
        """Start the runtime; None when it is ready, else what went wrong."""
        try:
            plan = await self._wanted.make_plan(await self._listen())
            self._cell = await self._sandbox.prepare(plan)
            await self._cell.start()
        except SandboxError as error:
            self.alive = False
            words = f"RequestId: {self._request} Error: {error}"
            return outcome.problem("Runtime.InvalidEntrypoint", words, over=True)
        self._reader = asyncio.create_task(self._read(self._cell))
        limit = asyncio.create_task(self._expire_init())
        try:
            trouble = await asyncio.shield(self._init)
        finally:
            limit.cancel()
        self.init_ms = (self._clock.now() - self.started) / 1000
        if trouble is not None:
            self.alive = False
        return trouble

    async def _listen(self) -> Place:
        self._folder = folder = make_folder("env")
        if self._wanted.family != "provided":
            await self._api.listen_unix(folder / "api")
            return folder / "api", "", None
        if self._sandbox.name == "process":  # there is no hosts file of its own: the port alone must do
            return None, f"127.0.0.1:{await self._api.listen_tcp(None)}", None
        hosts = _hosts_file(folder, self._wanted.host)
        port = await self._api.listen_tcp(self._wanted.host)
        return None, f"{self._wanted.host}:{port}", hosts

    async def _expire_init(self) -> None:
        await self._clock.sleep_until(self.started + int(self._wanted.init * SECOND))
        self._fail_init(outcome.timed_out(self._request, self._clock.now(), self._wanted.init))

    async def _read(self, cell: Cell) -> None:
        """All that the cell prints, to its end; then say why it ended."""
        async for piece in cell.tail():
            self._lines.feed(piece)
        self._lines.end()
        ended = await cell.wait()
        self.alive = False
        if self._printed is not None and not self._printed.done():
            self._printed.set_result(None)
        self._broke(ended)

    def _broke(self, ended: Ended) -> None:
        end = outcome.exited(self._request, ended)
        self._settle(end)
        self._fail_init(end)

    def _fail_init(self, trouble: Outcome) -> None:
        if not self._init.done():
            self._init.set_result(trouble)

    async def close(self) -> None:
        """End everything of it. Whoever waits for a result learns that it broke off."""
        self.alive = False
        self._api.close()
        if self._cell is not None:
            await self._cell.destroy()
        if self._reader is not None:
            await asyncio.wait((self._reader,))
        self._broke(KILLED)  # unless the reader has said so already
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)

    # one invocation

    def assign(self, id: str) -> None:
        """What follows is for the request `id`."""
        self._request, self._begun = id, self._clock.now()

    def begin_log(self) -> None:
        """The tail begins here: what the runtime printed while it started is no part of it."""
        self._tail.clear()
        self._tail_size = 0
        self._line(f"START RequestId: {self._request} Version: {LATEST}")

    async def invoke(self, invocation: Invocation) -> Outcome:
        """Hand it over and wait for what comes of it, within the function's timeout."""
        loop = asyncio.get_running_loop()
        result: asyncio.Future[Outcome] = loop.create_future()
        self._result = result
        self._printed = loop.create_future()
        self._begun = self._clock.now()
        if not self.alive:
            return outcome.exited(invocation.id, Ended(0))
        limit = loop.create_task(self._expire(result, invocation))
        try:
            self._api.hand(invocation)
            end = await result
        finally:
            limit.cancel()
            self._result = None
        if end.over:
            self.alive = False
        self.used = self._clock.now()
        return end

    async def _expire(self, result: asyncio.Future[Outcome], invocation: Invocation) -> None:
        seconds = self.function.config.timeout
        await self._clock.sleep_until(self._begun + seconds * SECOND)
        if not result.done():
            result.set_result(outcome.timed_out(invocation.id, self._clock.now(), seconds))

    async def settled(self) -> None:
        """Return when all that the invocation printed has been read, as far as one can know."""
        if self._printed is None or self._printed.done():
            return
        if self._wanted.family == "provided" or not self.alive:
            for _ in range(TURNS):
                await asyncio.sleep(0)
            return
        with suppress(TimeoutError):
            async with asyncio.timeout(SETTLE):
                await asyncio.shield(self._printed)

    def log(self, text: str) -> None:
        """Put a line of the platform's own into the log."""
        self._line(text)

    def tail(self) -> bytes:
        """The last 4 KB of the present invocation's log."""
        return "".join(self._tail).encode()[-TAIL:]

    @property
    def elapsed_ms(self) -> float:
        return (self._clock.now() - self._begun) / 1000

    def memory_mb(self) -> int | None:
        """The most megabytes it was seen to use."""
        used = self._cell.memory() if self._cell is not None else None
        return None if used is None else max(1, -(-used // MEGABYTE))

    def _line(self, text: str) -> None:
        self._wanted.print_line(self._clock.now(), text)
        self._tail.append(text + "\n")
        self._tail_size += len(text) + 1
        while self._tail_size - len(self._tail[0]) > TAIL:
            self._tail_size -= len(self._tail.popleft())

    def _mark(self, request: str) -> bool:
        if request != self._request or self._printed is None:
            return False
        if not self._printed.done():
            self._printed.set_result(None)
        return True

    def _settle(self, end: Outcome) -> None:
        if self._result is not None and not self._result.done():
            self._result.set_result(end)

    # what the Runtime API tells

    def ready(self) -> None:
        if not self._init.done():
            self._init.set_result(None)

    def answered(self, id: str, body: Body) -> None:
        self._settle(outcome.answered(body))

    def failed(self, id: str, body: Body) -> None:
        self._settle(outcome.failed(body))

    def init_failed(self, body: Body) -> None:
        self._fail_init(Outcome(body.data, outcome.UNHANDLED, "Runtime.InitError", over=True))


def _hosts_file(folder: Path, host: str) -> Path:
    """What the cell sees as /etc/hosts: it alone knows `host`."""
    folder.chmod(0o755)
    hosts = folder / "hosts"
    hosts.write_text(f"127.0.0.1 localhost {host}\n::1 localhost\n")
    return hosts
