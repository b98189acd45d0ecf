"""Which runtimes this machine has, found by looking: Python and Node.js of the exact version, and `provided`.

Python: this server's own, those of pyenv and uv, those on PATH, /usr/local and /usr. Node.js: each `node` on PATH. It
refuses, in words that name what is present, a runtime that is not there and has no substitute in the settings.
"""

import asyncio
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from cumulet.services.lambda_.errors import InvalidParameterValueException

_PYTHON = re.compile(r"python3\.(\d+)")
_PYTHONS = tuple(f"python3.{minor}" for minor in range(8, 15))
_NODES = tuple(f"nodejs{major}.x" for major in range(10, 26, 2))
_PROVIDED = ("provided", "provided.al2", "provided.al2023")
SYSTEM = (Path("/usr"), Path("/bin"), Path("/lib"))


@dataclass(frozen=True, slots=True)
class Runtime:
    """A runtime that can be started. `prefix` must be seen inside at its own path; None where the system has it."""

    name: str
    family: str
    """"python", "node" or "provided"."""
    program: Path
    prefix: Path | None = None


@dataclass(frozen=True, slots=True)
class Runtimes:
    """What the machine has, and the operator's substitutes."""

    present: Mapping[str, Runtime]
    substitutes: Mapping[str, str] = field(default_factory=dict)

    def find(self, name: str) -> Runtime:
        """The runtime that carries out functions of `name`; its `name` differs where it is a substitute."""
        found = self.present.get(name) or self.present.get(self.substitutes.get(name, ""))
        if found is not None:
            return found
        here = ", ".join(sorted(self.present, key=_natural))
        if name in self.substitutes:
            problem = f"its substitute {self.substitutes[name]} is not on this machine either"
        else:
            problem = "it is not on this machine, and the configuration has no substitute for it"
        raise InvalidParameterValueException(
            problem=f"The runtime {name} cannot be used: {problem}. Present are: {here}."
        )


def _natural(name: str) -> list[int | str]:
    return [int(part) if part.isdigit() else part for part in re.split(r"(\d+)", name)]


async def discover(substitutes: Mapping[str, str], home: Path | None = None) -> Runtimes:
    """Look what is there."""
    found: dict[str, Runtime] = {}
    for name, program in _pythons(home or Path.home()):
        if name in _PYTHONS and name not in found and program.is_file():
            found[name] = Runtime(name, "python", program, _prefix(program))
    for program in _on_path("node"):
        if (name := await _node(program)) in _NODES and name not in found:
            real = program.resolve()
            found[name] = Runtime(name, "node", real, _prefix(real))
    for name in _PROVIDED:
        found[name] = Runtime(name, "provided", Path("/var/task/bootstrap"))
    return Runtimes(found, dict(substitutes))


def _prefix(program: Path) -> Path | None:
    """The tree that a program in `prefix/bin` belongs to, unless it is the system's."""
    prefix = program.parent.parent
    return None if any(prefix.is_relative_to(place) for place in SYSTEM) else prefix


def _pythons(home: Path) -> Iterator[tuple[str, Path]]:
    own = f"python3.{sys.version_info.minor}"
    yield own, Path(sys.base_prefix) / "bin" / own
    patterns = (
        (home / ".pyenv" / "versions", "3.*/bin/python3.*"),
        (home / ".local" / "share" / "uv" / "python", "cpython-3.*/bin/python3.*"),
    )
    for root, pattern in patterns:
        for program in sorted(root.glob(pattern), key=lambda path: _natural(str(path)), reverse=True):
            if _PYTHON.fullmatch(program.name):
                yield program.name, program
    for folder in (*_folders(), Path("/usr/local/bin"), Path("/usr/bin")):
        for program in folder.glob("python3.*"):
            if _PYTHON.fullmatch(program.name):
                yield program.name, program.resolve()


def _folders() -> Iterator[Path]:
    """Folders of PATH, without pyenv's shims (scripts that need the host's files) and virtual environments."""
    for text in os.environ.get("PATH", "").split(os.pathsep):
        folder = Path(text)
        if text and folder.name != "shims" and not (folder.parent / "pyvenv.cfg").exists():
            yield folder


def _on_path(name: str) -> Iterator[Path]:
    for folder in _folders():
        if os.access(folder / name, os.X_OK):
            yield folder / name


async def _node(program: Path) -> str:
    """`nodejs20.x` for a program that says `v20.20.2`."""
    try:
        process = await asyncio.create_subprocess_exec(
            program, "--version", stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
    except OSError:
        return ""
    text, _ = await process.communicate()
    version = re.match(rb"v(\d+)\.", text)
    return f"nodejs{int(version[1])}.x" if version else ""
