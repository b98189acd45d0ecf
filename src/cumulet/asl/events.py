"""History events: their types and the member each type keeps its details in, as AWS names them.

An event is `{"timestamp", "type", "id", "previousEventId", <member>: {...}}` with the timestamp in microseconds. Inputs
and outputs are JSON text. Types of a state are made once, when the program is parsed.
"""

from cumulet.base.step import Event

ENTERED = "stateEnteredEventDetails"
EXITED = "stateExitedEventDetails"
HISTORY_FULL = "The execution reached the maximum number of history events ({limit})."


def member(kind: str) -> str:
    """The member that holds the details of an event type: `TaskFailed` -> `taskFailedEventDetails`."""
    return f"{kind[0].lower()}{kind[1:]}EventDetails"


def error_details(error: str | None, cause: str | None, **more: str) -> Event:
    """Details of a failure: what is absent stays absent."""
    details: Event = dict(more)
    if error is not None:
        details["error"] = error
    if cause is not None:
        details["cause"] = cause
    return details


def whole() -> Event:
    """`inputDetails` and `outputDetails`: nothing was left out."""
    return {"truncated": False}
