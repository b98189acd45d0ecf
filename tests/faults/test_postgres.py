"""The whole server on PostgreSQL: alone, two on one database and one folder, with one of them killed, with PostgreSQL away."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.faults.given import ROLE, bare, ended, history, machine, package, until
from tests.faults.load import RUNTIME, WORK, Load
from tests.postgres import Server as Postgres
from tests.real_server import RealServer, running

pytestmark = [pytest.mark.real, pytest.mark.crash]


@pytest.fixture
def server(tmp_path: Path, postgres_dsn: str) -> Iterator[RealServer]:
    with running(tmp_path, "--database", postgres_dsn) as started:
        yield started


@pytest.fixture
def other(server: RealServer) -> Iterator[RealServer]:
    """A second server on the same database and the same folder."""
    with running(server.folder, *server.more) as started:
        yield started


def test_killed_under_load(server: RealServer) -> None:
    load = Load(server, 3)
    for _ in range(2):
        load.begin()
        load.reach(40)
        server.kill()
        load.end()
        server.start()
    load.check()
    assert not list((server.folder / "data").glob("*.db"))


def test_two_servers_serve_the_same_things(server: RealServer, other: RealServer) -> None:
    """Whatever is done on one is there on the other with the answer."""
    for one, two in ((server, other), (other, server)):
        name = f"of-{one.port}"
        s3, states, lambda_ = bare(one, "s3"), bare(one, "stepfunctions"), bare(one, "lambda")
        for bucket in (name, "written"):
            s3.create_bucket(Bucket=bucket)
        for size in (10, 100_000):
            s3.put_object(Bucket=name, Key=f"{size}", Body=b"1" * size)
            assert bare(two, "s3").get_object(Bucket=name, Key=f"{size}")["Body"].read() == b"1" * size
            bare(two, "s3").put_object(Bucket=name, Key=f"{size}", Body=b"2" * size)
            assert s3.get_object(Bucket=name, Key=f"{size}")["Body"].read() == b"2" * size
            bare(two, "s3").copy_object(Bucket=name, Key=f"{size}-copy", CopySource=f"{name}/{size}")
            bare(two, "s3").delete_object(Bucket=name, Key=f"{size}")
            assert s3.get_object(Bucket=name, Key=f"{size}-copy")["Body"].read() == b"2" * size
            with pytest.raises(ClientError, match="NoSuchKey"):
                s3.get_object(Bucket=name, Key=f"{size}")
        arn = machine(states, name, WORK)
        execution = states.start_execution(stateMachineArn=arn, input='{"seconds": 1}')["executionArn"]
        assert bare(two, "stepfunctions").describe_execution(executionArn=execution)["status"] == "RUNNING"
        assert ended(bare(two, "stepfunctions"), execution)["status"] == "SUCCEEDED"
        events = history(bare(two, "stepfunctions"), execution)
        assert events == history(states, execution)
        assert [event["id"] for event in events] == list(range(1, len(events) + 1))
        lambda_.create_function(
            FunctionName=name, Role=ROLE, Runtime=RUNTIME, Handler="index.handler", Code={"ZipFile": code(1)}, Timeout=30
        )  # fmt: skip
        assert invoked(two, name) == invoked(one, name) == 1
        lambda_.update_function_code(FunctionName=name, ZipFile=code(2))
        assert invoked(one, name) == 2
        until(lambda two=two, name=name: invoked(two, name) == 2)
        bare(two, "lambda").delete_function(FunctionName=name)
        bare(one, "s3").delete_object(Bucket="written", Key="none")


def code(value: int) -> bytes:
    return package(f"def handler(event, context): return {value}")


def invoked(server: RealServer, name: str) -> Any:
    return json.loads(bare(server, "lambda").invoke(FunctionName=name)["Payload"].read())


def test_one_of_two_is_killed_and_the_other_ends_its_executions(server: RealServer, other: RealServer) -> None:
    load = Load(server, 4)
    load.begin()
    load.reach(60)
    server.kill()
    load.end()
    load.turn_to(other)
    load.begin()
    load.reach(20)
    load.end()
    load.check()
    server.start()
    load.turn_to(server)
    load.check()


def test_keys_of_one_are_keys_of_the_other(tmp_path: Path, postgres_dsn: str) -> None:
    with running(tmp_path, "--auth", "--database", postgres_dsn) as one, running(tmp_path, *one.more) as two:
        pair = json.loads((tmp_path / "data" / "root-key.json").read_text())
        root = {"aws_access_key_id": pair["AccessKeyId"], "aws_secret_access_key": pair["SecretAccessKey"]}
        trust = {
            "Version": "2012-10-17",
            "Statement": [{"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}],
        }
        role = one.client("iam", **root).create_role(RoleName="r", AssumeRolePolicyDocument=json.dumps(trust))["Role"][
            "Arn"
        ]
        given = one.client("sts", **root).assume_role(RoleArn=role, RoleSessionName="session")["Credentials"]
        session = two.client(
            "sts",
            aws_access_key_id=given["AccessKeyId"],
            aws_secret_access_key=given["SecretAccessKey"],
            aws_session_token=given["SessionToken"],
        )
        assert session.get_caller_identity()["Arn"].endswith("assumed-role/r/session")


def test_postgres_is_restarted_under_load(server: RealServer, postgres: Postgres) -> None:
    """A short absence: calls wait for it, or are told to come again; nothing is lost, nothing done twice."""
    load = Load(server, 5)
    load.begin()
    for mode in ("fast", "immediate"):
        load.reach(30)
        postgres.restart(mode)
    load.reach(30)
    load.end()
    load.check()


def test_postgres_is_away(server: RealServer, postgres: Postgres) -> None:
    """A long absence: calls are told so, the server lives, and everything goes on when it is back."""
    s3, states, lambda_ = bare(server, "s3"), bare(server, "stepfunctions"), bare(server, "lambda")
    for bucket in ("bucket", "written"):
        s3.create_bucket(Bucket=bucket)
    s3.put_object(Bucket="bucket", Key="kept", Body=b"kept" * 20_000)
    lambda_.create_function(
        FunctionName="f", Role=ROLE, Runtime=RUNTIME, Handler="index.handler", Code={"ZipFile": package("def handler(e, c): print(e)")}
    )  # fmt: skip
    arn = machine(states, "work", WORK)
    execution = states.start_execution(stateMachineArn=arn, name="e", input='{"seconds": 1}')["executionArn"]
    lambda_.invoke(FunctionName="f", InvocationType="Event", Payload=b"1")
    postgres.down()
    try:
        for _ in range(5):  # the first waits for it; who comes when its patience has run out is told at once
            with pytest.raises(ClientError, match="Please try again") as caught:
                s3.put_object(Bucket="bucket", Key="new", Body=b"new")
            answer = caught.value.response
            assert answer["ResponseMetadata"]["HTTPStatusCode"] == 503
            assert answer["Error"]["Code"] == "ServiceUnavailable"
    finally:
        postgres.up()
    assert ended(states, execution)["status"] == "SUCCEEDED"
    assert [item["Key"] for item in s3.list_objects_v2(Bucket="bucket")["Contents"]] == ["kept"]
    assert s3.get_object(Bucket="bucket", Key="kept")["Body"].read() == b"kept" * 20_000
    assert s3.list_objects_v2(Bucket="written")["KeyCount"] == 5
    logs = bare(server, "logs")
    until(lambda: logs.describe_log_groups(logGroupNamePrefix="/aws/lambda/f")["logGroups"] != [])
    until(
        lambda: any(
            event["message"].strip() == "1" for event in logs.filter_log_events(logGroupName="/aws/lambda/f")["events"]
        )
    )
