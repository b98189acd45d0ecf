"""Functions and events in every kind of database."""

import asyncio
import os
from pathlib import Path
from typing import Any

import pytest
from tests.services.lambda_.shop import ROLE, pack

from cumulet.base.clock import JumpClock
from cumulet.services.lambda_.code import CodeCache
from cumulet.services.lambda_.errors import FunctionExists, FunctionNotFound, PreconditionFailedException
from cumulet.services.lambda_.events import Events
from cumulet.services.lambda_.function import Config, Function
from cumulet.services.lambda_.functions import Functions
from cumulet.services.lambda_.invoker import Done
from cumulet.services.lambda_.names import Name
from cumulet.services.lambda_.outcome import Outcome
from cumulet.store.api import Database
from cumulet.store.blobs import Blobs

NAME = Name("000000000000", "us-east-1", "hello")
CONFIG = Config("python3.12", ROLE, "handler.handler", environment={"KEY": "ü"})


@pytest.fixture
def functions(database: Database, tmp_path: Path, clock: JumpClock) -> Functions:
    return Functions(database, Blobs(tmp_path / "blobs"), clock, os.urandom, CodeCache(tmp_path / "code", os.urandom))


async def test_a_functions_life(functions: Functions):
    small, great = pack("x = 1"), pack({"a.py": "", "data": os.urandom(50_000)})
    made = await functions.create(NAME, CONFIG, await functions.store(small), {"k": "v"})
    assert (made.config, made.tags, made.concurrency) == (CONFIG, {"k": "v"}, None)
    assert await functions.package_of(NAME) == small
    with pytest.raises(FunctionExists):
        await functions.create(NAME, CONFIG, await functions.store(small), {})
    changed = await functions.update_code(NAME, made.revision, await functions.store(great), lambda config: config)
    assert await functions.package_of(NAME) == great
    with pytest.raises(PreconditionFailedException):
        await functions.update_code(NAME, made.revision, await functions.store(great), lambda config: config)
    assert changed.revision != made.revision
    assert len(await functions.blobs()) == 1
    await functions.set(NAME, "set_concurrency", lambda _: {"concurrency": 7})
    assert (await functions.get(NAME)).concurrency == 7
    assert [one.name for one in await functions.page(NAME.account, NAME.region, "", 5)] == [NAME]
    await functions.delete(NAME)
    assert await functions.blobs() == []
    for gone in (functions.get(NAME), functions.package_of(NAME), functions.delete(NAME)):
        with pytest.raises(FunctionNotFound):
            await gone


async def test_another_servers_change_is_seen(functions: Functions, tmp_path: Path, clock: JumpClock):
    other = Functions(
        functions.database, Blobs(tmp_path / "blobs"), clock, os.urandom, CodeCache(tmp_path / "other", os.urandom)
    )
    await functions.create(NAME, CONFIG, await functions.store(pack("x = 1")), {})
    assert (await functions.get(NAME)).config.timeout == 3
    await other.update_config(NAME, None, lambda config: Config("python3.12", ROLE, "handler.handler", timeout=9))
    async with asyncio.timeout(10):
        while (await functions.get(NAME)).config.timeout != 9:
            await asyncio.sleep(0.001)


async def test_two_servers_share_the_events(database: Database, clock: JumpClock):
    function = Function(NAME, CONFIG, "", 0, "r", 0, 0)
    seen: list[str] = []

    async def find(name: Name) -> Function:
        return function

    async def invoke(function: Function, request: str, payload: bytes, context: str) -> Done:
        assert payload == b"{}"
        seen.append(request)
        return Done(Outcome(b""), b"")

    servers = [Events(database, clock, os.urandom, find, invoke, 4) for _ in range(2)]
    names = [f"event-{number}" for number in range(40)]
    working = [asyncio.create_task(server.run()) for server in servers]
    for name in names:
        await servers[0].add(function, name, b"{}", "")

    async def left() -> list[Any]:
        return list(await database.read(lambda tx: tx.all("SELECT id FROM lambda_events")))

    async with asyncio.timeout(30):
        while await left():
            await asyncio.sleep(0.005)
    for task in working:
        task.cancel()
    await asyncio.gather(*working, return_exceptions=True)
    assert sorted(set(seen)) == sorted(names)
    assert len(seen) == len(names)
