"""A pure rig for the machine: a dictionary of frames, timers on a clock that jumps, tasks answered by a function.

It keeps the engine's side of the contract in `base/step.py`, checks it at every step, and runs one stimulus at a time.
"""

import json
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import orjson

from cumulet.asl.machine import Interpreter
from cumulet.asl.parse import parse
from cumulet.asl.program import Program
from cumulet.base.limits import AWS_TODAY, WorkflowLimits
from cumulet.base.step import (
    CancelTask,
    ClearTimer,
    Continue,
    Continued,
    Env,
    Finish,
    SetTimer,
    Started,
    StartTask,
    Step,
    Stimulus,
    StopRequested,
    TaskFailed,
    TaskSucceeded,
    TimerFired,
)

type Answer = Callable[[StartTask], Any]
"""Gives the output of a task, or a `TaskFailed`-like (error, cause) by raising `Refused`, or `OPEN`."""

OPEN = object()
START = 1_700_000_000_000_000


class Refused(Exception):
    def __init__(self, error: str, cause: str | None = None) -> None:
        super().__init__(error)
        self.error, self.cause = error, cause


def unavailable(task: StartTask) -> Any:
    raise Refused("States.TaskFailed", f"{task.resource} is not available here")


def _frozen(frames: dict[int, dict[str, Any]]) -> bytes:
    return orjson.dumps(frames, option=orjson.OPT_NON_STR_KEYS)


@dataclass
class Rig:
    definition: Any
    given: Any = None
    answer: Answer = unavailable
    limits: WorkflowLimits = AWS_TODAY
    text: str | None = None
    now: int = START
    frames: dict[int, dict[str, Any]] = field(default_factory=dict)
    events: list[dict[str, Any]] = field(default_factory=list)
    tasks: dict[int, StartTask] = field(default_factory=dict)
    timers: dict[tuple[int, str], int] = field(default_factory=dict)
    inbox: deque[Stimulus] = field(default_factory=deque)
    steps: list[Step] = field(default_factory=list)
    end: Finish | None = None
    next_frame: int = 1
    facts: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        source = self.definition if isinstance(self.definition, str) else json.dumps(self.definition)
        self.program: Program = parse(source)
        self.machine = Interpreter(self.limits)
        text = self.text if self.text is not None else json.dumps(self.given if self.given is not None else {})
        self.facts = {
            "id": "run",
            "arn": "arn:aws:states:us-east-1:000000000000:execution:machine:run",
            "name": "run",
            "subject": "arn:aws:states:us-east-1:000000000000:stateMachine:machine",
            "region": "us-east-1",
            "started_at": self.now,
            "input": text,
            "roleArn": "arn:aws:iam::000000000000:role/role",
        } | self.facts

    @property
    def next_event(self) -> int:
        return len(self.events) + 1

    def take(self, stimulus: Stimulus, seed: bytes | None = None) -> Step:
        """One `advance`, with everything the engine would do about it."""
        if self.end is not None:
            return Step()
        before = _frozen(self.frames)
        env = Env(self.now, seed or str(len(self.steps)).encode())
        step = self.machine.advance(self, stimulus, env)
        assert _frozen(self.frames) == before, "a frame was changed in place"
        self.steps.append(step)
        assert [event["id"] for event in step.events] == list(
            range(self.next_event, self.next_event + len(step.events))
        )
        self.events += step.events
        assert step.next_frame >= self.next_frame
        self.next_frame = step.next_frame
        for number, frame in step.frames.items():
            assert number < self.next_frame
            if frame is None:
                assert number in self.frames, "a frame was removed that never was"
                del self.frames[number]
            else:
                self.frames[number] = orjson.loads(orjson.dumps(frame))
        for command in step.commands:
            self._carry_out(command)
        return step

    def _carry_out(self, command: Any) -> None:
        match command:
            case StartTask():
                assert command.frame in self.frames
                self.tasks[command.frame] = command
            case CancelTask():
                self.tasks.pop(command.frame, None)
            case SetTimer():
                assert command.frame in self.frames
                self.timers[command.frame, command.name] = command.due
            case ClearTimer():
                self.timers.pop((command.frame, command.name), None)
            case Continue():
                self.inbox.append(Continued())
            case Finish():
                self.end = command
                self.frames, self.tasks, self.timers = {}, {}, {}
                self.inbox.clear()

    def begin(self) -> "Rig":
        self.take(Started())
        return self

    def work(self) -> bool:
        """Deliver one thing: what is in the inbox, a task's answer, or the next timer. False when there is nothing."""
        if self.end is not None:
            return False
        if self.inbox:
            self.take(self.inbox.popleft())
            return True
        for task in list(self.tasks.values()):
            try:
                output = self.answer(task)
            except Refused as refusal:
                del self.tasks[task.frame]
                self.take(TaskFailed(task.frame, task.token, refusal.error, refusal.cause))
                return True
            if output is not OPEN:
                del self.tasks[task.frame]
                self.take(TaskSucceeded(task.frame, task.token, output))
                return True
        if self.timers:
            self.fire(*min(self.timers, key=lambda key: (self.timers[key], key)))
            return True
        return False

    def fire(self, frame: int, name: str) -> None:
        self.now = max(self.now, self.timers.pop((frame, name)))
        self.take(TimerFired(frame, name))

    def run(self, most: int = 100_000) -> "Rig":
        if not self.steps:
            self.begin()
        for _ in range(most):
            if not self.work():
                break
        return self

    def stop(self, error: str | None = None, cause: str | None = None) -> "Rig":
        self.take(StopRequested(error, cause))
        return self

    # What a test looks at

    @property
    def types(self) -> list[str]:
        return [event["type"] for event in self.events]

    @property
    def output(self) -> Any:
        assert self.end is not None, "the execution has not ended"
        assert self.end.output is not None, f"{self.end}"
        return json.loads(self.end.output)

    def details(self, kind: str, number: int = 0) -> dict[str, Any]:
        """The details member of the given event of a type."""
        event = [event for event in self.events if event["type"] == kind][number]
        return next((value for key, value in event.items() if key.endswith("EventDetails")), {})

    def trace(self) -> str:
        """`id<-previous Type` of each event, for comparison with a recorded one."""
        return " ".join(f"{event['id']}<-{event['previousEventId']} {event['type']}" for event in self.events)
