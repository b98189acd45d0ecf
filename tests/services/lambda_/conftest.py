"""A shop with functions that are coroutines."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from tests.inprocess import House
from tests.services.lambda_.shop import Shop


@pytest.fixture
def house() -> Iterator[House]:
    with House() as made:
        yield made


@pytest.fixture
def shop(house: House) -> Iterator[Shop]:
    made = Shop(house)
    yield made
    made.close()


@pytest.fixture
def threads() -> Iterator[ThreadPoolExecutor]:
    """Eight threads to call from."""
    with ThreadPoolExecutor(8) as pool:
        yield pool
