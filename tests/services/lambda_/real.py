"""A shop whose functions are real processes in this machine's best sandbox, one for all tests of a module."""

import asyncio
import itertools
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.inprocess import House
from tests.services.lambda_.shop import Shop

from cumulet.base.clock import SystemClock
from cumulet.sandbox.api import Sandbox
from cumulet.sandbox.choose import choose
from cumulet.services.lambda_.runtimes import Runtimes, discover

NAMES = (f"f{number}" for number in itertools.count())


@contextmanager
def real_shop(runtimes: Runtimes, sandbox: Sandbox | None = None) -> Iterator["RealShop"]:
    with House() as house:
        shop = RealShop(house, sandbox or house.run(choose(os.urandom)), runtimes=runtimes, clock=SystemClock())
        house.work()
        yield shop
        shop.close()


def look() -> Runtimes:
    return asyncio.run(discover({"nodejs10.x": "nodejs20.x"}))


class RealShop(Shop):
    def call(self, code: Any, event: Any = None, **members: Any) -> tuple[Any, Any]:
        """Make a function of `code`, invoke it once: its answer as JSON, and the whole reply."""
        name = next(NAMES)
        self.create(code, name=name, **members)
        reply = self.invoke({} if event is None else event, name=name, LogType="Tail")
        return reply, reply["Payload"].read()
