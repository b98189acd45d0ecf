"""What may happen to a run, as the engine's queue carries it: each item is applied in a transaction.

`apply(unit)` returns the answer for whoever asked, or raises an `EngineError`: then nothing of this item is written,
and the others of its batch stand. `run` is the number of the run where it is known beforehand.
"""

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from cumulet.base.step import (
    Continued,
    StopRequested,
    TaskFailed,
    TaskStarted,
    TaskSubmitted,
    TaskSucceeded,
    TimerFired,
)
from cumulet.engine.errors import TaskGone
from cumulet.engine.machine import NewRun
from cumulet.store.api import Row

if TYPE_CHECKING:
    from cumulet.engine.unit import Unit

type Future = asyncio.Future[Any]


class Item(Protocol):
    """One thing that happens to one run."""

    @property
    def run(self) -> int | None: ...
    @property
    def future(self) -> Future | None: ...
    def apply(self, unit: "Unit") -> Any: ...


@dataclass(slots=True, eq=False)
class Begin:
    """A run begins."""

    new: NewRun
    future: Future | None = None
    run: int | None = None

    def apply(self, unit: "Unit") -> Row:
        return unit.begin(self.new)


@dataclass(slots=True, eq=False)
class Report:
    """A task has ended: `TaskSucceeded` or `TaskFailed`, `args` is what comes after the token."""

    token: str
    kind: type[TaskSucceeded] | type[TaskFailed]
    args: tuple[Any, ...]
    run: int | None = None
    future: Future | None = None

    def apply(self, unit: "Unit") -> None:
        task = unit.end_task(self.token)
        live = None if task is None else unit.find(task["run"])
        if task is None or live is None:
            raise TaskGone(self.token)
        unit.advance(live, self.kind(task["frame"], self.token, *self.args))


@dataclass(slots=True, eq=False)
class Handed:
    """A task that waits for somebody's report was taken up (`TaskStarted`) or handed over (`TaskSubmitted`)."""

    token: str
    kind: type[TaskStarted] | type[TaskSubmitted]
    args: tuple[Any, ...]
    run: int | None = None
    future: Future | None = None

    def apply(self, unit: "Unit") -> None:
        task = unit.find_task(self.token)
        live = None if task is None else unit.find(task["run"])
        if task is None or live is None:
            raise TaskGone(self.token)
        if self.kind is TaskSubmitted:
            unit.waiting.append(self.token)
        unit.advance(live, self.kind(task["frame"], self.token, *self.args))


@dataclass(slots=True, eq=False)
class Beat:
    """The worker of a task is alive."""

    token: str
    run: int | None = None
    future: Future | None = None

    def apply(self, unit: "Unit") -> None:
        unit.beat(self.token)


@dataclass(slots=True, eq=False)
class Stop:
    """Somebody wants the run to end."""

    id: str
    error: str | None
    cause: str | None
    future: Future | None = None
    run: int | None = None

    def apply(self, unit: "Unit") -> Row | None:
        live = unit.find(unit.number_of(self.id))
        if live is None:
            return None
        unit.advance(live, StopRequested(self.error, self.cause))
        return live.row


@dataclass(slots=True, eq=False)
class Fire:
    """A timer was due when somebody looked."""

    run: int
    frame: int
    name: str
    future: Future | None = None

    def apply(self, unit: "Unit") -> bool:
        live = unit.find(self.run)
        if live is None or not unit.take_timer((self.run, self.frame, self.name)):
            return False
        unit.advance(live, TimerFired(self.frame, self.name))
        unit.points.append("timer-fired")
        return True


@dataclass(slots=True, eq=False)
class Turn:
    """A run that asked for another turn gets it."""

    run: int
    future: Future | None = None

    def apply(self, unit: "Unit") -> None:
        live = unit.find(self.run)
        if live is not None and live.owed == unit.desk.server:
            live.owed = None
            unit.advance(live, Continued())
            unit.points.append("turn-given")


@dataclass(slots=True, eq=False)
class GiveUp:
    """The machine broke on this run: it ends here, said plainly, instead of breaking for ever."""

    run: int
    reason: str
    future: Future | None = None

    def apply(self, unit: "Unit") -> None:
        live = unit.find(self.run)
        if live is not None:
            unit.give_up(live, self.reason)
