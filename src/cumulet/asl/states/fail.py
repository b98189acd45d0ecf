"""Fail: ends its flow with an error; nothing in the same flow can catch it."""

from dataclasses import dataclass

from cumulet.asl.burst import Burst
from cumulet.asl.data.scope import DataError
from cumulet.asl.fields import Fields
from cumulet.asl.frames import Point
from cumulet.asl.program import Constant, Failure, State, Target, Value
from cumulet.asl.retry import RUNTIME
from cumulet.base.json import dumps


@dataclass(frozen=True, slots=True, kw_only=True)
class Fail(State):
    error: Value
    cause: Value

    def run(self, burst: Burst, point: Point) -> Target:
        error = self._text(burst, point, self.error, "ErrorPath")
        cause = self._text(burst, point, self.cause, "CausePath")
        return burst.die(point, Failure(error, cause))

    def _text(self, burst: Burst, point: Point, source: Value, field: str) -> str | None:
        if isinstance(source, Constant):
            return str(source.value) if source.value is not None else None
        value = source.of_field(burst.scope(point, self, burst.value(point)), field)
        if not isinstance(value, str):
            cause = f"The {field} field refers to value {dumps(value)!r} which is not a string"
            raise DataError(RUNTIME, cause)
        return value


def parse(fields: Fields) -> Fail:
    return Fail(
        **fields.shared(),
        error=fields.maybe_path("ErrorPath") or Constant(fields.get("Error", str)),
        cause=fields.maybe_path("CausePath") or Constant(fields.get("Cause", str)),
    )
