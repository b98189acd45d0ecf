"""A toy machine for tests: a script of small operations, run one after the other.

    ["task", resource, payload]   a task; its output is noted
    ["hold", resource, seconds]   a task that waits for somebody's report, with a heartbeat timer of so many seconds
    ["wait", seconds]             a timer
    ["limit", seconds, resource]  a task with a timeout; the run is TIMED_OUT when it fires
    ["turn"]                      `Continue`
    ["fork", count, resource]     so many child frames, each with a task; joins them
    ["race", resource, other]     two child frames with a task each; the first to end cancels the other
    ["retry", resource]           a task that is started again when it fails
    ["break"]                     raises

`spec` is the script as JSON. The run's output is the list of what its operations noted.
"""

from typing import Any

from cumulet.base import json
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
    State,
    Step,
    Stimulus,
    StopRequested,
    TaskFailed,
    TaskStarted,
    TaskSubmitted,
    TaskSucceeded,
    TimerFired,
)
from cumulet.engine.machine import NewRun
from cumulet.store.api import Row, Transaction

type Script = list[list[Any]]

SECOND = 1_000_000


class Toy:
    """The machine."""

    kind = "toy"

    def __init__(self) -> None:
        self.ended: list[str] = []

    def program(self, tx: Transaction, spec: str) -> Script:
        return json.loads(spec)

    def advance(self, state: State[Script], stimulus: Stimulus, env: Env) -> Step:
        return _Turn(state, env).take(stimulus)

    def settled(self, tx: Transaction, run: Row, step: Step) -> None:
        if run["status"] != "RUNNING":
            tx.after_commit(lambda: self.ended.append(run["id"]))
            tx.wake("toy-ended")


class _Turn:
    def __init__(self, state: State[Script], env: Env) -> None:
        self.state = state
        self.env = env
        self.step = Step(next_frame=state.next_frame)
        self.root = dict(state.frames.get(0) or {"at": 0, "notes": [], "left": 0})

    def take(self, stimulus: Stimulus) -> Step:
        self.event(type(stimulus).__name__)
        match stimulus:
            case Started():
                self.go_on()
            case Continued():
                self.next("turned")
            case TaskSucceeded(frame, token, output):
                self.ended(frame, token, output)
            case TaskFailed(frame, token, error, cause):
                self.failed(frame, error, cause)
            case TimerFired(frame, name):
                self.fired(frame, name)
            case TaskSubmitted() | TaskStarted():
                self.root["notes"] = [*self.root["notes"], type(stimulus).__name__]
            case StopRequested(error, cause):
                self.finish("ABORTED", error, cause)
        if not any(isinstance(command, Finish) for command in self.step.commands):
            self.step.frames[0] = self.root
        return self.step

    def event(self, kind: str, **detail: Any) -> None:
        self.step.events.append({"id": self.state.next_event + len(self.step.events), "type": kind, **detail})

    def do(self, command: Any) -> None:
        self.step.commands.append(command)

    def finish(self, status: str, error: str | None = None, cause: str | None = None) -> None:
        self.event("Finished", status=status)
        output = json.dumps(self.root["notes"]) if status == "SUCCEEDED" else None
        self.do(Finish(status, output, error, cause))

    def next(self, note: Any) -> None:
        self.root["notes"] = [*self.root["notes"], note]
        self.root["at"] += 1
        self.go_on()

    def go_on(self) -> None:
        while self.root["at"] < len(self.state.program):
            op, *args = self.state.program[self.root["at"]]
            self.event("Entered", op=op)
            if getattr(self, "op_" + op)(*args):
                return
            self.root["at"] += 1
        self.finish("SUCCEEDED")

    def token(self) -> str:
        return self.env.entropy(12).hex()

    def op_pass(self) -> bool:
        return False

    def op_task(self, resource: str, payload: Any) -> bool:
        self.do(StartTask(0, self.token(), resource, payload, detail={"at": self.root["at"]}))
        return True

    def op_hold(self, resource: str, seconds: float) -> bool:
        self.do(StartTask(0, self.token(), resource, None, heartbeat=seconds, wait=True))
        self.do(SetTimer(0, "heartbeat", self.env.now + int(seconds * SECOND)))
        return True

    def op_limit(self, seconds: float, resource: str) -> bool:
        self.do(StartTask(0, self.token(), resource, None))
        self.do(SetTimer(0, "timeout", self.env.now + int(seconds * SECOND)))
        return True

    def op_retry(self, resource: str) -> bool:
        self.do(StartTask(0, self.token(), resource, None))
        return True

    def op_wait(self, seconds: float) -> bool:
        self.do(SetTimer(0, "wait", self.env.now + int(seconds * SECOND)))
        return True

    def op_turn(self) -> bool:
        self.do(Continue())
        return True

    def op_fork(self, count: int, resource: str) -> bool:
        first = self.step.next_frame
        for frame in range(first, first + count):
            self.step.frames[frame] = {"child": frame - first}
            self.do(StartTask(frame, self.token(), resource, frame - first))
        self.step.next_frame = first + count
        self.root["left"] = count
        return True

    def op_race(self, resource: str, other: str) -> bool:
        first = self.step.next_frame
        for frame, what in ((first, resource), (first + 1, other)):
            self.step.frames[frame] = {"rival": 2 * first + 1 - frame}
            self.do(StartTask(frame, self.token(), what, None))
        self.step.next_frame = first + 2
        self.root["left"] = 1
        return True

    def op_break(self) -> bool:
        raise ZeroDivisionError("the toy is broken")

    def ended(self, frame: int, token: str, output: Any) -> None:
        if frame == 0:
            self.do(ClearTimer(0, "heartbeat"))
            self.do(ClearTimer(0, "timeout"))
            self.next(output)
            return
        body = self.state.frames[frame]
        if "rival" in body:
            self.do(CancelTask(body["rival"]))
            self.step.frames[body["rival"]] = None
        self.step.frames[frame] = None
        self.root["left"] -= 1
        if not self.root["left"]:
            self.next("joined")

    def failed(self, frame: int, error: str, cause: str | None) -> None:
        if frame == 0 and self.state.program[self.root["at"]][0] == "retry":
            self.go_on()
        else:
            self.finish("FAILED", error, cause)

    def fired(self, frame: int, name: str) -> None:
        if name == "wait":
            self.next("waited")
        else:
            self.finish("TIMED_OUT", name)


def new_run(script: Script, number: int | str, **details: Any) -> NewRun:
    """A run of `script`, with `number` in its names."""
    return NewRun(
        id=f"id-{number}",
        kind="toy",
        arn=f"arn:toy:{number}",
        name=f"run-{number}",
        account="000000000000",
        region="us-east-1",
        subject="arn:toys",
        spec=json.dumps(script),
        input="{}",
        details=details,
    )
