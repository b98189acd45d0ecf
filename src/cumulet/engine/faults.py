"""Named places where a test may have the process killed.

`reach("after-commit")` does nothing, unless the process was started with CUMULET_FAULT=after-commit (or after-commit:3
for the third time): then the process dies of SIGKILL on the spot, as in a power cut. `POINTS` names all of them.
"""

import os
import signal
from collections.abc import Callable, Mapping

POINTS = (
    "begin",  # a run's first burst is written, its transaction is not committed
    "before-commit",  # a batch of stimuli is written, its transaction is not committed
    "after-commit",  # committed; nobody was told, nothing dispatched
    "before-performer",  # a task is about to be performed
    "after-performer",  # performed; its result is on no paper yet
    "after-result",  # the transaction that holds a task's result is committed
    "timer-fired",  # a timer was fired, its transaction is not committed
    "turn-given",  # a run had its `Continue`, its transaction is not committed
    "claimed",  # queued tasks were leased and committed, none is begun
)


class Fault:
    """Where to die, and how often to get away before."""

    __slots__ = ("_die", "_left", "_name")

    def __init__(self, environment: Mapping[str, str], die: Callable[[], None]) -> None:
        self._die = die
        name, _, count = environment.get("CUMULET_FAULT", "").partition(":")
        self._name = name
        self._left = int(count or 1)

    def reach(self, name: str) -> None:
        """Die here, if this is the place and the time."""
        if name == self._name:
            self._left -= 1
            if self._left == 0:
                self._die()


reach = Fault(os.environ, lambda: os.kill(os.getpid(), signal.SIGKILL)).reach
