r"""A sandbox for tests: it runs nothing, and fails in the order it is told.

    fake = FakeSandbox([FailToStart("no space"), Output(b"hello\n", Ended(0)), Hang()])

Each prepared cell takes the next act; after the last one, cells hang until they are destroyed. `plans` remembers what
was asked for, `living` counts cells that were started and not destroyed.
"""

import asyncio
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass

from cumulet.sandbox.api import Ended, Plan
from cumulet.sandbox.errors import SandboxError

KILLED = Ended(-9)


@dataclass(frozen=True, slots=True)
class Hang:
    """Runs until it is destroyed."""


@dataclass(frozen=True, slots=True)
class Output:
    """Prints `text`, then ends as told."""

    text: bytes
    ended: Ended


@dataclass(frozen=True, slots=True)
class FailToStart:
    """`start` raises."""

    reason: str


type Act = Hang | Output | FailToStart


class FakeCell:
    """One act."""

    def __init__(self, sandbox: "FakeSandbox", act: Act) -> None:
        self._sandbox = sandbox
        self._act = act
        self._end: asyncio.Future[Ended] = asyncio.get_running_loop().create_future()
        self._started = False
        self._lives = False

    async def start(self) -> None:
        if self._started:
            raise SandboxError("This cell was started before; prepare another.")
        if isinstance(self._act, FailToStart):
            raise SandboxError(self._act.reason)
        self._started = self._lives = True
        self._sandbox.living += 1
        if isinstance(self._act, Output):
            self._end.set_result(self._act.ended)

    async def tail(self) -> AsyncIterator[bytes]:
        if isinstance(self._act, Output) and self._act.text:
            yield self._act.text
        await self.wait()

    async def wait(self) -> Ended:
        if not self._started:
            raise SandboxError("This cell was not started.")
        return await asyncio.shield(self._end)

    def memory(self) -> int | None:
        return None

    async def destroy(self) -> None:
        if self._lives:
            self._lives = False
            self._sandbox.living -= 1
        if not self._end.done():
            self._end.set_result(KILLED)


class FakeSandbox:
    """The driver."""

    name = "fake"
    isolation = "none: nothing is run"

    def __init__(self, acts: Iterable[Act] = ()) -> None:
        self._acts = list(acts)
        self.plans: list[Plan] = []
        self.living = 0

    async def prepare(self, plan: Plan) -> FakeCell:
        self.plans.append(plan)
        return FakeCell(self, self._acts.pop(0) if self._acts else Hang())
