"""Data through a state, the JSONPath way: InputPath, a result, ResultSelector, ResultPath, OutputPath, Assign.

Text that nothing touches is handed on as it came, so that a state that only passes data on costs no JSON work.
"""

from dataclasses import dataclass
from typing import Any

from cumulet.asl.burst import Burst
from cumulet.asl.data.template import Template
from cumulet.asl.frames import ABSENT, Point
from cumulet.asl.program import WHOLE, ResultPath, State, Target
from cumulet.base.json import dumps, loads


def given(burst: Burst, point: Point, state: State) -> Any:
    """The effective input: what InputPath lets through."""
    if state.input_path is None:
        return burst.value(point)
    return state.input_path.evaluate(burst.scope(point, state, burst.value(point)))


def pass_on(burst: Burst, point: Point, state: State) -> Target:
    """Leave a state whose output is its effective input (Choice, Wait, Succeed)."""
    if state.input_path is None and state.output_path is None and state.assign is None:
        return burst.leave(point, state, burst.text(point), point.value)
    return deliver(burst, point, state, given(burst, point, state), state.input_path is None, state.assign)


def deliver(burst: Burst, point: Point, state: State, value: Any, untouched: bool, assign: Template | None) -> Target:
    """Leave a state with this value, after OutputPath; `untouched` says that it is the raw input itself."""
    text = burst.text(point) if untouched else None
    assigned = None
    if assign is not None:
        assigned = assign.render(burst.scope(point, state, value))
    if state.output_path is not None:
        value = state.output_path.evaluate(burst.scope(point, state, value))
        text = None
    if text is None:
        text = dumps(value)
        burst.check(text, state.name)
    return burst.leave(point, state, text, value, assigned)


@dataclass(frozen=True, slots=True, kw_only=True)
class Producer(State):
    """A state that has a result of its own (Pass, Task, Parallel, Map)."""

    selector: Template | None = None
    result_path: ResultPath = WHOLE

    def produce(self, burst: Burst, point: Point, result: Any, text: str | None, source: str) -> Target:
        """Leave the state with a result: its value or its JSON text, or both; `source` is who made it."""
        if text is not None:
            burst.check(text, source)
        if result is ABSENT and text is not None and (self.selector or self.assign or self.result_path.path):
            result = loads(text)
        if self.selector is not None:
            result, text = self.selector.render(burst.scope(point, self, result)), None
        assigned = None
        if self.assign is not None:
            assigned = self.assign.render(burst.scope(point, self, result))
        value, text = burst.place(point, self.result_path, result, text)
        if self.output_path is not None:
            if value is ABSENT and text is not None:
                value = loads(text)
            value, text = self.output_path.evaluate(burst.scope(point, self, value)), None
        if text is None:
            text = dumps(value)
            burst.check(text, self.name)
        return burst.leave(point, self, text, value, assigned)
