"""What one burst writes: frames, history events and commands, and the frames it has at hand.

Frames are loaded as they are asked for and never changed in place. A command that the same burst makes pointless (a
task or a timer of a point that is gone again) is taken back, so that nobody ever sees it.
"""

from collections import deque

from cumulet.asl.events import HISTORY_FULL, error_details
from cumulet.asl.frames import TASK, Point
from cumulet.asl.program import Failure, Program, State
from cumulet.asl.retry import RUNTIME
from cumulet.base.limits import WorkflowLimits
from cumulet.base.step import CancelTask, ClearTimer, Command, Env, Event, Finish, Frame, SetTimer, StartTask
from cumulet.base.step import State as Saved


class HistoryFullError(Exception):
    """The next event would be one too many."""

    def __init__(self, previous: int) -> None:
        super().__init__(previous)
        self.previous = previous


class Record:
    """The frames, events and commands of one burst."""

    __slots__ = (
        "_fresh",
        "_gone",
        "_saved",
        "changed",
        "commands",
        "env",
        "events",
        "facts",
        "limits",
        "next_event",
        "next_frame",
        "now",
        "over",
        "points",
        "program",
        "ready",
    )

    def __init__(self, state: Saved[Program], env: Env, limits: WorkflowLimits) -> None:
        self.program = state.program
        self.facts = state.facts
        self.env = env
        self.now = env.now
        self.limits = limits
        self.next_event = state.next_event
        self.next_frame = state.next_frame
        self.events: list[Event] = []
        self.commands: list[Command] = []
        self.changed: dict[int, Frame | None] = {}
        self.points: dict[int, Point] = {}
        self.ready: deque[Point] = deque()
        self.over: Finish | None = None
        self._saved = state.frames
        self._fresh = state.next_frame
        self._gone: set[int] = set()

    # Points

    def new_id(self) -> int:
        number = self.next_frame
        self.next_frame = number + 1
        return number

    def fork(self, parent: Point, flow_id: int, text: str, last: int) -> Point:
        """A new child that is about to enter its flow."""
        child = Point(self.new_id(), self.program.flows[flow_id], text, last, parent.id)
        self.points[child.id] = child
        self.ready.append(child)
        return child

    def find(self, number: int) -> Point | None:
        """The point under `number`, or None where there is none."""
        if (point := self.points.get(number)) is not None:
            return point
        frame = self._saved.get(number)
        if frame is None or "flow" not in frame:
            return None
        point = self.points[number] = Point.load(number, frame, self.program.flows)
        return point

    def get(self, number: int) -> Point:
        point = self.find(number)
        assert point is not None, f"frame {number} is missing"
        return point

    def saved(self, number: int) -> Frame:
        """A bulk or page frame as it was committed."""
        return self._saved[number]

    def is_saved(self, number: int) -> bool:
        return number < self._fresh

    def drop(self, number: int) -> None:
        """Remove a frame, whether it has been committed or not."""
        self._gone.add(number)
        self.points.pop(number, None)
        if number < self._fresh:
            self.changed[number] = None

    @staticmethod
    def state_of(point: Point) -> State:
        return point.flow.states[point.state]

    # Events

    def emit(self, kind: str, previous: int, member: str | None = None, details: Event | None = None) -> int:
        """Append a history event and give its id."""
        number = self.next_event
        if number >= self.limits.history_events:
            raise HistoryFullError(previous)
        self.next_event = number + 1
        event: Event = {"timestamp": self.now, "type": kind, "id": number, "previousEventId": previous}
        if member is not None:
            event[member] = details
        self.events.append(event)
        return number

    def finish(self, kind: str, previous: int, details: Event, outcome: Finish) -> None:
        """The last event, and nothing more to do. It may take the place of the last event that history allows."""
        member = f"e{kind[1:]}EventDetails"
        event: Event = {"timestamp": self.now, "type": kind, "id": self.next_event, "previousEventId": previous}
        self.events.append(event | {member: details})
        self.next_event += 1
        self.over = outcome
        self.ready.clear()

    def fail_execution(self, previous: int, failure: Failure) -> None:
        error, cause = failure.error, failure.cause
        error = error[: self.limits.error] if error else error
        cause = cause[: self.limits.cause] if cause else cause
        outcome = Finish("FAILED", error=error, cause=cause)
        self.finish("ExecutionFailed", previous, error_details(error, cause), outcome)

    def overflow(self, previous: int) -> None:
        """The history is full: the execution fails, and that is its last event."""
        cause = HISTORY_FULL.format(limit=self.limits.history_events)
        self.fail_execution(previous, Failure(RUNTIME, cause))

    # Commands

    def set_timer(self, point: Point, name: str, due: int) -> None:
        point.timers = (*point.timers, name)
        self.commands.append(SetTimer(point.id, name, due))

    def clear_timers(self, point: Point, names: tuple[str, ...] | None = None) -> None:
        """Clear the point's timers, all or those named."""
        for name in point.timers if names is None else names:
            self.commands = [
                one
                for one in self.commands
                if not (isinstance(one, SetTimer) and one.frame == point.id and one.name == name)
            ]
            if self.is_saved(point.id):
                self.commands.append(ClearTimer(point.id, name))
        point.timers = () if names is None else tuple(name for name in point.timers if name not in names)

    def cancel_task(self, point: Point) -> None:
        if point.phase == TASK:
            self.commands = [one for one in self.commands if not (isinstance(one, StartTask) and one.frame == point.id)]
            if self.is_saved(point.id):
                self.commands.append(CancelTask(point.id))
