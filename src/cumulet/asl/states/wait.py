"""Wait: for a number of seconds or until an instant."""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cumulet.asl.burst import Burst
from cumulet.asl.data.expression import Expression, PathNotFound
from cumulet.asl.data.scope import DataError
from cumulet.asl.fields import Fields
from cumulet.asl.frames import WAIT, Point
from cumulet.asl.program import State, Target
from cumulet.asl.retry import RUNTIME
from cumulet.asl.states.mapping import given, pass_on
from cumulet.base.clock import SECOND
from cumulet.base.json import dumps

_TIMESTAMP = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d)")

LONGEST = 99_999_999
"""The greatest number of seconds that AWS takes."""


def instant(text: object) -> int | None:
    """Microseconds of an ISO 8601 extended timestamp with an offset, or None where it is none."""
    found = _TIMESTAMP.fullmatch(text) if isinstance(text, str) else None
    if found is None:
        return None
    whole, fraction, offset = found.groups()
    try:
        moment = datetime.fromisoformat(whole + ("+00:00" if offset == "Z" else offset))
    except ValueError:
        return None
    return int(moment.timestamp()) * SECOND + int((fraction or "0").ljust(6, "0")[:6])


def seconds_at(burst: Burst, point: Point, state: State, source: Expression, field: str) -> int:
    """The whole number that a `...SecondsPath` field points to."""
    try:
        value = source.find(burst.scope(point, state, given(burst, point, state)))
    except PathNotFound:
        words = f"The {field} parameter does not reference an input value: {source.text}"
        raise DataError(RUNTIME, words) from None
    if isinstance(value, bool) or not isinstance(value, int):
        words = f"The {field} parameter cannot be parsed as a long value: {source.text} == {plain(value)}"
        raise DataError(RUNTIME, words)
    if not 0 <= value <= LONGEST:
        words = f"The {field} parameter must be between 0 and {LONGEST}: {source.text} == {value}"
        raise DataError(RUNTIME, words)
    return value


def plain(value: Any) -> str:
    """A value as AWS's messages show it: text without its quotes."""
    return value if isinstance(value, str) else dumps(value)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait(State):
    seconds: int | None
    until: int | None
    path: Expression | None
    timed: bool
    """Whether the path gives a timestamp rather than seconds."""

    aborted = "WaitStateAborted"

    def run(self, burst: Burst, point: Point) -> Target:
        due = self._due(burst, point)
        if due <= burst.now:
            return pass_on(burst, point, self)
        point.phase = WAIT
        burst.set_timer(point, "wait", due)
        return None

    def due(self, burst: Burst, point: Point, _timer: str) -> Target:
        return pass_on(burst, point, self)

    def _due(self, burst: Burst, point: Point) -> int:
        if self.seconds is not None:
            return burst.now + self.seconds * SECOND
        if self.path is None:
            return self.until or 0
        if not self.timed:
            return burst.now + SECOND * seconds_at(burst, point, self, self.path, "SecondsPath")
        try:
            value = self.path.find(burst.scope(point, self, given(burst, point, self)))
        except PathNotFound:
            cause = f"The TimestampPath parameter does not reference an input value: {self.path.text}"
            raise DataError(RUNTIME, cause) from None
        due = instant(value)
        if due is None:
            cause = (
                "The TimestampPath parameter does not reference a valid ISO-8601 extended offset date-time format "
                f"string: {self.path.text} == {plain(value)}"
            )
            raise DataError(RUNTIME, cause)
        return due


def parse(fields: Fields) -> Wait:
    stamp = fields.get("Timestamp", str)
    until = None if stamp is None else instant(stamp)
    if stamp is not None and until is None:
        raise fields.bad("Timestamp", "String does not match RFC3339 timestamp")
    name = next((one for one in ("SecondsPath", "TimestampPath") if fields.raw.get(one) is not None), None)
    seconds = fields.get("Seconds", int)
    if seconds is None and until is None and name is None:
        raise fields.bad("Seconds", "Missing field")
    return Wait(
        **fields.shared(),
        seconds=seconds,
        until=until,
        path=fields.path(name) if name else None,
        timed=name == "TimestampPath",
    )
