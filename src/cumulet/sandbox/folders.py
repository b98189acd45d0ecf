"""Private folders for what runs, named after the server, so that the next one can clear up after a dead one."""

import os
import shutil
import tempfile
from pathlib import Path


def make_folder(what: str) -> Path:
    """A new folder that only this user can enter."""
    return Path(tempfile.mkdtemp(prefix=f"cumulet-{os.getpid()}-{what}-"))


def sweep_folders() -> None:
    """Remove the folders of servers that are no more."""
    for folder in Path(tempfile.gettempdir()).glob("cumulet-*-*-*"):
        pid = folder.name.split("-")[1]
        if pid.isdigit() and Path("/proc/self").exists() and not Path("/proc", pid).exists():
            shutil.rmtree(folder, ignore_errors=True)
