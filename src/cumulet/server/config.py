"""How a server is to run: what the command line says, checked and completed, before anything is opened."""

import ipaddress
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from cumulet.base.errors import CumuletError
from cumulet.base.limits import PROFILES, WorkflowLimits

PORT = 4566
KEY_FILE = "root-key.json"
"""In the data folder: the root access key, readable by its owner alone."""


class BadConfig(CumuletError):
    """The configuration cannot be carried out; the message ends with a hint."""


_DSN = re.compile(r"postgres(ql)?://|\s*[a-z_]+\s*=")
"""Both ways of writing an address that PostgreSQL's own clients take: a URI, or `host=... dbname=...`."""


@dataclass(frozen=True, slots=True)
class Config:
    """One server. `data` is its folder; an ephemeral one has a folder of its own that goes with it."""

    data: Path
    ephemeral: bool = False
    host: str = "127.0.0.1"
    port: int = PORT
    auth: bool = False
    database: str | None = None
    """PostgreSQL's DSN; without one SQLite in the folder."""
    limits: WorkflowLimits = field(default=PROFILES["aws"])
    drain: int = 30
    """Seconds that open requests are given at the end."""

    def check(self) -> None:
        """Raises `BadConfig`."""
        if not self.auth and not is_loopback(self.host):
            raise BadConfig(
                f"{self.host} can be reached from other machines, and without --auth anybody there could do anything\n"
                "hint: add --auth (`cumulet keys` shows the key), or listen on 127.0.0.1"
            )
        if self.database is not None and not _DSN.match(self.database):
            raise BadConfig(
                f"--database {self.database} is no address of PostgreSQL\n"
                "hint: postgresql://user:password@host/name; without --database it is SQLite in the data folder"
            )


def default_data(environment: Mapping[str, str] = os.environ) -> Path:
    """Where data lives unless told otherwise: the XDG data directory."""
    home = environment.get("XDG_DATA_HOME") or ""
    base = Path(home) if home.startswith("/") else Path.home() / ".local" / "share"
    return base / "cumulet"


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach `host`."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
