"""A world around one engine on each kind of database."""

from collections.abc import AsyncIterator

import pytest
from tests.engine.world import World

from cumulet.base.clock import JumpClock
from cumulet.base.ids import Entropy
from cumulet.store.api import Database


@pytest.fixture
async def world(database: Database, clock: JumpClock, entropy: Entropy) -> AsyncIterator[World]:
    """An engine at work."""
    built = World(database, clock, entropy).up()
    yield built
    await built.down()


@pytest.fixture
def idle(database: Database, clock: JumpClock, entropy: Entropy) -> World:
    """An engine whose workers nobody started."""
    return World(database, clock, entropy)
