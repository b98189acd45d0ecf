"""Fixtures everyone shares: a database (all kinds), a clock that jumps, entropy from a seed."""

import os
import random
import subprocess
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from tests.postgres import Server, binaries

from cumulet.base.clock import JumpClock
from cumulet.base.ids import Entropy
from cumulet.store.api import Database
from cumulet.store.migrate import found
from cumulet.store.postgres import Postgres, prepare
from cumulet.store.sqlite import SQLite


@pytest.fixture
def clock() -> JumpClock:
    """A clock that stands still until it is told to jump."""
    return JumpClock()


@pytest.fixture
def entropy() -> Entropy:
    """The same random bytes in every run."""
    return random.Random(20261123).randbytes


@pytest.fixture(scope="session")
def postgres() -> Iterator[Server]:
    """A PostgreSQL server, one for the session (of each xdist worker). Its template `cumulet` has our schema."""
    programs = binaries()
    if programs is None:
        if os.environ.get("CUMULET_REQUIRE_ALL") == "1":
            pytest.fail("PostgreSQL is not installed, and CUMULET_REQUIRE_ALL=1 asks for it")
        pytest.skip("PostgreSQL is not installed")
    server = Server.start(programs)
    server.admin("CREATE DATABASE cumulet TEMPLATE template0")
    prepare(server.dsn("cumulet"), found())
    yield server
    server.remove()


@pytest.fixture
def postgres_dsn(postgres: Server) -> Iterator[str]:
    """A fresh PostgreSQL database with our schema, for those who want to open it themselves."""
    dsn = postgres.fresh("cumulet")
    yield dsn
    postgres.drop(dsn)


@pytest.fixture(params=["memory", "sqlite", "postgres"])
async def database(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Database]:
    """A fresh database with our schema, of each kind in turn."""
    opened: Database
    if request.param == "postgres":
        opened = await Postgres.open(request.getfixturevalue("postgres_dsn"))
    else:
        opened = await SQLite.open(":memory:" if request.param == "memory" else tmp_path / "cumulet.db")
    yield opened
    await opened.close()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A folder on a disk of 4 MiB of its own."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(folder)]
    if os.geteuid() != 0 or subprocess.run(mount, check=False, capture_output=True).returncode:
        if os.environ.get("CUMULET_REQUIRE_ALL") == "1":
            pytest.fail("a small disk cannot be mounted, and CUMULET_REQUIRE_ALL=1 asks for it")
        pytest.skip("only root can mount a small disk")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)
