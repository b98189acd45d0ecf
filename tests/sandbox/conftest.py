"""Sandboxes of this machine; one that it does not allow is skipped."""

import os
from typing import NoReturn

import pytest

from cumulet.sandbox import bubblewrap
from cumulet.sandbox.api import Sandbox
from cumulet.sandbox.bubblewrap import Bubblewrap
from cumulet.sandbox.meter import TreeMeters, find_meters
from cumulet.sandbox.process import ProcessSandbox


def lack(words: str) -> NoReturn:
    """Skip, unless everything is asked for."""
    if os.environ.get("CUMULET_REQUIRE_ALL") == "1":
        pytest.fail(f"{words}, and CUMULET_REQUIRE_ALL=1 asks for it")
    pytest.skip(words)


@pytest.fixture
async def walled() -> Bubblewrap:
    """Bubblewrap as this machine allows it."""
    found = await bubblewrap.find(find_meters(os.urandom), os.urandom)
    if found is None:
        lack("bubblewrap does not work here")
    return found


@pytest.fixture
def plain() -> ProcessSandbox:
    return ProcessSandbox(find_meters(os.urandom))


@pytest.fixture(params=["users", "namespace", "tree", "plain"])
async def sandbox(request: pytest.FixtureRequest) -> Sandbox:
    """Every driver, and both ways of counting memory."""
    if request.param == "plain":
        return ProcessSandbox(find_meters(os.urandom))
    if request.param == "users" and os.geteuid() != 0:
        pytest.skip("needs root")
    meters = TreeMeters() if request.param == "tree" else find_meters(os.urandom)
    way = bubblewrap.Way.USERS if request.param == "users" else bubblewrap.Way.NAMESPACE
    driver = Bubblewrap(way, meters, os.urandom)
    if not await bubblewrap.works(driver):
        lack("bubblewrap does not work here")
    return driver
