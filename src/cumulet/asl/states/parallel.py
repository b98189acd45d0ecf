"""Parallel: runs its branches at once on the same input; its result is the list of their outputs."""

from dataclasses import dataclass
from typing import Protocol

from cumulet.asl.burst import Burst
from cumulet.asl.data.template import Template
from cumulet.asl.fields import Fields
from cumulet.asl.frames import Fork, Point
from cumulet.asl.program import Target
from cumulet.asl.states.fork import Forking
from cumulet.asl.states.mapping import given
from cumulet.base.json import dumps


class Nested(Protocol):
    """Parses a flow within the program and gives its number."""

    def add(self, fields: Fields) -> int: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Parallel(Forking):
    branches: tuple[int, ...]
    parameters: Template | None

    aborted = "ParallelStateAborted"
    succeeded = "ParallelStateSucceeded"
    failed = "ParallelStateFailed"
    alias = "States.BranchFailed"

    def run(self, burst: Burst, point: Point) -> Target:
        fork = Fork(len(self.branches), len(self.branches))
        if self.input_path is None and self.parameters is None:
            fork.text = burst.text(point)
        else:
            value = given(burst, point, self)
            if self.parameters is not None:
                value = self.parameters.render(burst.scope(point, self, value))
            fork.text = dumps(value)
        point.last = burst.emit("ParallelStateStarted", point.last)
        return self.begin(burst, point, fork)

    def spawn(self, burst: Burst, point: Point, fork: Fork, index: int, last: int) -> Point:
        return burst.fork(point, self.branches[index], fork.text, last)


def parse(fields: Fields, flows: Nested) -> Parallel:
    shared = fields.shared()
    branches = tuple(flows.add(part) for part in fields.parts("Branches"))
    if not branches:
        raise fields.bad("Branches", "Missing field")
    return Parallel(
        **shared,
        branches=branches,
        parameters=fields.template("Parameters"),
        selector=fields.template("ResultSelector"),
        result_path=fields.result_path(),
        retry=fields.retry(),
        catch=fields.catch(shared["exited"]),
    )
