"""Clients that write to a server as fast as they can and note what was acknowledged: what must be there after any crash."""

import hashlib
import json
import random
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError
from tests.faults.given import ROLE, history, machine, package
from tests.real_server import RealServer

RUNTIME = f"python{sys.version_info.major}.{sys.version_info.minor}"
BUCKET = "bucket"
SIZES = (0, 1024, 40_000, 40_001, 2 << 20)
PART = 5 << 20
TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
        ],
    }
)
WORK = {
    "StartAt": "First",
    "States": {
        "First": {"Type": "Pass", "Result": [1, 2, 3, 4, 5], "ResultPath": "$.items", "Next": "Wait"},
        "Wait": {"Type": "Wait", "SecondsPath": "$.seconds", "Next": "Map"},
        "Map": {
            "Type": "Map",
            "ItemsPath": "$.items",
            "ItemSelector": {"n.$": "$$.Map.Item.Value", "name.$": "$$.Execution.Name"},
            "ItemProcessor": {
                "StartAt": "Put",
                "States": {
                    "Put": {
                        "Type": "Task",
                        "Resource": "arn:aws:states:::aws-sdk:s3:putObject",
                        "Parameters": {
                            "Bucket": "written",
                            "Key.$": "States.Format('{}/{}', $.name, $.n)",
                            "Body.$": "States.Format('{}', $.n)",
                        },
                        "ResultPath": None,
                        "Next": "Last",
                    },
                    "Last": {"Type": "Pass", "End": True},
                },
            },
            "End": True,
        },
    },
}
GONE = (HTTPClientError, BotoCoreError, ConnectionError)


class Load:
    """What was acknowledged, and the clients that go on writing until they are told to stop."""

    def __init__(self, server: RealServer, seed: int) -> None:
        self._server = server
        self._chance = random.Random(seed)
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._threads: list[threading.Thread] = []
        self._number = 0
        self.failures: list[BaseException] = []
        self.acked = 0
        self.objects: dict[str, set[str | None]] = {}
        """By key, the digests that it may have: one when the last call was answered, more when calls were cut off."""
        self.executions: set[str] = set()
        self.roles: set[str] = set()
        self.functions: dict[str, str] = {}
        self.lines: set[str] = set()
        states, s3, logs = (self.client(name) for name in ("stepfunctions", "s3", "logs"))
        for bucket in (BUCKET, "written"):
            s3.create_bucket(Bucket=bucket)
        self._machine = machine(states, "work", WORK)
        logs.create_log_group(logGroupName="group")
        logs.create_log_stream(logGroupName="group", logStreamName="stream")

    def client(self, service: str) -> Any:
        config = Config(retries={"total_max_attempts": 1}, read_timeout=60)
        return self._server.client(service, config=config)

    def turn_to(self, server: RealServer) -> None:
        """From now on it is this server that is asked."""
        self._server = server

    def begin(self, threads: int = 5) -> None:
        """Start clients. Each ends when it is told to, or when the server is gone."""
        self._stop.clear()
        kinds: list[Callable[[Any], None]] = [
            self._objects,
            self._workflows,
            self._objects,
            self._others,
            self._uploads,
        ]
        self._threads = [
            threading.Thread(target=self._go_on, args=(kinds[number % len(kinds)],)) for number in range(threads)
        ]
        for thread in self._threads:
            thread.start()

    def reach(self, more: int) -> None:
        """Until so many further calls were acknowledged."""
        wanted = self.acked + more
        while self.acked < wanted and any(thread.is_alive() for thread in self._threads):
            time.sleep(0)
        assert not self.failures, self.failures

    def end(self) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(60)
        assert not any(thread.is_alive() for thread in self._threads)
        assert not self.failures, self.failures

    def _go_on(self, kind: Callable[[Any], None]) -> None:
        clients = Clients(self)
        chance = random.Random(self._chance.random())
        clients.chance = chance
        while not self._stop.is_set():
            try:
                kind(clients)
            except GONE:
                return
            except ClientError as error:
                if error.response["ResponseMetadata"]["HTTPStatusCode"] == 503:
                    return
                self.failures.append(error)
                return
            except BaseException as error:
                self.failures.append(error)
                return
            with self._lock:
                self.acked += 1

    def _next(self) -> int:
        with self._lock:
            self._number += 1
            return self._number

    # Each is one step of a client. What it is about to do is noted before as possible, and after the answer as certain.

    def _objects(self, clients: "Clients") -> None:
        chance, s3 = clients.chance, clients.s3
        key = f"{threading.get_ident() % 1000}/{chance.randrange(12)}"
        kind = chance.choice(("put", "put", "put", "copy", "delete"))
        before = self.objects.get(key, {None})
        if kind == "put":
            body = body_of(self._next(), chance.choice(SIZES))
            self.objects[key] = before | {digest(body)}
            s3.put_object(Bucket=BUCKET, Key=key, Body=body)
            self.objects[key] = {digest(body)}
        elif kind == "delete":
            self.objects[key] = before | {None}
            s3.delete_object(Bucket=BUCKET, Key=key)
            self.objects[key] = {None}
        elif len(before) == 1 and None not in before:
            target = f"{key}-copy"
            self.objects[target] = self.objects.get(target, {None}) | before
            s3.copy_object(Bucket=BUCKET, Key=target, CopySource=f"{BUCKET}/{key}")
            self.objects[target] = set(before)

    def _uploads(self, clients: "Clients") -> None:
        key = f"upload/{self._next()}"
        body = body_of(self._next(), PART + 50_000)
        upload = clients.s3.create_multipart_upload(Bucket=BUCKET, Key=key)["UploadId"]
        parts = []
        for number, piece in enumerate((body[:PART], body[PART:]), 1):
            told = clients.s3.upload_part(Bucket=BUCKET, Key=key, UploadId=upload, PartNumber=number, Body=piece)
            parts.append({"PartNumber": number, "ETag": told["ETag"]})
        self.objects[key] = {None, digest(body)}
        clients.s3.complete_multipart_upload(Bucket=BUCKET, Key=key, UploadId=upload, MultipartUpload={"Parts": parts})
        self.objects[key] = {digest(body)}

    def _workflows(self, clients: "Clients") -> None:
        seconds = clients.chance.choice((0, 0, 1))
        told = clients.states.start_execution(
            stateMachineArn=self._machine, name=f"e{self._next()}", input=json.dumps({"seconds": seconds})
        )
        self.executions.add(told["executionArn"])

    def _others(self, clients: "Clients") -> None:
        number = self._next()
        kind = clients.chance.choice(("role", "function", "lines"))
        if kind == "role":
            clients.iam.create_role(RoleName=f"role-{number}", AssumeRolePolicyDocument=TRUST)
            self.roles.add(f"role-{number}")
        elif kind == "function":
            noise = random.Random(number).randbytes(clients.chance.choice((10, 50_000)))
            told = clients.lambda_.create_function(
                FunctionName=f"function-{number}", Role=ROLE, Runtime=RUNTIME, Handler="index.handler",
                Code={"ZipFile": package(f"def handler(event, context): return {number}\n#{noise.hex()}")},
            )  # fmt: skip
            self.functions[f"function-{number}"] = told["CodeSha256"]
        else:
            events = [{"timestamp": int(time.time() * 1000), "message": f"line {number}"}]
            clients.logs.put_log_events(logGroupName="group", logStreamName="stream", logEvents=events)
            self.lines.add(f"line {number}")

    # Afterwards.

    def check(self) -> None:
        """Everything that was acknowledged is there and whole; nothing is half; what was open has ended well."""
        self._check_objects()
        self._check_executions()
        iam, lambda_, logs = (self.client(name) for name in ("iam", "lambda", "logs"))
        roles = {role["RoleName"] for page in iam.get_paginator("list_roles").paginate() for role in page["Roles"]}
        assert self.roles <= roles
        pages = lambda_.get_paginator("list_functions").paginate()
        functions = {each["FunctionName"]: each["CodeSha256"] for page in pages for each in page["Functions"]}
        assert self.functions.items() <= functions.items()
        for name in sorted(self.functions)[:3]:
            answer = lambda_.invoke(FunctionName=name)
            assert answer["Payload"].read().decode() == name.removeprefix("function-")
        pages = logs.get_paginator("filter_log_events").paginate(logGroupName="group")
        lines = [event["message"] for page in pages for event in page["events"]]
        assert self.lines <= set(lines)
        assert len(lines) == len(set(lines))

    def _check_objects(self) -> None:
        s3 = self.client("s3")
        pages = s3.get_paginator("list_objects_v2").paginate(Bucket=BUCKET)
        listed = {item["Key"]: item for page in pages for item in page.get("Contents", [])}
        assert set(listed) <= set(self.objects)
        for key, digests in self.objects.items():
            if key not in listed:
                assert None in digests, f"{key} is lost"
                continue
            found = s3.get_object(Bucket=BUCKET, Key=key)
            body = found["Body"].read()
            assert digest(body) in digests, f"{key} is not what was stored"
            assert (len(body), found["ETag"]) == (listed[key]["Size"], listed[key]["ETag"])
            if "-" not in found["ETag"]:
                assert found["ETag"] == f'"{hashlib.md5(body).hexdigest()}"'
            self.objects[key] = {digest(body)}

    def _check_executions(self) -> None:
        states, s3 = self.client("stepfunctions"), self.client("s3")
        pages = states.get_paginator("list_executions").paginate(stateMachineArn=self._machine)
        there = {each["executionArn"] for page in pages for each in page["executions"]}
        assert self.executions <= there, "an execution is lost"
        for arn in there:
            while (found := states.describe_execution(executionArn=arn))["status"] == "RUNNING":
                time.sleep(0.01)
            assert found["status"] == "SUCCEEDED", found
        for arn in sorted(there)[:: max(len(there) // 20, 1)]:
            events = history(states, arn)
            assert [event["id"] for event in events] == list(range(1, len(events) + 1))
            assert [event["type"] for event in events].count("TaskSucceeded") == 5
            assert events[-1]["type"] == "ExecutionSucceeded"
        pages = s3.get_paginator("list_objects_v2").paginate(Bucket="written")
        written = {item["Key"] for page in pages for item in page.get("Contents", [])}
        assert written == {f"{arn.rpartition(':')[2]}/{number}" for arn in there for number in range(1, 6)}


class Clients:
    """One thread's clients."""

    def __init__(self, load: Load) -> None:
        self.chance = random.Random()
        self.s3, self.states, self.iam = (load.client(name) for name in ("s3", "stepfunctions", "iam"))
        self.lambda_, self.logs = (load.client(name) for name in ("lambda", "logs"))


def body_of(number: int, size: int) -> bytes:
    """Bytes that no other call sends."""
    mark = f"{number}-".encode()
    return (mark * (size // len(mark) + 1))[:size]


def digest(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()
