"""Running code as a plain process: for machines without bubblewrap, and honest about it.

Each cell has a private folder, a session and process group of its own, limits on file size and open files, and only the
environment it was given. The first process dies with the server; what it started may live on. Nothing keeps it from
reading what the server's own user may read. Paths of the plan that do not exist on this machine (`/var/task`) are made
links in the private folder, and arguments and variables that name them are translated.
"""

import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from cumulet.sandbox.api import Plan
from cumulet.sandbox.child import Child, Launch
from cumulet.sandbox.folders import make_folder
from cumulet.sandbox.meter import Meters

OPEN_FILES = 1024


@dataclass(frozen=True, slots=True)
class ProcessSandbox:
    """The driver without walls. Process counts and the size of /tmp are not limited."""

    meters: Meters
    name: str = "process"

    @property
    def isolation(self) -> str:
        return (
            "none: functions run as plain processes of this user and can read and change what it can "
            f"(bubblewrap is missing or may not be used here); {self.meters.words}"
        )

    async def prepare(self, plan: Plan) -> Child:
        folder = make_folder("cell")
        translate = Translation.make(plan, folder)
        environment = {name: translate.value(text) for name, text in plan.environment.items()}
        environment.setdefault("TMPDIR", str(folder / "tmp"))
        launch = Launch(
            command=(*dying_with_the_server(), *limits(plan), *(translate.value(part) for part in plan.command)),
            environment=environment,
            directory=translate.value(plan.directory),
            memory=plan.memory,
            folder=folder,
        )
        return Child(launch, self.meters.make(plan.memory, 0, plan.processes))


def dying_with_the_server() -> tuple[str, ...]:
    """The command that ties the next one's life to ours (not its children's); empty where the tool is missing."""
    return () if (tool := shutil.which("setpriv")) is None else (tool, "--pdeathsig", "KILL", "--")


def limits(plan: Plan, *, processes: bool = False) -> tuple[str, ...]:
    """The command that lowers limits before it becomes the next one; empty where the tool is missing."""
    if (tool := shutil.which("prlimit")) is None:
        return ()
    size = plan.scratch
    given = [f"--nofile={OPEN_FILES}:{OPEN_FILES}", "--core=0:0"]
    if not any(mount.writable for mount in plan.mounts):
        given.append(f"--fsize={size}:{size}")
    if processes:
        given.append(f"--nproc={plan.processes}:{plan.processes}")
    return (tool, *given, "--")


@dataclass(frozen=True, slots=True)
class Translation:
    """Paths of the plan to paths of the host: those the plan's mounts name, the folders above them, and /tmp."""

    paths: Mapping[str, str]

    @classmethod
    def make(cls, plan: Plan, folder: Path) -> "Translation":
        (folder / "tmp").mkdir()
        paths = {"/tmp": str(folder / "tmp")}  # noqa: S108  the plan's own /tmp
        for mount in plan.mounts:
            if str(mount.source) == mount.target:
                continue
            link = folder / mount.target.lstrip("/")
            link.parent.mkdir(parents=True, exist_ok=True)
            link.symlink_to(mount.source)
            paths[mount.target] = str(mount.source)
            for above in Path(mount.target).parents:
                if len(above.parts) > 2:  # /var/runtime, but not /var
                    paths.setdefault(str(above), str(folder / str(above).lstrip("/")))
        return cls(paths)

    def value(self, text: str) -> str:
        """`text`, a path or a list of paths with colons, as this machine knows it."""
        if not text.startswith("/"):
            return text
        return os.pathsep.join(self._path(part) for part in text.split(os.pathsep))

    def _path(self, path: str) -> str:
        for target in (path, *map(str, Path(path).parents)):
            if target in self.paths:
                return self.paths[target] + path[len(target) :]
        return path
