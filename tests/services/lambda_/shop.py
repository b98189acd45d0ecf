"""A Lambda service in a house, and what tests of it need."""

import io
import json
import threading
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.inprocess import House
from tests.services.lambda_.loop_sandbox import LoopSandbox

from cumulet.base.errors import AwsError
from cumulet.services.lambda_.runtimes import Runtime, Runtimes
from cumulet.services.lambda_.service import Lambda
from cumulet.services.lambda_.settings import LambdaSettings
from cumulet.wire.service import Call, Reply, Service

ROLE = "arn:aws:iam::000000000000:role/lambda"
RUNTIMES = Runtimes({"python3.12": Runtime("python3.12", "python", Path("/usr/bin/python3.12"))})


def pack(files: Mapping[str, str | bytes] | str) -> bytes:
    """A zip of `files`, or of one handler.py."""
    files = {"handler.py": files} if isinstance(files, str) else files
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as package:
        for name, text in files.items():
            package.writestr(name, text)
    return buffer.getvalue()


def pack_executable(files: Mapping[str, str]) -> bytes:
    """A zip of files that may be run."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as package:
        for name, text in files.items():
            entry = zipfile.ZipInfo(name)
            entry.external_attr = 0o700 << 16
            package.writestr(entry, text)
    return buffer.getvalue()


class Nothing(AwsError):
    """{what} is not there"""

    code = "ResourceNotFoundException"


class FakeLogs(Service):
    """CloudWatch Logs as far as functions write it."""

    model = "logs"

    def __init__(self) -> None:
        self.streams: dict[tuple[str, str], list[str]] = {}
        self.groups: set[str] = set()
        self.arrived = threading.Event()

    async def put_log_events(self, call: Call, **input: Any) -> Reply:
        key = (input["logGroupName"], input["logStreamName"])
        if key not in self.streams:
            raise Nothing(what="stream")
        self.streams[key] += [event["message"] for event in input["logEvents"]]
        self.arrived.set()
        return {}

    async def create_log_group(self, call: Call, **input: Any) -> Reply:
        self.groups.add(input["logGroupName"])
        return {}

    async def create_log_stream(self, call: Call, **input: Any) -> Reply:
        if input["logGroupName"] not in self.groups:
            raise Nothing(what="group")
        self.streams[(input["logGroupName"], input["logStreamName"])] = []
        return {}

    def lines(self, group: str) -> list[str]:
        return [line for (name, _), lines in self.streams.items() if name == group for line in lines]


class Shop:
    """`with House() as house: shop = Shop(house, LoopSandbox(...))`"""

    def __init__(
        self,
        house: House,
        sandbox: Any = None,
        *,
        runtimes: Runtimes | None = RUNTIMES,
        clock: Any = None,
        **settings: Any,
    ):
        self.house = house
        self.sandbox = sandbox or LoopSandbox()
        self.logs = house.add(lambda parts: FakeLogs())
        self.settings = LambdaSettings(house.folder / "code", **settings)
        self.clock = clock or house.clock
        self.service = house.add(self._make)
        self.service._found = runtimes
        self.api = house.client("lambda")

    def _make(self, parts: Any) -> Lambda:
        return Lambda(
            parts.database, parts.blobs, self.clock, parts.entropy, parts.caller, self.sandbox, parts.issuer,
            parts.endpoint, self.settings,
        )  # fmt: skip

    def create(
        self, code: Any = "def handler(event, context): return event", name: str = "hello", **members: Any
    ) -> Any:
        given = {"Runtime": "python3.12", "Role": ROLE, "Handler": "handler.handler", "Code": {"ZipFile": pack(code)}}
        return self.api.create_function(FunctionName=name, **(given | members))

    def invoke(self, event: Any = None, name: str = "hello", **members: Any) -> Any:
        payload = {} if event is None else {"Payload": json.dumps(event)}
        return self.api.invoke(FunctionName=name, **(payload | members))

    def result(self, event: Any = None, name: str = "hello", **members: Any) -> Any:
        """What the function answers, as JSON."""
        return json.loads(self.invoke(event, name, **members)["Payload"].read())

    def close(self) -> None:
        self.house.run(self.service._close())
