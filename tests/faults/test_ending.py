"""How a server ends, and what it refuses at its start."""

import json
import os
import signal
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import boto3
import pytest
from tests.faults.given import ROLE, bare, history, machine, package, put, refuses
from tests.real_server import ENVIRONMENT, RealServer, running
from tests.server.running import Wire

pytestmark = pytest.mark.real

RUNTIME = f"python{sys.version_info.major}.{sys.version_info.minor}"
SLOW = """
import boto3, time
def handler(event, context):
    s3 = boto3.client("s3")
    s3.put_object(Bucket="signs", Key="begun", Body=b"")
    while "Contents" not in s3.list_objects_v2(Bucket="signs", Prefix="go"):
        time.sleep(0.02)
    s3.put_object(Bucket="signs", Key="ended", Body=b"")
    return "done"
"""


def up(*more: str, **options: Any) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "cumulet", "up", "--port", "0", *more]
    environment = {**ENVIRONMENT, **options.pop("env", {})}
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment, **options
    )


def there(s3: Any, key: str) -> bool:
    return "Contents" in s3.list_objects_v2(Bucket="signs", Prefix=key)


def test_what_is_open_ends_well(tmp_path: Path) -> None:
    """A body that is half sent, and a function that calls back, when SIGTERM comes. New calls are served till then."""
    with running(tmp_path) as server, ThreadPoolExecutor(2) as pool, Wire(server.port) as slow:
        s3, lambda_ = bare(server, "s3"), bare(server, "lambda")
        s3.create_bucket(Bucket="signs")
        lambda_.create_function(
            FunctionName="slow", Role=ROLE, Runtime=RUNTIME, Handler="index.handler", Code={"ZipFile": package(SLOW)}, Timeout=60
        )  # fmt: skip
        answer = pool.submit(lambda: lambda_.invoke(FunctionName="slow"))
        while not there(s3, "begun"):
            pass
        whole = put("/signs/half", b"x" * 100_000)
        slow.send(whole[:-50_000])
        ended = pool.submit(server.end)
        s3.put_object(Bucket="signs", Key="go", Body=b"")
        assert json.loads(answer.result()["Payload"].read()) == "done"
        slow.send(whole[-50_000:])
        assert slow.answer()[0] == 200
        assert ended.result() == 0
        assert refuses(server.port)
        server.start()
        keys = [item["Key"] for item in s3.list_objects_v2(Bucket="signs")["Contents"]]
        assert keys == ["begun", "ended", "go", "half"]
        assert s3.get_object(Bucket="signs", Key="half")["Body"].read() == b"x" * 100_000


def test_executions_go_on_after_an_orderly_end(tmp_path: Path) -> None:
    waits = {
        "StartAt": "W",
        "States": {"W": {"Type": "Wait", "Seconds": 1, "Next": "P"}, "P": {"Type": "Pass", "End": True}},
    }
    with running(tmp_path) as server:
        states = server.client("stepfunctions")
        arn = machine(states, "waits", waits)
        execution = states.start_execution(stateMachineArn=arn)["executionArn"]
        assert server.end() == 0
        server.start()
        while states.describe_execution(executionArn=execution)["status"] == "RUNNING":
            pass
        assert [event["type"] for event in history(states, execution)] == [
            "ExecutionStarted", "WaitStateEntered", "WaitStateExited", "PassStateEntered", "PassStateExited", "ExecutionSucceeded",
        ]  # fmt: skip


def test_a_second_signal_ends_it_at_once(tmp_path: Path) -> None:
    with running(tmp_path) as server, Wire(server.port) as slow:
        bare(server, "s3").create_bucket(Bucket="signs")
        bare(server, "s3").put_object(Bucket="signs", Key="kept", Body=b"kept" * 20_000)
        slow.send(put("/signs/half", b"x" * 100_000)[:-1])
        assert len(bare(server, "s3").list_buckets()["Buckets"]) == 1
        os.kill(server.pid, signal.SIGTERM)
        assert server.end(signal.SIGINT) == 130
        server.start()
        assert [item["Key"] for item in bare(server, "s3").list_objects_v2(Bucket="signs")["Contents"]] == ["kept"]


def test_a_second_server_on_the_same_folder_is_refused(tmp_path: Path) -> None:
    with running(tmp_path) as server:
        second = up("--data", str(tmp_path / "data"))
        out, told = second.communicate(timeout=30)
        assert (second.returncode, out) == (1, "")
        assert "cumulet: " in told
        assert "hint: " in told
        assert "Traceback" not in told
        assert str(tmp_path / "data") in told
        assert bare(server, "s3").list_buckets()["Buckets"] == []


def test_a_port_that_is_taken(tmp_path: Path) -> None:
    with running(tmp_path) as server:
        command = [sys.executable, "-m", "cumulet", "up", "--data", str(tmp_path / "other"), "--port", str(server.port)]
        done = subprocess.run(command, capture_output=True, text=True, env=ENVIRONMENT, timeout=30, check=False)
        assert (done.returncode, done.stdout) == (1, "")
        assert f"cannot listen on 127.0.0.1 port {server.port}" in done.stderr
        assert not (tmp_path / "other").exists()


def test_a_folder_that_is_no_folder_or_not_ours(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "cumulet.db").write_bytes(b"this is no database" * 1000)
    for folder in ("file", "file/below", "data"):
        process = up("--data", str(tmp_path / folder))
        out, told = process.communicate(timeout=30)
        assert (process.returncode, out) == (1, ""), told
        assert told.startswith("cumulet: ")
        assert "Traceback" not in told


def ephemeral(tmp_path: Path) -> tuple[subprocess.Popen[str], str]:
    process = up("--ephemeral", env={"TMPDIR": str(tmp_path)})
    assert process.stdout is not None
    return process, process.stdout.readline().strip().removeprefix("Ready. ")


@pytest.mark.parametrize("how", [(signal.SIGTERM,), (signal.SIGINT,), (signal.SIGTERM, signal.SIGTERM)])
def test_an_ephemeral_server_leaves_nothing(tmp_path: Path, how: tuple[signal.Signals, ...]) -> None:
    process, url = ephemeral(tmp_path)
    keys = {"aws_access_key_id": "a", "aws_secret_access_key": "b", "region_name": "us-east-1"}
    s3 = boto3.client("s3", endpoint_url=url, **keys)
    s3.create_bucket(Bucket="bucket")
    s3.put_object(Bucket="bucket", Key="big", Body=b"x" * 100_000)
    lambda_ = boto3.client("lambda", endpoint_url=url, **keys)
    lambda_.create_function(
        FunctionName="f", Role=ROLE, Runtime=RUNTIME, Handler="index.handler",
        Code={"ZipFile": package("def handler(event, context): return 1")},
    )  # fmt: skip
    assert lambda_.invoke(FunctionName="f")["Payload"].read() == b"1"
    for signal_ in how:
        process.send_signal(signal_)
    process.communicate(timeout=30)
    assert process.returncode in (0, 130)
    assert list(tmp_path.iterdir()) == []


def test_port_0_takes_a_free_one_each(tmp_path: Path) -> None:
    servers = [up("--data", str(tmp_path / name)) for name in ("a", "b")]
    urls = set()
    for process in servers:
        assert process.stdout is not None
        urls.add(process.stdout.readline().strip().removeprefix("Ready. "))
    assert len(urls) == 2
    assert not any(refuses(int(url.rpartition(":")[2])) for url in urls)
    for process in servers:
        process.terminate()
        process.communicate(timeout=30)
        assert process.returncode == 0


def test_many_threads_and_a_drain(tmp_path: Path) -> None:
    """SIGTERM under load: what was acknowledged is there, what was not is an error that says so."""
    acked: list[str] = []
    stop = threading.Event()

    def work(number: int, server: RealServer) -> None:
        s3 = bare(server, "s3")
        for count in range(10_000):
            if stop.is_set():
                return
            try:
                s3.put_object(Bucket="signs", Key=f"{number}/{count}", Body=b"x" * (1000 if count % 2 else 50_000))
            except Exception:
                return
            acked.append(f"{number}/{count}")

    with running(tmp_path) as server:
        bare(server, "s3").create_bucket(Bucket="signs")
        with ThreadPoolExecutor(4) as pool:
            tasks = [pool.submit(work, number, server) for number in range(4)]
            while len(acked) < 40:
                pass
            assert server.end() == 0
            stop.set()
        assert all(task.exception() is None for task in tasks)
        server.start()
        pages = server.client("s3").get_paginator("list_objects_v2").paginate(Bucket="signs")
        assert set(acked) <= {item["Key"] for page in pages for item in page["Contents"]}
