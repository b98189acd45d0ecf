"""Bodies of objects that are not what was said of them: cut short, altered, wrongly framed. The old object stays."""

import base64
import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.faults.given import bare, exchange, head, put, xml
from tests.real_server import RealServer, running
from tests.server.running import Wire

pytestmark = pytest.mark.real

OLD = b"old" * 20_000
SIZES = (5, 40_000, 2 << 20)
INCOMPLETE = "You did not provide the number of bytes specified by the Content-Length HTTP header."


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealServer]:
    with running(tmp_path_factory.mktemp("bad-bodies")) as started:
        s3 = started.client("s3")
        s3.create_bucket(Bucket="bucket")
        s3.put_object(Bucket="bucket", Key="kept", Body=OLD, Metadata={"a": "b"})
        yield started


@pytest.fixture(autouse=True)
def nothing_changed(server: RealServer) -> Iterator[None]:
    """Whatever a test did, the one object is there, as it was, and no file beside its own."""
    yield
    s3 = bare(server, "s3")
    assert [item["Key"] for item in s3.list_objects_v2(Bucket="bucket").get("Contents", [])] == ["kept"]
    assert "Uploads" not in s3.list_multipart_uploads(Bucket="bucket")
    found = s3.get_object(Bucket="bucket", Key="kept")
    assert (found["Body"].read(), found["Metadata"]) == (OLD, {"a": "b"})
    while len(files(server.folder)) > 1:  # a put that was hung up on tidies up when it hears of it
        pass


def files(folder: Path) -> list[Path]:
    return [path for path in (folder / "data" / "blobs").rglob("*") if path.is_file()]


def md5(body: bytes) -> str:
    return base64.b64encode(hashlib.md5(body).digest()).decode()


@pytest.mark.parametrize("key", ["kept", "new"])
@pytest.mark.parametrize("size", SIZES)
def test_a_body_shorter_than_its_length_from_one_who_listens(server: RealServer, size: int, key: str) -> None:
    status, _, answer = exchange(server, head(f"PUT /bucket/{key}", Content_Length=size + 1) + b"x" * size)
    assert (status, xml(answer)["Code"], xml(answer)["Message"]) == (400, "IncompleteBody", INCOMPLETE)


@pytest.mark.parametrize("size", SIZES)
def test_a_body_whose_sender_hangs_up(server: RealServer, size: int) -> None:
    with Wire(server.port) as wire:
        wire.send(head("PUT /bucket/kept", Content_Length=size + 1) + b"x" * size)
    with Wire(server.port) as wire:
        wire.send(head("PUT /bucket/new", Content_Length=size + 1) + b"x" * size)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("key", ["kept", "new"])
@pytest.mark.parametrize(
    "headers, code",
    [
        ({"Content_MD5": md5(b"other")}, "BadDigest"),
        ({"Content_MD5": "nonsense"}, "InvalidDigest"),
        ({"Content_MD5": base64.b64encode(b"short").decode()}, "InvalidDigest"),
        ({"X_Amz_Checksum_Crc32": "AAAAAA=="}, "BadDigest"),
        ({"X_Amz_Checksum_Sha256": base64.b64encode(bytes(32)).decode()}, "BadDigest"),
        ({"X_Amz_Checksum_Crc64nvme": base64.b64encode(bytes(8)).decode()}, "BadDigest"),
        ({"X_Amz_Checksum_Crc32": "AAAAAAA="}, "InvalidRequest"),
        ({"X_Amz_Checksum_Sha1": "?"}, "InvalidRequest"),
        ({"X_Amz_Content_Sha256": "0" * 64}, "XAmzContentSHA256Mismatch"),
    ],
)
def test_a_digest_that_is_not_the_bodys(
    server: RealServer, headers: dict[str, str], code: str, size: int, key: str
) -> None:
    status, _, answer = exchange(server, put(f"/bucket/{key}", b"x" * size, **headers))
    assert (status, xml(answer)["Code"]) == (400, code), answer
    assert xml(answer)["Message"]


CHUNKED: dict[str, Any] = {
    "Content_Encoding": "aws-chunked",
    "X_Amz_Content_Sha256": "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
    "X_Amz_Trailer": "x-amz-checksum-crc32",
    "X_Amz_Decoded_Content_Length": 5,
}


@pytest.mark.parametrize(
    "framed, headers, code",
    [
        (b"5\r\nhello\r\n0\r\nx-amz-checksum-crc32:AAAAAA==\r\n\r\n", {}, "BadDigest"),
        (b"5\r\nhello\r\n0\r\nx-amz-checksum-crc32:nonsense\r\n\r\n", {}, "InvalidRequest"),
        (b"5\r\nhello\r\n0\r\nx-amz-checksum-sha1:AAAAAA==\r\n\r\n", {}, "MalformedTrailerError"),
        (b"5\r\nhello\r\n0\r\n\r\n", {}, "MalformedTrailerError"),
        (b"5\r\nhello\r\n", {}, "IncompleteBody"),
        (b"5\r\nhel", {}, "IncompleteBody"),
        (b"4\r\nhell\r\n0\r\nx-amz-checksum-crc32:AAAAAA==\r\n\r\n", {}, "IncompleteBody"),
        (b"zz\r\nhello\r\n0\r\n\r\n", {}, "IncompleteBody"),
        (b"hello", {}, "IncompleteBody"),
        (b"", {}, "IncompleteBody"),
        (b"5\r\nhelloXX0\r\n\r\n", {}, "IncompleteBody"),
        (b"5\r\nhello\r\n0\r\n\r\n", {"X_Amz_Decoded_Content_Length": "x"}, "MissingContentLength"),
        (b"5\r\nhello\r\n0\r\n\r\n", {"X_Amz_Decoded_Content_Length": ""}, "MissingContentLength"),
    ],
)
def test_broken_framing(server: RealServer, framed: bytes, headers: dict[str, str], code: str) -> None:
    status, _, answer = exchange(server, put("/bucket/kept", framed, **{**CHUNKED, **headers}))
    assert 400 <= status < 500
    assert xml(answer)["Code"] == code, answer


def test_a_part_that_is_not_what_it_said_is_no_part(server: RealServer) -> None:
    s3 = bare(server, "s3")
    upload = s3.create_multipart_upload(Bucket="bucket", Key="many")["UploadId"]
    path = f"/bucket/many?partNumber=1&uploadId={upload}"
    for request in (
        put(path, b"x" * 40_000, Content_MD5=md5(b"other")),
        head(f"PUT {path}", Content_Length=50_000) + b"x" * 40_000,
    ):
        assert exchange(server, request)[0] == 400
    assert "Parts" not in s3.list_parts(Bucket="bucket", Key="many", UploadId=upload)
    s3.abort_multipart_upload(Bucket="bucket", Key="many", UploadId=upload)


def test_a_put_without_a_length(server: RealServer) -> None:
    status, _, answer = exchange(server, head("PUT /bucket/new"))
    assert (status, xml(answer).get("Code")) == (411, "MissingContentLength"), answer


def test_slow_senders_hold_nobody_up(server: RealServer) -> None:
    """Fifty requests that stop in their middle, at every place where one can stop, and others are served."""
    whole = put("/bucket/slow", b"x" * 100_000)
    states = head("POST /", "states", X_Amz_Target="AWSStepFunctions.ListStateMachines", Content_Length=2) + b"{"
    stops = [whole[:1], whole[:30], whole[:-90_000], whole[:-1], states] * 10
    wires = [Wire(server.port) for _ in stops]
    for wire, begun in zip(wires, stops, strict=True):
        wire.send(begun)
    s3 = bare(server, "s3")
    for number in range(5):
        s3.put_object(Bucket="bucket", Key=f"quick/{number}", Body=b"y" * 100_000)
        s3.delete_object(Bucket="bucket", Key=f"quick/{number}")
    assert bare(server, "stepfunctions").list_state_machines()["stateMachines"] == []
    for wire in wires:
        wire.__exit__()


def test_a_slow_sender_who_goes_on_is_answered(server: RealServer) -> None:
    body = b"x" * 100_000
    with Wire(server.port) as slow:
        whole = put("/bucket/slow", body)
        slow.send(whole[:-50_000])
        assert len(bare(server, "s3").list_objects_v2(Bucket="bucket")["Contents"]) == 1
        slow.send(whole[-50_000:])
        assert slow.answer()[0] == 200
    s3 = bare(server, "s3")
    assert s3.get_object(Bucket="bucket", Key="slow")["Body"].read() == body
    s3.delete_object(Bucket="bucket", Key="slow")
