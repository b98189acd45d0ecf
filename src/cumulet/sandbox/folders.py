"""Private folders for what runs, named after the server, so that the next one can clear up after a dead one."""

import os
import shutil
import tempfile
from pathlib import Path


def make_folder(what: str) -> Path:
    """A new folder that only this user can enter."""
    return Path(tempfile.mkdtemp(prefix=f"cumulet-{os.getpid()}-{what}-"))


def gone(pid: str) -> bool:
    """Whether the process is certainly no more: it left the table, or waits there as a zombie."""
    if not (pid.isdigit() and Path("/proc/self").exists()):
        return False
    try:
        return Path("/proc", pid, "stat").read_text().rpartition(") ")[2][:1] in "ZX"
    except OSError:
        return True


def sweep_folders() -> None:
    """Remove the folders of servers that are no more."""
    for folder in Path(tempfile.gettempdir()).glob("cumulet-*-*-*"):
        if gone(folder.name.split("-")[1]):
            shutil.rmtree(folder, ignore_errors=True)


def clear_folders() -> None:
    """Remove our own, for who ends at once."""
    for folder in Path(tempfile.gettempdir()).glob(f"cumulet-{os.getpid()}-*-*"):
        shutil.rmtree(folder, ignore_errors=True)
