"""S3 behind the whole gate, driven by boto3 from a thread; every reply is held to the model's output shape."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from tests.inprocess import ENDPOINT, client
from tests.replies import CheckedGate

from cumulet.base.clock import JumpClock
from cumulet.base.ids import Entropy
from cumulet.server.app import App
from cumulet.server.auth import Trusting
from cumulet.server.keys import Keys
from cumulet.services.s3.service import S3
from cumulet.store.api import Database
from cumulet.store.blobs import Blobs
from cumulet.store.sqlite import SQLite
from cumulet.wire.http import Request, Response
from cumulet.wire.service import Call, Principal


class Stage:
    """Where the clients' requests go: making a client takes longer than a test, so they are kept."""

    def __init__(self) -> None:
        self._clients: dict[str, Any] = {}
        self.play: Cloud | None = None

    def run(self, work: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self.play.loop).result(60)

    async def answer(self, request: Request) -> Response:
        return await self.play.app.answer(request)

    def client(self, region_name: str, aws_access_key_id: str, **settings: Any) -> Any:
        name = repr((region_name, aws_access_key_id, settings))
        if name not in self._clients:
            config = Config(**settings)
            place = {"region_name": region_name, "aws_access_key_id": aws_access_key_id}
            self._clients[name] = client(self, self, "s3", config=config, **place)
        return self._clients[name]


@pytest.fixture(scope="session")
def stage() -> Stage:
    return Stage()


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

    def __init__(self, stage: Stage, app: App, service: S3, database: Database, clock: JumpClock, folder: Path) -> None:
        self._stage = stage
        self.app = app
        self.service = service
        self.database = database
        self.clock = clock
        self.blobs = Blobs(folder).within("s3")
        self.loop = asyncio.get_running_loop()
        stage.play = self

    def client(self, region_name: str = "us-east-1", aws_access_key_id: str = "test", **settings: Any) -> Remote:
        """`settings` as for botocore's `Config`. The model's checks are ours to make, not the client's."""
        return Remote(self._stage.client(region_name, aws_access_key_id, parameter_validation=False, **settings))

    def call(self, **more: Any) -> Call:
        who = Principal("000000000000", "arn:aws:iam::000000000000:root", "000000000000")
        return Call("000000000000", "us-east-1", who, "request", ENDPOINT, **more)

    async def blob_names(self) -> set[str]:
        return {ref async for ref in self.blobs.list()}

    async def rows(self, table: str) -> int:
        found = await self.database.read(lambda tx: tx.one(f"SELECT COUNT(*) AS n FROM {table}"))
        return found["n"]


async def build(stage: Stage, database: Database, clock: JumpClock, entropy: Entropy, folder: Path) -> Cloud:
    keys = await Keys.open(database, clock, entropy)
    gate = CheckedGate(entropy, ENDPOINT)
    service = S3(database, Blobs(folder), clock, entropy)
    gate.add(service)
    return Cloud(stage, App(gate, Trusting(keys), entropy), service, database, clock, folder)


@pytest.fixture
async def cloud(stage: Stage, database: Database, clock: JumpClock, entropy: Entropy, tmp_path: Path) -> Cloud:
    """On each kind of database."""
    return await build(stage, database, clock, entropy, tmp_path / "blobs")


@pytest.fixture
async def s3(cloud: Cloud) -> Remote:
    made = cloud.client()
    await made.create_bucket(Bucket="bucket")
    return made


@pytest.fixture
async def quick_cloud(stage: Stage, clock: JumpClock, entropy: Entropy, tmp_path: Path) -> AsyncIterator[Cloud]:
    """In memory: for what the database has no part in."""
    database = await SQLite.open(":memory:")
    yield await build(stage, database, clock, entropy, tmp_path / "blobs")
    await database.close()


@pytest.fixture
async def quick(quick_cloud: Cloud) -> Remote:
    made = quick_cloud.client()
    await made.create_bucket(Bucket="bucket")
    return made
