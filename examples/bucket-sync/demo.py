"""The main job, start to end: a cloud of your own keeps two buckets in step, and a `kill -9` does not disturb it.

    uv run python examples/bucket-sync/demo.py [--objects 400]

It starts Cumulet on a free port with a temporary data folder, fills two buckets, deploys the machine of this folder
(deploy.py), starts it, kills the server in the middle of the copy, starts it again, and watches the same execution end.
"""

import argparse
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import boto3
import deploy
from botocore.config import Config

SOURCE, DESTINATION = "photos", "photos-copy"


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--objects", type=int, default=400)
    count = options.parse_args().objects
    with tempfile.TemporaryDirectory(prefix="cumulet-demo-") as folder:
        server = Server(Path(folder), free_port())
        try:
            return show(server, count)
        finally:
            server.stop()


def show(server: "Server", count: int) -> int:
    say(f"Cumulet answers on {server.url} after {server.start() * 1000:.0f} ms; its data: {server.folder}")
    session = server.session()
    s3, states = session.client("s3"), session.client("stepfunctions")
    fill(s3, count)
    machine = deploy.deploy(session)
    say(f"deployed {machine}")

    execution = states.start_execution(
        stateMachineArn=machine, input=json.dumps({"source": SOURCE, "destination": DESTINATION, "maxKeys": 100})
    )["executionArn"]
    say("started an execution; watching until the copy is under way")
    while deploy.counts(states, execution)["copied"] == 0:
        time.sleep(0.05)
    server.kill()
    say("KILLED the server (SIGKILL) in the middle of the copy")
    say(f"started it again: it answers after {server.start() * 1000:.0f} ms, and the same execution goes on")
    found = deploy.wait(states, execution, patience=300)
    told = deploy.counts(states, execution)
    took = (found["stopDate"] - found["startDate"]).total_seconds()
    say(f"the execution ended {found['status']} after {took:.1f} s")
    timeline(states, execution)
    equal = contents(s3, SOURCE) == contents(s3, DESTINATION)
    say(f"copied {told['copied']} (results that were counted), deleted {told['deleted']}; buckets equal: {equal}")

    again = deploy.run(session, machine, {"source": SOURCE, "destination": DESTINATION}, patience=300)
    second = deploy.counts(states, again["executionArn"])
    say(f"second run: {again['status']}, copied {second['copied']}, deleted {second['deleted']}")
    good = equal and found["status"] == again["status"] == "SUCCEEDED" and second == {"copied": 0, "deleted": 0}
    say("all as promised" if good else "NOT as promised")
    return 0 if good else 1


def fill(s3, count: int) -> None:
    """`count` objects in the source; in the destination some equal, some changed, some without a source."""
    for bucket in (SOURCE, DESTINATION):
        s3.create_bucket(Bucket=bucket)
    for number in range(count):
        body = (f"photo {number} ".encode() * (1 + number % 50) * 20)[: 20_000 if number % 40 else 200_000]
        s3.put_object(Bucket=SOURCE, Key=f"2026/{number:05}.jpg", Body=body, ContentType="image/jpeg")
    for number in range(0, count, 10):
        s3.put_object(Bucket=DESTINATION, Key=f"2026/{number:05}.jpg", Body=b"an older picture")
    for number in range(count // 20):
        s3.put_object(Bucket=DESTINATION, Key=f"2019/{number:05}.jpg", Body=b"deleted at the source since")
    say(f"bucket {SOURCE} holds {count} objects; {DESTINATION} holds {count // 10} older and {count // 20} orphans")


def contents(s3, bucket: str) -> dict[str, str]:
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket)
    return {item["Key"]: item["ETag"] for page in pages for item in page.get("Contents", [])}


def timeline(states, execution: str) -> None:
    """How often each state was entered."""
    entered: dict[str, int] = {}
    for page in states.get_paginator("get_execution_history").paginate(executionArn=execution):
        for event in page["events"]:
            if name := event.get("stateEnteredEventDetails", {}).get("name"):
                entered[name] = entered.get(name, 0) + 1
    for name, times in entered.items():
        print(f"      {name:<32}{'entered ' + str(times) + ' times' if times > 1 else ''}")


class Server:
    """A Cumulet of our own."""

    def __init__(self, folder: Path, port: int) -> None:
        self.folder, self.port, self.url = folder, port, f"http://127.0.0.1:{port}"
        self._process: subprocess.Popen[str] | None = None

    def start(self) -> float:
        """Start and wait for `Ready.`; the answer is how long that took, in seconds."""
        began = time.perf_counter()
        command = [sys.executable, "-m", "cumulet", "up", "--data", str(self.folder), "--port", str(self.port)]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line.startswith("Ready."):
            raise SystemExit(f"the server did not start: {line!r}; try `cumulet doctor`")
        return time.perf_counter() - began

    def kill(self) -> None:
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        self._end(signal.SIGTERM)

    def _end(self, how: signal.Signals) -> None:
        if self._process is not None:
            os.kill(self._process.pid, how)
            self._process.wait()
            assert self._process.stdout is not None
            self._process.stdout.close()
            self._process = None

    def session(self) -> boto3.Session:
        os.environ |= {"AWS_ENDPOINT_URL": self.url, "AWS_DEFAULT_REGION": "us-east-1"}
        os.environ |= {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
        session = boto3.Session()
        patient = Config(retries={"total_max_attempts": 10, "mode": "standard"})
        session._session.set_default_client_config(patient)  # noqa: SLF001  boto3 has no other door for it
        return session


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


START = time.perf_counter()


def say(text: str) -> None:
    print(f"{time.perf_counter() - START:5.1f} s  {text}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
