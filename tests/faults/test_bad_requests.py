"""Requests that make no sense, or ask for what is not there: AWS's code and words, and nothing has changed afterwards."""

import base64
import functools
import hashlib
import json
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from tests.faults.given import ROLE, bare, call, ended, exchange, head, machine, package, put, xml
from tests.real_server import RealServer, running
from tests.server.running import Wire

pytestmark = pytest.mark.real

PASS = {"StartAt": "P", "States": {"P": {"Type": "Pass", "End": True}}}
STATES = "AWSStepFunctions"
MACHINES = "arn:aws:states:us-east-1:000000000000:stateMachine"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealServer]:
    with running(tmp_path_factory.mktemp("bad-requests")) as started:
        s3 = started.client("s3")
        s3.create_bucket(Bucket="bucket")
        s3.put_object(Bucket="bucket", Key="kept", Body=b"kept")
        machine(started.client("stepfunctions"), "kept", PASS)
        started.client("iam").create_role(RoleName="kept", AssumeRolePolicyDocument=TRUST)
        started.client("logs").create_log_group(logGroupName="kept")
        yield started


TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
        ],
    }
)


@pytest.fixture(autouse=True)
def nothing_changed(server: RealServer) -> Iterator[None]:
    """All that there is, by listing, before and after."""
    before = everything(server)
    yield
    assert everything(server) == before


@functools.cache
def asker(url: str, service: str) -> Any:
    """Clients are dear to make."""
    return boto3.client(
        service, endpoint_url=url, region_name="us-east-1", aws_access_key_id="a", aws_secret_access_key="b"
    )


def everything(server: RealServer) -> dict[str, Any]:
    s3, states, logs, lambda_, iam = (
        asker(server.url, name) for name in ("s3", "stepfunctions", "logs", "lambda", "iam")
    )
    listed: dict[str, Any] = {
        "buckets": s3.list_buckets()["Buckets"],
        "objects": s3.list_objects_v2(Bucket="bucket")["Contents"],
        "uploads": s3.list_multipart_uploads(Bucket="bucket").get("Uploads"),
        "machines": states.list_state_machines()["stateMachines"],
        "functions": lambda_.list_functions()["Functions"],
        "roles": iam.list_roles()["Roles"],
        "policies": iam.list_policies(Scope="Local")["Policies"],
        "groups": logs.describe_log_groups()["logGroups"],
        "streams": logs.describe_log_streams(logGroupName="kept")["logStreams"],
        "files": sorted(str(path) for path in (server.folder / "data" / "blobs").rglob("*") if path.is_file()),
    }
    assert [item["name"] for item in listed["machines"]] == ["kept"]
    listed["executions"] = states.list_executions(stateMachineArn=listed["machines"][0]["stateMachineArn"])[
        "executions"
    ]
    return listed


# JSON


@pytest.mark.parametrize(
    "body", [b"{", b"", b"[]", b"7", b'"text"', b"{'a': 1}", b"\xff\xfe{}", b'{"a": NaN}', b"[" * 100_000]
)
@pytest.mark.parametrize(
    "target", [f"{STATES}.CreateStateMachine", f"{STATES}.StartExecution", "Logs_20140328.PutLogEvents"]
)
def test_a_body_that_is_no_object_of_json(server: RealServer, target: str, body: bytes) -> None:
    status, answer = call(server, target, body)
    assert status == 400
    wanted = ("SerializationException", "ValidationException", "MissingRequiredParameter", "InvalidParameterException")
    assert answer["__type"].endswith(wanted), answer


@pytest.mark.parametrize(
    "members",
    [
        {"name": 7, "definition": "{}", "roleArn": ROLE},
        {"name": ["a"], "definition": "{}", "roleArn": ROLE},
        {"name": "a", "definition": {"StartAt": "P"}, "roleArn": ROLE},
        {"name": "a", "definition": "{}", "roleArn": ROLE, "publish": "yes"},
        {"name": "a", "definition": "{}", "roleArn": ROLE, "tags": {"key": "a"}},
        {"name": "a", "definition": "{}", "roleArn": ROLE, "loggingConfiguration": "ALL"},
    ],
)
def test_wrong_types_in_json(server: RealServer, members: dict[str, Any]) -> None:
    status, answer = call(server, f"{STATES}.CreateStateMachine", json.dumps(members).encode())
    assert (status, answer["__type"].rpartition("#")[2]) == (400, "SerializationException")


@pytest.mark.parametrize(
    "target, status, code",
    [
        (f"{STATES}.Dance", 400, "UnknownOperationException"),
        (f"{STATES}.RedriveExecution", 501, "NotImplemented"),
        ("DynamoDB_20120810.ListTables", 501, "NotImplemented"),
        ("Nobody_20120810.ListTables", 400, "UnknownOperationException"),
        ("nonsense", 400, "UnknownOperationException"),
        ("", 400, "UnknownOperationException"),
    ],
)
def test_targets_that_we_do_not_have(server: RealServer, target: str, status: int, code: str) -> None:
    found, answer = call(server, target, b"{}")
    assert (found, answer["__type"].rpartition("#")[2]) == (status, code), answer


def test_operations_and_services_that_we_do_not_have_by_each_protocol(server: RealServer) -> None:
    asked: list[Callable[[], Any]] = [
        lambda: bare(server, "stepfunctions").redrive_execution(executionArn="a"),
        lambda: bare(server, "dynamodb").list_tables(),
        lambda: bare(server, "iam").create_user(UserName="a"),
        lambda: bare(server, "ec2").describe_instances(),
        lambda: bare(server, "sqs").list_queues(),
        lambda: bare(server, "cloudwatch").list_dashboards(),
        lambda: bare(server, "lambda").list_layers(),
        lambda: bare(server, "s3").get_bucket_analytics_configuration(Bucket="bucket", Id="a"),
        lambda: bare(server, "s3").put_bucket_policy(Bucket="bucket", Policy="{}"),
        lambda: bare(server, "apigateway").get_rest_apis(),
        lambda: bare(server, "route53").list_hosted_zones(),
    ]
    for ask in asked:
        with pytest.raises(ClientError) as caught:
            ask()
        error = caught.value.response
        assert error["ResponseMetadata"]["HTTPStatusCode"] == 501
        assert error["Error"]["Code"].startswith("NotImplemented"), error
        assert "Cumulet" in error["Error"]["Message"]


# Names, ARNs, definitions


def refused(work: Callable[..., Any], **input: Any) -> tuple[str, str]:
    with pytest.raises(ClientError) as caught:
        work(**input)
    status = caught.value.response["ResponseMetadata"]["HTTPStatusCode"]
    assert 400 <= status < 500
    return caught.value.response["Error"]["Code"], caught.value.response["Error"].get("Message", "")


@pytest.mark.parametrize("name", ["", "a b", "a/b", "a" * 81, "<x>", 'a"b', "a\nb", "a\x00b", "*"])
def test_names_of_machines_out_of_pattern(server: RealServer, name: str) -> None:
    states = bare(server, "stepfunctions")
    code, _ = refused(states.create_state_machine, name=name, definition=json.dumps(PASS), roleArn=ROLE)
    assert code in ("InvalidName", "ValidationException")
    code, _ = refused(states.start_execution, stateMachineArn=f"{MACHINES}:kept", name=name)
    assert code in ("InvalidName", "ValidationException")


@pytest.mark.parametrize(
    "arn", ["", "x", "arn:aws:states:us-east-1:1:stateMachine:x", "arn:aws:s3:::bucket", "arn:" + "a" * 300]
)
def test_arns_out_of_pattern(server: RealServer, arn: str) -> None:
    states = bare(server, "stepfunctions")
    for work in (
        states.describe_state_machine,
        states.start_execution,
        states.delete_state_machine,
        states.list_executions,
    ):
        assert refused(work, stateMachineArn=arn)[0] in ("InvalidArn", "ValidationException")
    assert refused(states.describe_execution, executionArn=arn)[0] in ("InvalidArn", "ValidationException")
    code, _ = refused(states.create_state_machine, name="a", definition=json.dumps(PASS), roleArn=arn)
    assert code in ("InvalidArn", "ValidationException")


@pytest.mark.parametrize(
    "definition",
    [
        "",
        "{",
        "[]",
        "{}",
        '{"StartAt": "P"}',
        '{"StartAt": "Q", "States": {"P": {"Type": "Pass", "End": true}}}',
        '{"StartAt": "P", "States": {"P": {"Type": "Dance", "End": true}}}',
        '{"StartAt": "P", "States": {"P": {"Type": "Pass"}}}',
        '{"StartAt": "P", "States": {"P": {"Type": "Pass", "Next": "Q"}}}',
        '{"StartAt": "P", "States": {"P": {"Type": "Pass", "InputPath": "nonsense", "End": true}}}',
        '{"StartAt": "P", "States": {"P": {"Type": "Task", "End": true}}}',
        '{"StartAt": "P", "States": {"P": {"Type": "Wait", "Seconds": -1, "End": true}}}',
        "[" * 50_000,
        "x" * 1_048_577,
    ],
)
def test_definitions_that_cannot_run(server: RealServer, definition: str) -> None:
    states = bare(server, "stepfunctions")
    code, message = refused(states.create_state_machine, name="a", definition=definition, roleArn=ROLE)
    assert code in ("InvalidDefinition", "ValidationException")
    assert message
    code, _ = refused(states.update_state_machine, stateMachineArn=f"{MACHINES}:kept", definition=definition)
    assert code in ("InvalidDefinition", "ValidationException")
    assert json.loads(states.describe_state_machine(stateMachineArn=f"{MACHINES}:kept")["definition"]) == PASS


def test_inputs_that_are_no_json(server: RealServer) -> None:
    states = bare(server, "stepfunctions")
    for text in ("{", "x", ""):
        code, message = refused(states.start_execution, stateMachineArn=f"{MACHINES}:kept", input=text)
        assert code == "InvalidExecutionInput", message


def test_what_is_not_there(server: RealServer) -> None:
    states, s3, logs, iam = (bare(server, name) for name in ("stepfunctions", "s3", "logs", "iam"))
    arn = f"{MACHINES}:none"
    assert refused(states.describe_state_machine, stateMachineArn=arn) == (
        "StateMachineDoesNotExist", f"State Machine Does Not Exist: '{arn}'",
    )  # fmt: skip
    assert refused(states.start_execution, stateMachineArn=arn)[0] == "StateMachineDoesNotExist"
    gone = arn.replace("stateMachine", "execution") + ":e"
    assert refused(states.describe_execution, executionArn=gone) == (
        "ExecutionDoesNotExist", f"Execution Does Not Exist: '{gone}'",
    )  # fmt: skip
    assert refused(s3.get_object, Bucket="bucket", Key="none") == ("NoSuchKey", "The specified key does not exist.")
    assert refused(s3.get_object, Bucket="nobucket", Key="k") == ("NoSuchBucket", "The specified bucket does not exist")
    assert refused(s3.put_object, Bucket="nobucket", Key="k", Body=b"x" * 100_000)[0] == "NoSuchBucket"
    assert refused(s3.head_object, Bucket="bucket", Key="none") == ("404", "Not Found")
    assert refused(s3.head_bucket, Bucket="nobucket") == ("404", "Not Found")
    assert refused(s3.copy_object, Bucket="bucket", Key="c", CopySource="bucket/none")[0] == "NoSuchKey"
    assert refused(s3.list_parts, Bucket="bucket", Key="none", UploadId="none")[0] == "NoSuchUpload"
    assert (
        refused(s3.upload_part, Bucket="bucket", Key="k", UploadId="no", PartNumber=1, Body=b"x")[0] == "NoSuchUpload"
    )
    assert refused(logs.put_log_events, logGroupName="none", logStreamName="s", logEvents=[{"timestamp": 1, "message": "m"}]) == (
        "ResourceNotFoundException", "The specified log group does not exist.",
    )  # fmt: skip
    assert refused(iam.get_role, RoleName="none") == ("NoSuchEntity", "The role with name none cannot be found.")
    assert refused(bare(server, "lambda").get_function, FunctionName="none") == (
        "ResourceNotFoundException", "Function not found: arn:aws:lambda:us-east-1:000000000000:function:none",
    )  # fmt: skip
    for line in ("HEAD /bucket/none", "HEAD /nobucket", "HEAD /nobucket/k"):
        assert exchange(server, head(line))[0::2] == (404, "")


# Code


@pytest.mark.parametrize(
    "code",
    [
        b"no zip",
        b"PK\x03\x04" + b"\0" * 100,
        package("x")[:-10],
        package("x", "../../climbs.py"),
        package("x", "/absolute.py"),
    ],
)
def test_a_zip_that_is_none(server: RealServer, code: bytes) -> None:
    lambda_ = bare(server, "lambda")
    found, message = refused(
        lambda_.create_function, FunctionName="f", Role=ROLE, Runtime="python3.12", Handler="index.handler", Code={"ZipFile": code}
    )  # fmt: skip
    assert found == "InvalidParameterValueException", message
    assert message
    assert not list(server.folder.rglob("climbs.py"))


def test_the_damaged_middle_of_a_zip(server: RealServer) -> None:
    """Its directory is whole, its data is not."""
    code = bytearray(package("x = 1\n" * 100))
    code[40:60] = bytes(20)
    found, _ = refused(
        bare(server, "lambda").create_function,
        FunctionName="f", Role=ROLE, Runtime="python3.12", Handler="index.handler", Code={"ZipFile": bytes(code)},
    )  # fmt: skip
    assert found == "InvalidParameterValueException"


def test_functions_with_wrong_members(server: RealServer) -> None:
    good: dict[str, Any] = {
        "FunctionName": "f", "Role": ROLE, "Runtime": "python3.12", "Handler": "index.handler", "Code": {"ZipFile": package("x")},
    }  # fmt: skip
    create = bare(server, "lambda").create_function
    for change, wanted in [
        ({"FunctionName": "a b"}, "ValidationException"),
        ({"FunctionName": "../f"}, "ValidationException"),
        ({"Role": "nonsense"}, "ValidationException"),
        ({"Runtime": "cobol"}, "InvalidParameterValueException"),
        ({"Timeout": 901}, "InvalidParameterValueException"),
        ({"MemorySize": 1}, "ValidationException"),
        ({"Code": {}}, "InvalidParameterValueException"),
        ({"Timeout": "many"}, "SerializationException"),
        ({"Code": {"S3Bucket": "bucket", "S3Key": "none"}}, "InvalidParameterValueException"),
    ]:
        assert refused(create, **{**good, **change})[0] == wanted, change


@pytest.mark.parametrize("body", [b"{", b"[]", b"", b"7"])
def test_malformed_json_for_lambda(server: RealServer, body: bytes) -> None:
    request = (
        head("POST /2015-03-31/functions", "lambda", Content_Type="application/json", Content_Length=len(body)) + body
    )
    status, headers, answer = exchange(server, request)
    assert status == 400
    assert headers["x-amzn-errortype"].split(":")[0] in (
        "SerializationException",
        "InvalidRequestContentException",
        "ValidationException",
    ), answer


# XML and query


@pytest.mark.parametrize(
    "body",
    [b"<Delete>", b"no xml", b"", b"<Other/>", b"<Delete><Object></Object></Delete>", b"<Delete></Delete>", b"\xff\xfe",
     b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><Delete><Object><Key>&x;</Key></Object></Delete>'],
)  # fmt: skip
def test_malformed_xml(server: RealServer, body: bytes) -> None:
    request = head("POST /bucket?delete", Content_Length=len(body), X_Amz_Checksum_Sha256=sha256(body)) + body
    status, _, answer = exchange(server, request)
    assert (status, xml(answer)["Code"]) == (400, "MalformedXML" if body else "MissingRequestBodyError"), answer
    assert "root:" not in answer


def sha256(body: bytes) -> str:
    return base64.b64encode(hashlib.sha256(body).digest()).decode()


def test_malformed_xml_where_a_body_may_be_left_out(server: RealServer) -> None:
    for body in (b"<CreateBucketConfiguration>", b"nonsense"):
        status, _, answer = exchange(server, put("/newbucket", body))
        assert (status, xml(answer)["Code"]) == (400, "MalformedXML")


@pytest.mark.parametrize(
    "form, status, code",
    [
        ("Action=Dance&Version=2010-05-08", 400, "InvalidAction"),
        ("Action=CreateUser&Version=2010-05-08&UserName=a", 501, "NotImplemented"),
        ("Action=CreateRole&Version=2010-05-08", 400, "ValidationError"),
        ("Action=CreateRole&Version=2010-05-08&RoleName=a%20b&AssumeRolePolicyDocument=%7B%7D", 400, "ValidationError"),
        ("Action=CreateRole&Version=2010-05-08&RoleName=a&AssumeRolePolicyDocument=nonsense", 400, "MalformedPolicyDocument"),
        ("Action=CreateRole&Version=2010-05-08&RoleName=a&AssumeRolePolicyDocument=%7B%7D&MaxSessionDuration=many", 400, "MalformedInput"),
        ("Action=GetCallerIdentity&Version=1999-01-01", 400, "InvalidAction"),
        ("Action=Dance&Version=1999-01-01", 400, "InvalidAction"),
        ("Version=2010-05-08", 400, "MissingAction"),
        ("nonsense", 400, "MissingAction"),
        ("", 400, "MissingAction"),
    ],
)  # fmt: skip
def test_wrong_forms(server: RealServer, form: str, status: int, code: str) -> None:
    told = {"Content_Type": "application/x-www-form-urlencoded", "Content_Length": len(form)}
    found, _, answer = exchange(server, head("POST /", "iam", **told) + form.encode())
    assert (found, xml(answer).get("Code")) == (status, code), answer


# Tokens


def test_a_token_that_is_used_twice(server: RealServer) -> None:
    """The first answer counts; whoever comes later is told."""
    states, s3 = bare(server, "stepfunctions"), bare(server, "s3")
    s3.create_bucket(Bucket="tokens")
    waits = {
        "StartAt": "T",
        "States": {
            "T": {
                "Type": "Task",
                "Resource": "arn:aws:states:::aws-sdk:s3:putObject.waitForTaskToken",
                "Parameters": {"Bucket": "tokens", "Key": "token", "Body.$": "$$.Task.Token"},
                "End": True,
            }
        },
    }
    arn = machine(states, "waits", waits)
    execution = states.start_execution(stateMachineArn=arn)["executionArn"]
    while "Contents" not in s3.list_objects_v2(Bucket="tokens"):
        pass
    token = s3.get_object(Bucket="tokens", Key="token")["Body"].read().decode()
    states.send_task_heartbeat(taskToken=token)
    code, _ = refused(states.send_task_success, taskToken=token, output="{")
    assert code == "InvalidOutput"
    states.send_task_success(taskToken=token, output='"first"')
    for work, more in (
        (states.send_task_success, {"output": '"second"'}),
        (states.send_task_failure, {"error": "E"}),
        (states.send_task_heartbeat, {}),
    ):
        assert refused(work, taskToken=token, **more)[0] == "TaskTimedOut"
    assert ended(states, execution)["output"] == '"first"'
    for bad in ("", "nonsense", "A" * 2000):
        assert refused(states.send_task_success, taskToken=bad, output="{}")[0] in (
            "InvalidToken",
            "ValidationException",
        )
    states.delete_state_machine(stateMachineArn=arn)
    s3.delete_object(Bucket="tokens", Key="token")
    s3.delete_bucket(Bucket="tokens")
    while len(states.list_state_machines()["stateMachines"]) > 1:
        pass


# Paths that climb


@pytest.mark.parametrize(
    "path",
    ["../../etc/passwd", "../climbs", "//etc/passwd", "a/../../../climbs", "%2e%2e/%2e%2e/climbs", "..%2f..%2fclimbs", "%00", "a%00b",
     "C:\\climbs", "%ED%9F%BF", "con", ".", "..", "~root/climbs", "$(touch climbs)", "a%0d%0aX-Climbs:%20yes"],
)  # fmt: skip
@pytest.mark.parametrize("size", [3, 50_000])
def test_keys_are_no_paths(server: RealServer, path: str, size: int) -> None:
    """A key is text: it comes back as it was given, and no file has its name."""
    before = {str(path) for path in server.folder.rglob("*")}
    target = f"/bucket/{path.replace(' ', '%20')}"
    status, _, answer = exchange(server, put(target, b"x" * size))
    assert status in (200, 400), answer
    if status == 200:
        status, headers, body = exchange(server, head(f"GET {target}"))
        assert (status, body) == (200, "x" * size)
        assert "x-climbs" not in headers
        keys = [item["Key"] for item in server.client("s3").list_objects_v2(Bucket="bucket")["Contents"]]
        assert len(keys) == 2
        assert exchange(server, head(f"DELETE {target}"))[0] == 204
    added = {str(path) for path in server.folder.rglob("*")} - before
    assert not [name for name in added if "climbs" in name or "passwd" in name]


def test_names_of_buckets_and_functions_are_no_paths(server: RealServer) -> None:
    for line in ("PUT /..", "PUT /%2e%2e", "PUT /.%2e/", "PUT /a%2fb", "PUT /UPPER", "PUT /a", "PUT /a%00b"):
        status, _, answer = exchange(server, head(line, Content_Length=0))
        assert (status, xml(answer)["Code"]) == (400, "InvalidBucketName"), line


def test_keys_that_are_no_utf8(server: RealServer) -> None:
    status, _, answer = exchange(server, put("/bucket/%ff%fe", b"x"))
    assert (status, xml(answer)["Code"]) == (400, "InvalidURI"), answer


# HTTP


def test_headers_beyond_measure(server: RealServer) -> None:
    """Refused or passed over, and the server lives on."""
    with Wire(server.port) as wire:
        wire.send(put("/bucket/big", b"x", X_Amz_Meta_A="y" * 3000))
        status, _, body = wire.answer()
        assert (status, xml(body.decode())["Code"]) == (400, "MetadataTooLarge")
    for huge in (b"X-A: " + b"y" * (2 << 20) + b"\r\n", b"".join(b"X-%d: y\r\n" % number for number in range(50_000))):
        with Wire(server.port) as wire:
            try:
                wire.send(b"GET /bucket/kept HTTP/1.1\r\nHost: h\r\nAuthorization: %s\r\n" % SCOPED + huge + b"\r\n")
                line = wire.line()
            except ConnectionError:
                line = b""
            assert line == b"" or line.split()[1] in (b"200", b"400", b"431"), line
    with Wire(server.port) as wire:
        try:
            wire.send(b"GET /" + b"a" * (2 << 20) + b" HTTP/1.1\r\nHost: h\r\n\r\n")
            line = wire.line()
        except ConnectionError:
            line = b""
        assert line == b"" or 400 <= int(line.split()[1]) < 500


SCOPED = b"AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=0"


@pytest.mark.parametrize(
    "data",
    [b"nonsense\r\n\r\n", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", b"GET\r\n\r\n", b"GET / HTTP/1.1\r\nContent-Length: -5\r\n\r\n",
     b"PUT /bucket/kept HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nContent-Length: 5\r\n\r\nabc",
     b"PUT /bucket/kept HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n"],
)  # fmt: skip
def test_what_is_no_http(server: RealServer, data: bytes) -> None:
    with Wire(server.port) as wire:
        wire.send(data)
        wire.half_close()
        line = wire.line()
        assert line == b"" or int(line.split()[1]) == 400
