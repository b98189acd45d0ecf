"""What the tests of sandboxes share: to run a program to its end."""

import os
import sys
from dataclasses import dataclass
from pathlib import Path

from cumulet.sandbox.api import Ended, Mount, Plan, Sandbox

PREFIX = Path(sys.base_prefix)
PYTHON = PREFIX / "bin" / f"python3.{sys.version_info.minor}"
MEGABYTE = 1 << 20


@dataclass(frozen=True)
class Ran:
    ended: Ended
    text: str


def python(code: str, *, mounts: tuple[Mount, ...] = (), **options: object) -> Plan:
    """A plan that runs `code`."""
    own = () if PREFIX.is_relative_to("/usr") else (Mount(PREFIX, str(PREFIX)),)
    options.setdefault("environment", {"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"})
    return Plan(command=(str(PYTHON), "-S", "-u", "-c", code), mounts=(*own, *mounts), **options)  # type: ignore[arg-type]


async def run(sandbox: Sandbox, plan: Plan) -> Ran:
    cell = await sandbox.prepare(plan)
    try:
        await cell.start()
        text = b"".join([piece async for piece in cell.tail()])
        return Ran(await cell.wait(), text.decode())
    finally:
        await cell.destroy()


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
