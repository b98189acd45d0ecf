import asyncio

from hypothesis import given
from hypothesis import strategies as st

from cumulet.base.clock import SECOND, JumpClock, SystemClock, iso, moment


async def test_jump_clock_wakes_the_due_in_order_and_no_others():
    clock, woken = JumpClock(start=0), []

    async def sleeper(name, instant):
        await clock.sleep_until(instant)
        woken.append(name)

    async with asyncio.TaskGroup() as group:
        group.create_task(sleeper("late", 30 * SECOND))
        group.create_task(sleeper("soon", 10 * SECOND))
        group.create_task(sleeper("past", 0))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert woken == ["past"]
        assert clock.next_due == 10 * SECOND
        clock.jump(10)
        await asyncio.sleep(0)
        assert woken == ["past", "soon"]
        clock.jump(100)
    assert woken == ["past", "soon", "late"]
    assert clock.now() == 110 * SECOND
    assert clock.next_due is None


async def test_jump_clock_forgets_a_cancelled_sleeper():
    clock = JumpClock(start=0)
    task = asyncio.ensure_future(clock.sleep_until(5))
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.wait([task])
    assert clock.next_due is None
    other = asyncio.ensure_future(clock.sleep_until(3))
    await asyncio.sleep(0)
    other.cancel()
    clock.jump(1)
    await asyncio.wait([other])
    assert other.cancelled()


async def test_system_clock_never_goes_back_and_waits():
    clock = SystemClock()
    first = clock.now()
    await clock.sleep_until(first + 2000)
    assert clock.now() >= first + 2000
    await clock.sleep_until(0)


def test_iso_has_milliseconds():
    assert iso(1_700_000_000_123_456) == "2023-11-14T22:13:20.123Z"
    assert iso(0) == "1970-01-01T00:00:00.000Z"


@given(st.integers(0, 4_000_000_000_000_000))
def test_moment_loses_nothing(instant):
    found = moment(instant)
    whole = int(found.replace(microsecond=0).timestamp())
    assert whole * SECOND + found.microsecond == instant
