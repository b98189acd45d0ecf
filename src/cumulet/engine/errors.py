"""What the engine refuses.

    EngineError
    ├── TaskGone          no open task has this token: it never was, it has ended, or it was cancelled
    ├── TaskTimedOut      the task is open yet, but its heartbeat is overdue
    ├── UnknownKind       no machine is registered for a run's kind
    └── BrokenMachine     a machine answered what cannot be carried out: our mistake

A refusal leaves everything as it was.
"""

from cumulet.base.errors import CumuletError


class EngineError(CumuletError):
    """The engine could not do what was asked; nothing was changed."""


class TaskGone(EngineError):
    """No open task has this token."""

    def __init__(self, token: str) -> None:
        super().__init__(f"no open task has the token {token}")
        self.token = token


class TaskTimedOut(EngineError):
    """The task's heartbeat is overdue."""

    def __init__(self, token: str) -> None:
        super().__init__(f"the heartbeat of the task with the token {token} is overdue")
        self.token = token


class UnknownKind(EngineError):
    """No machine is registered under this kind."""

    def __init__(self, kind: str) -> None:
        super().__init__(f"no machine is registered for runs of kind {kind!r}")


class BrokenMachine(EngineError):
    """A machine's step contradicts itself."""
