"""Multipart uploads, from their beginning to their end or abort."""

import asyncio
import hashlib
import random
import zlib
from base64 import b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cumulet.services.s3.combining import combined
from cumulet.services.s3.digests import Meter
from cumulet.services.s3.records import Part

MIB = 1024**2
FIRST = random.Random(3).randbytes(5 * MIB)
LAST = b"the end"


class Draft:
    """An upload under way."""

    def __init__(self, s3, key: str) -> None:
        self.s3 = s3
        self.place = {"Bucket": "bucket", "Key": key}
        self.parts: list[dict] = []

    async def begin(self, **more) -> "Draft":
        self.made = await self.s3.create_multipart_upload(**self.place, **more)
        self.place["UploadId"] = self.made["UploadId"]
        return self

    async def part(self, number: int, body: bytes, **more) -> dict:
        reply = await self.s3.upload_part(**self.place, PartNumber=number, Body=body, **more)
        sums = {name: value for name, value in reply.items() if name.startswith("Checksum")}
        self.parts.append({"PartNumber": number, "ETag": reply["ETag"], **sums})
        return reply

    async def complete(self, **more) -> dict:
        return await self.s3.complete_multipart_upload(
            **self.place, **{"MultipartUpload": {"Parts": self.parts}, **more}
        )


def etag_of(*bodies: bytes) -> str:
    joined = b"".join(hashlib.md5(body).digest() for body in bodies)
    return f'"{hashlib.md5(joined).hexdigest()}-{len(bodies)}"'


@pytest.fixture
async def plain(quick_cloud):
    """A client that adds no checksums of its own."""
    made = quick_cloud.client(
        request_checksum_calculation="when_required", response_checksum_validation="when_required"
    )
    await made.create_bucket(Bucket="bucket")
    return made


async def test_an_upload_becomes_an_object(s3, cloud):
    draft = await Draft(s3, "big").begin(ContentType="text/plain", Metadata={"a": "1"}, Tagging="t=1")
    assert draft.made["ServerSideEncryption"] == "AES256"
    await draft.part(1, b"to be replaced" * 9000)
    draft.parts.clear()
    await draft.part(1, FIRST)
    await draft.part(7, LAST)
    await s3.upload_part(**draft.place, PartNumber=9, Body=b"not named" * 9000)
    assert (await s3.refused("head_object", Bucket="bucket", Key="big")).status == 404
    done = await draft.complete()
    assert done["ETag"] == etag_of(FIRST, LAST)
    assert done["Location"].endswith("/bucket/big")
    got = await s3.get_object(Bucket="bucket", Key="big")
    assert (got["Body"] == FIRST + LAST, got["ETag"]) == (True, done["ETag"])
    assert (got["ContentType"], got["Metadata"], got["TagCount"]) == ("text/plain", {"a": "1"}, 1)
    assert len(await cloud.blob_names()) == 1

    ranged = await s3.get_object(Bucket="bucket", Key="big", Range=f"bytes={5 * MIB - 2}-{5 * MIB + 2}")
    assert ranged["Body"] == FIRST[-2:] + LAST[:3]
    part = await s3.get_object(Bucket="bucket", Key="big", PartNumber=7)
    assert (part["Body"], part["PartsCount"], part["status"]) == (LAST, 2, 206)
    assert (await s3.refused("get_object", Bucket="bucket", Key="big", PartNumber=2)).code == "InvalidPartNumber"

    assert (await draft.complete())["ETag"] == done["ETag"]
    assert (await s3.refused("upload_part", **draft.place, PartNumber=3, Body=b"")).code == "NoSuchUpload"
    assert (await s3.refused("abort_multipart_upload", **draft.place)).code == "NoSuchUpload"
    draft.parts.pop()
    wrong = {"MultipartUpload": {"Parts": draft.parts}}
    assert (await s3.refused("complete_multipart_upload", **draft.place, **wrong)).code == "NoSuchUpload"

    await s3.delete_object(Bucket="bucket", Key="big")
    assert await cloud.blob_names() == set()
    assert [await cloud.rows(table) for table in ("s3_pieces", "s3_parts", "s3_uploads")] == [0, 0, 0]
    assert (await s3.refused("complete_multipart_upload", **draft.place, **wrong)).code == "NoSuchUpload"


async def test_aborting_leaves_nothing(s3, cloud):
    draft = await Draft(s3, "big").begin()
    await draft.part(1, FIRST)
    assert (await s3.abort_multipart_upload(**draft.place))["status"] == 204
    assert (await s3.refused("abort_multipart_upload", **draft.place)).code == "NoSuchUpload"
    assert await cloud.blob_names() == set()
    assert [await cloud.rows(table) for table in ("s3_pieces", "s3_parts", "s3_uploads")] == [0, 0, 0]
    await s3.delete_bucket(Bucket="bucket")


async def test_a_bucket_goes_with_its_open_uploads(s3, cloud):
    draft = await Draft(s3, "big").begin()
    await draft.part(1, FIRST)
    await s3.delete_bucket(Bucket="bucket")
    assert await cloud.blob_names() == set()
    assert await cloud.rows("s3_uploads") == 0


async def test_parts_that_do_not_fit(quick):
    draft = await Draft(quick, "big").begin()
    await draft.part(1, b"too small")
    await draft.part(2, LAST)
    first, second = draft.parts

    async def refused(*parts, **more):
        named = {"MultipartUpload": {"Parts": list(parts)}}
        return await quick.refused("complete_multipart_upload", **draft.place, **named, **more)

    small = await refused(first, second)
    assert (small.code, small.extra["PartNumber"], small.extra["MinSizeAllowed"]) == ("EntityTooSmall", "1", "5242880")
    assert (await refused(second, first)).code == "InvalidPartOrder"
    assert (await refused(second, second)).code == "InvalidPartOrder"
    assert (await refused({**second, "ETag": '"other"'})).code == "InvalidPart"
    assert (await refused({**second, "PartNumber": 3})).code == "InvalidPart"
    assert (await refused({**second, "ChecksumCRC32": "AAAAAA=="})).code == "InvalidPart"
    assert (await refused()).code == "MalformedXML"
    assert (await refused({"PartNumber": 2})).code == "MalformedXML"
    assert (await refused(second, MpuObjectSize=3)).code == "InvalidRequest"
    assert (await refused(second, IfMatch='"x"')).code == "NoSuchKey"
    assert (await quick.refused("head_object", Bucket="bucket", Key="big")).status == 404
    draft.parts = [second]
    assert (await draft.complete())["ETag"] == etag_of(LAST)


async def test_conditions_of_completing(quick):
    await quick.put_object(Bucket="bucket", Key="big", Body=b"old")
    draft = await Draft(quick, "big").begin()
    await draft.part(1, LAST)
    named = {"MultipartUpload": {"Parts": draft.parts}}
    refusal = await quick.refused("complete_multipart_upload", **draft.place, **named, IfNoneMatch="*")
    assert (refusal.code, refusal.status) == ("PreconditionFailed", 412)
    assert (await quick.get_object(Bucket="bucket", Key="big"))["Body"] == b"old"
    await draft.complete()
    assert (await quick.get_object(Bucket="bucket", Key="big"))["Body"] == LAST


async def test_uploads_that_are_none(quick):
    draft = await Draft(quick, "big").begin()
    for place in ({**draft.place, "UploadId": "none"}, {**draft.place, "Key": "other"}):
        for operation, more in (
            ("upload_part", {"PartNumber": 1, "Body": b""}),
            ("list_parts", {}),
            ("abort_multipart_upload", {}),
            ("complete_multipart_upload", {"MultipartUpload": {"Parts": [{"PartNumber": 1, "ETag": "x"}]}}),
        ):
            assert (await quick.refused(operation, **place, **more)).code == "NoSuchUpload"
    for number in (0, 10_001):
        refusal = await quick.refused("upload_part", **draft.place, PartNumber=number, Body=b"")
        assert (refusal.code, refusal.message) == (
            "InvalidArgument",
            "Part number must be an integer between 1 and 10000, inclusive",
        )


async def test_parts_from_other_objects(s3, cloud):
    await s3.put_object(Bucket="bucket", Key="source", Body=FIRST)
    before = await cloud.blob_names()
    draft = await Draft(s3, "big").begin()
    for number, span in ((1, None), (2, "bytes=10-99999"), (3, "bytes=0-4")):
        more = {} if span is None else {"CopySourceRange": span}
        if number == 2:
            span_body = FIRST[10:100_000]
        reply = await s3.upload_part_copy(**draft.place, PartNumber=number, CopySource="bucket/source", **more)
        draft.parts.append({"PartNumber": number, "ETag": reply["CopyPartResult"]["ETag"]})
    assert await cloud.blob_names() == before
    del draft.parts[2]
    assert (await draft.complete())["ETag"] == etag_of(FIRST, span_body)
    await s3.delete_object(Bucket="bucket", Key="source")
    assert (await s3.get_object(Bucket="bucket", Key="big"))["Body"] == FIRST + span_body
    copied = await s3.copy_object(Bucket="bucket", Key="copy", CopySource="bucket/big")
    assert copied["CopyObjectResult"]["ETag"] == f'"{hashlib.md5(FIRST + span_body).hexdigest()}"'
    await s3.delete_objects(Bucket="bucket", Delete={"Objects": [{"Key": "big"}]})
    assert (await s3.get_object(Bucket="bucket", Key="copy"))["Body"] == FIRST + span_body
    await s3.delete_object(Bucket="bucket", Key="copy")
    assert await cloud.blob_names() == set()


@pytest.mark.parametrize("span", ["bytes=0-5000", "bytes=2-1", "bytes=-5", "0-1"])
async def test_ranges_of_parts_are_strict(quick, span):
    await quick.put_object(Bucket="bucket", Key="source", Body=b"x" * 100)
    draft = await Draft(quick, "big").begin()
    copy = {"PartNumber": 1, "CopySource": "bucket/source", "CopySourceRange": span}
    assert (await quick.refused("upload_part_copy", **draft.place, **copy)).code == "InvalidArgument"


async def test_listing_parts(s3):
    draft = await Draft(s3, "big").begin(StorageClass="STANDARD_IA")
    for number in (4, 2, 9):
        await draft.part(number, b"x" * number)
    page = await s3.list_parts(**draft.place, MaxParts=2)
    assert [(part["PartNumber"], part["Size"]) for part in page["Parts"]] == [(2, 2), (4, 4)]
    assert (page["IsTruncated"], page["NextPartNumberMarker"], page["StorageClass"]) == (True, 4, "STANDARD_IA")
    rest = await s3.list_parts(**draft.place, PartNumberMarker=4)
    assert [part["PartNumber"] for part in rest["Parts"]] == [9]
    assert rest["IsTruncated"] is False


async def test_listing_uploads(s3, clock):
    ids = {}
    for key in ("a/1", "a/1", "a/2", "b", "c/1"):
        draft = await Draft(s3, key).begin()
        ids.setdefault(key, []).append(draft.place["UploadId"])
        clock.jump(1)
    listed = await s3.list_multipart_uploads(Bucket="bucket")
    assert [(each["Key"], each["UploadId"]) for each in listed["Uploads"]] == [
        (key, id_) for key, found in ids.items() for id_ in found
    ]
    top = await s3.list_multipart_uploads(Bucket="bucket", Delimiter="/")
    assert [each["Key"] for each in top["Uploads"]] == ["b"]
    assert [each["Prefix"] for each in top["CommonPrefixes"]] == ["a/", "c/"]
    inner = await s3.list_multipart_uploads(Bucket="bucket", Prefix="a/")
    assert len(inner["Uploads"]) == 3
    found, marker = [], {}
    while True:
        page = await s3.list_multipart_uploads(Bucket="bucket", MaxUploads=1, **marker)
        found += [each["UploadId"] for each in page["Uploads"]]
        if not page["IsTruncated"]:
            break
        marker = {"KeyMarker": page["NextKeyMarker"], "UploadIdMarker": page["NextUploadIdMarker"]}
    assert found == [id_ for each in ids.values() for id_ in each]
    after = await s3.list_multipart_uploads(Bucket="bucket", KeyMarker="a/1")
    assert [each["Key"] for each in after["Uploads"]] == ["a/2", "b", "c/1"]
    found, marker = [], {}
    while True:
        page = await s3.list_multipart_uploads(Bucket="bucket", MaxUploads=1, Delimiter="/", **marker)
        found += [each["Key"] for each in page.get("Uploads", [])]
        found += [each["Prefix"] for each in page.get("CommonPrefixes", [])]
        if not page["IsTruncated"]:
            break
        marker = {"KeyMarker": page["NextKeyMarker"], "UploadIdMarker": page["NextUploadIdMarker"]}
    assert found == ["a/", "b", "c/"]


# Checksums.


def b64(data: bytes) -> str:
    return b64encode(data).decode()


async def test_composite(plain):
    draft = await Draft(plain, "big").begin(ChecksumAlgorithm="SHA256")
    assert (draft.made["ChecksumAlgorithm"], draft.made["ChecksumType"]) == ("SHA256", "COMPOSITE")
    digests = [hashlib.sha256(body).digest() for body in (FIRST, LAST)]
    await draft.part(1, FIRST, ChecksumSHA256=b64(digests[0]))
    await draft.part(2, LAST)
    assert draft.parts[1]["ChecksumSHA256"] == b64(digests[1])
    listed = await plain.list_parts(**draft.place)
    assert listed["ChecksumAlgorithm"] == "SHA256"
    assert listed["Parts"][0]["ChecksumSHA256"] == b64(digests[0])
    bare = [{"PartNumber": part["PartNumber"], "ETag": part["ETag"]} for part in draft.parts]
    refusal = await plain.refused("complete_multipart_upload", **draft.place, MultipartUpload={"Parts": bare})
    assert refusal.code == "InvalidRequest"
    assert refusal.message.startswith("The upload was created using a sha256 checksum.")
    done = await draft.complete()
    whole = b64(hashlib.sha256(b"".join(digests)).digest())
    assert (done["ChecksumSHA256"], done["ChecksumType"]) == (f"{whole}-2", "COMPOSITE")
    wanted = ["Checksum", "ObjectParts"]
    told = await plain.get_object_attributes(Bucket="bucket", Key="big", ObjectAttributes=wanted, MaxParts=1)
    assert told["Checksum"]["ChecksumSHA256"] == f"{whole}-2"
    assert (told["ObjectParts"]["TotalPartsCount"], told["ObjectParts"]["IsTruncated"]) == (2, True)
    assert told["ObjectParts"]["Parts"] == [{"PartNumber": 1, "Size": 5 * MIB, "ChecksumSHA256": b64(digests[0])}]
    part = await plain.get_object(Bucket="bucket", Key="big", PartNumber=2, ChecksumMode="ENABLED")
    assert part["ChecksumSHA256"] == b64(digests[1])


async def test_full_object(plain):
    draft = await Draft(plain, "big").begin(ChecksumAlgorithm="CRC32", ChecksumType="FULL_OBJECT")
    await draft.part(1, FIRST)
    await draft.part(2, LAST)
    whole = b64(zlib.crc32(FIRST + LAST).to_bytes(4))
    named = {"MultipartUpload": {"Parts": draft.parts}}
    for claim in ({"ChecksumCRC32": "AAAAAA=="}, {"ChecksumType": "COMPOSITE"}):
        assert (await plain.refused("complete_multipart_upload", **draft.place, **named, **claim)).code == "BadDigest"
    done = await draft.complete(ChecksumCRC32=whole, MpuObjectSize=5 * MIB + len(LAST))
    assert (done["ChecksumCRC32"], done["ChecksumType"]) == (whole, "FULL_OBJECT")
    got = await plain.get_object(Bucket="bucket", Key="big", ChecksumMode="ENABLED")
    assert (got["ChecksumCRC32"], got["Body"] == FIRST + LAST) == (whole, True)


@pytest.mark.parametrize(
    "kind, code",
    [
        ({"ChecksumAlgorithm": "SHA1", "ChecksumType": "FULL_OBJECT"}, "InvalidRequest"),
        ({"ChecksumAlgorithm": "CRC64NVME", "ChecksumType": "COMPOSITE"}, "InvalidRequest"),
        ({"ChecksumType": "COMPOSITE"}, "InvalidRequest"),
        ({"ChecksumAlgorithm": "CRC32", "ChecksumType": "HALF"}, "InvalidArgument"),
        ({"ChecksumAlgorithm": "CRC16"}, "InvalidRequest"),
    ],
)
async def test_kinds_that_cannot_be(plain, kind, code):
    assert (await plain.refused("create_multipart_upload", Bucket="bucket", Key="big", **kind)).code == code


async def test_a_part_is_summed_as_its_upload(plain):
    draft = await Draft(plain, "big").begin(ChecksumAlgorithm="CRC32")
    sha1 = b64(hashlib.sha1(LAST).digest())
    refusal = await plain.refused("upload_part", **draft.place, PartNumber=1, Body=LAST, ChecksumSHA1=sha1)
    assert (refusal.code, refusal.message) == (
        "InvalidRequest",
        "Checksum Type mismatch occurred, expected checksum Type: crc32, actual checksum Type: sha1",
    )
    refusal = await plain.refused("upload_part", **draft.place, PartNumber=1, Body=LAST, ChecksumCRC32="AAAAAA==")
    assert refusal.code == "BadDigest"
    assert "Parts" not in await plain.list_parts(**draft.place)


@given(st.lists(st.binary(max_size=300), min_size=1, max_size=6), st.sampled_from(["CRC32", "CRC32C", "CRC64NVME"]))
def test_crcs_combine(bodies, algorithm):
    parts = []
    for number, body in enumerate(bodies):
        meter = Meter(algorithm)
        meter.update(body)
        parts.append(Part(number, len(body), meter.etag, 0, meter.sums))
    whole = Meter(algorithm)
    whole.update(b"".join(bodies))
    assert combined(parts, algorithm, "FULL_OBJECT").value == whole.sums[algorithm]


async def test_completing_at_the_same_time_gives_one_answer(s3, cloud):
    draft = await Draft(s3, "big").begin()
    await draft.part(1, LAST * 10_000)
    named = {"MultipartUpload": {"Parts": draft.parts}}
    answers = await asyncio.gather(
        *(cloud.service.complete_multipart_upload(cloud.call(), **draft.place, **named) for _ in range(5))
    )
    assert len({answer["ETag"] for answer in answers}) == 1
    assert (await s3.get_object(Bucket="bucket", Key="big"))["Body"] == LAST * 10_000


async def test_a_part_that_comes_again_while_completing(s3, cloud):
    draft = await Draft(s3, "big").begin()
    await draft.part(1, LAST)
    service, look = cloud.service, cloud.service._upload_and_parts
    again = []

    def looking(tx, call, input, *, lock=False):
        if lock and not again:
            again.append(1)
            return look(tx, call, input)[0], []
        return look(tx, call, input, lock=lock)

    service._upload_and_parts = looking
    assert (await draft.complete())["ETag"] == etag_of(LAST)
    assert again


async def test_a_source_that_changes_while_a_part_is_copied(s3, cloud):
    await s3.put_object(Bucket="bucket", Key="source", Body=FIRST)
    draft = await Draft(s3, "big").begin(ChecksumAlgorithm="CRC32")
    service, original = cloud.service, cloud.service._original

    async def changing(call, input, source):
        found = await original(call, input, source)
        if found.object.size == len(FIRST):
            await s3.put_object(Bucket="bucket", Key="source", Body=LAST)
        return found

    service._original = changing
    reply = await s3.upload_part_copy(**draft.place, PartNumber=1, CopySource="bucket/source")
    assert reply["CopyPartResult"]["ChecksumCRC32"] == b64(zlib.crc32(LAST).to_bytes(4))
    parts = (await s3.list_parts(**draft.place))["Parts"]
    assert [part["Size"] for part in parts] == [len(LAST)]


async def test_copies_of_composite_objects_have_a_checksum_of_the_whole(plain):
    draft = await Draft(plain, "big").begin(ChecksumAlgorithm="SHA1")
    await draft.part(1, FIRST)
    await draft.part(2, LAST)
    await draft.complete()
    reply = await plain.copy_object(Bucket="bucket", Key="copy", CopySource="bucket/big")
    assert reply["CopyObjectResult"]["ChecksumSHA1"] == b64(hashlib.sha1(FIRST + LAST).digest())
    got = await plain.get_object(Bucket="bucket", Key="copy", ChecksumMode="ENABLED")
    assert (got["ChecksumType"], got["Body"] == FIRST + LAST) == ("FULL_OBJECT", True)
