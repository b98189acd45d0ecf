"""`cumulet doctor`: what this machine has, and what each lack costs. It tries things out; it changes nothing.

Ends with 1 only where Cumulet cannot run: the data folder cannot be written.
"""

import argparse
import asyncio
import json
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from pathlib import Path

from cumulet.sandbox.choose import choose
from cumulet.server.config import default_data

GIB = 1 << 30
PLENTY = 1 * GIB


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing: whether it is there, what was seen, and what its lack costs."""

    name: str
    present: bool
    seen: str
    cost: str = ""
    needed: bool = False


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--data", type=Path, default=None, metavar="DIR", help="the data folder (default: XDG's)")
    parser.add_argument("--json", action="store_true", help="as JSON")


def main(arguments: argparse.Namespace) -> int:
    folder = arguments.data or default_data()
    findings = [check() for check in CHECKS] + [_folder(folder), _disk(folder)]
    if arguments.json:
        print(json.dumps([asdict(finding) for finding in findings], indent=2))  # noqa: T201
    else:
        print("\n".join(_line(finding) for finding in findings))  # noqa: T201
    return 1 if any(finding.needed and not finding.present for finding in findings) else 0


def _line(finding: Finding) -> str:
    mark = "ok" if finding.present else "--"
    cost = "" if finding.present or not finding.cost else f"\n{'':19}without it: {finding.cost}"
    return f"{mark:3} {finding.name:14} {finding.seen}{cost}"


def _python() -> Finding:
    return Finding("python", True, f"{sys.version.split()[0]}, SQLite {sqlite3.sqlite_version}")


def _sandbox() -> Finding:
    sandbox = asyncio.run(choose())
    cost = "functions run as plain processes of this user and can read what it can; install the package bubblewrap"
    return Finding("bubblewrap", sandbox.name == "bubblewrap", f"{sandbox.name}: {sandbox.isolation}", cost)


def _pythons() -> Finding:
    wanted = [f"python3.{minor}" for minor in range(9, 15)]
    found = [name for name in wanted if shutil.which(name)]
    return Finding(
        "pythons", bool(found), ", ".join(found) or "none", "functions for other Pythons than ours cannot run"
    )


def _node() -> Finding:
    return _tool("node", ("node", "--version"), "functions in Node.js cannot run")


def _git() -> Finding:
    return _tool("git", ("git", "--version"), "git repositories (later: CodeCommit) cannot be served")


def _postgres() -> Finding:
    driver = find_spec("psycopg") is not None
    server = _run(("postgres", "--version")) or _run(("psql", "--version")) or next(iter(_debian_postgres()), "")
    where = server or "no server here (another machine may have it)"
    seen = f"driver psycopg {'present' if driver else 'missing'}; {where}"
    return Finding("postgresql", driver, seen, "SQLite only, one server; pip install 'cumulet[postgres]'")


def _debian_postgres() -> list[str]:
    return sorted(map(str, Path("/usr/lib/postgresql").glob("*/bin/postgres")), reverse=True)


def _checksums() -> Finding:
    present = find_spec("awscrt") is not None
    cost = "CRC32C and CRC64NVME of large uploads are slow; pip install 'cumulet[checksums]'"
    return Finding("awscrt", present, "present" if present else "missing", cost)


def _folder(folder: Path) -> Finding:
    at = _existing(folder)
    good = os.access(at, os.W_OK | os.X_OK)
    return Finding("data folder", good, f"{folder} can{'' if good else 'not'} be written", "nothing runs", needed=True)


def _disk(folder: Path) -> Finding:
    free = shutil.disk_usage(_existing(folder)).free
    return Finding("disk", free >= PLENTY, f"{free / GIB:.1f} GiB free", "writes are refused once the disk is full")


def _existing(folder: Path) -> Path:
    """The folder, or the nearest above it that is there."""
    at = folder.absolute()
    while not at.exists():
        at = at.parent
    return at


def _tool(name: str, command: tuple[str, ...], cost: str) -> Finding:
    seen = _run(command)
    return Finding(name, bool(seen), seen or "missing", cost)


def _run(command: tuple[str, ...]) -> str:
    """The first line that a program prints, or "" where it is not there or fails."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=10, check=True)
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout.strip().partition("\n")[0]


CHECKS: tuple[Callable[[], Finding], ...] = (_python, _sandbox, _pythons, _node, _git, _postgres, _checksums)
