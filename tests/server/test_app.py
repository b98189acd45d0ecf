"""A request's life, without a socket."""

import json
import logging

import pytest
from tests.server.fakes import Machines, Objects, Whoami, asked, s3, stream_of

from cumulet.base.clock import JumpClock
from cumulet.server.app import App
from cumulet.server.auth import Trusting
from cumulet.server.caller import Gate
from cumulet.server.keys import Keys
from cumulet.server.pages import pages_of
from cumulet.store.sqlite import SQLite
from cumulet.wire.http import Headers, Request

ARN = "arn:aws:states:us-east-1:000000000000:stateMachine:"


@pytest.fixture
async def app():
    database = await SQLite.open(":memory:")
    entropy = iter(range(1 << 30))
    keys = await Keys.open(database, JumpClock(), lambda size: next(entropy).to_bytes(size))
    gate = Gate(bytes)
    app = App(gate, Trusting(keys), bytes, pages_of(gate))
    app.machines, app.objects = Machines(), Objects()
    for service in (app.machines, app.objects, Whoami()):
        gate.add(service)
    yield app
    await database.close()


def told(response):
    return json.loads(response.body)


def header(response, name):
    return {key.lower(): value for key, value in response.headers}.get(name)


async def test_a_call_reaches_its_handler(app):
    response = await app.answer(asked("ListStateMachines"))
    assert (response.status, told(response)) == (200, {"stateMachines": []})
    assert header(response, "x-amzn-requestid") == "00000000-0000-4000-8000-000000000000"


async def test_the_call_says_who_where_and_through_which_door(app):
    scope = "AWS4-HMAC-SHA256 Credential=111122223333/20260101/ap-south-1/states/aws4_request, SignedHeaders=host, Signature=0"
    await app.answer(asked("ListStateMachines", authorization=scope))
    [call] = app.machines.calls
    assert (call.account, call.region, call.endpoint) == ("111122223333", "ap-south-1", "http://h:1")
    assert call.principal.arn == "arn:aws:iam::111122223333:root"
    assert call.headers.get("x-amz-target") == "AWSStepFunctions.ListStateMachines"


async def test_a_refusal_of_the_service(app):
    response = await app.answer(asked("DescribeStateMachine", json.dumps({"stateMachineArn": ARN + "gone"}).encode()))
    assert response.status == 400
    assert told(response)["__type"].endswith("StateMachineDoesNotExist")
    assert told(response)["message"] == f"State Machine Does Not Exist: '{ARN}gone'"


async def test_input_is_checked(app):
    response = await app.answer(asked("DescribeStateMachine", b"{}"))
    assert response.status == 400
    assert told(response)["__type"].endswith("ValidationException")
    assert app.machines.calls == []


@pytest.mark.parametrize("body", [b"{", b"[1]", b"\xff"])
async def test_what_is_no_json(app, body):
    response = await app.answer(asked("ListStateMachines", body))
    assert response.status == 400
    assert told(response)["__type"].endswith("SerializationException")
    assert app.machines.calls == []


async def test_our_own_mistake_is_an_internal_failure_and_a_line_in_the_log(app, caplog):
    with caplog.at_level(logging.ERROR):
        response = await app.answer(
            asked("DescribeStateMachine", json.dumps({"stateMachineArn": ARN + "bug"}).encode())
        )
    assert response.status == 500
    assert told(response)["__type"].endswith("InternalFailure")
    assert "a mistake of ours" not in response.body.decode()
    assert "RuntimeError: a mistake of ours" in caplog.text
    assert "00000000-0000-4000-8000-000000000000" in caplog.text


async def test_s3_has_a_word_of_its_own_for_it(app):
    response = await app.answer(s3("GET", "/bucket/none"))
    assert response.status == 500
    assert b"<Code>InternalError</Code>" in response.body
    assert header(response, "x-amz-request-id")
    assert header(response, "x-amz-id-2")


async def test_a_full_disk_is_told_plainly(app, caplog):
    response = await app.answer(asked("DescribeStateMachine", json.dumps({"stateMachineArn": ARN + "full"}).encode()))
    assert response.status == 507
    assert "the disk is full" in told(response)["message"]
    assert "Traceback" not in caplog.text


@pytest.mark.parametrize(
    "target, service",
    [("AWSStepFunctions.CreateActivity", "stepfunctions"), ("DynamoDB_20120810.ListTables", "dynamodb")],
)
async def test_what_we_do_not_have_is_refused_by_name(app, target, service):
    response = await app.answer(asked("", x_amz_target=target))
    assert response.status == 501
    assert told(response)["__type"].endswith("NotImplemented")
    assert f"{target.partition('.')[2]} of {service}" in told(response)["message"]


async def test_what_aws_does_not_have_is_unknown(app):
    response = await app.answer(asked("", x_amz_target="AWSStepFunctions.Dance"))
    assert (response.status, told(response)["__type"].rpartition("#")[2]) == (400, "UnknownOperationException")


async def test_a_query_call_in_a_form(app):
    headers = Headers([("content-type", "application/x-www-form-urlencoded"), ("host", "h")])
    body = b"Action=GetCallerIdentity&Version=2011-06-15"
    for request in (
        Request("POST", "/", "", headers, body),
        Request("POST", "/", "", headers, b"", stream_of(body[:10], body[10:])),
        Request("GET", "/", body.decode(), Headers([("host", "h")])),
    ):
        response = await app.answer(request)
        assert response.status == 200
        assert b"<Arn>arn:aws:iam::000000000000:root</Arn>" in response.body


async def test_a_whole_body_may_come_in_pieces(app):
    request = asked("ListStateMachines", b"", content_length="14")
    request.stream = stream_of(b'{"maxRes', b'ults": 1}')
    assert (await app.answer(request)).status == 200


async def test_a_body_beyond_the_limit(app):
    request = asked("ListStateMachines", b"", content_length=str(1 << 40))
    request.stream = stream_of(fail=AssertionError("it need not be read"))
    response = await app.answer(request)
    assert (response.status, told(response)["__type"].rpartition("#")[2]) == (413, "RequestEntityTooLargeException")
    request = asked("ListStateMachines", b"")
    request.stream = stream_of(*[b" " * (1 << 20)] * 80)
    assert (await app.answer(request)).status == 413
    request = s3("POST", "/bucket", query="delete", content_length=str(1 << 40))
    request.stream = stream_of()
    assert b"<Code>MaxMessageLengthExceeded</Code>" in (await app.answer(request)).body


async def test_own_pages(app):
    for path in ("/_cumulet/health", "/_localstack/health"):
        response = await app.answer(Request("GET", path, "", Headers()))
        assert response.status == 200
        assert told(response)["services"]["stepfunctions"] == "running"
        assert told(response)["version"]
    assert (await app.answer(Request("GET", "/_cumulet/none", "", Headers()))).status == 404


async def test_once_closing_all_is_put_off(app):
    app.closing = True
    response = await app.answer(asked("ListStateMachines"))
    assert (response.status, told(response)["__type"].rpartition("#")[2]) == (503, "ServiceUnavailable")


# Bodies of S3


async def test_a_streamed_body(app):
    request = s3("PUT", "/bucket/key", content_length="6", content_type="a/b")
    request.stream = stream_of(b"abc", b"def")
    assert (await app.answer(request)).status == 200
    assert app.objects.kept == {"key": b"abcdef"}
    assert app.objects.seen[0][1]["ContentLength"] == 6


async def test_an_empty_body(app):
    assert (await app.answer(s3("PUT", "/bucket/key"))).status == 200
    assert app.objects.kept == {"key": b""}


async def test_a_body_of_unknown_length(app):
    request = s3("PUT", "/bucket/key")
    request.headers = Headers([field for field in request.headers if field[0] != "content-length"])
    response = await app.answer(request)
    assert (response.status, b"<Code>MissingContentLength</Code>" in response.body) == (411, True)
    assert app.objects.kept == {}


async def test_the_service_sees_no_wrapping(app):
    body = b"3\r\nabc\r\n0\r\n\r\n"
    request = s3(
        "PUT", "/b/k", body, content_encoding="aws-chunked,gzip", x_amz_decoded_content_length="3", content_length="15"
    )
    assert (await app.answer(request)).status == 200
    assert app.objects.kept == {"k": b"abc"}
    assert app.objects.seen[0][1]["ContentLength"] == 3
    assert app.objects.seen[0][1]["ContentEncoding"] == "gzip"
    request = s3(
        "PUT", "/b/k", body, x_amz_content_sha256="STREAMING-UNSIGNED-PAYLOAD-TRAILER", x_amz_decoded_content_length="3"
    )
    assert (await app.answer(request)).status == 200
    assert "ContentEncoding" not in app.objects.seen[1][1]


@pytest.mark.parametrize(
    "headers, body, code",
    [
        ({"x_amz_content_sha256": "0" * 64}, b"abc", b"XAmzContentSHA256Mismatch"),
        (
            {"content_encoding": "aws-chunked", "x_amz_decoded_content_length": "4"},
            b"3\r\nabc\r\n0\r\n\r\n",
            b"IncompleteBody",
        ),
        ({"content_encoding": "aws-chunked"}, b"0\r\n\r\n", b"MissingContentLength"),
        (
            {"content_encoding": "aws-chunked", "x_amz_decoded_content_length": "many"},
            b"0\r\n\r\n",
            b"MissingContentLength",
        ),
    ],
)
async def test_a_body_that_is_not_as_promised_is_not_kept(app, headers, body, code):
    response = await app.answer(s3("PUT", "/bucket/key", body, **headers))
    assert b"<Code>" + code + b"</Code>" in response.body
    assert app.objects.kept == {}


DELETE = b'<Delete xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Object><Key>a</Key></Object></Delete>'


@pytest.mark.parametrize(
    "headers, status, code",
    [
        ({}, 200, b""),
        ({"content_md5": "2XXGIbuPKPbBX5tVNkhAmg=="}, 400, b"BadDigest"),
        ({"content_md5": "short"}, 400, b"InvalidDigest"),
        ({"content_md5": "YWJj"}, 400, b"InvalidDigest"),
        ({"x_amz_checksum_crc32": "AAAAAA=="}, 400, b"BadDigest"),
        ({"x_amz_checksum_crc32": "AAAA"}, 400, b"InvalidRequest"),
        ({"x_amz_content_sha256": "0" * 64}, 400, b"XAmzContentSHA256Mismatch"),
    ],
)
async def test_a_whole_body_is_compared_with_its_headers(app, headers, status, code):
    response = await app.answer(s3("POST", "/bucket", DELETE, "delete", **headers))
    assert response.status == status
    assert code in response.body


async def test_right_digests_pass(app):
    import hashlib
    import zlib
    from base64 import b64encode

    headers = {
        "content_md5": b64encode(hashlib.md5(DELETE).digest()).decode(),
        "x_amz_checksum_crc32": b64encode(zlib.crc32(DELETE).to_bytes(4)).decode(),
        "x_amz_content_sha256": hashlib.sha256(DELETE).hexdigest(),
    }
    assert (await app.answer(s3("POST", "/bucket", DELETE, "delete", **headers))).status == 200
