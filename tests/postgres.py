"""A PostgreSQL of the tests' own: in a temporary folder, on a private unix socket, as an unprivileged user.

`Server.start()` makes and starts one; `fresh()` gives the DSN of a new, empty database in a few milliseconds. It can be
restarted and killed, as a test likes.
"""

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from functools import cached_property
from itertools import count
from pathlib import Path

import psycopg

SETTINGS = """
listen_addresses = ''
unix_socket_directories = '{folder}'
fsync = off
max_connections = 200
shared_buffers = 32MB
autovacuum = off
log_min_messages = fatal
"""


def binaries() -> Path | None:
    """Where PostgreSQL's programs are, if they are anywhere."""
    if (found := shutil.which("initdb")) is not None:
        return Path(found).parent
    versions = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    return versions[-1].parent if versions else None


def _quick_place() -> str | None:
    """Memory, where there is enough of it: databases are made and dropped by the hundred."""
    memory = Path("/dev/shm")
    roomy = memory.is_dir() and os.access(memory, os.W_OK) and shutil.disk_usage(memory).free > 1 << 30
    return str(memory) if roomy else None


class Server:
    """One PostgreSQL server."""

    def __init__(self, programs: Path) -> None:
        self._programs = programs
        self._folder = Path(tempfile.mkdtemp(prefix="cumulet-pg-", dir=_quick_place()))
        self._numbers = count(1)

    @classmethod
    def start(cls, programs: Path) -> "Server":
        """Make a new one and start it."""
        server = cls(programs)
        if os.geteuid() == 0:
            user = pwd.getpwnam("postgres")
            os.chown(server._folder, user.pw_uid, user.pw_gid)
        server._run(
            "initdb",
            "--auth=trust",
            "--username=postgres",
            "--encoding=UTF8",
            "--locale=C",
            "--no-sync",
            "--no-instructions",
            "-D",
            server.data,
        )
        with (server._folder / "data" / "postgresql.conf").open("a") as settings:
            settings.write(SETTINGS.format(folder=server._folder))
        server.up()
        return server

    @property
    def data(self) -> str:
        return str(self._folder / "data")

    @cached_property
    def _prefix(self) -> Sequence[str]:
        """Programs of PostgreSQL refuse to be run by root."""
        if os.geteuid() != 0:
            return ()
        return ("setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups", "--")

    def up(self) -> None:
        self._run("pg_ctl", "start", "-w", "-s", "-D", self.data, "-l", str(self._folder / "log"))

    def down(self, mode: str = "immediate") -> None:
        self._run("pg_ctl", "stop", "-w", "-s", "-m", mode, "-D", self.data)

    def restart(self, mode: str = "fast") -> None:
        """`immediate` is a crash: nothing is finished or written."""
        self.down(mode)
        self.up()

    def dsn(self, database: str) -> str:
        return f"host={self._folder} user=postgres dbname={database}"

    def admin(self, statement: str) -> None:
        with psycopg.connect(self.dsn("postgres"), autocommit=True) as connection:
            connection.execute(statement)  # type: ignore[call-overload]

    def fresh(self, template: str = "template0") -> str:
        """The DSN of a new database, a copy of `template`."""
        name = f"test_{next(self._numbers)}"
        self.admin(f"CREATE DATABASE {name} TEMPLATE {template}")
        return self.dsn(name)

    def drop(self, dsn: str) -> None:
        self.admin(f"DROP DATABASE IF EXISTS {dsn.rpartition('=')[2]} WITH (FORCE)")

    def remove(self) -> None:
        self.down()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _run(self, program: str, *arguments: str) -> None:
        command = [*self._prefix, str(self._programs / program), *arguments]
        done = subprocess.run(command, cwd="/", capture_output=program != "pg_ctl", check=False, text=True)
        if done.returncode:
            raise RuntimeError(f"{program} failed: {done.stdout}{done.stderr}")
