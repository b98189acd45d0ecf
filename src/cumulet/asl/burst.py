"""One call of `advance`: the working set in which points of control run until every one of them waits.

A burst runs states, and its record collects frames, events and commands; `close` makes the step of it. Everything here
lives for one call only; frames and inputs that came in are never changed.
"""

from collections.abc import Callable
from contextlib import suppress
from typing import Any

from cumulet.asl import context
from cumulet.asl.data.scope import DataError, Scope
from cumulet.asl.events import ENTERED, EXITED, whole
from cumulet.asl.frames import ABSENT, FORK, READY, RETRY, WAIT, Point
from cumulet.asl.program import END, Catcher, Failure, Program, ResultPath, State, Target
from cumulet.asl.record import HistoryFullError, Record
from cumulet.asl.retry import DATA_LIMIT, RUNTIME, delay, matches
from cumulet.base.errors import CumuletError
from cumulet.base.json import JSONDecodeError, dumps, loads
from cumulet.base.limits import WorkflowLimits
from cumulet.base.step import ROOT, Continue, Env, Event, Finish, Step
from cumulet.base.step import State as Saved


class StateError(CumuletError):
    """A state failed in a way that has its words already."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(f"{failure.error}: {failure.cause}")
        self.failure = failure


FAULTS = (DataError, StateError, RecursionError, JSONDecodeError)
"""What the work of a state may raise: the last two where data is nested too deeply to be read or written."""


class Burst(Record):
    """The working set of one `advance`."""

    __slots__ = ("_common", "_outer", "_turn", "budget")

    def __init__(self, state: Saved[Program], env: Env, limits: WorkflowLimits) -> None:
        super().__init__(state, env, limits)
        self.budget = limits.burst
        self._turn = False
        self._common: dict[str, Any] | None = None
        self._outer: dict[int, dict[str, Any]] = {}

    # Data

    def text(self, point: Point) -> str:
        """The input of the point's state as JSON text."""
        if point.text is None:
            assert point.fork is not None
            assert point.fork.bulk is not None
            point.text = self._saved[point.fork.bulk]["input"]
        return point.text

    def value(self, point: Point) -> Any:
        """The input of the point's state; nobody may change it."""
        if point.value is ABSENT:
            point.value = loads(self.text(point))
        return point.value

    def scope(self, point: Point, state: State, given: Any, item: tuple[int, Any] | None = None) -> Scope:
        """Where expressions of the point's state see `given` as `$`."""
        variables = self.variables(point) if self.program.variables else {}
        return Scope(given, self.context(point, state, item) if state.context else {}, variables, self.env)

    def context(self, point: Point, state: State, item: tuple[int, Any] | None = None) -> dict[str, Any]:
        if self._common is None:
            self._common = context.execution(self.facts, loads(self.facts["input"]))
        return context.here(self._common, point, state, item or self._item(point))

    def _item(self, point: Point) -> tuple[int, Any] | None:
        """The innermost iteration around the point."""
        own = context.own_item(point)
        if own is None and point.parent is not None:
            return self._item(self._look(point.parent))
        return own

    def _look(self, number: int) -> Point:
        """A point to read only: looking at it does not make it one that changed."""
        return self.points.get(number) or Point.load(number, self._saved[number], self.program.flows)

    def variables(self, point: Point) -> dict[str, Any]:
        """All variables in sight: the point's own and those of the points around it."""
        if point.parent is None:
            return point.variables
        outer = self._outer.get(point.parent)
        if outer is None:
            outer = self._outer[point.parent] = self.variables(self._look(point.parent))
        return {**outer, **point.variables} if point.variables else outer

    def fits(self, text: str) -> bool:
        """Whether a payload is within the limit of bytes."""
        limit = self.limits.payload
        return len(text) * 4 <= limit or len(text.encode()) <= limit

    def check(self, text: str, name: str) -> None:
        """Fail with States.DataLimitExceeded where the output of the state or task `name` is too large."""
        if not self.fits(text):
            cause = (
                f"The state/task '{name}' returned a result with a size exceeding the maximum number of bytes service "
                "limit."
            )
            raise StateError(Failure(DATA_LIMIT, cause))

    # Running

    def run(self) -> None:
        """Run what is ready until all wait, the run is over or others deserve a turn."""
        while self.ready and self.budget > 0:
            point = self.ready.popleft()
            if point.id not in self._gone:
                self._drive(point)

    def _drive(self, point: Point) -> None:
        """Run one point from state to state until it waits or ends."""
        states = point.flow.states
        while self.budget > 0:
            self.budget -= 1
            state = states[point.state]
            details = {"name": state.name, "input": point.text, "inputDetails": {"truncated": False}}
            point.last = point.entered = self.emit(state.entered, point.last, ENTERED, details)
            point.at = self.now
            point.retries = {}
            try:
                target = state.run(self, point)
            except FAULTS as fault:
                target = self.fail(point, state, self._failure(point, fault))
            if target is None:
                return
            if target == END:
                self.ended(point)
                return
            point.state = target
            point.phase = READY
        self.ready.append(point)

    def attempt(self, point: Point, work: Callable[[], Target]) -> None:
        """Do a state's work outside of its entry, then go on from there."""
        state = self.state_of(point)
        try:
            target = work()
        except FAULTS as fault:
            target = self.fail(point, state, self._failure(point, fault))
        self.proceed(point, target)

    def proceed(self, point: Point, target: Target) -> None:
        """Send a point to its next state, let it end, or leave it waiting."""
        if target is None:
            return
        if target == END:
            self.ended(point)
            return
        point.state = target
        point.phase = READY
        self.ready.append(point)

    def ended(self, point: Point) -> None:
        """The point has left the last state of its flow."""
        if point.parent is not None:
            parent = self.get(point.parent)
            self.attempt(parent, lambda: self.state_of(parent).child_ended(self, parent, point))
            return
        text = self.text(point)
        details = {"output": text, "outputDetails": whole()}
        self.finish("ExecutionSucceeded", point.last, details, Finish("SUCCEEDED", output=text))

    def leave(
        self, point: Point, state: State, text: str, value: Any = ABSENT, assigned: dict[str, Any] | None = None
    ) -> Target:
        """Exit a state with this output."""
        self._exit(point, state.exited, state.name, text, value, assigned)
        return state.next

    def _exit(self, point: Point, kind: str, name: str, text: str, value: Any, assigned: dict[str, Any] | None) -> None:
        details: Event = {"name": name, "output": text, "outputDetails": {"truncated": False}}
        if assigned:
            details["assignedVariables"] = {key: self._variable(key, one) for key, one in assigned.items()}
            details["assignedVariablesDetails"] = whole()
            point.variables = {**point.variables, **assigned}
            self._outer.pop(point.id, None)
        point.last = self.emit(kind, point.last, EXITED, details)
        point.text = text
        point.value = value

    def _variable(self, name: str, value: Any) -> str:
        text = dumps(value)
        if not self.fits(text):
            words = (
                f"The variable '{name}' has a value with a size exceeding the maximum number of bytes service limit."
            )
            raise StateError(Failure(DATA_LIMIT, words))
        return text

    # Failing

    @staticmethod
    def _failure(point: Point, fault: Exception) -> Failure:
        if isinstance(fault, StateError):
            return fault.failure
        where = (
            f"An error occurred while executing the state '{point.state}' (entered at the event id #{point.entered})."
        )
        if isinstance(fault, DataError):
            return Failure(fault.error, f"{where} {fault.cause}")
        return Failure(RUNTIME, f"{where} The data is nested too deeply.")

    def fail(self, point: Point, state: State, failure: Failure, gave_up: str | None = None) -> Target:
        """A state failed: retry it, catch the failure or let the point die. `gave_up` tells that it is not retried."""
        self.clear_timers(point)
        point.token = None
        for number, retrier in enumerate(state.retry):
            if matches(retrier.errors, failure):
                used = point.retries.get(str(number), 0)
                if used >= retrier.attempts:
                    break
                point.retries = {**point.retries, str(number): used + 1}
                point.phase = RETRY
                self.set_timer(point, "retry", self.now + delay(retrier, used + 1, self.env))
                return None
        if gave_up is not None and failure.error != RUNTIME:
            point.last = self.emit(gave_up, point.last)
        for catcher in state.catch:
            if matches(catcher.errors, failure):
                try:
                    return self._caught(point, state, catcher, failure)
                except FAULTS as fault:
                    return self.die(point, self._failure(point, fault))
        return self.die(point, failure)

    def _caught(self, point: Point, state: State, catcher: Catcher, failure: Failure) -> Target:
        output: Any = {"Error": failure.error, "Cause": failure.cause}
        assigned = None
        if catcher.assign is not None:
            assigned = catcher.assign.render(self.scope(point, state, output))
        value, text = self.place(point, catcher.result_path, output, None)
        self._exit(point, catcher.exited, state.name, text or dumps(value), value, assigned)
        return catcher.next

    def place(self, point: Point, where: ResultPath, result: Any, text: str | None) -> tuple[Any, str | None]:
        """Put a result where `ResultPath` says; the text comes with it where it is known."""
        if where.path is not None:
            return where.path.set(self.value(point), result), None
        if where.keep:
            return result, text
        return point.value, self.text(point)

    def die(self, point: Point, failure: Failure) -> Target:
        """Nothing handles the failure: it is the surrounding state's, or the execution's."""
        if point.parent is None or failure.error == RUNTIME:
            self.fail_execution(point.last, failure)
            return None
        parent = self.get(point.parent)
        self.attempt(parent, lambda: self.state_of(parent).child_failed(self, parent, point, failure))
        return None

    def abort(self, point: Point, *, stopped: bool = False) -> None:
        """End a point because a sibling failed, or because the whole execution is `stopped`."""
        state = self.state_of(point)
        if point.phase == FORK:
            state.dissolve(self, point, stopped=stopped)
        # AWS records no WaitStateAborted where an execution is stopped.
        if state.aborted is not None and point.phase != READY and not (stopped and point.phase == WAIT):
            self.emit(state.aborted, point.last)
        self.forget(point)

    def abort_all(self) -> None:
        """Record which states were left where they stood, as far as history has room beside its last event."""
        with suppress(HistoryFullError):
            self.abort(self.get(ROOT), stopped=True)

    def forget(self, point: Point) -> None:
        """Remove a point with all that it waits for."""
        self.clear_timers(point)
        self.cancel_task(point)
        self.drop(point.id)

    # The end of the burst

    def close(self) -> Step:
        """All that changed, as one step."""
        if self.over is not None:
            return Step({}, self.events, [self.over], self.next_frame)
        for point in list(self.points.values()):
            if point.fork is not None:
                self.state_of(point).settle(self, point)
            self.changed[point.id] = point.dump()
        self._save_ready()
        return Step(self.changed, self.events, self.commands, self.next_frame)

    def take_turn(self) -> None:
        """Run those points that an earlier burst left ready; the root frame keeps their ids."""
        carried = self._carried()
        self._turn = bool(carried)
        for number in carried:
            point = self.find(number)
            if point is not None and point.phase == READY:
                self.ready.append(point)

    def _carried(self) -> list[int]:
        root = self._saved.get(ROOT)
        return list(root.get("ready", ())) if root is not None else []

    def _save_ready(self) -> None:
        """Keep the ids of what is still ready in the root frame, and ask for another turn unless one is due anyway."""
        left = [point.id for point in self.ready if point.id not in self._gone]
        kept = [] if self._turn else self._carried()
        if left and not kept:
            self.commands.append(Continue())
        if not (left or self._turn or ROOT in self.changed):
            return
        root = dict(self.changed.get(ROOT) or self._saved[ROOT])
        root.pop("ready", None)
        if kept or left:
            root["ready"] = kept + left
        self.changed[ROOT] = root
