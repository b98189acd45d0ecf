"""Fixtures everyone shares: a database (all kinds), a clock that jumps, entropy from a seed."""

import random
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from cumulet.base.clock import JumpClock
from cumulet.base.ids import Entropy
from cumulet.store.api import Database
from cumulet.store.sqlite import SQLite


@pytest.fixture
def clock() -> JumpClock:
    """A clock that stands still until it is told to jump."""
    return JumpClock()


@pytest.fixture
def entropy() -> Entropy:
    """The same random bytes in every run."""
    return random.Random(20261123).randbytes


@pytest.fixture(params=["memory", "sqlite"])
async def database(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Database]:
    """A fresh database with our schema."""
    opened = await SQLite.open(":memory:" if request.param == "memory" else tmp_path / "cumulet.db")
    yield opened
    await opened.close()
