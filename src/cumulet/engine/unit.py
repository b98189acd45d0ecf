"""A unit of work: many stimuli, one transaction.

It loads (and on PostgreSQL locks, in order of their numbers) the runs that its items touch, lets their machines advance
in memory, then writes everything with a few statements. What must happen after the commit is gathered in `Effects`.

Rules: a run's row is its lock, and nothing of a run is written without it. Items are applied in their order, each
seeing what the ones before it did. A unit may be run again from the start (the database's contract), so it keeps
nothing outside.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from cumulet.base import json
from cumulet.base.clock import SECOND, Clock
from cumulet.base.ids import Entropy
from cumulet.base.step import (
    CancelTask,
    ClearTimer,
    Command,
    Continue,
    Env,
    Finish,
    SetTimer,
    Started,
    StartTask,
    Step,
    Stimulus,
)
from cumulet.engine.errors import EngineError, TaskGone, TaskTimedOut, UnknownKind
from cumulet.engine.faults import reach
from cumulet.engine.items import Beat, Fire, Handed, Item, Report, Stop
from cumulet.engine.live import Live, new_row
from cumulet.engine.machine import Machine, NewRun, Task
from cumulet.engine.numbers import Numbers
from cumulet.engine.sql import Sql
from cumulet.store.api import Row, Transaction

CANCELLED = "engine.cancelled"
QUEUED = "engine.queued"
HEARTBEAT = "heartbeat"
NOBODY = ""
"""The owner of what no server has taken yet."""

type TimerKey = tuple[int, int, str]


@dataclass(slots=True)
class Open:
    """A task that this server has leased: what its performer is given, and where its result belongs."""

    number: int
    kind: str
    task: Task


@dataclass(slots=True)
class Effects:
    """What is to happen on this server once the unit is committed."""

    born: list[Open] = field(default_factory=list)
    cancelled: list[str] = field(default_factory=list)
    turns: list[int] = field(default_factory=list)
    due: int | None = None
    queued: bool = False


@dataclass(frozen=True, slots=True)
class Desk:
    """What units share: the engine's tools."""

    machines: Mapping[str, Machine[Any]]
    clock: Clock
    entropy: Entropy
    sql: Sql
    numbers: Numbers
    server: str
    room: Callable[[], int]
    """How many more tasks this server takes at once."""
    live: Callable[[], bool]
    """Whether this server's workers are there to keep what is promised in its name."""
    settled: Callable[[Effects], None]
    """Called on the event loop after the commit."""

    def machine(self, kind: str) -> Machine[Any]:
        """The machine for runs of `kind`. Raises `UnknownKind`."""
        if (machine := self.machines.get(kind)) is None:
            raise UnknownKind(kind)
        return machine


class Unit:
    """One transaction's worth of stimuli. `load`, then apply items, then `flush`."""

    def __init__(self, tx: Transaction, desk: Desk) -> None:
        self._tx = tx
        self._sql = desk.sql
        self.desk = desk
        self.now = desk.clock.now()
        self._ended: dict[str, Row] = {}
        self.waiting: list[str] = []
        self.points: list[str] = []
        self._open: dict[str, Row] = {}
        self._runs: dict[int, Live] = {}
        self.touched: set[int] = set()
        """The numbers of the runs that the items are for."""
        self._numbers: dict[str, int] = {}
        self._places: dict[str, int] = {}
        self._born: dict[tuple[int, int], tuple[Live, StartTask]] = {}
        self._cancels: list[tuple[int, int]] = []
        self._due: set[TimerKey] = set()
        self._timers: dict[TimerKey, int | None] = {}
        self._effects = Effects()
        self._commands: Mapping[type[Command], Callable[[Live, Any], None]] = {
            StartTask: self._start_task,
            CancelTask: self._cancel_task,
            SetTimer: self._set_timer,
            ClearTimer: self._clear_timer,
            Continue: self._continue,
            Finish: self._finish,
        }

    # What the items touch.

    def load(self, items: Sequence[Item]) -> None:
        """Lock and load the runs, tasks and timers of `items`.

        Runs of a kind that is not registered stay as they are.
        """
        tx, sql = self._tx, self._sql
        self.resolve(items)
        if self.touched:
            self._lock(sorted(self.touched))
        if opens := [item.token for item in items if type(item) is Handed or type(item) is Beat]:
            self._open = {row["token"]: row for row in tx.all(sql.open_tasks, tokens=sql.list(opens))}
        if ends := [item.token for item in items if type(item) is Report and self._may_end(item)]:
            self._ended = {row["token"]: row for row in tx.all(sql.end_tasks, tokens=sql.list(ends))}
        if fires := sorted({item.run for item in items if type(item) is Fire}):
            rows = tx.all(sql.due_timers_of, runs=sql.list(fires), now=self.now)
            self._due = {(row["run"], row["frame"], row["name"]) for row in rows}

    def resolve(self, items: Sequence[Item]) -> None:
        """Find which runs the items touch, where they do not say it themselves."""
        tx, sql = self._tx, self._sql
        self.touched.update(item.run for item in items if item.run is not None)
        if strangers := [item.token for item in items if isinstance(item, Report | Handed | Beat) and item.run is None]:
            self._places = {row["token"]: row["run"] for row in tx.all(sql.run_of_tasks, tokens=sql.list(strangers))}
        for item in items:
            if type(item) is Stop and (row := tx.one(sql.number_of, id=item.id)) is not None:
                self._numbers[item.id] = row["number"]
        self.touched.update(self._places.values(), self._numbers.values())

    def _may_end(self, report: Report) -> bool:
        """Whether the report's run is here to take it."""
        return (self._places.get(report.token) if report.run is None else report.run) in self._runs

    def apply(self, item: Item) -> tuple[bool, Any]:
        """Apply one item: whether it went well, and its answer or the refusal."""
        try:
            return True, item.apply(self)
        except EngineError as error:
            if not isinstance(error, TaskGone | TaskTimedOut | UnknownKind):
                raise
            return False, error

    def find(self, number: int | None) -> Live | None:
        """The run, while it runs."""
        live = None if number is None else self._runs.get(number)
        return None if live is None or live.end is not None else live

    def number_of(self, run_id: str) -> int | None:
        return self._numbers.get(run_id)

    def end_task(self, token: str) -> Row | None:
        """The open task that is reported to have ended; a second report finds nothing."""
        self._open.pop(token, None)
        return self._ended.pop(token, None)

    def find_task(self, token: str) -> Row | None:
        """An open task that is not reported to have ended."""
        return self._open.get(token)

    def take_timer(self, key: TimerKey) -> bool:
        """Whether the timer is (still) due; if so it is cleared."""
        if key not in self._due or key in self._timers:
            return False
        self._timers[key] = None
        return True

    # What happens.

    def begin(self, new: NewRun) -> Row:
        """A new run, and its first burst. Its row."""
        machine = self.desk.machine(new.kind)
        row = new_row(new, self.desk.numbers.take(self._tx), self.now)
        live = Live(self._tx, self._sql, machine, row, fresh=True)
        self._runs[live.number] = live
        self.advance(live, Started())
        return row

    def advance(self, live: Live, stimulus: Stimulus) -> None:
        """Let the machine take a step, and note what is to be written."""
        step = live.machine.advance(live, stimulus, Env(self.now, self.desk.entropy(16)))
        live.absorb(step)
        for command in step.commands:
            self._commands[type(command)](live, command)

    def beat(self, token: str) -> None:
        """Push the task's heartbeat timer on. Raises `TaskGone`, `TaskTimedOut`."""
        task = self.find_task(token)
        if task is None or self.find(task["run"]) is None:
            raise TaskGone(token)
        key = (task["run"], task["frame"], HEARTBEAT)
        if key in self._timers:
            due = self._timers[key]
        else:
            row = self._tx.one(self._sql.get_timer, run=key[0], frame=key[1], name=HEARTBEAT)
            due = None if row is None else row["due"]
        if due is None:
            return
        if due <= self.now:
            raise TaskTimedOut(token)
        self._timers[key] = self.now + task["heartbeat"]

    def give_up(self, live: Live, reason: str) -> None:
        """End a run whose machine is broken. Its history says nothing of it: only the machine writes that."""
        live.steps.append(Step())
        self._finish(live, Finish("FAILED", error="Internal", cause=reason))

    # Commands.

    def _start_task(self, live: Live, command: StartTask) -> None:
        self._born[live.number, command.frame] = (live, command)

    def _cancel_task(self, live: Live, command: CancelTask) -> None:
        place = (live.number, command.frame)
        self._cancels.append(place)
        self._born.pop(place, None)
        self._forget(live.number, command.frame)

    def _set_timer(self, live: Live, command: SetTimer) -> None:
        self._timers[live.number, command.frame, command.name] = command.due

    def _clear_timer(self, live: Live, command: ClearTimer) -> None:
        self._timers[live.number, command.frame, command.name] = None

    def _continue(self, live: Live, _: Continue) -> None:
        if live.owed is not None:
            return
        if self.desk.live():
            live.owed = self.desk.server
            self._effects.turns.append(live.number)
        else:
            live.owed = NOBODY

    def _finish(self, live: Live, command: Finish) -> None:
        live.end = command

    def _forget(self, run: int, frame: int) -> None:
        """Later items of this batch shall not find the task that this one closed."""
        for tasks in (self._ended, self._open):
            for token in [token for token, task in tasks.items() if (task["run"], task["frame"]) == (run, frame)]:
                del tasks[token]

    # Writing.

    def flush(self) -> None:
        """Write all that happened, and arrange for what follows the commit."""
        tx, sql = self._tx, self._sql
        lives = [live for live in self._runs.values() if live.steps]
        rows = [(live, live.settle(self.now)) for live in lives]
        self._many(sql.add_run, [row for live, row in rows if live.fresh])
        self._many(sql.move_run, [_moved(row) for live, row in rows if not live.fresh and live.end is None])
        ended = [(live, row) for live, row in rows if live.end is not None]
        self._many(sql.end_run, [_ended(row) for live, row in ended if not live.fresh])
        self._many(sql.add_history, [live.history() for live in lives if live.events])
        self._write_frames(lives)
        self._write_tasks()
        self._write_timers()
        self._clean([live for live, _ in ended if not live.fresh])
        for live in lives:
            for step in live.steps:
                live.machine.settled(tx, live.row, step)
        effects = self._effects
        if any((effects.born, effects.turns, effects.cancelled, effects.due, effects.queued, self.desk.numbers.low)):
            tx.after_commit(lambda: self.desk.settled(effects))
        for point in self.points:
            reach(point)

    def _many(self, text: str, rows: Sequence[Mapping[str, object]]) -> None:
        if rows:
            self._tx.many(text, rows)

    def _write_frames(self, lives: Sequence[Live]) -> None:
        moved = [(live.number, *frame) for live in lives if live.end is None for frame in live.frames.written()]
        if moved:
            puts = [{"run": run, "id": id_, "body": json.dumps(body)} for run, id_, body in moved if body is not None]
            self._many(self._sql.put_frame, puts)
            self._many(self._sql.drop_frame, [{"run": run, "id": id_} for run, id_, body in moved if body is None])

    def _write_tasks(self) -> None:
        tx, sql = self._tx, self._sql
        for run, frame in self._cancels:
            self._called_off(tx.all(sql.cancel_task, run=run, frame=frame))
        self._many(sql.task_waits, [{"token": token} for token in self.waiting])
        born = [(live, task) for live, task in self._born.values() if live.end is None]
        if born:
            room = self.desk.room()
            self._many(sql.add_task, [self._birth(live, task, index < room) for index, (live, task) in enumerate(born)])
            if self._effects.queued:
                tx.wake(QUEUED)

    def _birth(self, live: Live, start: StartTask, leased: bool) -> dict[str, Any]:
        """The row of a new task; one that is leased at once is also dispatched from memory."""
        if leased:
            row, wait = live.row, start.wait
            task = Task(row["id"], start.token, start.resource, start.payload, 1, wait, start.detail, row["account"],
                        row["region"])  # fmt: skip
            self._effects.born.append(Open(live.number, row["kind"], task))
        else:
            self._effects.queued = True
        return {
            "token": start.token,
            "run": live.number,
            "frame": start.frame,
            "state": "leased" if leased else "queued",
            "owner": self.desk.server if leased else NOBODY,
            "attempt": 1 if leased else 0,
            "heartbeat": None if start.heartbeat is None else int(start.heartbeat * SECOND),
            "wait": int(start.wait),
            "born": self.now,
            "resource": start.resource,
            "detail": json.dumps(dict(start.detail)) if start.detail else "{}",
            "payload": json.dumps(start.payload),
        }

    def _write_timers(self) -> None:
        if not self._timers:
            return
        sets: list[dict[str, object]] = []
        clears: list[dict[str, object]] = []
        dues: list[int] = []
        for (run, frame, name), due in self._timers.items():
            key = {"run": run, "frame": frame, "name": name}
            if due is None:
                clears.append(key)
            elif self.find(run) is not None:
                sets.append({**key, "due": due})
                dues.append(due)
        self._many(self._sql.clear_timer, clears)
        self._many(self._sql.set_timer, sets)
        self._effects.due = min(dues, default=None)

    def _clean(self, ended: Sequence[Live]) -> None:
        """Take away what a run that is over leaves behind."""
        if not ended:
            return
        tx, sql = self._tx, self._sql
        runs = sql.list([live.number for live in ended])
        self._called_off(tx.all(sql.cancel_tasks, runs=runs))
        tx.run(sql.clear_timers, runs=runs)
        if forked := [live.number for live in ended if live.next_frame > 1]:
            tx.run(sql.drop_frames, runs=sql.list(forked))

    def _called_off(self, tasks: Sequence[Row]) -> None:
        self._effects.cancelled += [task["token"] for task in tasks]
        if any(task["owner"] not in (NOBODY, self.desk.server) for task in tasks):
            self._tx.wake(CANCELLED)

    def _lock(self, numbers: Sequence[int]) -> None:
        tx, sql, machines = self._tx, self._sql, self.desk.machines
        for row in tx.all(sql.lock_runs, numbers=sql.list(numbers)):
            if (machine := machines.get(row["kind"])) is not None:
                self._runs[row["number"]] = Live(tx, sql, machine, row if type(row) is dict else dict(row), fresh=False)


def _moved(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: row[name] for name in ("number", "version", "next_event", "next_frame", "owed", "root")}


def _ended(row: Mapping[str, Any]) -> dict[str, Any]:
    names = ("number", "version", "next_event", "next_frame", "status", "output", "error", "cause", "stopped_at")
    return {name: row[name] for name in names}
