"""Functions that wait until they are let go, threads to call them from, and waiting for what happens on the loop."""

import asyncio
import threading
from collections.abc import Callable
from typing import Any


class Gate:
    """A handler that tells that it began and waits to be let go."""

    def __init__(self):
        self.began = threading.Semaphore(0)
        self.loop: asyncio.AbstractEventLoop | None = None
        self.waiting: list[asyncio.Future[None]] = []

    async def __call__(self, event):
        self.loop = asyncio.get_running_loop()
        future = self.loop.create_future()
        self.waiting.append(future)
        self.began.release()
        await future
        return event

    def wait(self) -> None:
        assert self.began.acquire(timeout=20)

    def open(self) -> None:
        assert self.loop is not None
        for future in self.waiting:
            self.loop.call_soon_threadsafe(lambda future=future: future.done() or future.set_result(None))
        self.waiting = []


async def until(condition: Callable[[], Any]) -> None:
    async with asyncio.timeout(20):
        while not condition():
            await asyncio.sleep(0.001)
