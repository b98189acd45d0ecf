"""Tasks: performed, failed, handed over, reported, cancelled, limited."""

import asyncio
import logging

import pytest
from tests.engine.toy import new_run
from tests.engine.world import World

from cumulet.engine.errors import TaskGone, TaskTimedOut
from cumulet.engine.machine import Task
from cumulet.store.errors import StorageFull


async def test_a_task_is_performed_and_its_output_comes_back(world: World) -> None:
    await world.begin([["task", "echo", {"n": 1}], ["pass"]], color="red")
    row = await world.over()
    assert row["status"] == "SUCCEEDED"
    assert world.notes(row) == [{"n": 1}]
    (task,) = world.performed
    assert (task.run, task.resource, task.payload, task.attempt, task.wait) == ("id-1", "echo", {"n": 1}, 1, False)
    assert (task.detail, task.account, task.region) == ({"at": 0}, "000000000000", "us-east-1")
    assert [event["type"] for event in await world.events()] == [
        "Started", "Entered", "TaskSucceeded", "Entered", "Finished",
    ]  # fmt: skip
    assert await world.leftovers() == 0
    assert world.toy.ended == ["id-1"]


async def test_start_gives_the_row_after_the_commit(world: World) -> None:
    row = await world.engine.start(new_run([["task", "stall", None]], 1))
    assert row["status"] == "RUNNING"
    assert (await world.row())["number"] == row["number"]


async def test_a_task_error_is_seen_by_the_machine(world: World) -> None:
    await world.begin([["task", "fail", None]])
    row = await world.over()
    assert (row["status"], row["error"], row["cause"]) == ("FAILED", "Toy.Failed", "as it was told")
    assert row["output"] is None


async def test_a_performer_that_breaks_fails_its_task_and_is_logged(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR):
        await world.begin([["task", "crash", None]])
        row = await world.over()
    assert (row["status"], row["error"], row["cause"]) == ("FAILED", "States.TaskFailed", "Internal")
    assert "a performer broke" in caplog.text


async def test_a_performer_that_cancels_itself_fails_its_task(world: World) -> None:
    async def give_up(task: Task) -> None:
        raise asyncio.CancelledError

    world.also["strange"] = give_up
    await world.begin([["task", "strange", None]])
    assert (await world.over())["error"] == "States.TaskFailed"


async def test_a_machine_may_start_a_failed_task_again(world: World) -> None:
    await world.begin([["retry", "flaky"]])
    assert (await world.over())["status"] == "SUCCEEDED"
    assert len({task.token for task in world.performed}) == 3


async def test_a_handed_over_task_waits_for_a_report_which_counts_once(world: World) -> None:
    await world.begin([["hold", "echo", 60]])
    await world.wait_for(lambda: _state(world, "waiting"))
    token = world.performed[0].token
    await world.engine.succeed(token, {"answer": 42})
    with pytest.raises(TaskGone, match=token):
        await world.engine.succeed(token, {"answer": 43})
    with pytest.raises(TaskGone):
        await world.engine.fail(token, "Late")
    assert world.notes(await world.over()) == ["TaskSubmitted", {"answer": 42}]


async def test_two_reports_at_once_count_once(world: World) -> None:
    await world.begin([["hold", "echo", 60]])
    await world.wait_for(lambda: _state(world, "waiting"))
    token = world.performed[0].token
    answers = await asyncio.gather(
        *(world.engine.succeed(token, number) for number in range(5)), world.engine.beat(token), return_exceptions=True
    )
    assert [type(answer) for answer in answers].count(TaskGone) >= 4
    assert [answers[:5].count(None), len(world.notes(await world.over()))] == [1, 2]


async def test_a_report_may_come_before_the_hand_over_is_done(world: World) -> None:
    await world.begin([["hold", "stall", 60]])
    await world.wait_till(lambda: bool(world.stalled))
    (token,) = world.stalled
    await world.engine.succeed(token, "early")
    assert world.notes(await world.over()) == ["early"]
    assert world.cancelled == []
    world.stalled[token].set()
    await world.wait_till(lambda: not world.at_work)
    assert world.notes(await world.row()) == ["early"]


async def test_somebody_takes_a_task_up_and_fails_it(world: World) -> None:
    await world.begin([["hold", "echo", 60]])
    await world.wait_for(lambda: _state(world, "waiting"))
    token = world.performed[0].token
    await world.engine.take(token, "worker-1")
    await world.engine.fail(token, "Worker.Error", "no luck")
    row = await world.over()
    assert (row["error"], row["cause"]) == ("Worker.Error", "no luck")
    assert "TaskStarted" in [event["type"] for event in await world.events()]
    with pytest.raises(TaskGone):
        await world.engine.take(token)


async def test_heartbeats_keep_a_task_alive_and_silence_ends_it(world: World) -> None:
    await world.begin([["hold", "echo", 10]])
    await world.wait_for(lambda: _state(world, "waiting"))
    token = world.performed[0].token
    for _ in range(5):
        world.clock.jump(6)
        await world.engine.beat(token)
    assert (await world.row())["status"] == "RUNNING"
    row = await world.until(1, seconds=3)
    assert (row["status"], row["error"]) == ("TIMED_OUT", "heartbeat")
    with pytest.raises(TaskGone):
        await world.engine.beat(token)


async def test_a_heartbeat_that_comes_too_late_is_told_so(idle: World) -> None:
    await idle.begin([["hold", "echo", 10]])
    (task,) = await idle.all("SELECT token FROM tasks")
    idle.clock.jump(10)
    with pytest.raises(TaskTimedOut):
        await idle.engine.beat(task["token"])


async def test_a_beat_for_a_task_without_heartbeat_changes_nothing(idle: World) -> None:
    await idle.begin([["task", "echo", 1]])
    (task,) = await idle.all("SELECT token FROM tasks")
    await idle.engine.beat(task["token"])
    assert await idle.all("SELECT * FROM timers") == []


async def test_two_beats_in_one_batch(idle: World) -> None:
    await idle.begin([["hold", "echo", 10]])
    (task,) = await idle.all("SELECT token FROM tasks")
    idle.up()
    await idle.wait_till(lambda: idle.engine._intake._running)
    idle.clock.jump(5)
    await asyncio.gather(*(idle.engine.beat(task["token"]) for _ in range(3)))
    (timer,) = await idle.all("SELECT due FROM timers")
    assert timer["due"] == idle.clock.now() + 10_000_000
    await idle.down()


async def test_a_timeout_cancels_the_performer(world: World) -> None:
    await world.begin([["limit", 30, "stall"]])
    await world.wait_till(lambda: bool(world.stalled))
    row = await world.until(1, seconds=10)
    assert (row["status"], row["error"]) == ("TIMED_OUT", "timeout")
    await world.wait_till(lambda: world.cancelled == ["stall"])
    assert await world.leftovers() == 0


async def test_the_loser_of_a_race_is_cancelled(world: World) -> None:
    await world.begin([["race", "stall", "slow"]])
    assert world.notes(await world.over()) == ["joined"]
    await world.wait_till(lambda: world.cancelled == ["stall"])
    assert await world.leftovers() == 0


async def test_both_rivals_end_in_one_batch(world: World) -> None:
    await world.begin([["race", "echo", "echo"]])
    assert world.notes(await world.over()) == ["joined"]
    assert len(world.performed) == 2


async def test_a_stop_ends_the_run_and_its_performers(world: World) -> None:
    await world.begin([["fork", 3, "stall"]])
    await world.wait_till(lambda: len(world.stalled) == 3)
    row = await world.engine.stop("id-1", "Why", "because")
    assert row is not None
    assert (row["status"], row["error"], row["cause"]) == ("ABORTED", "Why", "because")
    assert row["stopped_at"] == world.clock.now()
    await world.wait_till(lambda: world.cancelled == ["stall"] * 3)
    assert await world.leftovers() == 0
    assert await world.engine.stop("id-1") is None
    assert await world.engine.stop("id-unknown") is None


async def test_what_is_beyond_the_concurrency_waits_as_rows(world: World) -> None:
    narrow = World(world.database, world.clock, world.entropy, concurrency=4)
    await world.down()
    narrow.up()
    await narrow.begin([["fork", 100, "slow"]])
    assert narrow.notes(await narrow.over()) == ["joined"]
    assert narrow.most_at_work == 4
    assert sorted(task.payload for task in narrow.performed) == list(range(100))
    assert {task.attempt for task in narrow.performed} == {1}
    assert await narrow.leftovers() == 0
    await narrow.down()
    world.up()


async def test_tasks_in_memory_are_dropped_when_their_run_is_stopped(database, clock, entropy) -> None:
    narrow = World(database, clock, entropy, concurrency=2).up()
    await narrow.begin([["fork", 4, "stall"]])
    await narrow.wait_till(lambda: len(narrow.stalled) == 2)
    await narrow.engine.stop("id-1")
    await narrow.wait_till(lambda: not narrow.at_work)
    assert len(narrow.performed) == 2
    await narrow.down()


async def test_a_full_disk_is_told_to_callers_and_results_are_kept(world: World) -> None:
    await world.begin([["task", "stall", None]])
    await world.wait_till(lambda: bool(world.stalled))
    world.link.error = StorageFull("no space")
    for event in world.stalled.values():
        event.set()
    with pytest.raises(StorageFull):
        await world.engine.start(new_run([["pass"]], 2))
    await world.wait_till(lambda: world.clock.next_due is not None)
    world.link.error = None
    assert (await world.until(1))["status"] == "SUCCEEDED"
    assert [row["id"] for row in await world.all("SELECT id FROM runs")] == ["id-1"]


async def _state(world: World, state: str) -> bool:
    return [row["state"] for row in await world.all("SELECT state FROM tasks")] == [state]
