"""The pure parts: lines, names, plans, batches, runtimes, the report."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cumulet.base.clock import JumpClock
from cumulet.base.errors import AwsError, NotImplementedHere
from cumulet.services.lambda_.errors import FunctionNotFound, InvalidParameterValueException
from cumulet.services.lambda_.function import Config, Function
from cumulet.services.lambda_.invoker import session_arn
from cumulet.services.lambda_.lines import LONGEST, Lines
from cumulet.services.lambda_.names import Name, parse_arn, parse_name
from cumulet.services.lambda_.plan import Surroundings, plan
from cumulet.services.lambda_.runtimes import Runtime, Runtimes, discover
from cumulet.services.lambda_.shipping import MAX_BYTES, MAX_EVENTS, OVERHEAD, Shipper, Stream, batches
from cumulet.wire.service import Call, Credentials, Principal

CALL = Call(
    "000000000000", "us-east-1", Principal("000000000000", "arn:aws:iam::000000000000:root", "x"), "r", "http://x"
)


# -- lines


def cut(*pieces: bytes, mark: str = "id") -> tuple[list[str], list[str]]:
    lines: list[str] = []
    marks: list[str] = []

    def marked(text: str) -> bool:
        marks.append(text)
        return text == mark

    cutter = Lines(lines.append, marked)
    for piece in pieces:
        cutter.feed(piece)
    cutter.end()
    return lines, marks


def test_marks_are_taken_out():
    assert cut(b"one\n\x1eid\ntwo\n") == (["one", "two"], ["id"])
    assert cut(b"no end\x1eid\n") == (["no end"], ["id"])


def test_what_only_looks_like_a_mark_is_left_alone():
    assert cut(b"\x1eother\n") == (["\x1eother"], ["other"])


def test_a_line_in_pieces_and_without_an_end():
    assert cut(b"o", b"n", b"e\nt", b"wo") == (["one", "two"], [])


def test_great_lines_are_cut():
    lines, _ = cut(b"x" * (LONGEST + 5) + b"\n", b"y" * (2 * LONGEST))
    assert [len(line) for line in lines] == [LONGEST, 5, LONGEST, LONGEST]


@given(st.lists(st.text(st.characters(exclude_characters="\n\x1e", exclude_categories=["Cs"]), max_size=20)), st.data())
def test_lines_do_not_depend_on_pieces(texts: list[str], data: st.DataObject):
    whole = "".join(text + "\n" for text in texts).encode()
    at = sorted(data.draw(st.lists(st.integers(0, len(whole)), max_size=5)))
    pieces = [whole[start:end] for start, end in zip([0, *at], [*at, len(whole)], strict=True)]
    assert cut(*pieces) == (texts, [])


# -- names


@pytest.mark.parametrize(
    "text",
    [
        "f",
        "f:$LATEST",
        "function:f",
        "000000000000:f",
        "000000000000:function:f",
        "arn:aws:lambda:us-east-1:000000000000:function:f",
    ],
)
def test_names_of_one_function(text: str):
    assert parse_name(CALL, text) == Name("000000000000", "us-east-1", "f")


def test_another_account_can_be_named():
    assert parse_name(CALL, "123456789012:f").account == "123456789012"


@pytest.mark.parametrize("text", ["", "a b", "arn:aws:s3:::f", "f:a:b"])
def test_no_names(text: str):
    with pytest.raises(InvalidParameterValueException):
        parse_name(CALL, text)


def test_aliases_and_versions_are_not_there():
    with pytest.raises(FunctionNotFound, match=":f:prod"):
        parse_name(CALL, "f", "prod")


def test_tags_are_for_functions():
    with pytest.raises(InvalidParameterValueException):
        parse_arn("arn:aws:lambda:us-east-1:000000000000:event-source-mapping:x")


# -- plans

FUNCTION = Function(
    name=Name("000000000000", "eu-west-1", "hello"),
    config=Config("python3.12", "arn:aws:iam::123456789012:role/path/to/worker", "handler.handler"),
    code_sha256="", code_size=0, revision="r", modified=0, created=0,
)  # fmt: skip
AROUND = Surroundings(
    Path("/code"), "http://127.0.0.1:1", Credentials("ASIA", "secret", "token", 0), "stream", Path("/run/x/api")
)


def test_a_function_acts_in_its_role():
    assert session_arn(FUNCTION) == "arn:aws:sts::123456789012:assumed-role/worker/hello"


def test_python_is_given_the_sdk_and_its_interpreter_only():
    runtime = Runtime("python3.12", "python", Path("/opt/py/bin/python3.12"), Path("/opt/py"))
    made = plan(FUNCTION, runtime, AROUND)
    assert made.command == ("/opt/py/bin/python3.12", "-S", "/var/runtime/bootstrap.py")
    targets = {mount.target: mount for mount in made.mounts}
    assert {
        "/var/task",
        "/opt/py",
        "/var/runtime/bootstrap.py",
        "/var/runtime/boto3",
        "/var/runtime/six.py",
        "/run/cumulet/runtime.sock",
    } <= targets.keys()
    assert not any(mount.writable or "site-packages" in mount.target for mount in made.mounts)
    assert made.environment["PATH"].startswith("/opt/py/bin:")


def test_an_old_python_has_no_sdk():
    made = plan(FUNCTION, Runtime("python3.9", "python", Path("/usr/bin/python3.9")), AROUND)
    assert not any("boto" in mount.target for mount in made.mounts)


def test_the_user_cannot_replace_what_is_ours():
    config = Config(
        "nodejs20.x",
        "arn:aws:iam::123456789012:role/w",
        "h.h",
        environment={"_HANDLER": "evil", "AWS_ENDPOINT_URL": "http://mine"},
    )
    function = Function(FUNCTION.name, config, "", 0, "r", 0, 0)
    made = plan(function, Runtime("nodejs20.x", "node", Path("/usr/bin/node")), AROUND)
    assert made.environment["_HANDLER"] == "h.h"
    assert made.environment["AWS_ENDPOINT_URL"] == "http://mine"


def test_a_custom_runtime_has_an_address_and_a_hosts_file():
    around = Surroundings(Path("/code"), "http://x", AROUND.credentials, "s", None, "secret:99", Path("/run/x/hosts"))
    made = plan(FUNCTION, Runtime("provided.al2023", "provided", Path("/var/task/bootstrap")), around)
    assert made.command == ("/var/task/bootstrap",)
    assert made.environment["AWS_LAMBDA_RUNTIME_API"] == "secret:99"
    assert "CUMULET_RUNTIME_SOCKET" not in made.environment
    assert "/etc/hosts" in {mount.target for mount in made.mounts}


# -- runtimes


def executable(path: Path, text: str = "") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)


async def test_what_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    pyenv, folder = tmp_path / ".pyenv" / "versions", tmp_path / "some" / "bin"
    for version in ("3.9.2", "3.9.18", "3.7.1"):
        executable(pyenv / version / "bin" / f"python{version.rpartition('.')[0]}")
    executable(tmp_path / ".local/share/uv/python/cpython-3.8.1-linux/bin/python3.8")
    executable(folder / "node", "echo v18.19.0")
    executable(tmp_path / "old" / "bin" / "node", "echo 'not a version'")
    executable(tmp_path / ".pyenv" / "shims" / "python3.14")
    monkeypatch.setenv("PATH", f"{tmp_path}/.pyenv/shims:{tmp_path}/old/bin:{folder}:{tmp_path}/none")
    found = (await discover({}, tmp_path)).present
    assert found["python3.9"] == Runtime("python3.9", "python", pyenv / "3.9.18/bin/python3.9", pyenv / "3.9.18")
    assert found["python3.8"].prefix == tmp_path / ".local/share/uv/python/cpython-3.8.1-linux"
    assert found["nodejs18.x"] == Runtime("nodejs18.x", "node", folder / "node", tmp_path / "some")
    assert found["provided.al2023"].family == "provided"
    assert "python3.7" not in found
    assert not any("shims" in str(runtime.program) for runtime in found.values())


def test_substitutes():
    new = Runtime("nodejs20.x", "node", Path("/usr/bin/node"))
    runtimes = Runtimes({"nodejs20.x": new}, {"nodejs10.x": "nodejs20.x", "nodejs12.x": "nodejs22.x"})
    assert runtimes.find("nodejs10.x") == new
    with pytest.raises(InvalidParameterValueException, match="its substitute nodejs22.x is not on this machine either"):
        runtimes.find("nodejs12.x")
    with pytest.raises(InvalidParameterValueException, match=r"no substitute for it\. Present are: nodejs20\.x"):
        runtimes.find("ruby3.3")


# -- shipping

STREAM = Stream("000000000000", "us-east-1", "/g", "s")


@given(st.lists(st.tuples(st.integers(0, 9), st.text(max_size=30))))
def test_batches_hold_everything_in_order(events: list[tuple[int, str]]):
    assert [event for batch in batches(events) for event in batch] == sorted(events, key=lambda event: event[0])


def test_batches_have_limits():
    assert [len(batch) for batch in batches([(0, "x")] * (MAX_EVENTS + 1))] == [MAX_EVENTS, 1]
    great = [(0, "x" * (MAX_BYTES // 2 - OVERHEAD))] * 3
    assert [len(batch) for batch in batches(great)] == [2, 1]


class Logs:
    """A caller whose logs answer as told."""

    def __init__(self, error: AwsError | None = None, *, there: bool = True):
        self.error, self.there, self.calls = error, there, []

    def carries_out(self, service: str, operation: str) -> bool:
        return self.there

    async def call(self, service: str, operation: str, input: Any, **where: Any) -> Any:
        self.calls.append(operation)
        if self.error is not None:
            raise self.error
        return {}


class Away(AwsError):
    """Away."""

    code = "ServiceUnavailable"
    status = 503


async def test_lines_wait_while_logs_are_away():
    logs = Logs(Away())
    shipper = Shipper(logs, JumpClock())
    shipper.put(STREAM, 1, "text")
    assert not await shipper.flush()
    logs.error = None
    assert await shipper.flush()
    assert await shipper.flush()
    assert logs.calls == ["PutLogEvents", "PutLogEvents"]


@pytest.mark.parametrize(
    ("logs", "calls"),
    [
        (Logs(), ["PutLogEvents"]),
        (Logs(there=False), []),
        (Logs(NotImplementedHere(what="x")), ["PutLogEvents"]),
    ],
)
async def test_logs_that_are_not_there_are_no_reason_to_fail(logs: Logs, calls: list[str]):
    shipper = Shipper(logs, JumpClock())
    shipper.put(STREAM, 1, "text")
    await shipper.flush()
    await shipper.flush()
    assert logs.calls == calls


async def test_lines_are_sent_together():
    logs, clock = Logs(), JumpClock()
    shipper = Shipper(logs, clock)
    running = asyncio.create_task(shipper.run())
    for number in range(100):
        shipper.put(STREAM, number, "")
    async with asyncio.timeout(10):
        while clock.next_due is None:
            await asyncio.sleep(0)
        clock.jump(1)
        while not logs.calls:
            await asyncio.sleep(0)
    running.cancel()
    assert logs.calls == ["PutLogEvents"]
