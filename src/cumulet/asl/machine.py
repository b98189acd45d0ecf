"""The Amazon States Language as a durable machine: `Interpreter(limits).advance(state, stimulus, env) -> Step`.

Pure: no IO, no clock, no randomness but `env`'s. One call runs every point of control until it waits, at most
`limits.burst` transitions, then asks for another turn with `Continue`. What does not fit the frames (a result for a
task that is gone, a timer of a point that has moved on) changes nothing: an empty step.
"""

from cumulet.asl.burst import Burst
from cumulet.asl.events import whole
from cumulet.asl.frames import RETRY, TASK, Point
from cumulet.asl.program import Program, Target, TaskReport
from cumulet.asl.record import HistoryFullError
from cumulet.base.clock import SECOND
from cumulet.base.limits import AWS_TODAY, WorkflowLimits
from cumulet.base.step import (
    ROOT,
    Continued,
    Env,
    Finish,
    SetTimer,
    Started,
    State,
    Step,
    Stimulus,
    StopRequested,
    TimerFired,
)

EXECUTION_TIMER = "execution"
"""The root's timer for the machine's own TimeoutSeconds."""


class Interpreter:
    """Runs programs within limits. Holds nothing else."""

    def __init__(self, limits: WorkflowLimits = AWS_TODAY) -> None:
        self.limits = limits

    def advance(self, state: State[Program], stimulus: Stimulus, env: Env) -> Step:
        """What follows from the stimulus."""
        burst = Burst(state, env, self.limits)
        try:
            _take(burst, stimulus)
            burst.run()
        except HistoryFullError as full:
            burst.overflow(full.previous)
        return burst.close()


def _take(burst: Burst, stimulus: Stimulus) -> None:
    match stimulus:
        case Started():
            _start(burst)
        case Continued():
            burst.take_turn()
        case TimerFired(frame, name):
            _timer(burst, frame, name)
        case StopRequested(error, cause):
            _stop(burst, error, cause)
        case _:
            _report(burst, stimulus)


def _start(burst: Burst) -> None:
    facts, program = burst.facts, burst.program
    details = {"input": facts["input"], "inputDetails": whole()}
    if "roleArn" in facts:
        details["roleArn"] = facts["roleArn"]
    burst.emit("ExecutionStarted", 0, "executionStartedEventDetails", details)
    root = Point(ROOT, program.flows[0], facts["input"], 0)
    burst.points[ROOT] = root
    burst.ready.append(root)
    if program.timeout is not None:
        burst.commands.append(SetTimer(ROOT, EXECUTION_TIMER, burst.now + program.timeout * SECOND))


def _report(burst: Burst, news: TaskReport) -> None:
    """Somebody tells of a task: taken only with the token of the point's open task."""
    point = burst.find(news.frame)
    if point is None or point.phase != TASK or point.token != news.token:
        burst.points.pop(news.frame, None)
        return
    burst.attempt(point, lambda: burst.state_of(point).report(burst, point, news))


def _timer(burst: Burst, frame: int, name: str) -> None:
    if frame == ROOT and name == EXECUTION_TIMER:
        burst.abort_all()
        burst.finish("ExecutionTimedOut", 0, {}, Finish("TIMED_OUT"))
        return
    point = burst.find(frame)
    if point is None or name not in point.timers:
        burst.points.pop(frame, None)
        return
    point.timers = tuple(one for one in point.timers if one != name)
    state = burst.state_of(point)

    def work() -> Target:
        return state.again(burst, point) if point.phase == RETRY else state.due(burst, point, name)

    burst.attempt(point, work)


def _stop(burst: Burst, error: str | None, cause: str | None) -> None:
    burst.abort_all()
    details = {key: text for key, text in (("error", error), ("cause", cause)) if text is not None}
    burst.finish("ExecutionAborted", 0, details, Finish("ABORTED", error=error, cause=cause))
