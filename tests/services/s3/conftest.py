"""S3 behind the whole gate, driven by boto3 from a thread; every reply is held to the model's output shape."""

import asyncio
import functools
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import botocore.session
import pytest
from botocore.exceptions import ClientError
from tests.inprocess import ENDPOINT, client

from cumulet.base.clock import JumpClock
from cumulet.base.ids import Entropy
from cumulet.server.app import App
from cumulet.server.auth import Trusting
from cumulet.server.caller import Gate
from cumulet.server.keys import Keys
from cumulet.services.s3.service import S3
from cumulet.store.api import Database
from cumulet.store.blobs import Blobs
from cumulet.store.sqlite import SQLite
from cumulet.wire.service import Call, Principal, Reply


class CheckedGate(Gate):
    """Fails where a reply has a member that the model does not know, or None."""

    async def carry_out(self, service: str, operation: str, input: Mapping[str, Any], call: Call) -> Reply:
        reply = await super().carry_out(service, operation, input, call)
        shape = model().operation_model(operation).output_shape
        assert shape is not None or reply == {}
        if shape is not None:
            check_reply(shape, reply, operation)
        return reply


@functools.cache
def model() -> Any:
    return botocore.session.get_session().get_service_model("s3")


def check_reply(shape: Any, value: Any, where: str) -> None:
    assert value is not None, where
    if shape.type_name == "structure":
        unknown = set(value) - set(shape.members)
        assert not unknown, f"{where}: {unknown}"
        for name, item in value.items():
            check_reply(shape.members[name], item, f"{where}.{name}")
    elif shape.type_name == "list":
        for item in value:
            check_reply(shape.member, item, where)
    elif shape.type_name == "string":
        assert isinstance(value, str), where


class InLoop:
    """Brings coroutines of another thread to this loop."""

    def __init__(self) -> None:
        self.loop = asyncio.get_running_loop()

    def run(self, work: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(60)


class Remote:
    """A boto3 client whose methods are awaited."""

    def __init__(self, made: Any) -> None:
        self.boto = made

    def __getattr__(self, name: str) -> Any:
        async def call(**input: Any) -> Any:
            reply = await asyncio.to_thread(getattr(self.boto, name), **input)
            if "ResponseMetadata" in reply:
                reply["status"] = reply["ResponseMetadata"]["HTTPStatusCode"]
            if hasattr(reply.get("Body"), "read"):
                reply["Body"] = reply["Body"].read()
            return reply

        return call

    async def refused(self, operation: str, /, **input: Any) -> "Refusal":
        """The error that the call is answered with."""
        with pytest.raises(ClientError) as caught:
            await getattr(self, operation)(**input)
        answer = caught.value.response
        return Refusal(
            answer["Error"].get("Code", ""),
            answer["ResponseMetadata"]["HTTPStatusCode"],
            answer["Error"].get("Message", ""),
            answer["Error"],
        )


@dataclass(frozen=True)
class Refusal:
    code: str
    status: int
    message: str
    extra: Mapping[str, Any]


class Cloud:
    """The service, the gate before it, and clients."""

    def __init__(self, app: App, service: S3, database: Database, clock: JumpClock, folder: Path) -> None:
        self.app = app
        self.service = service
        self.database = database
        self.clock = clock
        self.blobs = Blobs(folder).within("s3")
        self.loop = InLoop()

    def client(self, **options: Any) -> Remote:
        return Remote(client(self.app, self.loop, "s3", **options))

    def call(self, **more: Any) -> Call:
        who = Principal("000000000000", "arn:aws:iam::000000000000:root", "000000000000")
        return Call("000000000000", "us-east-1", who, "request", ENDPOINT, **more)

    async def blob_names(self) -> set[str]:
        return {ref async for ref in self.blobs.list()}

    async def rows(self, table: str) -> int:
        found = await self.database.read(lambda tx: tx.one(f"SELECT COUNT(*) AS n FROM {table}"))
        return found["n"]


async def build(database: Database, clock: JumpClock, entropy: Entropy, folder: Path) -> Cloud:
    keys = await Keys.open(database, clock, entropy)
    gate = CheckedGate(entropy, ENDPOINT)
    service = S3(database, Blobs(folder), clock, entropy)
    gate.add(service)
    return Cloud(App(gate, Trusting(keys), entropy), service, database, clock, folder)


@pytest.fixture
async def cloud(database: Database, clock: JumpClock, entropy: Entropy, tmp_path: Path) -> Cloud:
    """On each kind of database."""
    return await build(database, clock, entropy, tmp_path / "blobs")


@pytest.fixture
async def s3(cloud: Cloud) -> Remote:
    made = cloud.client()
    await made.create_bucket(Bucket="bucket")
    return made


@pytest.fixture
async def quick_cloud(clock: JumpClock, entropy: Entropy, tmp_path: Path) -> AsyncIterator[Cloud]:
    """In memory: for what the database has no part in."""
    database = await SQLite.open(":memory:")
    yield await build(database, clock, entropy, tmp_path / "blobs")
    await database.close()


@pytest.fixture
async def quick(quick_cloud: Cloud) -> Remote:
    made = quick_cloud.client()
    await made.create_bucket(Bucket="bucket")
    return made
