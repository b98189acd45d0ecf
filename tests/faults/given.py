"""What tests of faults share: machines, code packages, roles, clients that send anything, and readers of raw answers."""

import functools
import io
import json
import re
import socket
import time
import zipfile
from collections.abc import Callable
from typing import Any

from botocore.config import Config
from tests.real_server import RealServer
from tests.server.running import Wire

ROLE = "arn:aws:iam::000000000000:role/any"
SCOPE = "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/{}/aws4_request, SignedHeaders=host, Signature=0"
ONCE = Config(retries={"total_max_attempts": 1}, parameter_validation=False, read_timeout=60)


def bare(server: RealServer, service: str, **options: Any) -> Any:
    """A client that tries once and checks nothing. Clients are dear to make: one is kept for each server."""
    if options:
        return server.client(service, **{"config": ONCE, **options})
    return _kept(server, service)


@functools.lru_cache(maxsize=32)
def _kept(server: RealServer, service: str) -> Any:
    return server.client(service, config=ONCE)


def package(code: str, name: str = "index.py") -> bytes:
    """A zip with one file."""
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as made:
        made.writestr(name, code)
    return held.getvalue()


def machine(states: Any, name: str, definition: dict[str, Any]) -> str:
    made = states.create_state_machine(name=name, definition=json.dumps(definition), roleArn=ROLE)
    return str(made["stateMachineArn"])


def ended(states: Any, arn: str) -> dict[str, Any]:
    """The execution, once it is no longer running."""
    until(lambda: states.describe_execution(executionArn=arn)["status"] != "RUNNING")
    return dict(states.describe_execution(executionArn=arn))


def until(condition: Callable[[], bool], patience: float = 30) -> None:
    """Wait for `condition`; fail where it does not come."""
    end = time.monotonic() + patience
    while not condition():
        assert time.monotonic() < end, "it never came to pass"


def history(states: Any, arn: str) -> list[dict[str, Any]]:
    pages = states.get_paginator("get_execution_history").paginate(executionArn=arn)
    return [event for page in pages for event in page["events"]]


def head(line: str, service: str = "s3", **headers: Any) -> bytes:
    """The first bytes of a request."""
    told = {"Host": "h", "Authorization": SCOPE.format(service), **{k.replace("_", "-"): v for k, v in headers.items()}}
    return "\r\n".join([f"{line} HTTP/1.1", *(f"{name}: {value}" for name, value in told.items()), "", ""]).encode()


def put(path: str, body: bytes, **headers: Any) -> bytes:
    return head(f"PUT {path}", **{"Content_Length": len(body), **headers}) + body


def exchange(server: RealServer, *data: bytes) -> tuple[int, dict[str, str], str]:
    """Send by hand on a connection of its own, then say that there is no more; status, headers, body."""
    with Wire(server.port) as wire:
        for piece in data:
            wire.send(piece)
        wire.half_close()
        status, headers, body = wire.answer(head=data[0].startswith(b"HEAD "))
        return status, headers, body.decode()


def call(server: RealServer, target: str, body: bytes, **headers: Any) -> tuple[int, dict[str, Any]]:
    """An operation of a JSON service by hand."""
    told = {"X_Amz_Target": target, "Content_Type": "application/x-amz-json-1.0", "Content_Length": len(body)}
    status, _, answer = exchange(server, head("POST /", "states", **told, **headers) + body)
    return status, json.loads(answer)


def xml(text: str) -> dict[str, str]:
    """The leaves of an XML answer, by name."""
    return dict(re.findall(r"<(\w+)>([^<]*)</", text))


def refuses(port: int) -> bool:
    """Whether nobody listens."""
    with socket.socket() as tried:
        return tried.connect_ex(("127.0.0.1", port)) != 0
