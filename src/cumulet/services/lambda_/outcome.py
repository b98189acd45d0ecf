"""What became of an invocation, and the words AWS uses when it went wrong outside of the handler."""

import signal
from dataclasses import dataclass

from cumulet.base import json
from cumulet.base.clock import iso
from cumulet.sandbox.api import Ended
from cumulet.sandbox.runtime_api import MAX_BODY, Body

UNHANDLED = "Unhandled"
SIGNALS = {signal.SIGSEGV: "segmentation fault", signal.SIGABRT: "aborted", signal.SIGBUS: "bus error"}


@dataclass(frozen=True, slots=True)
class Outcome:
    """The answer of one invocation. `kind` and `words` are for the log; `over`: the environment is done for."""

    payload: bytes
    error: str = ""
    kind: str = ""
    words: str = ""
    over: bool = False


def answered(body: Body) -> Outcome:
    """The runtime gave the handler's result."""
    if not body.too_large:
        return Outcome(body.data)
    return problem(
        "Function.ResponseSizeTooLarge",
        f"Response payload size exceeded maximum allowed payload size ({MAX_BODY} bytes).",
    )


def failed(body: Body) -> Outcome:
    """The runtime told of an error; its text is passed on as it is."""
    return Outcome(body.data, UNHANDLED, "Function.Error")


def problem(kind: str, words: str, *, over: bool = False) -> Outcome:
    """An error that the service found."""
    text = json.dumps({"errorType": kind, "errorMessage": words})
    return Outcome(text.encode(), UNHANDLED, kind, words, over)


def timed_out(id: str, now: int, seconds: float) -> Outcome:
    return problem("Sandbox.Timedout", f"{iso(now)} {id} Task timed out after {seconds:.2f} seconds", over=True)


def exited(id: str, ended: Ended) -> Outcome:
    """The runtime ended before it answered."""
    kind = "Runtime.OutOfMemory" if ended.out_of_memory else "Runtime.ExitError"
    return problem(kind, f"RequestId: {id} Error: {_reason(ended)}", over=True)


def _reason(ended: Ended) -> str:
    if ended.out_of_memory:
        return "Runtime exited with error: signal: killed"
    if ended.status == 0:
        return "Runtime exited without providing a reason"
    if ended.status > 0:
        return f"Runtime exited with error: exit status {ended.status}"
    number = -ended.status
    try:
        words = SIGNALS.get(signal.Signals(number)) or (signal.strsignal(number) or f"signal {number}").lower()
    except ValueError:
        words = f"signal {number}"
    return f"Runtime exited with error: signal: {words}"
