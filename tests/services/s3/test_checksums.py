"""Checksums: kept, told, and held against what comes."""

import hashlib
import zlib
from base64 import b64encode

import pytest
from awscrt import checksums as crt

from cumulet.services.s3.digests import Promise, read_promise
from cumulet.services.s3.errors import InvalidRequest
from cumulet.wire.http import Headers

BODY = b"0123456789" * 5000


def text(value: int, size: int) -> str:
    return b64encode(value.to_bytes(size)).decode()


SUMS = {
    "CRC32": text(zlib.crc32(BODY), 4),
    "CRC32C": text(crt.crc32c(BODY), 4),
    "CRC64NVME": text(crt.crc64nvme(BODY), 8),
    "SHA1": b64encode(hashlib.sha1(BODY).digest()).decode(),
    "SHA256": b64encode(hashlib.sha256(BODY).digest()).decode(),
}


@pytest.fixture
async def plain(quick_cloud):
    """A client that adds no checksums of its own."""
    made = quick_cloud.client(
        request_checksum_calculation="when_required", response_checksum_validation="when_required"
    )
    await made.create_bucket(Bucket="bucket")
    return made


@pytest.mark.parametrize("algorithm", SUMS)
async def test_a_checksum_is_verified_kept_and_told(plain, algorithm):
    member = f"Checksum{algorithm}"
    put = await plain.put_object(Bucket="bucket", Key="key", Body=BODY, **{member: SUMS[algorithm]})
    assert (put[member], put["ChecksumType"]) == (SUMS[algorithm], "FULL_OBJECT")
    for operation in ("get_object", "head_object"):
        told = await getattr(plain, operation)(Bucket="bucket", Key="key", ChecksumMode="ENABLED")
        assert (told[member], told["ChecksumType"]) == (SUMS[algorithm], "FULL_OBJECT")
        assert member not in await getattr(plain, operation)(Bucket="bucket", Key="key")
    ranged = await plain.get_object(Bucket="bucket", Key="key", ChecksumMode="ENABLED", Range="bytes=0-9")
    assert member not in ranged
    listed = (await plain.list_objects_v2(Bucket="bucket"))["Contents"][0]
    assert (listed["ChecksumAlgorithm"], listed["ChecksumType"]) == ([algorithm], "FULL_OBJECT")


@pytest.mark.parametrize("algorithm", SUMS)
async def test_another_body_is_refused(plain, quick_cloud, algorithm):
    await plain.put_object(Bucket="bucket", Key="key", Body=b"old")
    claimed = {f"Checksum{algorithm}": SUMS[algorithm]}
    for body in (BODY[:-1] + b"!", b"short"):
        refusal = await plain.refused("put_object", Bucket="bucket", Key="key", Body=body, **claimed)
        assert (refusal.code, refusal.status) == ("BadDigest", 400)
        assert refusal.message == f"The {algorithm} you specified did not match the calculated checksum."
    assert (await plain.get_object(Bucket="bucket", Key="key"))["Body"] == b"old"
    assert await quick_cloud.blob_names() == set()


async def test_without_any_crc64nvme_is_kept(plain):
    await plain.put_object(Bucket="bucket", Key="key", Body=BODY)
    told = await plain.head_object(Bucket="bucket", Key="key", ChecksumMode="ENABLED")
    assert told["ChecksumCRC64NVME"] == SUMS["CRC64NVME"]


async def test_content_md5(plain, quick_cloud):
    right, wrong = (b64encode(hashlib.md5(data).digest()).decode() for data in (BODY, b"other"))
    await plain.put_object(Bucket="bucket", Key="key", Body=BODY, ContentMD5=right)
    refusal = await plain.refused("put_object", Bucket="bucket", Key="key", Body=BODY, ContentMD5=wrong)
    assert (refusal.code, refusal.message) == (
        "BadDigest",
        "The Content-MD5 you specified did not match what we received.",
    )
    assert refusal.extra["CalculatedDigest"] == right
    assert len(await quick_cloud.blob_names()) == 1


@pytest.mark.parametrize(
    "claims, code, message",
    [
        ({"ChecksumCRC32": "nonsense"}, "InvalidRequest", "Value for x-amz-checksum-crc32 header is invalid."),
        ({"ChecksumSHA1": SUMS["CRC32"]}, "InvalidRequest", "Value for x-amz-checksum-sha1 header is invalid."),
        (
            {"ChecksumSHA1": SUMS["SHA1"], "ChecksumCRC32": SUMS["CRC32"]},
            "InvalidRequest",
            "Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.",
        ),
        ({"ChecksumXXHASH64": "AAAAAAAAAAA="}, "NotImplemented", None),
    ],
)
async def test_claims_that_cannot_be(plain, claims, code, message):
    refusal = await plain.refused("put_object", Bucket="bucket", Key="key", Body=BODY, **claims)
    assert refusal.code == code
    assert message in (None, refusal.message)
    assert (await plain.refused("head_object", Bucket="bucket", Key="key")).status == 404


@pytest.mark.parametrize(
    "input, headers, message",
    [
        (
            {"ChecksumAlgorithm": "CRC32"},
            [("x-amz-sdk-checksum-algorithm", "CRC32")],
            (
                "x-amz-sdk-checksum-algorithm specified, but no corresponding "
                "x-amz-checksum-* or x-amz-trailer headers were found."
            ),
        ),
        (
            {"ChecksumAlgorithm": "CRC32", "ChecksumSHA1": SUMS["SHA1"]},
            [("x-amz-sdk-checksum-algorithm", "CRC32")],
            "Value for x-amz-sdk-checksum-algorithm header is invalid.",
        ),
        (
            {"ChecksumAlgorithm": "CRC32"},
            [("x-amz-trailer", "x-amz-checksum-sha256")],
            "Value for x-amz-sdk-checksum-algorithm header is invalid.",
        ),
    ],
)
def test_promises_that_contradict_themselves(input, headers, message):
    with pytest.raises(InvalidRequest) as caught:
        read_promise(input, Headers(headers))
    assert caught.value.message == message


def test_promises():
    assert read_promise({}, Headers()) == Promise("CRC64NVME")
    assert read_promise({"ChecksumAlgorithm": "SHA1"}, Headers()) == Promise("SHA1", chosen=True)
    trailing = Headers([("x-amz-trailer", "x-amz-checksum-crc32c")])
    assert read_promise({"ChecksumAlgorithm": "CRC32C"}, trailing) == Promise("CRC32C", chosen=True)
