"""A parsed workflow: frozen, compiled once, shared by all its executions.

A **flow** is one scope of states: the program's own, a Parallel branch's, a Map processor's. Flows are numbered, so
that a frame names its place by a number and a state name. `parse` makes a program, `burst` runs it.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from cumulet.asl.data.expression import Expression
from cumulet.asl.data.jsonpath import Path
from cumulet.asl.data.scope import Scope
from cumulet.asl.data.template import Template
from cumulet.base.step import TaskFailed, TaskStarted, TaskSubmitted, TaskSucceeded

if TYPE_CHECKING:
    from cumulet.asl.burst import Burst
    from cumulet.asl.frames import Point

END = ""
"""What a state answers instead of a next state's name when it was the last one."""

type Target = str | None
"""The next state's name, `END`, or None: this point of control waits or is gone."""

type TaskReport = TaskStarted | TaskSubmitted | TaskSucceeded | TaskFailed


@dataclass(frozen=True, slots=True)
class Failure:
    """How a state failed. `alias` is a second name that Retriers and Catchers may use for the same thing."""

    error: str | None
    cause: str | None = None
    alias: str | None = None


@dataclass(frozen=True, slots=True)
class Constant:
    """A value that needs no scope: what `InputPath: null` and literal fields become. Nobody may change it."""

    value: Any

    def evaluate(self, _scope: Scope) -> Any:
        return self.value


type Value = Expression | Constant


@dataclass(frozen=True, slots=True)
class ResultPath:
    """Where a result goes: in place of the input (`path` None), nowhere (`keep` False) or into the input at `path`."""

    path: Path | None = None
    keep: bool = True


WHOLE = ResultPath()
DISCARD = ResultPath(keep=False)


@dataclass(frozen=True, slots=True)
class Retrier:
    """One entry of `Retry`; times in seconds."""

    errors: tuple[str, ...]
    interval: float
    attempts: int
    backoff: float
    longest: float | None
    jitter: bool


@dataclass(frozen=True, slots=True)
class Catcher:
    """One entry of `Catch`."""

    errors: tuple[str, ...]
    next: str
    result_path: ResultPath
    assign: Template | None
    exited: str
    """The exit event's type, of the state that catches."""


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """What all state types share. `None` for a path means it is absent or `$`: data goes through untouched."""

    name: str
    next: str
    """`END` where the state has `End: true` or is terminal."""
    entered: str
    exited: str
    input_path: Value | None = None
    output_path: Value | None = None
    assign: Template | None = None
    context: bool = False
    """Whether any expression of the state looks at the context object."""
    retry: tuple[Retrier, ...] = ()
    catch: tuple[Catcher, ...] = ()

    counts_retries: ClassVar[bool] = False
    """Whether the context object tells this state's `RetryCount`."""
    aborted: ClassVar[str | None] = None
    """The event that tells that a sibling's failure ended this state."""

    def run(self, burst: "Burst", point: "Point") -> Target:
        """Do the state's work from its entry, up to its exit or to a wait."""
        raise NotImplementedError

    def again(self, burst: "Burst", point: "Point") -> Target:
        """Do it once more after a retry's delay; the state was not left."""
        return self.run(burst, point)

    def report(self, burst: "Burst", point: "Point", news: TaskReport) -> Target:
        """Hear of the state's own task."""
        raise NotImplementedError

    def due(self, burst: "Burst", point: "Point", timer: str, /) -> Target:
        """A timer that the state set has fired."""
        raise NotImplementedError

    def child_ended(self, burst: "Burst", point: "Point", child: "Point") -> Target:
        """A child of the state, which forked, has left its last state."""
        raise NotImplementedError

    def child_failed(self, burst: "Burst", point: "Point", child: "Point", failure: Failure) -> Target:
        """A child failed and nothing within it handled that."""
        raise NotImplementedError

    def dissolve(self, burst: "Burst", point: "Point", *, stopped: bool = False) -> None:
        """Abort all children, because the state ends or starts over."""
        raise NotImplementedError

    def settle(self, burst: "Burst", point: "Point") -> None:
        """Before the burst's end: put what is bulky into frames of its own."""
        raise NotImplementedError

    def targets(self) -> Iterator[str]:
        """All states that this one may go to."""
        if self.next != END:
            yield self.next
        for catcher in self.catch:
            yield catcher.next


@dataclass(frozen=True, slots=True)
class Flow:
    """One scope of states."""

    id: int
    start: str
    states: Mapping[str, State]


@dataclass(frozen=True, slots=True)
class Program:
    """A whole workflow. Flow 0 is the outermost."""

    flows: tuple[Flow, ...]
    timeout: int | None
    """`TimeoutSeconds` of the whole execution."""
    variables: bool
    """Whether any state assigns variables; where none does, none are looked up."""
