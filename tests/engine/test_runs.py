"""Runs: their beginning, their time, their turns, their end; machines that break; restarts."""

import asyncio
import logging

import pytest
from tests.engine.toy import new_run
from tests.engine.world import World

from cumulet.engine.engine import Engine
from cumulet.engine.errors import UnknownKind
from cumulet.store.errors import Conflict


async def test_a_run_that_never_waits_is_over_in_the_transaction_that_began_it(idle: World) -> None:
    row = await idle.begin([["pass"], ["pass"]], color="red")
    assert (row["status"], row["output"], row["next_event"]) == ("SUCCEEDED", "[]", 5)
    assert dict(row) == dict(await idle.row())
    assert len(await idle.events()) == 4
    assert idle.toy.ended == ["id-1"]


async def test_what_is_rolled_back_never_happened(world: World) -> None:
    def work(tx):
        world.engine.begin(tx, new_run([["task", "echo", 1], ["turn"]], 1))
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await world.database.write(work)
    await world.begin([["task", "echo", 2]], 2)
    await world.over(2)
    assert [task.payload for task in world.performed] == [2]
    assert len(await world.all("SELECT id FROM runs")) == 1


async def test_an_unknown_kind_is_refused(database, clock, entropy) -> None:
    engine = Engine(database, clock, entropy, server="test")
    with pytest.raises(UnknownKind, match="toy"):
        await database.write(lambda tx: engine.begin(tx, new_run([], 1)))
    with pytest.raises(UnknownKind):
        await engine.start(new_run([], 1))


async def test_the_same_arn_twice_is_a_conflict_and_others_in_the_batch_begin(world: World) -> None:
    await world.begin([["pass"]], 1)
    starts = [world.engine.start(new_run([["pass"]], number)) for number in (1, 2, 3)]
    answers = await asyncio.gather(*starts, return_exceptions=True)
    assert isinstance(answers[0], Conflict)
    assert [answer["status"] for answer in answers[1:]] == ["SUCCEEDED", "SUCCEEDED"]


async def test_timers_fire_in_their_time(world: World) -> None:
    for number, seconds in enumerate((3600, 10, 60)):
        await world.begin([["wait", seconds]], number)
    for number, seconds in ((1, 10), (2, 50), (0, 3540)):
        await world.wait_till(lambda: world.clock.next_due is not None)
        world.clock.jump(seconds)
        row = await world.over(number)
        assert row["stopped_at"] - row["started_at"] >= seconds * 1_000_000
        assert len(world.toy.ended) == {1: 1, 2: 2, 0: 3}[number]
    assert await world.leftovers() == 0


async def test_many_timers_fire_in_rounds(world: World) -> None:
    await asyncio.gather(*(world.engine.start(new_run([["wait", 5]], number)) for number in range(1200)))
    await world.wait_till(lambda: world.clock.next_due is not None)
    world.clock.jump(5)
    await world.wait_till(lambda: len(world.toy.ended) == 1200)


async def test_a_timer_of_a_kind_that_is_not_registered_waits(world: World) -> None:
    await world.begin([["wait", 5]])
    await world.down()
    other = Engine(world.database, world.clock, world.entropy, server="other")
    worker = asyncio.create_task(other.run())
    world.clock.jump(10)
    await world.wait_till(lambda: world.clock.next_due is not None)
    assert await other.stop("id-1") is None
    worker.cancel()
    await asyncio.gather(worker, return_exceptions=True)
    assert (await world.row())["status"] == "RUNNING"
    world.up()
    assert (await world.over())["status"] == "SUCCEEDED"


async def test_runs_that_ask_for_turns_go_on_and_others_go_between(world: World) -> None:
    await world.begin([["turn"]] * 300, "long")
    await world.begin([["turn"]] * 3, "short")
    await world.begin([["task", "echo", 1]], "task")
    await world.over("short", "task", "long")
    assert world.toy.ended[-1] == "id-long"
    assert world.notes(await world.row("long")) == ["turned"] * 300


async def test_a_turn_that_nobody_owes_is_not_given(world: World) -> None:
    await world.begin([["wait", 5]])
    number = (await world.row())["number"]
    for run in (number, number + 1000):
        world.engine._intake.turn(run)
    await world.engine.stop("nobody")
    assert [event["type"] for event in await world.events()] == ["Started", "Entered"]


async def test_a_machine_that_breaks_at_the_start_begins_nothing(world: World) -> None:
    with pytest.raises(ZeroDivisionError):
        await world.begin([["break"]])
    with pytest.raises(ZeroDivisionError):
        await world.engine.start(new_run([["break"]], 1))
    assert await world.all("SELECT id FROM runs") == []


@pytest.mark.parametrize("script", [[["task", "echo", 1]], [["wait", 0]], [["turn"]]])
async def test_a_machine_that_breaks_later_fails_its_run_alone(world: World, caplog, script) -> None:
    with caplog.at_level(logging.ERROR):
        numbers = range(4)
        scripts = [[*script, ["break" if number == 1 else "pass"]] for number in numbers]
        await asyncio.gather(*(world.engine.start(new_run(scripts[number], number)) for number in numbers))
        await world.over(*numbers)
    assert [(await world.row(number))["status"] for number in numbers] == [
        "SUCCEEDED",
        "FAILED",
        "SUCCEEDED",
        "SUCCEEDED",
    ]
    row = await world.row(1)
    assert (row["error"], row["cause"]) == ("Internal", "ZeroDivisionError: the toy is broken")
    assert "the toy is broken" in caplog.text
    assert await world.leftovers() == 0


async def test_a_report_that_breaks_the_machine_fails_the_run_and_is_told(idle: World, caplog) -> None:
    await idle.begin([["hold", "echo", 9], ["break"]])
    (task,) = await idle.all("SELECT token FROM tasks")
    with caplog.at_level(logging.ERROR), pytest.raises(ZeroDivisionError):
        await idle.engine.succeed(task["token"], 1)
    assert (await idle.row())["status"] == "FAILED"


async def test_without_workers_reports_and_stops_are_carried_at_once(idle: World) -> None:
    await idle.begin([["hold", "echo", 9], ["task", "echo", 1]])
    (task,) = await idle.all("SELECT token FROM tasks")
    await idle.engine.succeed(task["token"], 1)
    row = await idle.engine.stop("id-1")
    assert row is not None
    assert row["status"] == "ABORTED"
    assert idle.performed == []


async def test_after_a_kill_open_tasks_are_leased_again(world: World) -> None:
    await world.begin([["task", "stall", "a"], ["task", "echo", "b"]])
    await world.wait_till(lambda: bool(world.stalled))
    again = await world.kill()

    async def quick(task):
        return task.payload

    again.also["stall"] = quick
    again.up()
    row = await (again.until(1) if world.database.kind == "postgres" else again.over(1))
    assert again.notes(row) == ["a", "b"]
    assert [(task.resource, task.attempt, task.detail) for task in again.performed] == [
        ("stall", 2, {"at": 0}),
        ("echo", 1, {"at": 1}),
    ]
    await again.down()


async def test_after_a_kill_waiting_tasks_wait_on_and_timers_fire(world: World) -> None:
    await world.begin([["hold", "echo", 60]], "hold")
    await world.begin([["wait", 30]], "wait")
    await world.wait_for(lambda: _waiting(world))
    again = (await world.kill()).up()
    await again.engine.succeed(world.performed[0].token, "reported")
    assert again.notes(await again.over("hold")) == ["TaskSubmitted", "reported"]
    assert (await again.until("wait", seconds=10))["status"] == "SUCCEEDED"
    assert again.performed == []
    await again.down()


async def test_after_a_kill_owed_turns_are_given(idle: World) -> None:
    await idle.begin([["turn"], ["turn"]])
    again = (await idle.kill()).up()
    assert again.notes(await again.until(1)) == ["turned", "turned"]
    await again.down()


async def test_an_orderly_end_frees_tasks_at_once(world: World) -> None:
    await world.begin([["task", "stall", "a"]])
    await world.wait_till(lambda: bool(world.stalled))
    await world.down()
    assert [row["state"] for row in await world.all("SELECT state FROM tasks")] == ["queued"]
    assert world.cancelled == ["stall"]
    world.up()
    await world.wait_till(lambda: len(world.performed) == 2)
    assert world.performed[1].attempt == 2


async def _waiting(world: World) -> bool:
    return [row["state"] for row in await world.all("SELECT state FROM tasks")] == ["waiting"]
