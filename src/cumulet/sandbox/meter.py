"""Memory and process counts of a cell: how they are seen, and how far they may grow.

Three ways, the best that the machine allows:

    control groups v2 or v1    the kernel counts and limits all processes of the cell together
    process tree               we add up the resident memory of the cell's processes several times a second
    nothing                    where there is no /proc

A scratch file system in memory counts as the cell's memory too, so the kernel's own limit is memory and scratch
together; what the code itself allocates is watched and ended by `Child` (see `process.py`).
"""

import os
import signal
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from cumulet.base.ids import Entropy, make_hex
from cumulet.sandbox.folders import gone

CGROUP_ROOT = Path("/sys/fs/cgroup")
PAGE = os.sysconf("SC_PAGE_SIZE")


class Meter(Protocol):
    """Counts what one cell uses."""

    @property
    def folders(self) -> tuple[Path, ...]:
        """The control groups that the first process must enter."""
        ...

    def used(self, pid: int) -> int | None:
        """Bytes of memory that the cell's code holds now; `pid` is its first process."""
        ...

    def killed(self) -> bool:
        """Whether the kernel ended a process of the cell for want of memory."""
        ...

    def close(self) -> bool:
        """Remove what was made; False while processes still leave."""
        ...


class Meters(Protocol):
    """Makes meters."""

    @property
    def words(self) -> str:
        """What it does, for people."""
        ...

    def make(self, memory: int | None, scratch: int, processes: int) -> Meter: ...


def _number(path: Path, key: str = "") -> int | None:
    """The number in a file of one number, or behind `key` in a file of lines."""
    with suppress(OSError, ValueError):
        text = path.read_text()
        if not key:
            return int(text)
        for line in text.splitlines():
            name, _, value = line.partition(" ")
            if name == key:
                return int(value)
    return None


@dataclass(frozen=True, slots=True)
class GroupLayout:
    """Names of the kernel's files in one version of control groups."""

    limit: str
    usage: str
    own: str
    """The key in `memory.stat` of memory that is not file cache."""
    oom: tuple[str, str]


V1 = GroupLayout("memory.limit_in_bytes", "memory.usage_in_bytes", "total_rss", ("memory.oom_control", "oom_kill"))
V2 = GroupLayout("memory.max", "memory.current", "anon", ("memory.events", "oom_kill"))


@dataclass(frozen=True, slots=True)
class GroupMeter:
    """One control group (two under v1: memory, pids)."""

    layout: GroupLayout
    memory: Path
    folders: tuple[Path, ...]

    def used(self, pid: int) -> int | None:  # noqa: ARG002  the group knows its processes
        return _number(self.memory / "memory.stat", self.layout.own)

    def killed(self) -> bool:
        name, key = self.layout.oom
        return bool(_number(self.memory / name, key))

    def close(self) -> bool:
        for folder in self.folders:
            try:
                folder.rmdir()
            except FileNotFoundError:
                continue
            except OSError:
                return False
        return True


@dataclass(frozen=True, slots=True)
class GroupMeters:
    """Control groups under the parents that we may write to."""

    layout: GroupLayout
    memory: Path
    pids: Path | None
    entropy: Entropy
    words: str = "memory counted and limited by control groups"

    def make(self, memory: int | None, scratch: int, processes: int) -> GroupMeter:
        name = f"cumulet-{os.getpid()}-{make_hex(self.entropy, 4)}"
        group = self.memory / name
        group.mkdir()
        if memory is not None:
            (group / self.layout.limit).write_text(str(memory + scratch))
        folders = [group]
        if self.pids is not None:
            count = self.pids / name
            count.mkdir(exist_ok=True)
            (count / "pids.max").write_text(str(processes + 2))
            folders += [count] if count != group else []
        return GroupMeter(self.layout, group, tuple(folders))


@dataclass(frozen=True, slots=True)
class TreeMeter:
    """Adds up the process tree below the first process."""

    folders: tuple[Path, ...] = ()

    def used(self, pid: int) -> int | None:
        return sum(_resident(member) for member in _tree(pid))

    def killed(self) -> bool:
        return False

    def close(self) -> bool:
        return True


@dataclass(frozen=True, slots=True)
class TreeMeters:
    """For machines with /proc whose control groups we may not use."""

    words: str = "memory watched five times a second, not limited by the kernel"

    def make(self, memory: int | None, scratch: int, processes: int) -> TreeMeter:  # noqa: ARG002
        return TreeMeter()


@dataclass(frozen=True, slots=True)
class NoMeter:
    """Counts nothing."""

    folders: tuple[Path, ...] = ()

    def used(self, pid: int) -> int | None:  # noqa: ARG002
        return None

    def killed(self) -> bool:
        return False

    def close(self) -> bool:
        return True


@dataclass(frozen=True, slots=True)
class NoMeters:
    """For machines without /proc."""

    words: str = "memory not limited on this machine"

    def make(self, memory: int | None, scratch: int, processes: int) -> NoMeter:  # noqa: ARG002
        return NoMeter()


def _tree(pid: int) -> Iterable[int]:
    waiting = [pid]
    while waiting:
        member = waiting.pop()
        yield member
        with suppress(OSError):
            for task in Path(f"/proc/{member}/task").iterdir():
                waiting += [int(child) for child in (task / "children").read_text().split()]


def _resident(pid: int) -> int:
    with suppress(OSError, ValueError, IndexError):
        _, resident, shared, *_ = Path(f"/proc/{pid}/statm").read_text().split()
        return (int(resident) - int(shared)) * PAGE
    return 0


@dataclass(frozen=True, slots=True)
class _Membership:
    """Where this process stands: controller to path, from /proc/self/cgroup."""

    paths: dict[str, str] = field(default_factory=dict)

    @classmethod
    def read(cls) -> "_Membership":
        paths: dict[str, str] = {}
        with suppress(OSError):
            for line in Path("/proc/self/cgroup").read_text().splitlines():
                _, controllers, path = line.split(":", 2)
                paths |= dict.fromkeys(controllers.split(","), path)
        return cls(paths)

    def parents(self, controller: str, root: Path) -> list[Path]:
        own = self.paths.get(controller, "/").lstrip("/")
        return [root / own, root] if own else [root]


def find_meters(entropy: Entropy, root: Path = CGROUP_ROOT) -> Meters:
    """The best way of this machine, found by trying it."""
    mine = _Membership.read()
    if (root / "cgroup.controllers").exists():
        for parent in mine.parents("", root):
            if _has_controllers(parent):
                pids = parent if "pids" in _controllers(parent) else None
                if _works(found := GroupMeters(V2, parent, pids, entropy)):
                    return found
    elif (root / "memory").is_dir():
        pids = next((parent for parent in mine.parents("pids", root / "pids") if _may_make(parent, entropy)), None)
        for parent in mine.parents("memory", root / "memory"):
            if _works(found := GroupMeters(V1, parent, pids, entropy)):
                return found
    return TreeMeters() if Path("/proc/self/statm").exists() else NoMeters()


def _controllers(parent: Path) -> list[str]:
    try:
        return (parent / "cgroup.subtree_control").read_text().split()
    except OSError:
        return []


def _has_controllers(parent: Path) -> bool:
    return "memory" in _controllers(parent)


def _may_make(parent: Path, entropy: Entropy) -> bool:
    probe = parent / f"cumulet-{os.getpid()}-{make_hex(entropy, 4)}"
    try:
        probe.mkdir()
        probe.rmdir()
    except OSError:
        return False
    return True


def _works(meters: GroupMeters) -> bool:
    sweep(meters)
    try:
        return meters.make(1 << 30, 0, 10).close()
    except OSError:
        return False


def sweep(meters: GroupMeters) -> None:
    """End what servers left behind that are no more, and remove its groups."""
    for parent in {meters.memory, meters.pids or meters.memory}:
        for folder in parent.glob("cumulet-*"):
            if not gone(folder.name.split("-")[1]):
                continue
            with suppress(OSError, ValueError):
                for pid in (folder / "cgroup.procs").read_text().split():
                    os.kill(int(pid), signal.SIGKILL)
            with suppress(OSError):
                folder.rmdir()
