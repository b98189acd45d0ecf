"""Through a real socket: boto3, and bytes written by hand."""

import boto3
import pytest
from botocore.config import Config
from tests.server.running import Server, Wire

from cumulet.server.connection import head_of
from cumulet.wire.http import Response

SCOPE = b"Authorization: AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=0\r\n"
CALL = b"POST / HTTP/1.1\r\nHost: h\r\nX-Amz-Target: AWSStepFunctions.ListStateMachines\r\nContent-Length: 2\r\n\r\n{}"


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with Server(tmp_path_factory.mktemp("data")) as server:
        yield server


@pytest.fixture
def wire(server):
    with Wire(server.port) as wire:
        yield wire


def put(key: str, length: int, extra: bytes = b"") -> bytes:
    return b"PUT /bucket/%s HTTP/1.1\r\nHost: h\r\n%sContent-Length: %d\r\n%s\r\n" % (
        key.encode(),
        SCOPE,
        length,
        extra,
    )


def client(server, service, **options):
    return boto3.client(
        service,
        endpoint_url=server.endpoint,
        region_name="us-east-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
        config=Config(retries={"total_max_attempts": 1}, s3={"addressing_style": "path"}),
        **options,
    )


def test_boto3(server):
    sts, s3 = client(server, "sts"), client(server, "s3")
    assert sts.get_caller_identity()["Account"] == "000000000000"
    body = bytes(range(256)) * 20_000
    s3.put_object(Bucket="bucket", Key="boto", Body=body)
    assert s3.get_object(Bucket="bucket", Key="boto")["Body"].read() == body
    assert s3.head_object(Bucket="bucket", Key="boto")["ContentLength"] == len(body)
    s3.delete_object(Bucket="bucket", Key="boto")
    for made in (sts, s3):
        made.close()


def test_one_connection_for_many(wire):
    for _ in range(3):
        wire.send(CALL)
        status, headers, body = wire.answer()
        assert (status, body) == (200, b'{"stateMachines":[]}')
        assert headers["content-length"] == "20"
        assert "date" in headers


def test_pipelining(wire):
    wire.send(CALL * 3 + put("piped", 3) + b"abc" + CALL)
    assert [wire.answer()[0] for _ in range(5)] == [200] * 5


def test_http_1_0(wire):
    wire.send(CALL.replace(b"HTTP/1.1", b"HTTP/1.0"))
    assert wire.answer()[0] == 200
    assert wire.closed()


def test_a_body_in_chunks(wire):
    wire.send(CALL.replace(b"Content-Length: 2", b"Transfer-Encoding: chunked")[:-2] + b"1\r\n{\r\n1\r\n}\r\n0\r\n\r\n")
    assert wire.answer()[0] == 200


@pytest.mark.parametrize("size", [0, 1, 70_000, 3_000_000])
def test_bodies_of_any_size(server, wire, size):
    body = b"x" * size
    wire.send(put("sized", size) + body)
    assert wire.answer()[0] == 200
    assert server.objects.kept.pop("sized") == body


def test_continue_is_granted_when_the_body_is_wanted(server, wire):
    wire.send(put("expected", 3, b"Expect: 100-continue\r\n"))
    assert wire.answer()[0] == 100
    wire.send(b"abc")
    assert wire.answer()[0] == 200
    assert server.objects.kept.pop("expected") == b"abc"


def test_a_refusal_comes_before_the_body(wire):
    wire.send(put("expected", 1 << 30, b"Expect: 100-continue\r\nX-Amz-Target: AWSStepFunctions.ListStateMachines\r\n"))
    status, headers, _ = wire.answer()
    assert (status, headers["connection"]) == (413, "close")
    assert wire.closed()


# Bodies that end early


def test_a_body_cut_short_by_a_client_that_listens(server, wire):
    wire.send(put("cut", 10) + b"abc")
    wire.half_close()
    status, headers, body = wire.answer()
    assert status == 400
    assert b"<Code>IncompleteBody</Code>" in body
    assert b"You did not provide the number of bytes specified by the Content-Length HTTP header" in body
    assert headers["connection"] == "close"
    assert "cut" not in server.objects.kept
    assert wire.closed()


def test_a_chunked_body_cut_short(server, wire):
    wire.send(put("cut", 0).replace(b"Content-Length: 0", b"Transfer-Encoding: chunked") + b"5\r\nabc")
    wire.half_close()
    status, _, body = wire.answer()
    assert (status, b"IncompleteBody" in body) == (400, True)
    assert "cut" not in server.objects.kept


def test_a_whole_body_cut_short(wire):
    wire.send(CALL[:-1])
    wire.half_close()
    status, _, body = wire.answer()
    assert (status, b"IncompleteBody" in body) == (400, True)


def test_a_client_that_goes_away_leaves_nothing(server):
    begun = server.objects.begun
    with Wire(server.port) as wire:
        wire.send(put("gone", 1 << 20) + b"x" * 100_000)
        server.wait_for(lambda: server.objects.begun > begun)
    with Wire(server.port) as wire:
        wire.send(CALL)
        assert wire.answer()[0] == 200
    assert "gone" not in server.objects.kept


def test_a_half_closed_client_gets_its_answer(wire):
    wire.send(CALL)
    wire.half_close()
    assert wire.answer()[0] == 200
    assert wire.closed()


# Answers in pieces


def test_a_reader_that_goes_away_ends_the_answer(server):
    stopped = server.objects.stopped
    with Wire(server.port) as wire:
        wire.send(b"GET /bucket/endless HTTP/1.1\r\nHost: h\r\n" + SCOPE + b"\r\n")
        assert wire.line().startswith(b"HTTP/1.1 200")
    server.wait_for(lambda: server.objects.stopped == stopped + 1)


def test_an_answer_that_breaks_is_not_made_to_look_whole(wire):
    wire.send(b"GET /bucket/broken HTTP/1.1\r\nHost: h\r\n" + SCOPE + b"\r\n")
    status, headers, body = wire.answer()
    assert (status, headers["content-length"], body) == (200, "100", b"x")


def test_head_has_the_length_and_no_body(server, wire):
    server.objects.kept["head"] = b"abc"
    for _ in range(2):
        wire.send(b"HEAD /bucket/head HTTP/1.1\r\nHost: h\r\n" + SCOPE + b"\r\n")
        status, headers, _ = wire.answer(head=True)
        assert (status, headers["content-length"]) == (200, "3")
    wire.send(b"HEAD /bucket/none HTTP/1.1\r\nHost: h\r\n" + SCOPE + b"\r\n")
    assert wire.answer(head=True)[0] == 404
    wire.send(CALL)
    assert wire.answer()[0] == 200


def test_no_content(wire):
    wire.send(b"DELETE /bucket/k HTTP/1.1\r\nHost: h\r\n" + SCOPE + b"\r\n")
    status, headers, _ = wire.answer()
    assert status == 204
    assert "content-length" not in headers
    assert "transfer-encoding" not in headers
    wire.send(CALL)
    assert wire.answer()[0] == 200


# Nonsense


@pytest.mark.parametrize(
    "data",
    [
        b"nonsense\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: x\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n",
    ],
)
def test_what_is_no_http(server, wire, data):
    wire.send(data)
    assert wire.answer()[0] == 400
    assert wire.closed()


def test_a_malformed_chunk(server, wire):
    wire.send(put("bad", 0).replace(b"Content-Length: 0", b"Transfer-Encoding: chunked") + b"xyz\r\nabc\r\n0\r\n\r\n")
    assert wire.answer()[0] == 400
    assert wire.closed()
    assert "bad" not in server.objects.kept


@pytest.mark.parametrize(
    "request_line, extra, status, code",
    [
        (b"POST /", b"X-Amz-Target: AWSStepFunctions.CreateActivity\r\n", 501, b"NotImplemented"),
        (b"POST /", b"X-Amz-Target: DynamoDB_20120810.ListTables\r\n", 501, b"NotImplemented"),
        (b"POST /", b"X-Amz-Target: AWSStepFunctions.Dance\r\n", 400, b"UnknownOperationException"),
        (b"PATCH /bucket/key", SCOPE, 405, b"MethodNotAllowed"),
        (b"GET /bucket?acl", SCOPE, 501, b"NotImplemented"),
        (b"GET /_cumulet/health", b"", 200, b"running"),
    ],
)
def test_what_is_unknown(wire, request_line, extra, status, code):
    wire.send(request_line + b" HTTP/1.1\r\nHost: h\r\n" + extra + b"Content-Length: 0\r\n\r\n")
    found, _, body = wire.answer()
    assert found == status
    assert code in body


def test_headers_of_an_upgrade_are_passed_over(wire):
    wire.send(CALL.replace(b"Host: h\r\n", b"Host: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"))
    assert wire.answer()[0] in (200, 400)


def test_pipelined_requests_of_a_half_closed_client_are_all_answered(wire):
    wire.send(CALL * 3)
    wire.half_close()
    assert [wire.answer()[0] for _ in range(3)] == [200] * 3
    assert wire.closed()


def test_nonsense_after_a_request_is_answered_after_it(wire):
    wire.send(CALL + b"nonsense\r\n\r\n")
    assert wire.answer()[0] == 200
    assert wire.answer()[0] == 400
    assert wire.closed()


def test_a_head_without_end(wire):
    wire.send(b"GET / HTTP/1.1\r\nHost: h\r\n" + b"X-Long: " + b"x" * 70_000)
    status, headers, _ = wire.answer()
    assert (status, headers["connection"]) == (431, "close")
    assert wire.closed()


def test_a_head_in_single_bytes(wire):
    for at in range(len(CALL)):
        wire.send(CALL[at : at + 1])
    assert wire.answer()[0] == 200


def test_connection_close_is_kept(wire):
    wire.send(CALL.replace(b"Host: h\r\n", b"Host: h\r\nConnection: close\r\n"))
    status, headers, _ = wire.answer()
    assert (status, headers["connection"]) == (200, "close")
    assert wire.closed()


def test_a_body_nobody_wanted_is_read_over(wire):
    wire.send(b"PUT /bucket/key?acl HTTP/1.1\r\nHost: h\r\n" + SCOPE + b"Content-Length: 3000000\r\n\r\n")
    assert wire.answer()[0] == 501
    wire.send(b"x" * 3_000_000 + CALL)
    assert wire.answer()[0] == 200


def test_an_absolute_target(wire):
    wire.send(CALL.replace(b"POST / ", b"POST http://h/ "))
    assert wire.answer()[0] == 200


def test_a_body_that_stops_coming(server, wire, monkeypatch):
    monkeypatch.setattr("cumulet.server.connection.STALLED", 0.01)
    wire.send(put("stalled", 10) + b"abc")
    status, _, body = wire.answer()
    assert (status, b"<Code>RequestTimeout</Code>" in body) == (400, True)
    assert "stalled" not in server.objects.kept


def test_an_idle_connection_is_closed(server, monkeypatch):
    monkeypatch.setattr("cumulet.server.connection.KEEP_ALIVE", 0.01)
    with Wire(server.port) as wire:
        assert wire.closed()


def test_a_slow_reader_is_waited_for(server, wire):
    server.objects.kept["large"] = body = bytes(range(256)) * 100_000
    wire.send(b"GET /bucket/large HTTP/1.1\r\nHost: h\r\n" + SCOPE + b"\r\n")
    status, _, found = wire.answer()
    assert (status, found == body) == (200, True)


def test_many_pipelined_requests_do_not_pile_up(wire):
    wire.send(CALL * 500)
    assert {wire.answer()[0] for _ in range(500)} == {200}


@pytest.mark.parametrize("value", ["a\r\nSet-Cookie: b", "a\nb", "a\rb", "a\0b"])
def test_no_header_breaks_out_of_its_line(value):
    with pytest.raises(ValueError, match="line end"):
        head_of(Response(200, [("x-amz-meta-a", value)]), 0, keep=True)
