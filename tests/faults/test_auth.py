"""Who may: beyond loopback and with `--auth`, only keys of this installation, rightly signed and in time."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore import UNSIGNED
from botocore.client import Config
from botocore.exceptions import ClientError
from tests.faults.given import ONCE, package
from tests.faults.signing import Signer
from tests.real_server import ENVIRONMENT, RealServer, running
from tests.server.running import Wire

pytestmark = pytest.mark.real

TRUST = json.dumps(
    {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}]}
)
RUNTIME = f"python{sys.version_info.major}.{sys.version_info.minor}"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealServer]:
    with running(tmp_path_factory.mktemp("auth"), "--auth") as started:
        yield started


@pytest.fixture(scope="module")
def root(server: RealServer) -> dict[str, str]:
    """The installation's key, as `cumulet keys` tells it."""
    command = [sys.executable, "-m", "cumulet", "keys", "--data", str(server.folder / "data")]
    lines = subprocess.run(command, check=True, capture_output=True, text=True, env=ENVIRONMENT).stdout
    found = dict(line.split("=", 1) for line in lines.split())
    return {"aws_access_key_id": found["AWS_ACCESS_KEY_ID"], "aws_secret_access_key": found["AWS_SECRET_ACCESS_KEY"]}


@pytest.fixture
def made(server: RealServer, root: dict[str, str]) -> Iterator[Callable[..., Any]]:
    """Clients with root's key, unless told otherwise; what is there does not change by refusals."""
    yield lambda service, **options: server.client(service, **{"config": ONCE, **root, **options})
    assert server.client("s3", **root).list_buckets()["Buckets"] == []
    assert server.client("stepfunctions", **root).list_state_machines()["stateMachines"] == []


def refused(work: Callable[..., Any], **input: Any) -> tuple[int, str]:
    with pytest.raises(ClientError) as caught:
        work(**input)
    answer = caught.value.response
    assert answer["Error"]["Message"]
    return answer["ResponseMetadata"]["HTTPStatusCode"], answer["Error"]["Code"]


def test_beyond_loopback_without_auth_it_does_not_start(tmp_path: Path) -> None:
    for host in ("0.0.0.0", "::", "192.0.2.1"):
        command = [
            sys.executable,
            "-m",
            "cumulet",
            "up",
            "--data",
            str(tmp_path / "data"),
            "--port",
            "0",
            "--host",
            host,
        ]
        done = subprocess.run(command, capture_output=True, text=True, env=ENVIRONMENT, timeout=30, check=False)
        assert (done.returncode, done.stdout) == (1, "")
        assert "can be reached from other machines, and without --auth anybody there could do anything" in done.stderr
        assert "hint: add --auth" in done.stderr
    assert not (tmp_path / "data").exists()


def test_beyond_loopback_with_auth(tmp_path: Path) -> None:
    command = [
        sys.executable,
        "-m",
        "cumulet",
        "up",
        "--data",
        str(tmp_path),
        "--port",
        "0",
        "--host",
        "0.0.0.0",
        "--auth",
    ]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=ENVIRONMENT
    ) as process:
        assert process.stdout is not None
        port = int(process.stdout.readline().strip().rpartition(":")[2])
        with Wire(port) as wire:
            wire.send(b"GET /bucket HTTP/1.1\r\nHost: h\r\n\r\n")
            assert wire.answer()[0] == 403
        process.terminate()
        assert process.wait(30) == 0


def test_the_installations_key(made: Callable[..., Any], root: dict[str, str]) -> None:
    told = made("sts").get_caller_identity()
    assert (told["Account"], told["Arn"]) == ("000000000000", "arn:aws:iam::000000000000:root")
    s3 = made("s3")
    s3.create_bucket(Bucket="bucket")
    s3.put_object(Bucket="bucket", Key="key with ü", Body=b"x" * 100_000)
    assert len(s3.get_object(Bucket="bucket", Key="key with ü")["Body"].read()) == 100_000
    s3.delete_object(Bucket="bucket", Key="key with ü")
    s3.delete_bucket(Bucket="bucket")


@pytest.mark.parametrize(
    "service, work, unsigned, unknown, wrong",
    [
        ("s3", lambda c: c.create_bucket(Bucket="bucket"), "AccessDenied", "InvalidAccessKeyId", "SignatureDoesNotMatch"),
        ("s3", lambda c: c.list_buckets(), "AccessDenied", "InvalidAccessKeyId", "SignatureDoesNotMatch"),
        ("stepfunctions", lambda c: c.list_state_machines(), "MissingAuthenticationTokenException", "UnrecognizedClientException", "InvalidSignatureException"),
        ("lambda", lambda c: c.list_functions(), "MissingAuthenticationTokenException", "UnrecognizedClientException", "InvalidSignatureException"),
        ("iam", lambda c: c.list_roles(), "MissingAuthenticationToken", "InvalidClientTokenId", "SignatureDoesNotMatch"),
        ("logs", lambda c: c.describe_log_groups(), "MissingAuthenticationTokenException", "UnrecognizedClientException", "InvalidSignatureException"),
    ],
)  # fmt: skip
def test_who_may_not(
    made: Callable[..., Any], service: str, work: Callable[[Any], Any], unsigned: str, unknown: str, wrong: str
) -> None:
    nobody = made(service, config=Config(signature_version=UNSIGNED, retries={"total_max_attempts": 1}))
    stranger = made(service, aws_access_key_id="AKIAIOSFODNN7EXAMPLE")
    liar = made(service, aws_secret_access_key="wrong")
    test = made(service, aws_access_key_id="test", aws_secret_access_key="test")
    for client, code in ((nobody, unsigned), (stranger, unknown), (liar, wrong), (test, unknown)):
        status = 400 if service in ("stepfunctions", "logs") else 403
        assert refused(lambda client=client: work(client)) == (status, code)


LIST: dict[str, Any] = {"line": "POST /", "service": "states", "body": b'{"maxResults": 5}'}
LIST |= {"X_Amz_Target": "AWSStepFunctions.ListStateMachines", "Content_Type": "application/x-amz-json-1.0"}
ROLES: dict[str, Any] = {"line": "POST /", "service": "iam", "body": b"Action=ListRoles&Version=2010-05-08"}
ROLES |= {"Content_Type": "application/x-www-form-urlencoded"}


@pytest.fixture
def signer(server: RealServer, root: dict[str, str]) -> Signer:
    return Signer(f"127.0.0.1:{server.port}", root)


def sent(server: RealServer, data: bytes) -> tuple[int, str]:
    with Wire(server.port) as wire:
        wire.send(data)
        status, _, body = wire.answer()
        return status, body.decode()


@pytest.mark.parametrize(
    "what, status, code",
    [
        ({"line": "GET /", "service": "s3"}, 403, "RequestTimeTooSkewed"),
        (LIST, 400, "InvalidSignatureException"),
        (ROLES, 403, "SignatureDoesNotMatch"),
    ],
)
def test_a_clock_that_is_wrong(
    server: RealServer, signer: Signer, what: dict[str, Any], status: int, code: str
) -> None:
    for minutes in (0, -10, 10):
        assert sent(server, signer.request(**what, minutes=minutes))[0] == 200
    for minutes in (-20, 20):
        found, answer = sent(server, signer.request(**what, minutes=minutes))
        assert (found, code in answer) == (status, True), answer


def test_presigned_addresses(made: Callable[..., Any], server: RealServer, signer: Signer) -> None:
    """Good in their time; not when altered, not before and not after."""
    s3 = made("s3")
    s3.create_bucket(Bucket="bucket")
    s3.put_object(Bucket="bucket", Key="key", Body=b"body")
    good = signer.presigned("/bucket/key")
    assert sent(server, good) == (200, "body")
    for data, code in (
        (good.replace(b"/key?", b"/other?"), "SignatureDoesNotMatch"),
        (good.replace(b"Expires=60", b"Expires=61"), "SignatureDoesNotMatch"),
        (good.replace(b"GET", b"DELETE"), "SignatureDoesNotMatch"),
        (signer.presigned("/bucket/key", minutes=-2), "Request has expired"),
        (signer.presigned("/bucket/key", minutes=30), "Request is not yet valid"),
        (signer.presigned("/bucket/key", expires=604_801), "AuthorizationQueryParametersError"),
        (signer.presigned("/bucket/key", expires=-1), "AuthorizationQueryParametersError"),
    ):
        status, answer = sent(server, data)
        assert (status in (400, 403), code in answer) == (True, True), answer
    s3.delete_object(Bucket="bucket", Key="key")
    s3.delete_bucket(Bucket="bucket")


def test_a_body_that_was_changed_on_its_way(server: RealServer, signer: Signer) -> None:
    good = signer.request(**LIST)
    assert sent(server, good)[0] == 200
    status, answer = sent(server, good.replace(b": 5}", b": 6}"))
    assert (status, "InvalidSignatureException" in answer) == (400, True)


def test_an_object_that_was_changed_on_its_way(made: Callable[..., Any], server: RealServer, signer: Signer) -> None:
    s3 = made("s3")
    s3.create_bucket(Bucket="bucket")
    for size in (10, 100_000):
        good = signer.request("PUT /bucket/key", "s3", body=b"x" * size)
        status, answer = sent(server, good[:-1] + b"y")
        assert (status, "XAmzContentSHA256Mismatch" in answer) == (400, True), answer
    assert "Contents" not in s3.list_objects_v2(Bucket="bucket")
    s3.delete_bucket(Bucket="bucket")


def test_sessions_of_roles(made: Callable[..., Any]) -> None:
    iam = made("iam")
    role = iam.create_role(RoleName="worker", AssumeRolePolicyDocument=TRUST)["Role"]["Arn"]
    given = made("sts").assume_role(RoleArn=role, RoleSessionName="session")["Credentials"]
    keys = {
        "aws_access_key_id": given["AccessKeyId"],
        "aws_secret_access_key": given["SecretAccessKey"],
        "aws_session_token": given["SessionToken"],
    }
    assert made("sts", **keys).get_caller_identity()["Arn"] == "arn:aws:sts::000000000000:assumed-role/worker/session"
    assert made("s3", **keys).list_buckets()["Buckets"] == []
    assert refused(made("s3", **{**keys, "aws_session_token": "nonsense"}).list_buckets) == (400, "InvalidToken")
    assert refused(made("s3", **{**keys, "aws_session_token": None}).list_buckets) == (403, "InvalidAccessKeyId")
    assert refused(made("s3", **{**keys, "aws_secret_access_key": "wrong"}).list_buckets) == (
        403,
        "SignatureDoesNotMatch",
    )
    status, code = refused(made("iam", **{**keys, "aws_session_token": "nonsense"}).list_roles)
    assert (status, code) == (403, "InvalidClientTokenId")
    iam.delete_role(RoleName="worker")


CODE = """
import boto3
def handler(event, context):
    boto3.client("s3").put_object(Bucket="functions", Key="written", Body=b"by a function")
    return boto3.client("sts").get_caller_identity()["Arn"]
"""


def test_functions_have_credentials_that_work(made: Callable[..., Any]) -> None:
    s3, lambda_ = made("s3"), made("lambda")
    s3.create_bucket(Bucket="functions")
    role = made("iam").create_role(RoleName="function", AssumeRolePolicyDocument=TRUST)["Role"]["Arn"]
    lambda_.create_function(
        FunctionName="writer", Role=role, Runtime=RUNTIME, Handler="index.handler", Code={"ZipFile": package(CODE)}, Timeout=30
    )  # fmt: skip
    answer = lambda_.invoke(FunctionName="writer")
    told = json.loads(answer["Payload"].read())
    assert "FunctionError" not in answer, told
    assert told == "arn:aws:sts::000000000000:assumed-role/function/writer"
    assert s3.get_object(Bucket="functions", Key="written")["Body"].read() == b"by a function"
    s3.delete_object(Bucket="functions", Key="written")
    s3.delete_bucket(Bucket="functions")
    lambda_.delete_function(FunctionName="writer")
