"""What the operator decides about functions."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path


def _capacity() -> int:
    return max(16, 16 * (os.cpu_count() or 1))


@dataclass(frozen=True, slots=True)
class LambdaSettings:
    """Settings with their defaults."""

    folder: Path | None = None
    """Where unpacked code lies: safe to lose. Without one, a temporary folder that ends with the server."""
    runtimes: Mapping[str, str] = field(default_factory=dict)
    """Substitutes: `{"nodejs10.x": "nodejs20.x"}` runs functions of the first on the second; the log says so."""
    capacity: int = field(default_factory=_capacity)
    """Environments that live at once before an invocation waits for one."""
    patience: float = 1.0
    """Seconds after which one that waits gets an environment beyond `capacity`: functions that call functions go on."""
    account_limit: int = 1000
    """Invocations at once of an account in a region; beyond, AWS and we throttle."""
    idle: float = 300.0
    """Seconds after which an environment that nobody used is ended."""
    init: float = 10.0
    """Seconds that a runtime has to start, beside the function's own timeout."""
    credentials: float = 12 * 3600.0
    """Seconds for which a function's credentials are good; its environment is retired an hour earlier."""
    event_workers: int = 64
    """Asynchronous events that are handed over at once."""
