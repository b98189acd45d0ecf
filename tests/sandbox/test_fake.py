"""The fake keeps the drivers' contract, and fails as told."""

import asyncio

import pytest

from cumulet.sandbox.api import Ended, Plan
from cumulet.sandbox.errors import SandboxError
from cumulet.sandbox.fake import FailToStart, FakeSandbox, Output

PLAN = Plan(command=("true",))


async def test_acts_come_in_order():
    fake = FakeSandbox([FailToStart("no room"), Output(b"hello", Ended(3))])
    with pytest.raises(SandboxError, match="no room"):
        await (await fake.prepare(PLAN)).start()
    cell = await fake.prepare(PLAN)
    await cell.start()
    assert [piece async for piece in cell.tail()] == [b"hello"]
    assert await cell.wait() == Ended(3)
    assert fake.plans == [PLAN, PLAN]


async def test_what_hangs_ends_when_it_is_destroyed():
    fake = FakeSandbox()
    cell = await fake.prepare(PLAN)
    with pytest.raises(SandboxError):
        await cell.wait()
    await cell.start()
    waiting = asyncio.create_task(cell.wait())
    assert fake.living == 1
    await cell.destroy()
    await cell.destroy()
    assert await waiting == Ended(-9)
    assert (fake.living, cell.memory()) == (0, None)
