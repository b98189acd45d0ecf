"""What a durable machine and the engine say to each other.

    advance(state, stimulus, env) -> Step

A machine (an ASL execution, later a build, a pipeline, a stack operation) is a pure function. The engine brings it a
*stimulus*, the *state* (immutable facts, the parsed program, the frames) and an *env* (time and seed: the only doors);
it answers with a *step*: frames that changed, history events to append, commands to carry out. The engine writes all of
it in one transaction and acknowledges after the commit.

A **frame** is one point of control: a JSON object of the machine's own making under an integer id, one row each.
Frame 0 is the root. A machine takes new frame ids upwards from `state.next_frame`.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

type Frame = dict[str, Any]
type Event = dict[str, Any]
"""A history event in AWS's names: `id`, `previousEventId`, `type`, `timestamp` (microseconds), the detail member."""

ROOT = 0


class Env:
    """Time and chance for one call of `advance`: the same `now` and `seed` give the same step."""

    __slots__ = ("_count", "_seed", "now")

    def __init__(self, now: int, seed: bytes) -> None:
        self.now = now
        self._seed = seed
        self._count = 0

    def entropy(self, size: int) -> bytes:
        """The next `size` bytes (64 at most a call) of this step's randomness."""
        self._count += 1
        return hashlib.blake2b(self._count.to_bytes(8), key=self._seed, digest_size=size).digest()


class State[P](Protocol):
    """What a machine may read. Frames are loaded as they are asked for."""

    @property
    def facts(self) -> Mapping[str, Any]:
        """What never changes during a run: id, ARN, name, start time, input and whatever the starter gave."""
        ...

    @property
    def program(self) -> P: ...

    @property
    def frames(self) -> Mapping[int, Frame]:
        """Frames as last committed. A machine never mutates one: it puts a new object in `Step.frames`."""
        ...

    @property
    def next_event(self) -> int:
        """The id of the next history event; the first is 1."""
        ...

    @property
    def next_frame(self) -> int: ...


# Stimuli: what happened.


@dataclass(frozen=True, slots=True)
class Started:
    """The run begins; its input stands in the facts."""


@dataclass(frozen=True, slots=True)
class Continued:
    """The machine asked for another turn with `Continue`."""


@dataclass(frozen=True, slots=True)
class TaskStarted:
    """Somebody took up a task of `frame` that had to wait for a taker (an activity's worker polled)."""

    frame: int
    token: str
    worker: str | None = None


@dataclass(frozen=True, slots=True)
class TaskSubmitted:
    """A task of `frame` that was started with `wait` has been handed over; `output` is the performer's JSON answer.
    The task stays open until somebody reports with the token.
    """

    frame: int
    token: str
    output: Any


@dataclass(frozen=True, slots=True)
class TaskSucceeded:
    """A task of `frame` ended well. `output` is JSON."""

    frame: int
    token: str
    output: Any


@dataclass(frozen=True, slots=True)
class TaskFailed:
    """A task of `frame` failed."""

    frame: int
    token: str
    error: str
    cause: str | None = None


@dataclass(frozen=True, slots=True)
class TimerFired:
    """A timer of `frame` that was set under `name` is due."""

    frame: int
    name: str


@dataclass(frozen=True, slots=True)
class StopRequested:
    """Somebody wants the run to end: status ABORTED."""

    error: str | None = None
    cause: str | None = None


type Stimulus = (
    Started | Continued | TaskStarted | TaskSubmitted | TaskSucceeded | TaskFailed | TimerFired | StopRequested
)


# Commands: what is to be done.


@dataclass(frozen=True, slots=True)
class StartTask:
    """Carry out a task once. `resource` says what (an ARN or a name), `payload` is its JSON input.

    `token` is the machine's own, from `env`; a result that carries another token is refused. Timeout and heartbeat are
    timers that the machine sets itself (`SetTimer`), so that one mechanism serves all. `heartbeat` (seconds) is told
    so that a heartbeat of the worker can push that timer (named "heartbeat") on. `wait` leaves the task open after it
    has been performed, until somebody reports with the token.
    """

    frame: int
    token: str
    resource: str
    payload: Any
    heartbeat: float | None = None
    wait: bool = False
    detail: Mapping[str, Any] = field(default_factory=dict)
    """More that the performer needs: credentials, timeout in seconds ..."""


@dataclass(frozen=True, slots=True)
class CancelTask:
    """Forget the open task of `frame`; a result that arrives later is refused."""

    frame: int


@dataclass(frozen=True, slots=True)
class SetTimer:
    """Bring `TimerFired(frame, name)` at `due` (microseconds). Setting it again moves it."""

    frame: int
    name: str
    due: int


@dataclass(frozen=True, slots=True)
class ClearTimer:
    """No longer bring `TimerFired(frame, name)`."""

    frame: int
    name: str


@dataclass(frozen=True, slots=True)
class Continue:
    """Give others a turn, then bring `Continued`."""


@dataclass(frozen=True, slots=True)
class Finish:
    """The run is over: SUCCEEDED, FAILED, TIMED_OUT or ABORTED. Its frames, tasks and timers go, the history stays."""

    status: str
    output: str | None = None
    error: str | None = None
    cause: str | None = None


type Command = StartTask | CancelTask | SetTimer | ClearTimer | Continue | Finish


@dataclass(slots=True)
class Step:
    """The outcome of one `advance`: all of it is written in one transaction."""

    frames: dict[int, Frame | None] = field(default_factory=dict)
    """Frames that changed; None removes one."""
    events: list[Event] = field(default_factory=list)
    commands: list[Command] = field(default_factory=list)
    next_frame: int = 1
