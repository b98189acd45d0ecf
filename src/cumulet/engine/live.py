"""One run while a transaction works on it: what its machine may read, and what is to be written of it.

Frames are loaded as they are asked for; frame 0, the root, comes with the run's row. Steps of one transaction are laid
over each other, so that a run which gets many stimuli at once is written once. It writes nothing itself: see `unit`.
"""

from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any

from cumulet.base import json
from cumulet.base.step import ROOT, Event, Finish, Frame, Step
from cumulet.engine.errors import BrokenMachine
from cumulet.engine.machine import Machine, NewRun
from cumulet.engine.sql import Sql
from cumulet.store.api import Row, Transaction

RUNNING = "RUNNING"

_UNKNOWN = object()


class Frames(Mapping[int, Frame]):
    """The frames of a run, as of its last step."""

    __slots__ = ("_known", "_row", "_sql", "_stored", "_tx", "changed")

    def __init__(self, tx: Transaction, sql: Sql, row: Row) -> None:
        self._tx = tx
        self._sql = sql
        self._row = row
        self._stored: bool = row["next_frame"] > 1
        self._known: dict[int, Frame | None] = {}
        self.changed: set[int] = set()

    def __getitem__(self, frame: int) -> Frame:
        found: Frame | None = self.get(frame)
        if found is None:
            raise KeyError(frame)
        return found

    def get(self, frame: int, default: Any = None) -> Any:
        """The frame, or `default`."""
        found: Any = self._known.get(frame, _UNKNOWN)
        if found is _UNKNOWN:
            found = self._known[frame] = self._load(frame)
        return default if found is None else found

    def __contains__(self, frame: object) -> bool:
        return isinstance(frame, int) and self.get(frame) is not None

    def __iter__(self) -> Iterator[int]:
        numbers = {ROOT, *self._known}
        if self._stored:
            numbers.update(row["id"] for row in self._tx.all(self._sql.frame_ids, run=self._row["number"]))
        return (number for number in sorted(numbers) if self.get(number) is not None)

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def put(self, changed: Mapping[int, Frame | None]) -> None:
        """Lay the frames of a step over what was."""
        self._known.update(changed)
        self.changed.update(changed)

    def written(self) -> Iterator[tuple[int, Frame | None]]:
        """The frames that changed, the root apart."""
        return ((number, self._known[number]) for number in self.changed if number != ROOT)

    @property
    def root(self) -> str | None:
        """The root frame as it is to be stored."""
        if ROOT not in self.changed:
            stored: str | None = self._row["root"]
            return stored
        frame = self._known[ROOT]
        return None if frame is None else json.dumps(frame)

    def _load(self, frame: int) -> Frame | None:
        if frame == ROOT:
            text: str | None = self._row["root"]
        elif self._stored:
            row = self._tx.one(self._sql.get_frame, run=self._row["number"], id=frame)
            text = None if row is None else row["body"]
        else:
            return None
        if text is None:
            return None
        body: Frame = json.loads(text)
        return body


class Live:
    """A run at work. It is the `State` that its machine is given."""

    def __init__(self, tx: Transaction, sql: Sql, machine: Machine[Any], row: dict[str, Any], *, fresh: bool) -> None:
        self._tx = tx
        self.machine = machine
        self.row = row
        self.fresh = fresh
        self.number: int = row["number"]
        self.next_event: int = row["next_event"]
        self.next_frame: int = row["next_frame"]
        self.frames = Frames(tx, sql, row)
        self.events: list[Event] = []
        self.steps: list[Step] = []
        self.end: Finish | None = None
        self.owed: str | None = row["owed"]

    @cached_property
    def facts(self) -> Mapping[str, Any]:
        row = self.row
        return {
            **json.loads(row["details"]),
            "id": row["id"],
            "kind": row["kind"],
            "arn": row["arn"],
            "name": row["name"],
            "account": row["account"],
            "region": row["region"],
            "subject": row["subject"],
            "spec": row["spec"],
            "started_at": row["started_at"],
            "input": row["input"],
        }

    @cached_property
    def program(self) -> Any:
        return self.machine.program(self._tx, self.row["spec"])

    def absorb(self, step: Step) -> None:
        """Take a step's frames and events; its commands are the unit's business."""
        if step.events:
            first, last = step.events[0]["id"], step.events[-1]["id"]
            if first != self.next_event or last != first + len(step.events) - 1:
                raise BrokenMachine(
                    f"run {self.row['arn']}: events {first} to {last} do not follow {self.next_event - 1}"
                )
            self.events += step.events
            self.next_event = last + 1
        self.next_frame = max(self.next_frame, step.next_frame)
        if step.frames:
            if (last := max(step.frames)) >= self.next_frame:
                raise BrokenMachine(f"run {self.row['arn']}: frame {last} was never taken from next_frame")
            self.frames.put(step.frames)
        self.steps.append(step)

    def settle(self, now: int) -> dict[str, Any]:
        """The row as it is to be stored."""
        row, end = self.row, self.end
        row["version"] += len(self.steps)
        row["next_event"] = self.next_event
        row["next_frame"] = self.next_frame
        if end is None:
            row["root"] = self.frames.root
            row["owed"] = self.owed
        else:
            row["root"] = row["owed"] = None
            row["status"], row["output"], row["stopped_at"] = end.status, end.output, now
            row["error"], row["cause"] = end.error, end.cause
        return row

    def history(self) -> dict[str, Any]:
        """The history row of this transaction."""
        events = self.events
        return {
            "run": self.number,
            "first_id": events[0]["id"],
            "last_id": events[-1]["id"],
            "events": json.dumps(events),
        }


def new_row(new: NewRun, number: int, now: int) -> dict[str, Any]:
    """The row of a run that begins."""
    return {
        "number": number,
        "id": new.id,
        "kind": new.kind,
        "arn": new.arn,
        "name": new.name,
        "account": new.account,
        "region": new.region,
        "subject": new.subject,
        "spec": new.spec,
        "status": RUNNING,
        "started_at": now,
        "stopped_at": None,
        "version": 0,
        "next_event": 1,
        "next_frame": 1,
        "owed": None,
        "details": json.dumps(dict(new.details)),
        "error": None,
        "cause": None,
        "root": None,
        "input": new.input,
        "output": None,
    }
