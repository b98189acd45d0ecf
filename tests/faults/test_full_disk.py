"""A disk that is full: clear errors, the server lives, what was acknowledged can be read, and with space it goes on."""

import contextlib
import json
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.faults.given import ROLE, bare, ended, history, machine, package
from tests.real_server import RealServer, running

pytestmark = pytest.mark.real

RUNTIME = f"python{sys.version_info.major}.{sys.version_info.minor}"
TALKS = "def handler(event, context):\n    print(event)\n    return event"
TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
        ],
    }
)
PASS = {"StartAt": "P", "States": {"P": {"Type": "Pass", "End": True}}}
WAITS = {
    "StartAt": "W",
    "States": {
        "W": {"Type": "Wait", "Seconds": 1, "Next": "T"},
        "T": {
            "Type": "Task",
            "Resource": "arn:aws:states:::aws-sdk:s3:putObject",
            "Parameters": {"Bucket": "bucket", "Key.$": "$$.Execution.Name", "Body": "written"},
            "ResultPath": None,
            "End": True,
        },
    },
}


class Disk:
    """The small disk, and what takes its room."""

    def __init__(self, folder: Path) -> None:
        self._ballast = folder / "ballast"

    def fill(self) -> None:
        """Not a byte is left."""
        with self._ballast.open("ab", buffering=0) as file:
            for size in (1 << 16, 4096, 1):
                try:
                    while True:
                        file.write(bytes(size))
                except OSError:
                    continue

    def free(self) -> None:
        self._ballast.unlink()


@pytest.fixture
def disk(small_disk: Path) -> Disk:
    return Disk(small_disk)


@pytest.fixture
def server(small_disk: Path) -> Iterator[RealServer]:
    with running(small_disk) as started:
        yield started


def full(work: Callable[..., Any], **input: Any) -> None:
    """The call is refused for want of room, in words that say so."""
    with pytest.raises(ClientError) as caught:
        work(**input)
    answer = caught.value.response
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 507, answer
    assert answer["Error"]["Code"] == "ServiceUnavailable"
    assert "disk is full" in answer["Error"]["Message"]


def test_bodies_that_do_not_fit(server: RealServer, disk: Disk, small_disk: Path) -> None:
    s3 = bare(server, "s3")
    s3.create_bucket(Bucket="bucket")
    s3.put_object(Bucket="bucket", Key="row", Body=b"r" * 1000)
    s3.put_object(Bucket="bucket", Key="file", Body=b"f" * 100_000)
    upload = s3.create_multipart_upload(Bucket="bucket", Key="many")["UploadId"]
    s3.upload_part(Bucket="bucket", Key="many", UploadId=upload, PartNumber=1, Body=b"1" * 100_000)
    full(s3.put_object, Bucket="bucket", Key="huge", Body=b"h" * (8 << 20))
    full(s3.put_object, Bucket="bucket", Key="file", Body=b"h" * (8 << 20))
    full(s3.upload_part, Bucket="bucket", Key="many", UploadId=upload, PartNumber=2, Body=b"h" * (8 << 20))
    assert len([path for path in (small_disk / "data" / "blobs").rglob("*") if path.is_file()]) == 2
    disk.fill()
    full(s3.put_object, Bucket="bucket", Key="file", Body=b"h" * 50_000)
    assert s3.get_object(Bucket="bucket", Key="row")["Body"].read() == b"r" * 1000
    assert s3.get_object(Bucket="bucket", Key="file")["Body"].read() == b"f" * 100_000
    disk.free()
    s3.put_object(Bucket="bucket", Key="file", Body=b"n" * 50_000)
    s3.complete_multipart_upload(Bucket="bucket", Key="many", UploadId=upload, MultipartUpload={"Parts": [
        {"PartNumber": 1, "ETag": s3.list_parts(Bucket="bucket", Key="many", UploadId=upload)["Parts"][0]["ETag"]}
    ]})  # fmt: skip
    assert s3.get_object(Bucket="bucket", Key="file")["Body"].read() == b"n" * 50_000
    assert s3.get_object(Bucket="bucket", Key="many")["Body"].read() == b"1" * 100_000
    assert [item["Key"] for item in s3.list_objects_v2(Bucket="bucket")["Contents"]] == ["file", "many", "row"]


def test_a_database_that_cannot_grow(server: RealServer, disk: Disk) -> None:
    """Calls of every service until the first is refused; then all that grows is, and nothing else."""
    s3, states, iam, logs, lambda_ = (bare(server, name) for name in ("s3", "stepfunctions", "iam", "logs", "lambda"))
    s3.create_bucket(Bucket="bucket")
    logs.create_log_group(logGroupName="group")
    logs.create_log_stream(logGroupName="group", logStreamName="stream")
    arn, waits = machine(states, "passes", PASS), machine(states, "waits", WAITS)
    lambda_.create_function(
        FunctionName="talks", Role=ROLE, Runtime=RUNTIME, Handler="index.handler", Code={"ZipFile": package(TALKS)}
    )  # fmt: skip
    assert lambda_.invoke(FunctionName="talks", Payload=b"1")["Payload"].read() == b"1"
    open_ = [states.start_execution(stateMachineArn=waits, name=f"w{number}")["executionArn"] for number in range(5)]
    disk.fill()
    acked = []
    payload = json.dumps("x" * 30_000)
    with contextlib.suppress(ClientError):
        while True:
            acked.append(states.start_execution(stateMachineArn=arn, input=payload)["executionArn"])
    full(states.start_execution, stateMachineArn=arn, input=payload)
    full(s3.put_object, Bucket="bucket", Key="row", Body=b"r" * 30_000)
    full(iam.create_role, RoleName="role", AssumeRolePolicyDocument=TRUST, Description="x" * 900)
    full(
        logs.put_log_events,
        logGroupName="group",
        logStreamName="stream",
        logEvents=[{"timestamp": int(time.time() * 1000), "message": "m" * 30_000}],
    )
    full(
        lambda_.create_function,
        FunctionName="other", Role=ROLE, Runtime=RUNTIME, Handler="index.handler", Code={"ZipFile": package(TALKS + "\n#" + "x" * 9000)},
    )  # fmt: skip
    full(lambda_.invoke, FunctionName="talks", InvocationType="Event", Payload=payload.encode())
    assert lambda_.invoke(FunctionName="talks", Payload=b"2")["Payload"].read() == b"2"
    for execution in acked:
        assert states.describe_execution(executionArn=execution)["input"] == payload
    disk.free()
    for execution in open_ + acked:
        assert ended(states, execution)["status"] == "SUCCEEDED"
        events = history(states, execution)
        assert [event["id"] for event in events] == list(range(1, len(events) + 1))
    s3.put_object(Bucket="bucket", Key="row", Body=b"r" * 30_000)
    iam.create_role(RoleName="role", AssumeRolePolicyDocument=TRUST)
    assert lambda_.invoke(FunctionName="talks", InvocationType="Event", Payload=b"3")["StatusCode"] == 202
    keys = [item["Key"] for item in s3.list_objects_v2(Bucket="bucket")["Contents"]]
    assert keys == ["row", *(f"w{number}" for number in range(5))]
    assert [each["FunctionName"] for each in lambda_.list_functions()["Functions"]] == ["talks"]
    while not any("3" in line for line in printed(logs)):
        pass


def printed(logs: Any) -> list[str]:
    found = logs.filter_log_events(logGroupName="/aws/lambda/talks")["events"]
    return [event["message"].strip() for event in found if event["message"][:1].isdigit()]
