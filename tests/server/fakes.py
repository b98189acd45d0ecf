"""Tiny services over real models, and requests made by hand."""

import asyncio
from collections.abc import AsyncIterator

from cumulet.base.errors import AwsError
from cumulet.store.errors import StorageFull
from cumulet.wire.http import Headers, Request
from cumulet.wire.service import Call, Reply, Service


class StateMachineDoesNotExist(AwsError):
    """State Machine Does Not Exist: '{arn}'"""


class Machines(Service):
    """Says who called; fails as it is told."""

    model = "stepfunctions"

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self.gate = asyncio.Event()
        self.entered = asyncio.Event()

    async def list_state_machines(self, call: Call, **input: object) -> Reply:
        self.calls.append(call)
        return {"stateMachines": []}

    async def describe_state_machine(self, call: Call, stateMachineArn: str, **input: object) -> Reply:
        name = stateMachineArn.rpartition(":")[2]
        if name == "bug":
            raise RuntimeError("a mistake of ours")
        if name == "full":
            raise StorageFull("no space left")
        if name == "wait":
            self.entered.set()
            await self.gate.wait()
        if name == "gone":
            raise StateMachineDoesNotExist(arn=stateMachineArn)
        raise StateMachineDoesNotExist(f"{call.account} {call.region} {call.principal.arn} {call.endpoint}")


class Objects(Service):
    """Keeps what arrived whole."""

    model = "s3"

    def __init__(self) -> None:
        self.kept: dict[str, bytes] = {}
        self.seen: list[tuple[str, dict]] = []
        self.begun = 0
        self.stopped = 0

    async def put_object(self, call: Call, Bucket: str, Key: str, **input) -> Reply:
        self.begun += 1
        body = input.pop("Body", None)
        pieces = [piece async for piece in body] if body is not None else []
        self.kept[Key] = b"".join(pieces)
        self.seen.append((Key, input))
        return {"ETag": '"x"'}

    async def get_object(self, call: Call, Bucket: str, Key: str, **input) -> Reply:
        if Key == "endless":
            return {"Body": self._endless()}
        if Key == "broken":
            return {"Body": self._broken(), "ContentLength": 100}
        return {"Body": _pieces(self.kept[Key]), "ContentLength": len(self.kept[Key])}

    async def head_object(self, call: Call, Bucket: str, Key: str, **input) -> Reply:
        if Key not in self.kept:
            raise NotFound
        return {"ContentLength": len(self.kept[Key]), "ETag": '"x"'}

    async def delete_objects(self, call: Call, Bucket: str, Delete: dict, **input) -> Reply:
        return {"Deleted": [{"Key": item["Key"]} for item in Delete["Objects"]]}

    async def delete_object(self, call: Call, **input) -> Reply:
        return {}

    async def _endless(self) -> AsyncIterator[bytes]:
        try:
            while True:
                yield b"x" * 65536
        finally:
            self.stopped += 1

    async def _broken(self) -> AsyncIterator[bytes]:
        yield b"x"
        raise RuntimeError("the disk is gone")


class NotFound(AwsError):
    """Not Found"""

    code = "404"
    status = 404


async def _pieces(body: bytes) -> AsyncIterator[bytes]:
    for at in range(0, len(body), 1000):
        yield body[at : at + 1000]


class Whoami(Service):
    model = "sts"

    async def get_caller_identity(self, call: Call) -> Reply:
        return {"UserId": call.principal.id, "Account": call.account, "Arn": call.principal.arn}


def asked(operation: str, body: bytes = b"{}", **headers: str) -> Request:
    """A call of Step Functions, made by hand."""
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    items = {
        "host": "h:1",
        "x-amz-target": f"AWSStepFunctions.{operation}",
        "content-type": "application/x-amz-json-1.0",
        **given,
    }
    return Request("POST", "/", "", Headers(items.items()), body)


def s3(method: str, path: str, body: bytes = b"", query: str = "", **headers: str) -> Request:
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    scope = "AWS4-HMAC-SHA256 Credential=test/20260101/eu-west-1/s3/aws4_request, SignedHeaders=host, Signature=0"
    length = {"content-length": str(len(body))} if method == "PUT" else {}
    return Request(
        method, path, query, Headers({"host": "h:1", "authorization": scope, **length, **given}.items()), body
    )


def stream_of(*pieces: bytes, fail: Exception | None = None) -> AsyncIterator[bytes]:
    async def stream() -> AsyncIterator[bytes]:
        for piece in pieces:
            yield piece
        if fail is not None:
            raise fail

    return stream()
