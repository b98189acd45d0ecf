"""What a machine may read and may not say."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from tests.engine.toy import new_run
from tests.engine.world import World

from cumulet.base.step import (
    CancelTask,
    Continue,
    Continued,
    Env,
    Finish,
    SetTimer,
    Started,
    StartTask,
    State,
    Step,
    Stimulus,
    StopRequested,
    TaskSucceeded,
)
from cumulet.engine.engine import Engine
from cumulet.engine.errors import BrokenMachine, TaskGone
from cumulet.store.api import Row, Transaction
from cumulet.store.errors import Closed, StorageFull

type Advance = Callable[[State[None], Stimulus], Step]


class Made:
    """A machine made of one function."""

    kind = "toy"

    def __init__(self, advance: Advance) -> None:
        self._advance = advance

    def program(self, tx: Transaction, spec: str) -> None:
        return None

    def advance(self, state: State[None], stimulus: Stimulus, env: Env) -> Step:
        return self._advance(state, stimulus)

    def settled(self, tx: Transaction, run: Row, step: Step) -> None:
        pass


async def _never(task: Any) -> None:
    await asyncio.Event().wait()


@pytest.fixture
def make(database, clock, entropy) -> Callable[[Advance], Engine]:
    """An engine without workers for a machine of one function."""

    def build(advance: Advance) -> Engine:
        engine = Engine(database, clock, entropy, server="test")
        engine.register(Made(advance), _never)
        return engine

    return build


@pytest.mark.parametrize(
    "step",
    [
        Step(events=[{"id": 2, "type": "Gap"}]),
        Step(events=[{"id": 1, "type": "Twice"}, {"id": 1, "type": "Twice"}]),
        Step({5: {"frame": "never taken"}}),
    ],
)
async def test_a_step_that_contradicts_itself_is_refused(make, database, step: Step) -> None:
    engine = make(lambda state, stimulus: step)
    with pytest.raises(BrokenMachine):
        await database.write(lambda tx: engine.begin(tx, new_run([], 1)))
    assert await database.read(lambda tx: tx.all("SELECT id FROM runs")) == []


async def test_the_facts_are_all_that_the_starter_gave(make, database, clock) -> None:
    seen: list[dict[str, Any]] = []

    def advance(state: State[None], stimulus: Stimulus) -> Step:
        seen.append(dict(state.facts))
        return Step(commands=[Finish("SUCCEEDED", "1")] if isinstance(stimulus, StopRequested) else [])

    engine = make(advance)
    row = await engine.start(new_run([], 1, color="red"))
    await engine.stop("id-1")
    assert seen[0] == seen[1]
    assert seen[0]["color"] == "red"
    assert {name: seen[0][name] for name in ("id", "arn", "name", "subject", "input", "started_at")} == {
        name: row[name] for name in ("id", "arn", "name", "subject", "input", "started_at")
    }


async def test_frames_are_read_as_they_are_asked_for(make, database) -> None:
    looks: list[Any] = []

    def advance(state: State[None], stimulus: Stimulus) -> Step:
        frames = state.frames
        if isinstance(stimulus, Started):
            looks.append((list(frames), len(frames), frames.get(0), 0 in frames, 7 in frames))
            return Step({0: {"n": 0}, 1: {"n": 1}, 2: {"n": 2}}, next_frame=3)
        looks.append((list(frames), len(frames), frames[2], 1 in frames, "1" in frames, frames.get(9, "none")))
        with pytest.raises(KeyError):
            frames[9]
        return Step({1: None, 2: {"n": 22}, 0: None})

    engine = make(advance)
    await engine.start(new_run([], 1))
    await engine.stop("id-1")
    await engine.stop("id-1")
    assert looks[:2] == [([], 0, None, False, False), ([0, 1, 2], 3, {"n": 2}, True, False, "none")]
    assert looks[2] == ([2], 1, {"n": 22}, False, False, "none")


async def test_a_second_stimulus_of_a_batch_sees_what_the_first_did(idle: World, make) -> None:
    """A child's result cancels the task of another whose result is in the same batch."""

    def advance(state: State[None], stimulus: Stimulus) -> Step:
        if isinstance(stimulus, Started):
            tasks = [StartTask(frame, f"token-{frame}", "any", None) for frame in (1, 2)]
            return Step({0: {}, 1: {}, 2: {}}, commands=tasks, next_frame=3)
        assert isinstance(stimulus, TaskSucceeded)
        return Step({0: {"first": stimulus.frame}}, commands=[CancelTask(3 - stimulus.frame)])

    engine = make(advance)
    await engine.start(new_run([], 1))
    worker = asyncio.create_task(engine.run())
    await idle.wait_till(lambda: engine._intake._running)
    reports = [engine.succeed("token-1", 1), engine.succeed("token-2", 2)]
    answers = await asyncio.gather(*reports, return_exceptions=True)
    worker.cancel()
    await asyncio.gather(worker, return_exceptions=True)
    assert answers.count(None) == 1
    assert await idle.all("SELECT token FROM tasks") == []


async def test_what_a_finished_run_asked_for_is_not_done(make, database, clock) -> None:
    def advance(state: State[None], stimulus: Stimulus) -> Step:
        commands = [StartTask(0, "t", "any", None), SetTimer(0, "x", clock.now()), Finish("FAILED", error="E")]
        return Step({0: {}}, commands=commands)

    engine = make(advance)
    row = await engine.start(new_run([], 1))
    assert (row["status"], row["error"], row["root"]) == ("FAILED", "E", None)
    for table in ("tasks", "timers", "frames"):
        assert await database.read(lambda tx, table=table: tx.all(f"SELECT * FROM {table}")) == []


async def test_a_server_starts_when_the_database_can_write_again(idle: World) -> None:
    idle.link.error = StorageFull("no space")
    idle.up()
    await idle.begin([["task", "echo", 1]])
    await idle.wait_till(lambda: idle.clock.next_due is not None)
    idle.link.error = None
    assert (await idle.until(1))["status"] == "SUCCEEDED"
    await idle.down()


async def test_when_the_database_is_closed_callers_are_told(world: World) -> None:
    world.link.torn = True
    with pytest.raises(Closed):
        await world.engine.stop("id-1")


async def test_what_was_accepted_is_carried_before_the_workers_end(idle: World) -> None:
    idle.up()
    await idle.wait_till(lambda: idle.engine._live)
    await idle.wait_till(lambda: idle.engine._intake._running)
    asks = [asyncio.create_task(idle.engine.stop("nobody")) for _ in range(2000)]
    await asyncio.sleep(0)
    await idle.down()
    answers = await asyncio.gather(*asks, return_exceptions=True)
    assert answers == [None] * 2000


async def test_commands_for_one_place_are_carried_out_in_order(idle: World, make) -> None:
    """Cancelled in the burst that started it: never performed. Asked for two turns: one is given."""

    def advance(state: State[None], stimulus: Stimulus) -> Step:
        if isinstance(stimulus, Continued):
            return Step(commands=[Finish("SUCCEEDED", "1")])
        tasks = [StartTask(0, "first", "any", None), CancelTask(0), StartTask(0, "second", "any", None)]
        return Step({0: {}}, commands=[*tasks, Continue(), Continue()])

    engine = make(advance)
    await engine.start(new_run([], 1))
    assert [row["token"] for row in await idle.all("SELECT token FROM tasks")] == ["second"]
    worker = asyncio.create_task(engine.run())
    assert (await idle.over())["output"] == "1"
    worker.cancel()
    await asyncio.gather(worker, return_exceptions=True)


async def test_a_hand_over_and_its_report_in_one_batch_come_in_their_order(idle: World) -> None:
    await idle.begin([["hold", "stall", 60]])
    idle.up()
    await idle.wait_till(lambda: bool(idle.stalled))
    (token,) = idle.stalled
    asks = [
        idle.engine.take(token),
        idle.engine.beat(token),
        idle.engine.succeed(token, "done"),
        idle.engine.take(token),
    ]
    answers = await asyncio.gather(*asks, return_exceptions=True)
    assert [type(answer) for answer in answers] == [type(None), type(None), type(None), TaskGone]
    assert idle.notes(await idle.over()) == ["TaskStarted", "done"]
    await idle.down()


async def test_a_report_for_a_run_whose_kind_is_not_registered_changes_nothing(
    idle: World, database, clock, entropy
) -> None:
    await idle.begin([["hold", "echo", 60]])
    (task,) = await idle.all("SELECT token FROM tasks")
    other = Engine(database, clock, entropy, server="other")
    with pytest.raises(TaskGone):
        await other.succeed(task["token"], 1)
    await idle.engine.succeed(task["token"], 1)
    assert (await idle.row())["status"] == "SUCCEEDED"
