"""Any order of stimuli, restarts and jumps of the clock: every run ends as its script says, with a whole history."""

import asyncio
import random
from collections import Counter
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from tests.engine.toy import Script, new_run
from tests.engine.world import World

from cumulet.base import json
from cumulet.base.clock import JumpClock
from cumulet.engine.errors import TaskGone, TaskTimedOut
from cumulet.store.sqlite import SQLite

SAFE = st.sampled_from(
    [
        ["pass"],
        ["turn"],
        ["task", "echo", 1],
        ["task", "slow", 2],
        ["task", "stall", 3],
        ["wait", 5],
        ["wait", 0],
        ["fork", 3, "slow"],
        ["fork", 2, "stall"],
        ["race", "stall", "echo"],
        ["hold", "echo", 1000],
        ["limit", 1000, "stall"],
        ["retry", "echo"],
    ]
)
NOTE: dict[str, Any] = {"turn": "turned", "wait": "waited", "fork": "joined", "race": "joined"}
STEPS = 25


class EngineMachine(RuleBasedStateMachine):
    """Drives one engine after the other on one database."""

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.Runner()
        self.scripts: dict[int, Script] = {}
        self.stopped: set[int] = set()
        self.do(self.set_up())

    def do(self, work: Any) -> Any:
        return self.loop.run(work)

    async def set_up(self) -> None:
        self.database = await SQLite.open(":memory:")
        self.clock = JumpClock()
        self.world = World(self.database, self.clock, random.Random(1).randbytes, concurrency=3).up()

    async def idle(self) -> None:
        """Let things happen, not necessarily to their end."""
        for _ in range(4):
            await self.world.all("SELECT 1 AS one")

    @rule(script=st.lists(SAFE, max_size=5), own=st.booleans())
    def begin(self, script: Script, own: bool) -> None:
        number = len(self.scripts)
        self.scripts[number] = script

        async def work() -> None:
            if own:
                await self.world.begin(script, number)
            else:
                await self.world.engine.start(new_run(script, number))

        self.do(work())

    @rule()
    def rest(self) -> None:
        self.do(self.idle())

    @rule(seconds=st.sampled_from([0.5, 5, 100, 990]))
    def jump(self, seconds: float) -> None:
        self.clock.jump(seconds)
        self.do(self.idle())

    @rule(chance=st.randoms(use_true_random=False), all_of_them=st.booleans())
    def release(self, chance: random.Random, all_of_them: bool) -> None:
        """Performers that stall go on."""
        waiting = [event for event in self.world.stalled.values() if not event.is_set()]
        for event in waiting if all_of_them else waiting[:1]:
            event.set()
        self.do(self.idle())

    @rule(how=st.sampled_from(["succeed", "fail", "beat", "take", "twice"]), number=st.integers(0, 5))
    def report(self, how: str, number: int) -> None:
        async def work() -> None:
            rows = await self.world.all("SELECT token, run FROM tasks ORDER BY token")
            token = rows[number % len(rows)]["token"] if rows else "none"
            engine = self.world.engine
            deeds = {
                "succeed": [engine.succeed(token, "said")],
                "fail": [engine.fail(token, "Said")],
                "beat": [engine.beat(token)],
                "take": [engine.take(token)],
                "twice": [engine.succeed(token, "said"), engine.succeed(token, "again")],
            }
            for name, others in deeds.items():
                if name != how:
                    for other in others:
                        other.close()
            answers = await asyncio.gather(*deeds[how], return_exceptions=True)
            assert all(answer is None or isinstance(answer, TaskGone | TaskTimedOut) for answer in answers)
            assert answers.count(None) <= 1

        self.do(work())

    @precondition(lambda self: self.scripts)
    @rule(number=st.integers(0, 30))
    def stop(self, number: int) -> None:
        chosen = number % len(self.scripts)
        row = self.do(self.world.engine.stop(f"id-{chosen}"))
        if row is not None:
            assert row["status"] == "ABORTED"
            self.stopped.add(chosen)

    @rule(orderly=st.booleans())
    def restart(self, orderly: bool) -> None:
        async def work() -> None:
            if orderly:
                await self.world.down()
                self.world.up()
            else:
                self.world = (await self.world.kill()).up()

        self.do(work())

    @invariant()
    def every_run_is_whole(self) -> None:
        self.do(self.check())

    async def check(self) -> None:
        assert len(await self.world.all("SELECT id FROM runs")) == len(self.scripts)
        assert await self.world.leftovers() == 0
        for number in self.scripts:
            row, events = await self.world.row_and_events(number)
            assert len(events) == row["next_event"] - 1
            kinds = Counter(event["type"] for event in events)
            assert kinds["Finished"] == (row["status"] != "RUNNING")
            assert kinds["Started"] == 1

    async def finish(self) -> None:
        """Let everything come to its end."""

        async def over() -> bool:
            for event in self.world.stalled.values():
                event.set()
            for row in await self.world.all("SELECT token FROM tasks WHERE state = 'waiting'"):
                await self.world.engine.succeed(row["token"], "said")
            return not await self.world.all("SELECT id FROM runs WHERE status = 'RUNNING'")

        await self.world.wait_for(over, seconds=1)
        await self.check()
        for number, script in self.scripts.items():
            row = await self.world.row(number)
            if number in self.stopped:
                assert row["status"] == "ABORTED"
            elif row["status"] == "SUCCEEDED":
                self.check_notes(script, json.loads(row["output"]))
            else:
                assert row["status"] in ("FAILED", "TIMED_OUT")
                assert row["error"] in ("Said", "heartbeat", "timeout")
        assert await self.world.all("SELECT * FROM tasks") == []
        assert await self.world.all("SELECT * FROM timers") == []

    @staticmethod
    def check_notes(script: Script, notes: list[Any]) -> None:
        """Each operation's note stands there once, in order; what reports added besides is known."""
        notes = [note for note in notes if note not in ("TaskSubmitted", "TaskStarted")]
        expected = [NOTE.get(op[0], op[-1]) for op in script if op[0] != "pass"]
        assert len(notes) == len(expected)
        for op, note, wanted in zip([op for op in script if op[0] != "pass"], notes, expected, strict=True):
            assert note in ((wanted,) if op[0] in NOTE else (wanted, "said", None)), (script, notes)

    def teardown(self) -> None:
        async def work() -> None:
            try:
                await self.finish()
            finally:
                await self.world.down()
                await self.database.close()

        try:
            self.do(work())
        finally:
            self.loop.close()


TestEngine = EngineMachine.TestCase
TestEngine.settings = settings(
    max_examples=30,
    stateful_step_count=STEPS,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
