"""boto3 without a socket: its requests go into the gate, through everything but HTTP itself.

    def test_something():
        with House() as house:                                  # a loop in a thread, SQLite in memory, a clock that jumps
            house.add(lambda parts: Logs(parts.database, parts.clock, parts.entropy))
            logs = house.client("logs")
            logs.create_log_group(logGroupName="a")
            house.jump(60)                                      # wakes whoever waits for it
            house.run(house.database.read(...))                 # a coroutine on the house's loop

`House(strict=True)` verifies signatures: clients then use `house.root`'s key unless told otherwise, and its clock begins
at the machine's time. `house.engine` is there for services that need one; its workers run from `house.work()` on.
`client(app, background, "s3")` is the bare thing, for an `App` of your own.
"""

import asyncio
import functools
import io
import random
import tempfile
import threading
import time
from collections.abc import Callable, Coroutine
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

import boto3
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.config import Config as BotoConfig
from tests.replies import CheckedGate

from cumulet.base.clock import JumpClock
from cumulet.base.limits import AWS_TODAY
from cumulet.engine.engine import Engine
from cumulet.sandbox.fake import FakeSandbox
from cumulet.server.app import App
from cumulet.server.auth import Strict, Trusting
from cumulet.server.keys import Keys
from cumulet.server.pages import pages_of
from cumulet.server.parts import Parts
from cumulet.store.blobs import Blobs
from cumulet.store.sqlite import SQLite
from cumulet.wire.http import Headers, Request, Response
from cumulet.wire.service import Service

ENDPOINT = "http://127.0.0.1:4566"


class Raw(io.BytesIO):
    """What botocore takes for urllib3's response."""

    def stream(self, amt: int = 65536, decode_content: bool = False):
        while piece := self.read(amt):
            yield piece

    def release_conn(self) -> None:
        pass


class Background:
    """An event loop in a thread."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self.loop.run_forever, name="inprocess", daemon=True)
        self._thread.start()

    def run[T](self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(60)

    def close(self) -> None:
        self.run(self._settle())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join()
        self.loop.close()

    async def _settle(self) -> None:
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        await self.loop.shutdown_asyncgens()


def client(app: App, background: Background, service: str, **options: Any) -> Any:
    """A boto3 client whose requests `app` answers. `options` as for `Session.client`; `config` is merged over ours."""
    config = BotoConfig(retries={"total_max_attempts": 1}, s3={"addressing_style": "path"})
    if "config" in options:
        config = config.merge(options.pop("config"))
    settings = {
        "region_name": "us-east-1",
        "aws_access_key_id": "test",
        "aws_secret_access_key": "test",
        "endpoint_url": ENDPOINT,
    }
    made = _session().client(service, config=config, **{**settings, **options})

    def send(request: AWSPreparedRequest, **_: Any) -> AWSResponse:
        return background.run(_exchange(app, request))

    made.meta.events.register("before-send", send)
    return made


@functools.cache
def _session() -> boto3.Session:
    return boto3.Session()


async def _exchange(app: App, sent: AWSPreparedRequest) -> AWSResponse:
    response = await app.answer(to_request(sent))
    body = await read_all(response)
    headers = dict(response.headers)
    if "content-length" not in headers and sent.method != "HEAD":
        headers["content-length"] = str(len(body))
    return AWSResponse(sent.url, response.status, headers, Raw(b"" if sent.method == "HEAD" else body))


def to_request(sent: AWSPreparedRequest) -> Request:
    """botocore's prepared request as ours."""
    parts = urlsplit(sent.url)
    body = sent.body or b""
    if hasattr(body, "read"):
        body = body.read()
    if isinstance(body, str):
        body = body.encode()
    items = [(name, _text(value)) for name, value in sent.headers.items()]
    if "host" not in {name.lower() for name, _ in items}:
        items.append(("host", parts.netloc))
    return Request(sent.method, parts.path or "/", parts.query, Headers(items), bytes(body))


def _text(value: Any) -> str:
    """As it would be after a journey as bytes."""
    return (value if isinstance(value, bytes) else str(value).encode()).decode("latin-1")


async def read_all(response: Response) -> bytes:
    if isinstance(response.body, bytes):
        return response.body
    return b"".join([piece async for piece in response.body])


class House:
    """All that services need, in memory, on a loop of its own."""

    def __init__(self, *, strict: bool = False, seed: int = 0) -> None:
        self._stack = ExitStack()
        self.background = Background()
        # botocore signs with the machine's time: a clock that verifies signatures begins there
        self.clock = JumpClock(time.time_ns() // 1000) if strict else JumpClock()
        self.entropy = random.Random(seed).randbytes
        self.folder = Path(self._stack.enter_context(tempfile.TemporaryDirectory()))
        self.run(self._build(strict))

    async def _build(self, strict: bool) -> None:
        self.database = await SQLite.open(":memory:")
        self.keys = await Keys.open(self.database, self.clock, self.entropy)
        self.root = self.keys.root
        self.engine = Engine(self.database, self.clock, self.entropy, server="test")
        self.gate = CheckedGate(self.entropy, ENDPOINT)
        self.parts = Parts(
            database=self.database,
            engine=self.engine,
            blobs=Blobs(self.folder / "blobs", self.entropy),
            clock=self.clock,
            entropy=self.entropy,
            caller=self.gate,
            sandbox=FakeSandbox(),
            issuer=self.keys,
            endpoint=ENDPOINT,
            scratch=self.folder / "scratch",
            limits=AWS_TODAY,
        )
        self.strict = strict
        authenticator = Strict(self.keys, self.clock) if strict else Trusting(self.keys)
        self.app = App(self.gate, authenticator, self.entropy, pages_of(self.gate))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.run(self.database.close())
        self.background.close()
        self._stack.close()

    def run[T](self, work: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine on the house's loop and wait for it."""
        return self.background.run(work)

    def add[S: Service](self, make: Callable[[Parts], S]) -> S:
        """Make a service on the loop and let it in."""

        async def add() -> S:
            service = make(self.parts)
            self.gate.add(service)
            return service

        return self.run(add())

    def work(self) -> None:
        """Start the engine's workers and the services' own."""

        async def begin() -> None:
            works = [self.engine.run(), *(service.run() for service in self.gate.services.values())]
            self._workers = [asyncio.create_task(work) for work in works]

        self.run(begin())

    def jump(self, seconds: float) -> None:
        """Move the clock on and let those who wake do their part."""

        async def jump() -> None:
            self.clock.jump(seconds)
            for _ in range(20):
                await asyncio.sleep(0)

        self.run(jump())

    def client(self, service: str, **options: Any) -> Any:
        """A boto3 client; in a strict house it has the root key."""
        if self.strict:
            options.setdefault("aws_access_key_id", self.root.access_key)
            options.setdefault("aws_secret_access_key", self.root.secret_key)
        return client(self.app, self.background, service, **options)
