"""`kill -9` of the whole server under load through its socket: at random, and at every named point."""

import contextlib
import random
import signal
from pathlib import Path

import pytest
from tests.faults.given import ended, history, machine, until
from tests.faults.load import BUCKET, GONE, Load
from tests.real_server import RealServer, running

from cumulet.engine.faults import POINTS

pytestmark = [pytest.mark.real, pytest.mark.crash]

ROUNDS = 4


def files(server: RealServer) -> set[str]:
    folder = server.folder / "data" / "blobs"
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def test_at_random_under_load(tmp_path: Path) -> None:
    chance = random.Random()
    with running(tmp_path) as server:
        load = Load(server, chance.randrange(1 << 30))
        for _ in range(ROUNDS):
            load.begin()
            load.reach(chance.randrange(30, 90))
            server.kill()
            load.end()
            server.start()
        load.check()


def test_what_a_kill_leaves_behind_is_swept_at_the_next_start(tmp_path: Path) -> None:
    """Part-written files, and files whose row was never written, do not grow with the kills."""
    with running(tmp_path) as server:
        load = Load(server, 1)
        for _ in range(2):
            load.begin()
            load.reach(20)
            server.kill()
            load.end()
            for name in ("of-s3/arriving", "of-lambda/arriving", "of-s3/ab", "of-lambda/ab"):
                (tmp_path / "data" / "blobs" / name).mkdir(exist_ok=True, parents=True)
                (tmp_path / "data" / "blobs" / name / ("ab" + "0" * 30)).write_bytes(b"half")
            server.start()
        load.check()
        s3, lambda_ = load.client("s3"), load.client("lambda")
        for bucket in (BUCKET, "written"):
            while (keys := s3.list_objects_v2(Bucket=bucket).get("Contents")) is not None:
                s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": item["Key"]} for item in keys]})
        for upload in s3.list_multipart_uploads(Bucket=BUCKET).get("Uploads", []):
            s3.abort_multipart_upload(Bucket=BUCKET, Key=upload["Key"], UploadId=upload["UploadId"])
        for page in lambda_.get_paginator("list_functions").paginate():
            for function in page["Functions"]:
                lambda_.delete_function(FunctionName=function["FunctionName"])
        until(lambda: files(server) == set())


TASKS = {
    "StartAt": "Map",
    "States": {
        "Map": {
            "Type": "Map",
            "ItemsPath": "$",
            "ItemProcessor": {
                "StartAt": "Put",
                "States": {
                    "Put": {
                        "Type": "Task",
                        "Resource": "arn:aws:states:::aws-sdk:s3:putObject",
                        "Parameters": {
                            "Bucket": "bucket",
                            "Key.$": "States.Format('{}', $)",
                            "Body.$": "States.Format('{}', $)",
                        },
                        "ResultSelector": {"tag.$": "$.ETag"},
                        "Next": "Wait",
                    },
                    "Wait": {"Type": "Wait", "Seconds": 1, "Next": "Get"},
                    "Get": {
                        "Type": "Task",
                        "Resource": "arn:aws:states:::aws-sdk:s3:headObject",
                        "Parameters": {"Bucket": "bucket", "Key": "0"},
                        "ResultSelector": {"size.$": "$.ContentLength"},
                        "End": True,
                    },
                },
            },
            "End": True,
        }
    },
}


@pytest.mark.parametrize(
    "point",
    [*(point for point in POINTS if point not in ("claimed", "turn-given")), "after-commit:5", "after-performer:3"],
)
def test_at_a_named_point(tmp_path: Path, point: str) -> None:
    """An execution that was acknowledged, or not, is carried to its end by the next server, and each effect is there."""
    with running(tmp_path, environment={"CUMULET_FAULT": point}) as server:
        s3, states = server.client("s3"), server.client("stepfunctions")
        s3.create_bucket(Bucket="bucket")
        arn = machine(states, "tasks", TASKS)
        acked = []
        with contextlib.suppress(*GONE):
            for number in range(10):
                told = states.start_execution(stateMachineArn=arn, name=f"e{number}", input='["0", "1", "2"]')
                acked.append(told["executionArn"])
            until(lambda: states.describe_execution(executionArn=acked[-1])["status"] != "RUNNING")
        assert server._process is not None
        assert server.end(signal.SIGTERM) == -signal.SIGKILL, f"{point} was not reached"
        del server.environment["CUMULET_FAULT"]
        server.start()
        there = [each["executionArn"] for each in states.list_executions(stateMachineArn=arn)["executions"]]
        assert set(acked) <= set(there)
        for execution in there:
            found = ended(states, execution)
            assert found["status"] == "SUCCEEDED", found
            assert found["output"] == '[{"size":1},{"size":1},{"size":1}]'
            events = history(states, execution)
            assert [event["id"] for event in events] == list(range(1, len(events) + 1))
            assert [event["type"] for event in events].count("TaskSucceeded") == 6
        if there:
            assert {item["Key"] for item in s3.list_objects_v2(Bucket="bucket")["Contents"]} == {"0", "1", "2"}
