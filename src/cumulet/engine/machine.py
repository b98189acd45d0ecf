"""What the engine asks of a kind of machine, and what it tells a performer of tasks.

A machine kind is registered once: `engine.register(machine, performer)`. `advance` is pure; `program` and `settled`
run inside the engine's transaction; the performer is the rim where a task meets the world.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from cumulet.base.errors import CumuletError
from cumulet.base.step import Env, State, Step, Stimulus
from cumulet.store.api import Row, Transaction


@dataclass(frozen=True, slots=True)
class NewRun:
    """A run that is to begin. Row of table `runs`; `spec` is what `Machine.program` finds the program by."""

    id: str
    """Unguessable and unique among all runs: a UUID."""
    kind: str
    arn: str
    name: str
    account: str
    region: str
    subject: str
    """The ARN of what is run: the state machine, the project, the pipeline."""
    spec: str
    input: str
    """JSON text."""
    details: Mapping[str, Any] = field(default_factory=dict)
    """More facts, of the kind's own: role ARN, trace header, alias ..."""


@dataclass(frozen=True, slots=True)
class Task:
    """An open task, as its performer sees it. `attempt` counts from 1 and grows when a lost lease is taken again."""

    run: str
    token: str
    resource: str
    payload: Any
    attempt: int
    wait: bool
    detail: Mapping[str, Any]
    account: str
    region: str


class TaskError(CumuletError):
    """The task failed, with the error name and cause that the machine shall see."""

    def __init__(self, error: str, cause: str | None = None) -> None:
        super().__init__(f"{error}: {cause}")
        self.error = error
        self.cause = cause


type Performer = Callable[[Task], Awaitable[Any]]
"""Carries out one task and returns its JSON output, or raises `TaskError`. With `task.wait` the return value only
says that it was handed over. It may be called again after a crash: a task is performed at least once, its result
counts once."""


class Machine[P](Protocol):
    """One kind of durable machine."""

    kind: str

    def program(self, tx: Transaction, spec: str) -> P:
        """The immutable program under `spec`; the machine caches what it has parsed."""
        ...

    def advance(self, state: State[P], stimulus: Stimulus, env: Env) -> Step: ...

    def settled(self, tx: Transaction, run: Row, step: Step) -> None:
        """Called in the same transaction after a step was written: for tables and events of the kind's own."""
        ...
