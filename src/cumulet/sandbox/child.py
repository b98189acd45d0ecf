"""The life of one cell's processes, the same for every driver that starts them on this machine.

    start -> tail / wait -> destroy

The first process leads a session and a process group of its own. While it runs, its memory is looked at: code that
holds more than the plan allows is ended. `destroy` ends the group and whatever else the driver's isolation ties to it.
"""

import asyncio
import os
import shutil
import signal
import subprocess
from collections.abc import AsyncIterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from cumulet.sandbox.api import Ended
from cumulet.sandbox.errors import SandboxError
from cumulet.sandbox.meter import Meter

LOOK = 0.1
"""Seconds between two looks at a cell's memory."""
PIECE = 65_536
ENTER_GROUPS = 'while [ "$1" != -- ]; do echo $$ > "$1/cgroup.procs" || exit 126; shift; done; shift; exec "$@"'


@dataclass(frozen=True, slots=True)
class Launch:
    """What a driver made of a plan."""

    command: tuple[str, ...]
    environment: Mapping[str, str]
    directory: str | None = None
    """The working directory as the host sees it, where the command does not set it itself."""
    memory: int | None = None
    folder: Path | None = None
    """A private folder of the host, to be removed at the end."""
    shell_status: bool = False
    """Whether the command reports a death by signal as 128 and the signal's number, as shells do."""


class Child:
    """A `Cell` of processes on this machine."""

    def __init__(self, launch: Launch, meter: Meter) -> None:
        self._launch = launch
        self._meter = meter
        self._process: asyncio.subprocess.Process | None = None
        self._peak: int | None = None
        self._looked = 0.0
        self._over = False
        self._look: asyncio.TimerHandle | None = None
        self._ended: Ended | None = None

    async def start(self) -> None:
        if self._process is not None:
            raise SandboxError("This cell was started before; prepare another.")
        launch = self._launch
        groups = [str(folder) for folder in self._meter.folders]
        enter = ("/bin/sh", "-c", ENTER_GROUPS, "sh", *groups, "--") if groups else ()
        try:
            self._process = await asyncio.create_subprocess_exec(
                *enter, *launch.command, env=dict(launch.environment), cwd=launch.directory,
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                start_new_session=True,
            )  # fmt: skip
        except OSError as error:
            raise SandboxError(f"{launch.command[0]} cannot be started: {error.strerror}") from error
        if launch.memory is not None:
            self._watch()

    def _watch(self) -> None:
        process, limit = self._process, self._launch.memory
        if process is None or process.returncode is not None or limit is None:
            return
        if (self.memory() or 0) > limit:
            self._over = True
            self._kill()
            return
        self._look = asyncio.get_running_loop().call_later(LOOK, self._watch)

    async def tail(self) -> AsyncIterator[bytes]:
        process = self._running()
        assert process.stdout is not None
        while piece := await process.stdout.read(PIECE):
            yield piece

    async def wait(self) -> Ended:
        status = await self._running().wait()
        if self._launch.shell_status and status > 128:
            status = 128 - status
        if self._ended is None:
            self._ended = Ended(status, out_of_memory=self._over or (status != 0 and self._meter.killed()))
        return self._ended

    def memory(self) -> int | None:
        now = asyncio.get_running_loop().time()
        if self._process is not None and self._process.returncode is None and now - self._looked > LOOK / 2:
            self._looked = now
            used = self._meter.used(self._process.pid)
            if used is not None:
                self._peak = max(used, self._peak or 0)
        return self._peak

    async def destroy(self) -> None:
        if self._look is not None:
            self._look.cancel()
        if self._process is not None:
            self._kill()
            await self.wait()
        for _ in range(200):
            if self._meter.close():
                break
            await asyncio.sleep(0.01)
        if self._launch.folder is not None:
            shutil.rmtree(self._launch.folder, ignore_errors=True)

    def _kill(self) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self._running().pid, signal.SIGKILL)

    def _running(self) -> asyncio.subprocess.Process:
        if self._process is None:
            raise SandboxError("This cell was not started.")
        return self._process
