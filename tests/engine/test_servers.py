"""Several servers on one PostgreSQL: they share the work, and one may die."""

from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from tests.engine.world import World

from cumulet.base.clock import JumpClock
from cumulet.base.ids import Entropy
from cumulet.engine.leases import LEASE, LINGER
from cumulet.store.postgres import Postgres

type Make = Callable[..., Awaitable[World]]

LOOKS = 300
"""Looks without a renewal after which the keeper must have missed the jump."""


@pytest.fixture
async def make(postgres_dsn: str, clock: JumpClock, entropy: Entropy) -> AsyncIterator[Make]:
    """Makes servers, each with a connection of its own."""
    databases = [await Postgres.open(postgres_dsn) for _ in range(3)]
    worlds: list[World] = []

    async def one(**options: int) -> World:
        world = World(databases[len(worlds)], clock, entropy, **options).up()
        worlds.append(world)
        await world.wait_till(lambda: world.engine._live and world.engine._room() > 0)
        return world

    yield one
    for world in worlds:
        await world.down()
    for database in databases:
        await database.close()


async def test_what_a_dead_server_had_is_taken_over(make: Make) -> None:
    first = await make()
    await first.begin([["task", "stall", "a"]], "task")
    await first.begin([["wait", 1], ["pass"]], "timer")
    await first.wait_till(lambda: bool(first.stalled))
    first.link.torn = True
    await first.begin([["turn"], ["turn"]], "turn")
    await first.down()
    second = await make()
    second.also["stall"] = _payload
    row = await second.until("turn", "timer", "task")
    assert second.notes(row) == ["a"]
    assert [task.attempt for task in second.performed] == [2]
    assert (await second.row("turn"))["status"] == "SUCCEEDED"


async def test_a_living_server_keeps_its_tasks(make: Make) -> None:
    first, second = await make(), await make()
    await first.begin([["task", "stall", "a"]])
    await first.wait_till(lambda: bool(first.stalled))
    for _ in range(int(LEASE)):
        await _renewed(first)
    assert second.performed == []
    for event in first.stalled.values():
        event.set()
    assert first.notes(await second.over()) == ["a"]


async def test_a_dead_servers_row_is_forgotten_after_a_while(make: Make) -> None:
    first, second = await make(), await make()
    first.link.torn = True
    await first.down()
    for _ in range(int((LINGER + 2) * 4)):
        await _renewed(second)
    assert len(await second.all("SELECT id FROM servers")) == 1


async def test_a_stop_on_one_server_ends_the_performer_on_another(make: Make) -> None:
    first, second = await make(), await make()
    await first.begin([["task", "stall", "a"]])
    await first.wait_till(lambda: bool(first.stalled))
    await second.engine.stop("id-1")
    await first.wait_till(lambda: first.cancelled == ["stall"])
    assert await first.leftovers() == 0


async def test_servers_share_what_one_has_no_room_for(make: Make) -> None:
    first, second = await make(concurrency=2), await make(concurrency=2)
    await first.begin([["fork", 40, "slow"]])
    await first.over()
    done = [task.payload for world in (first, second) for task in world.performed]
    assert sorted(done) == list(range(40))
    assert second.performed


async def test_a_task_that_was_forgotten_is_performed_after_all(make: Make) -> None:
    first = await make()
    await first.begin([["hold", "echo", 1000]])
    await first.wait_till(lambda: bool(first.performed))

    async def waits() -> bool:
        return bool(await first.all("SELECT token FROM tasks WHERE state = 'waiting'"))

    await first.wait_for(waits)
    owner = first.engine._desk.server
    await first.database.write(lambda tx: tx.run("UPDATE tasks SET state = 'leased', owner = :owner", owner=owner))
    for _ in range(4):
        await _renewed(first)
    await first.wait_till(lambda: len(first.performed) == 2)
    assert first.performed[1].attempt == 2


async def test_turns_are_looked_for_when_a_commit_is_in_doubt(make: Make) -> None:
    first = await make()
    await first.begin([["hold", "echo", 1000], ["turn"]])

    async def waits() -> bool:
        return bool(await first.all("SELECT token FROM tasks WHERE state = 'waiting'"))

    await first.wait_for(waits)
    owner = first.engine._desk.server
    await first.database.write(lambda tx: tx.run("UPDATE runs SET owed = :owner", owner=owner))
    first.engine._intake.doubt = True
    await _renewed(first)
    await first.wait_for(lambda: _turned(first))


async def _turned(world: World) -> bool:
    return "Continued" in [event["type"] for event in await world.events()]


async def _payload(task):
    return task.payload


async def _renewed(world: World) -> None:
    """A part of a lease passes, and the server has renewed it.

    The clock may jump while the keeper is on its way back to sleep, which then begins later: it jumps once more.
    """
    before = await world.all("SELECT until FROM servers WHERE swept = 0 ORDER BY until")
    world.clock.jump(LEASE / 3)
    looks = 0

    async def moved() -> bool:
        nonlocal looks
        looks += 1
        if looks % LOOKS == 0:
            world.clock.jump(LEASE / 3)
        after = await world.all("SELECT until FROM servers WHERE swept = 0 ORDER BY until")
        return [row["until"] for row in after][-1] > [row["until"] for row in before][-1]

    await world.wait_for(moved)
