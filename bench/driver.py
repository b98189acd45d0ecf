"""One light driver for both servers: HTTP/1.1 on asyncio streams, so that the client costs little."""

import asyncio
import json
from typing import Any, Self

from bench.servers import AUTHORIZATION


class Client:
    """A connection, kept while the server keeps it (moto_server ends it after each answer)."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    @classmethod
    async def open(cls, port: int) -> Self:
        return cls(port)

    def close(self) -> None:
        if self._streams is not None:
            self._streams[1].close()
            self._streams = None

    async def send(self, request: bytes) -> tuple[int, bytes]:
        """Send one request; status and body of its answer."""
        if self._streams is None:
            self._streams = await asyncio.open_connection("127.0.0.1", self._port, limit=1 << 26)
        reader, writer = self._streams
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        status = int(head[9:12])
        fields = dict(line.split(b": ", 1) for line in head.lower().split(b"\r\n")[1:] if b": " in line)
        body = await reader.readexactly(int(fields.get(b"content-length", b"0")))
        if fields.get(b"connection") == b"close":
            self.close()
        return status, body

    async def states(self, operation: str, **values: Any) -> dict[str, Any]:
        """Call an operation of Step Functions."""
        status, body = await self.send(states_request(operation, values))
        if status != 200:
            raise RuntimeError(f"{operation}: {status} {body[:500]!r}")
        return dict(json.loads(body or b"{}"))

    async def finished(self, execution: str, *, pause: float = 0.0) -> dict[str, Any]:
        """Ask until the execution has ended."""
        while True:
            found = await self.states("DescribeExecution", executionArn=execution)
            if found["status"] != "RUNNING":
                return found
            await asyncio.sleep(pause)


def states_request(operation: str, values: Any) -> bytes:
    body = json.dumps(values).encode()
    return (
        f"POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/x-amz-json-1.0\r\n"
        f"X-Amz-Target: AWSStepFunctions.{operation}\r\nX-Amz-Date: 20261123T000000Z\r\n"
        f"Authorization: {AUTHORIZATION.format(service='states')}\r\nContent-Length: {len(body)}\r\n\r\n"
    ).encode() + body


def lambda_request(method: str, path: str, body: bytes) -> bytes:
    return (
        f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
        f"Authorization: {AUTHORIZATION.format(service='lambda')}\r\nContent-Length: {len(body)}\r\n\r\n"
    ).encode() + body
