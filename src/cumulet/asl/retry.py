"""Which errors a Retrier or Catcher stands for, and how long a retry waits. Pure arithmetic."""

from collections.abc import Sequence

from cumulet.asl.program import Failure, Retrier
from cumulet.base.step import Env

TIMEOUT = "States.Timeout"
HEARTBEAT = "States.HeartbeatTimeout"
RUNTIME = "States.Runtime"
DATA_LIMIT = "States.DataLimitExceeded"
_NOT_BY_ALL = frozenset({RUNTIME, DATA_LIMIT})
_NOT_BY_TASK_FAILED = frozenset({RUNTIME, DATA_LIMIT, TIMEOUT, HEARTBEAT})


def matches(wanted: Sequence[str], failure: Failure) -> bool:
    """Whether `ErrorEquals` stands for the failure. States.Runtime is never handled, not even by its name."""
    error = failure.error
    if error == RUNTIME:
        return False
    for name in wanted:
        if name == error or (name == failure.alias and name is not None):
            return True
        if name == "States.ALL" and error not in _NOT_BY_ALL:
            return True
        if name == "States.TaskFailed" and error not in _NOT_BY_TASK_FAILED:
            return True
    return False


def delay(retrier: Retrier, attempt: int, env: Env) -> int:
    """Microseconds to wait before retry number `attempt` (from 1); with full jitter anything up to that."""
    seconds = retrier.interval
    if retrier.backoff > 1.0:
        try:
            seconds = retrier.interval * retrier.backoff ** (attempt - 1)
        except OverflowError:
            seconds = _LONGEST if retrier.interval else 0.0
    seconds = min(seconds, _LONGEST if retrier.longest is None else retrier.longest)
    if retrier.jitter:
        seconds *= int.from_bytes(env.entropy(8)) / 2**64
    return int(seconds * 1_000_000)


_LONGEST = 31_622_400.0
"""A retry never waits longer than AWS's greatest MaxDelaySeconds, a year."""
