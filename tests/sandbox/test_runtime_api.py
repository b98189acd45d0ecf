"""The Runtime API, spoken over a real socket."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from cumulet.sandbox.runtime_api import MAX_BODY, PREFIX, Body, Invocation, RuntimeApi

INVOCATION = Invocation("id-1", b'{"a":1}', "arn:aws:lambda:x", 1234, "Root=1", "{}")


class Ear:
    def __init__(self):
        self.heard = []

    def ready(self) -> None:
        self.heard.append(("ready",))

    def answered(self, id: str, body: Body) -> None:
        self.heard.append(("answered", id, body.data))

    def failed(self, id: str, body: Body) -> None:
        self.heard.append(("failed", id, json.loads(body.data)))

    def init_failed(self, body: Body) -> None:
        self.heard.append(("init", body.data))


class Runtime:
    """A client that shows what it is answered."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter):
        self.reader, self.writer = reader, writer

    def send(self, method: str, path: str, body: bytes = b"", *fields: str, host: str = "localhost") -> None:
        lines = [f"{method} {path} HTTP/1.1", f"Host: {host}", f"Content-Length: {len(body)}", *fields, "", ""]
        self.writer.write("\r\n".join(lines).encode() + body)

    async def answer(self) -> tuple[int, dict[str, str], bytes]:
        head = (await self.reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        fields = dict(line.split(": ", 1) for line in head[1:] if line)
        return int(head[0].split()[1]), fields, await self.reader.readexactly(int(fields["Content-Length"]))

    async def ask(self, method: str, path: str, body: bytes = b"", *fields: str) -> tuple[int, dict[str, str], bytes]:
        self.send(method, PREFIX + path, body, *fields)
        return await self.answer()


@pytest.fixture
def ear() -> Ear:
    return Ear()


@pytest.fixture
async def api(ear: Ear) -> AsyncIterator[RuntimeApi]:
    made = RuntimeApi(ear)
    yield made
    made.close()
    await asyncio.sleep(0)


@pytest.fixture
async def runtime(api: RuntimeApi, tmp_path: Path) -> AsyncIterator[Runtime]:
    await api.listen_unix(tmp_path / "api")
    reader, writer = await asyncio.open_unix_connection(tmp_path / "api")
    yield Runtime(reader, writer)
    writer.close()


async def test_an_invocation_and_its_answer(api: RuntimeApi, runtime: Runtime, ear: Ear):
    api.hand(INVOCATION)
    status, fields, body = await runtime.ask("GET", "invocation/next")
    assert (status, body) == (200, b'{"a":1}')
    assert fields["Lambda-Runtime-Aws-Request-Id"] == "id-1"
    assert fields["Lambda-Runtime-Deadline-Ms"] == "1234"
    assert fields["Lambda-Runtime-Invoked-Function-Arn"] == "arn:aws:lambda:x"
    assert fields["Lambda-Runtime-Trace-Id"] == "Root=1"
    assert fields["Lambda-Runtime-Client-Context"] == "{}"
    assert await runtime.ask("POST", "invocation/id-1/response", b'"done"') == (
        202,
        {"Content-Type": "application/json", "Content-Length": "16"},
        b'{"status":"OK"}\n',
    )
    assert ear.heard == [("ready",), ("answered", "id-1", b'"done"')]


async def test_next_waits_until_there_is_one(api: RuntimeApi, runtime: Runtime, ear: Ear):
    runtime.send("GET", PREFIX + "invocation/next")
    while not ear.heard:
        await asyncio.sleep(0)
    api.hand(INVOCATION)
    assert (await runtime.answer())[0] == 200


async def test_answer_and_next_in_one_breath(api: RuntimeApi, runtime: Runtime, ear: Ear):
    api.hand(INVOCATION)
    await runtime.ask("GET", "invocation/next")
    runtime.send("POST", PREFIX + "invocation/id-1/error", b'{"errorType":"E"}')
    runtime.send("GET", PREFIX + "invocation/next")
    assert (await runtime.answer())[0] == 202
    api.hand(INVOCATION)
    assert (await runtime.answer())[0] == 200
    assert ear.heard == [("ready",), ("failed", "id-1", {"errorType": "E"}), ("ready",)]


async def test_what_is_not_open_is_refused(api: RuntimeApi, runtime: Runtime, ear: Ear):
    status, _, body = await runtime.ask("POST", "invocation/other/response", b"1")
    assert (status, json.loads(body)["errorType"]) == (400, "InvalidRequestID")
    api.hand(INVOCATION)
    await runtime.ask("GET", "invocation/next")
    await runtime.ask("POST", "invocation/id-1/response", b"1")
    assert (await runtime.ask("POST", "invocation/id-1/response", b"2"))[0] == 400
    assert [entry for entry in ear.heard if entry[0] == "answered"] == [("answered", "id-1", b"1")]


async def test_unknown_paths(runtime: Runtime):
    assert (await runtime.ask("GET", "restore/next"))[0] == 404
    assert (await runtime.ask("PUT", "invocation/next"))[0] == 404
    runtime.send("GET", "/")
    assert (await runtime.answer())[0] == 404


async def test_streaming_is_refused_and_the_invocation_fails(api: RuntimeApi, runtime: Runtime, ear: Ear):
    api.hand(INVOCATION)
    await runtime.ask("GET", "invocation/next")
    mode = "Lambda-Runtime-Function-Response-Mode: streaming"
    assert (await runtime.ask("POST", "invocation/id-1/response", b"1", mode))[0] == 501
    assert ear.heard[-1][2]["errorType"] == "Function.StreamingNotImplemented"


async def test_init_error(runtime: Runtime, ear: Ear):
    assert (await runtime.ask("POST", "init/error", b"{}"))[0] == 202
    assert ear.heard == [("init", b"{}")]


async def test_chunked_bodies_and_great_ones(api: RuntimeApi, runtime: Runtime, ear: Ear):
    api.hand(INVOCATION)
    await runtime.ask("GET", "invocation/next")
    head = f"POST {PREFIX}invocation/id-1/response HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
    runtime.writer.write(head.encode() + b"2\r\n[1\r\n2\r\n,2\r\n1\r\n]\r\n0\r\n\r\n")
    assert (await runtime.answer())[0] == 202
    assert ear.heard[-1] == ("answered", "id-1", b"[1,2]")
    assert Body(b"x", MAX_BODY + 1).too_large


async def test_more_than_the_limit_is_counted_but_not_kept(api: RuntimeApi, runtime: Runtime, ear: Ear):
    kept = []
    ear.answered = lambda _, body: kept.append(body)
    api.hand(INVOCATION)
    await runtime.ask("GET", "invocation/next")
    await runtime.ask("POST", "invocation/id-1/response", bytes(MAX_BODY + 5))
    assert (len(kept[0].data), kept[0].size, kept[0].too_large) == (MAX_BODY, MAX_BODY + 5, True)


async def test_who_does_not_know_the_host_is_turned_away(api: RuntimeApi, ear: Ear):
    port = await api.listen_tcp("secret-name")
    for host, status in ((f"127.0.0.1:{port}", 403), (f"secret-name:{port}", 202)):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        stranger = Runtime(reader, writer)
        stranger.send("POST", PREFIX + "init/error", b"{}", host=host)
        assert (await stranger.answer())[0] == status
        writer.close()
    assert ear.heard == [("init", b"{}")]


async def test_nonsense_ends_the_connection(runtime: Runtime):
    runtime.writer.write(b"\x00\x01 nonsense\r\n\r\n")
    assert await runtime.reader.read() == b""
