"""Choice: goes where its first matching rule says, else to `Default`."""

from collections.abc import Iterator
from dataclasses import dataclass

from cumulet.asl.burst import Burst
from cumulet.asl.data.choice import Rule, compile_rule
from cumulet.asl.data.scope import DataError
from cumulet.asl.data.template import Template
from cumulet.asl.fields import Fields
from cumulet.asl.frames import Point
from cumulet.asl.program import State, Target
from cumulet.asl.retry import RUNTIME
from cumulet.asl.states.mapping import deliver, given

NO_CHOICE = "Failed to transition out of the state. The state does not point to a next state."


@dataclass(frozen=True, slots=True)
class Way:
    """One of the `Choices`."""

    rule: Rule
    next: str
    assign: Template | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice(State):
    ways: tuple[Way, ...]
    default: str | None

    def targets(self) -> Iterator[str]:
        yield from (way.next for way in self.ways)
        if self.default is not None:
            yield self.default

    def run(self, burst: Burst, point: Point) -> Target:
        value = given(burst, point, self)
        scope = burst.scope(point, self, value)
        for way in self.ways:
            if way.rule.matches(scope):
                return self._go(burst, point, value, way.next, way.assign)
        if self.default is None:
            raise DataError(RUNTIME, NO_CHOICE)
        return self._go(burst, point, value, self.default, self.assign)

    def _go(self, burst: Burst, point: Point, value: object, following: str, assign: Template | None) -> Target:
        if assign is None and self.input_path is None and self.output_path is None:
            burst.leave(point, self, burst.text(point), value)
        else:
            deliver(burst, point, self, value, self.input_path is None, assign)
        return following


def parse(fields: Fields) -> Choice:
    ways = []
    for part in fields.parts("Choices"):
        try:
            rule = compile_rule(part.raw)
        except ValueError as problem:
            raise fields.bad("Choices", str(problem)) from problem
        ways.append(Way(rule, part.need("Next", str), part.assign()))
    return Choice(**fields.shared(), ways=tuple(ways), default=fields.get("Default", str))
