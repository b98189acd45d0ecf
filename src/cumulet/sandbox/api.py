"""Running other people's code: five verbs, the same for every driver.

    prepare -> start -> tail / wait -> destroy

User code never runs in the server process. Drivers: `process` (bubblewrap where present), `fake` (failures in a
given order, for tests); `container` and `ray` come later.
"""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Mount:
    """`source` of the host seen at `target` inside."""

    source: Path
    target: str
    writable: bool = False


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to run, and within which bounds. Printable before anything is done."""

    command: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)
    """The whole environment: nothing of the server's own leaks in."""
    mounts: tuple[Mount, ...] = ()
    directory: str = "/"
    """The working directory, inside."""
    memory: int | None = None
    """Bytes of memory the code may use, all its processes together where the machine can count them so."""
    scratch: int = 512 * 1024 * 1024
    """Bytes of a writable /tmp of its own."""
    processes: int = 1024
    network: bool = True


@dataclass(frozen=True, slots=True)
class Ended:
    """How it ended: `status` is the exit status, or minus the signal's number; `out_of_memory` where that is why."""

    status: int
    out_of_memory: bool = False


class Cell(Protocol):
    """One prepared place to run in."""

    async def start(self) -> None: ...

    def tail(self) -> AsyncIterator[bytes]:
        """What it prints (standard output and error together), in pieces as they come, until it ends."""
        ...

    async def wait(self) -> Ended: ...

    def memory(self) -> int | None:
        """The most bytes of memory it was seen to use, where that can be known."""
        ...

    async def destroy(self) -> None:
        """End every process of it and remove what it left. Safe to call at any time, more than once."""
        ...


class Sandbox(Protocol):
    """A driver."""

    @property
    def name(self) -> str: ...

    @property
    def isolation(self) -> str:
        """In words for people: what keeps the code apart, or that nothing does."""
        ...

    async def prepare(self, plan: Plan) -> Cell: ...
