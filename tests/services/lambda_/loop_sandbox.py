"""A sandbox whose cells are coroutines that speak the Runtime API: functions without processes, with a clock that jumps.

sandbox = LoopSandbox(handler)          # handler(event) -> JSON; it may raise, wait, or end the cell (`Exit`)
"""

import asyncio
import inspect
import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

from cumulet.sandbox.api import Ended, Plan
from cumulet.sandbox.runtime_api import PREFIX
from cumulet.services.lambda_.plan import SOCKET


class Exit(Exception):
    """The handler ends its process."""

    def __init__(self, ended: Ended):
        super().__init__(ended)
        self.ended = ended


class LoopCell:
    def __init__(self, sandbox: "LoopSandbox", plan: Plan):
        self.sandbox, self.plan = sandbox, plan
        self.prints: asyncio.Queue[bytes] = asyncio.Queue()
        self.ended: asyncio.Future[Ended] = asyncio.get_running_loop().create_future()
        self.task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        self.sandbox.cells.append(self)
        socket = next(mount.source for mount in self.plan.mounts if mount.target == SOCKET)
        self.task = asyncio.create_task(self._live(socket))

    async def _live(self, socket: Path) -> None:
        reader, writer = await asyncio.open_unix_connection(socket)
        try:
            writer.write(f"GET {PREFIX}invocation/next HTTP/1.1\r\n\r\n".encode())
            while True:
                fields, body = await _answer(reader)
                request = fields["lambda-runtime-aws-request-id"]
                path, answer = await self._handle(json.loads(body))
                self.prints.put_nowait(b"\x1e" + request.encode() + b"\n")
                head = f"POST {PREFIX}invocation/{request}/{path} HTTP/1.1\r\nContent-Length: {len(answer)}\r\n\r\n"
                writer.write(head.encode() + answer + f"GET {PREFIX}invocation/next HTTP/1.1\r\n\r\n".encode())
                await _answer(reader)
        except (Exit, asyncio.IncompleteReadError, ConnectionError) as end:
            self._end(end.ended if isinstance(end, Exit) else Ended(0))
        finally:
            writer.close()

    async def _handle(self, event: Any) -> tuple[str, bytes]:
        self.sandbox.events.append(event)
        try:
            result = self.sandbox.handler(event)
            if inspect.isawaitable(result):
                result = await result
        except Exit:
            raise
        except Exception as error:
            return "error", json.dumps({"errorMessage": str(error), "errorType": type(error).__name__}).encode()
        return "response", json.dumps(result).encode()

    def _end(self, ended: Ended) -> None:
        if not self.ended.done():
            self.ended.set_result(ended)
            self.prints.put_nowait(b"")

    async def tail(self) -> AsyncIterator[bytes]:
        while piece := await self.prints.get():
            yield piece

    async def wait(self) -> Ended:
        return await asyncio.shield(self.ended)

    def memory(self) -> int | None:
        return 30 << 20

    async def destroy(self) -> None:
        if self in self.sandbox.cells:
            self.sandbox.cells.remove(self)
        if self.task is not None:
            self.task.cancel()
            await asyncio.wait([self.task])
        self._end(Ended(-9))


async def _answer(reader: asyncio.StreamReader) -> tuple[dict[str, str], bytes]:
    head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
    fields = {name.lower(): value for name, _, value in (line.partition(": ") for line in head[1:] if line)}
    return fields, await reader.readexactly(int(fields["content-length"]))


class LoopSandbox:
    name = "loop"
    isolation = "none: coroutines"

    def __init__(self, handler: Callable[[Any], Any] = lambda event: event):
        self.handler = handler
        self.cells: list[LoopCell] = []
        self.plans: list[Plan] = []
        self.events: list[Any] = []

    async def prepare(self, plan: Plan) -> LoopCell:
        self.plans.append(plan)
        return LoopCell(self, plan)
