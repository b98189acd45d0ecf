"""Objects: what is put is got back, with all that was said about it."""

import hashlib
import random
from datetime import UTC, datetime, timedelta

import pytest

from cumulet.services.s3.errors import InvalidArgument
from cumulet.services.s3.headers import without_chunked
from cumulet.services.s3.naming import key_bytes

SMALL, LARGE = b"hello", random.Random(1).randbytes(200_000)


async def test_bodies_come_back(s3, cloud):
    for body in (b"", SMALL, b"x" * 32_768, b"x" * 32_769, LARGE):
        put = await s3.put_object(Bucket="bucket", Key="key", Body=body)
        assert put["ETag"] == f'"{hashlib.md5(body).hexdigest()}"'
        assert put["ServerSideEncryption"] == "AES256"
        got = await s3.get_object(Bucket="bucket", Key="key")
        assert got["Body"] == body
        assert (got["ETag"], got["ContentLength"], got["status"]) == (put["ETag"], len(body), 200)
        assert got["ContentType"] == "binary/octet-stream"
        assert got["AcceptRanges"] == "bytes"
        assert len(await cloud.blob_names()) == (len(body) > 32_768)


async def test_all_that_was_said_comes_back(s3, clock):
    expires = datetime(2030, 1, 2, 3, 4, 5, tzinfo=UTC)
    said = {
        "CacheControl": "max-age=60",
        "ContentDisposition": 'attachment; filename="a b.txt"',
        "ContentEncoding": "gzip",
        "ContentLanguage": "de, en",
        "ContentType": "text/plain; charset=utf-8",
        "Metadata": {"mixed": "Value", "empty": "", "spaced": "a  b"},
        "WebsiteRedirectLocation": "/elsewhere",
        "StorageClass": "STANDARD_IA",
    }
    await s3.put_object(Bucket="bucket", Key="key", Body=SMALL, Tagging="a=1&b=2", Expires=expires, **said)
    for answer in (await s3.get_object(Bucket="bucket", Key="key"), await s3.head_object(Bucket="bucket", Key="key")):
        assert {name: answer[name] for name in said} == said
        assert answer["ExpiresString"] == "Wed, 02 Jan 2030 03:04:05 GMT"
        assert answer["ContentLength"] == 5
        assert answer["LastModified"] == datetime.fromtimestamp(clock.now() // 1_000_000, UTC)
    assert (await s3.get_object(Bucket="bucket", Key="key"))["TagCount"] == 2


async def test_metadata_names_are_lower_case(quick):
    await quick.put_object(Bucket="bucket", Key="key", Metadata={"CamelCase": "x"})
    assert (await quick.head_object(Bucket="bucket", Key="key"))["Metadata"] == {"camelcase": "x"}


@pytest.mark.parametrize(
    "sent, kept", [("aws-chunked", ""), ("aws-chunked,gzip", "gzip"), ("gzip, AWS-Chunked, br", "gzip,br"), ("", "")]
)
def test_aws_chunked_is_not_kept(sent, kept):
    assert without_chunked(sent) == kept


KEYS = [
    "a/b/c",
    "../../etc/passwd",
    "a//b",
    "/lead",
    "ends/",
    "spaces + & ? # % =",
    "ünï/日本/😀",
    "a\nb",
    "./x/../y",
    "x" * 1024,
]


async def test_any_key(s3):
    for key in KEYS:
        await s3.put_object(Bucket="bucket", Key=key, Body=key.encode())
        assert (await s3.get_object(Bucket="bucket", Key=key))["Body"] == key.encode()
    listed = await s3.list_objects_v2(Bucket="bucket")
    assert [each["Key"] for each in listed["Contents"]] == sorted(KEYS, key=str.encode)
    for key in KEYS:
        await s3.delete_object(Bucket="bucket", Key=key)
    assert (await s3.list_objects_v2(Bucket="bucket"))["KeyCount"] == 0


async def test_a_key_too_long(quick):
    refusal = await quick.refused("put_object", Bucket="bucket", Key="ü" * 513, Body=b"")
    assert (refusal.code, refusal.message, refusal.extra["Size"]) == ("KeyTooLongError", "Your key is too long", "1026")


def test_a_key_must_be_text():
    with pytest.raises(InvalidArgument):
        key_bytes("\ud800")


async def test_overwriting_leaves_nothing_of_the_old(s3, cloud):
    await s3.put_object(Bucket="bucket", Key="key", Body=LARGE, Metadata={"old": "1"}, Tagging="a=1")
    (old,) = await cloud.blob_names()
    await s3.put_object(Bucket="bucket", Key="key", Body=LARGE[:-1])
    assert len(await cloud.blob_names() - {old}) == 1
    await s3.put_object(Bucket="bucket", Key="key", Body=SMALL)
    got = await s3.get_object(Bucket="bucket", Key="key")
    assert (got["Body"], got["Metadata"], got.get("TagCount")) == (SMALL, {}, None)
    assert await cloud.blob_names() == set()
    assert await cloud.rows("s3_pieces") == 1


async def test_deleting(s3, cloud):
    await s3.put_object(Bucket="bucket", Key="key", Body=LARGE)
    assert (await s3.delete_object(Bucket="bucket", Key="key"))["status"] == 204
    assert (await s3.delete_object(Bucket="bucket", Key="key"))["status"] == 204
    refusal = await s3.refused("get_object", Bucket="bucket", Key="key")
    assert (refusal.code, refusal.status, refusal.extra["Key"]) == ("NoSuchKey", 404, "key")
    assert refusal.message == "The specified key does not exist."
    assert (await s3.refused("head_object", Bucket="bucket", Key="key")).code == "404"
    assert await cloud.blob_names() == set()
    assert await cloud.rows("s3_pieces") == 0


async def test_deleting_many(s3, cloud):
    for key in ("a", "b/c", "d&<>"):
        await s3.put_object(Bucket="bucket", Key=key, Body=LARGE)
    wanted = [{"Key": key} for key in ("a", "b/c", "d&<>", "never")]
    reply = await s3.delete_objects(Bucket="bucket", Delete={"Objects": wanted})
    assert reply["Deleted"] == wanted
    assert (await s3.list_objects_v2(Bucket="bucket"))["KeyCount"] == 0
    assert await cloud.blob_names() == set()


async def test_deleting_many_quietly_tells_only_errors(quick):
    await quick.put_object(Bucket="bucket", Key="kept", Body=SMALL)
    objects = [{"Key": "gone"}, {"Key": "kept", "ETag": '"other"'}, {"Key": "kept", "VersionId": "one"}]
    reply = await quick.delete_objects(Bucket="bucket", Delete={"Quiet": True, "Objects": objects})
    assert "Deleted" not in reply
    assert [(error["Key"], error["Code"]) for error in reply["Errors"]] == [
        ("kept", "PreconditionFailed"),
        ("kept", "InvalidArgument"),
    ]
    assert (await quick.get_object(Bucket="bucket", Key="kept"))["Body"] == SMALL


@pytest.mark.parametrize("count", [0, 1001])
async def test_deleting_too_many(quick, count):
    objects = [{"Key": f"k{number}"} for number in range(count)]
    assert (await quick.refused("delete_objects", Bucket="bucket", Delete={"Objects": objects})).code == "MalformedXML"


async def test_deleting_if_it_is_what_is_meant(quick):
    etag = (await quick.put_object(Bucket="bucket", Key="key", Body=SMALL))["ETag"]
    refusal = await quick.refused("delete_object", Bucket="bucket", Key="key", IfMatch='"other"')
    assert (refusal.code, refusal.status) == ("PreconditionFailed", 412)
    await quick.delete_object(Bucket="bucket", Key="key", IfMatch=etag)
    await quick.delete_object(Bucket="bucket", Key="key", IfMatch=etag)


async def test_writing_only_what_is_new(s3):
    etag = (await s3.put_object(Bucket="bucket", Key="key", Body=SMALL, IfNoneMatch="*"))["ETag"]
    refusal = await s3.refused("put_object", Bucket="bucket", Key="key", Body=LARGE, IfNoneMatch="*")
    assert (refusal.code, refusal.status, refusal.extra["Condition"]) == ("PreconditionFailed", 412, "If-None-Match")
    assert (await s3.refused("put_object", Bucket="bucket", Key="key", IfMatch='"other"')).code == "PreconditionFailed"
    assert (await s3.refused("put_object", Bucket="bucket", Key="none", IfMatch=etag)).code == "NoSuchKey"
    assert (await s3.get_object(Bucket="bucket", Key="key"))["Body"] == SMALL
    await s3.put_object(Bucket="bucket", Key="key", Body=b"next", IfMatch=etag)
    assert (await s3.get_object(Bucket="bucket", Key="key"))["Body"] == b"next"
    assert (await s3.refused("put_object", Bucket="bucket", Key="key", IfNoneMatch='"etag"')).code == "NotImplemented"


async def test_a_refused_write_leaves_no_blob(s3, cloud):
    await s3.put_object(Bucket="bucket", Key="key", Body=SMALL)
    await s3.refused("put_object", Bucket="bucket", Key="key", Body=LARGE, IfNoneMatch="*")
    assert await cloud.blob_names() == set()
    assert await cloud.rows("s3_pieces") == 1


@pytest.mark.parametrize(
    "header, status, body, told",
    [
        ("bytes=0-3", 206, LARGE[:4], "bytes 0-3/200000"),
        ("bytes=100-", 206, LARGE[100:], "bytes 100-199999/200000"),
        ("bytes=-7", 206, LARGE[-7:], "bytes 199993-199999/200000"),
        ("bytes=199999-900000", 206, LARGE[-1:], "bytes 199999-199999/200000"),
        ("bytes=-900000", 206, LARGE, "bytes 0-199999/200000"),
        ("bytes=5-2", 200, LARGE, None),
        ("bytes=0-1,4-5", 200, LARGE, None),
        ("lines=1-2", 200, LARGE, None),
    ],
)
async def test_ranges(quick, header, status, body, told):
    await quick.put_object(Bucket="bucket", Key="key", Body=LARGE)
    got = await quick.get_object(Bucket="bucket", Key="key", Range=header)
    assert (got["status"], got["Body"], got.get("ContentRange")) == (status, body, told)
    assert got["ContentLength"] == len(body)
    assert (await quick.head_object(Bucket="bucket", Key="key", Range=header))["status"] == status


@pytest.mark.parametrize(
    "body, header", [(SMALL, "bytes=5-"), (SMALL, "bytes=-0"), (b"", "bytes=0-"), (b"", "bytes=-1")]
)
async def test_ranges_that_hold_nothing(quick, body, header):
    await quick.put_object(Bucket="bucket", Key="key", Body=body)
    refusal = await quick.refused("get_object", Bucket="bucket", Key="key", Range=header)
    assert (refusal.code, refusal.status) == ("InvalidRange", 416)
    assert refusal.extra["ActualObjectSize"] == str(len(body))


async def test_reading_conditions(quick, clock):
    etag = (await quick.put_object(Bucket="bucket", Key="key", Body=SMALL))["ETag"]
    clock.jump(100)
    at = datetime.fromtimestamp(clock.now() / 1e6, UTC)
    before, after, later = at - timedelta(seconds=200), at - timedelta(seconds=50), at + timedelta(seconds=50)
    good = [
        {"IfMatch": etag},
        {"IfMatch": "*"},
        {"IfMatch": f'"x", {etag}'},
        {"IfNoneMatch": '"other"'},
        {"IfModifiedSince": before},
        {"IfModifiedSince": later},
        {"IfUnmodifiedSince": after},
        {"IfMatch": etag, "IfUnmodifiedSince": before},
        {"IfNoneMatch": '"other"', "IfModifiedSince": after},
    ]
    for conditions in good:
        assert (await quick.get_object(Bucket="bucket", Key="key", **conditions))["Body"] == SMALL, conditions
    bad = [
        ({"IfMatch": '"other"'}, 412),
        ({"IfUnmodifiedSince": before}, 412),
        ({"IfNoneMatch": etag}, 304),
        ({"IfNoneMatch": "*"}, 304),
        ({"IfModifiedSince": after}, 304),
        ({"IfNoneMatch": etag, "IfModifiedSince": before}, 304),
        ({"IfMatch": '"other"', "IfNoneMatch": etag}, 412),
    ]
    for conditions, status in bad:
        assert (await quick.refused("get_object", Bucket="bucket", Key="key", **conditions)).status == status, (
            conditions
        )
        assert (await quick.refused("head_object", Bucket="bucket", Key="key", **conditions)).status == status, (
            conditions
        )


async def test_answers_may_be_told_otherwise(quick):
    await quick.put_object(Bucket="bucket", Key="key", Body=SMALL, ContentType="text/plain")
    other = {
        "ResponseContentType": "text/html",
        "ResponseCacheControl": "no-store",
        "ResponseContentDisposition": "inline",
        "ResponseContentEncoding": "identity",
        "ResponseContentLanguage": "fr",
    }
    got = await quick.get_object(Bucket="bucket", Key="key", **other)
    assert {f"Response{name}": got[name] for name in ("ContentType", "CacheControl", "ContentDisposition")} == {
        name: other[name] for name in ("ResponseContentType", "ResponseCacheControl", "ResponseContentDisposition")
    }
    assert (got["ContentEncoding"], got["ContentLanguage"]) == ("identity", "fr")


async def test_the_only_part_of_a_plain_object(quick):
    await quick.put_object(Bucket="bucket", Key="key", Body=SMALL)
    got = await quick.get_object(Bucket="bucket", Key="key", PartNumber=1)
    assert (got["status"], got["Body"], got["ContentRange"]) == (206, SMALL, "bytes 0-4/5")
    assert "PartsCount" not in got
    refusal = await quick.refused("get_object", Bucket="bucket", Key="key", PartNumber=2)
    assert (refusal.code, refusal.status) == ("InvalidPartNumber", 416)
    assert (await quick.refused("get_object", Bucket="bucket", Key="key", PartNumber=0)).code == "InvalidArgument"
    both = {"PartNumber": 1, "Range": "bytes=0-1"}
    assert (await quick.refused("get_object", Bucket="bucket", Key="key", **both)).code == "InvalidRequest"


async def test_versions(quick):
    await quick.put_object(Bucket="bucket", Key="key", Body=SMALL)
    assert (await quick.get_object(Bucket="bucket", Key="key", VersionId="null"))["Body"] == SMALL
    for operation in ("get_object", "head_object", "delete_object", "get_object_tagging"):
        assert (await quick.refused(operation, Bucket="bucket", Key="key", VersionId="v1")).status == 400
    assert (await quick.delete_object(Bucket="bucket", Key="key", VersionId="null"))["VersionId"] == "null"


@pytest.mark.parametrize(
    "option, code, status",
    [
        ({"ACL": "public-read"}, "AccessControlListNotSupported", 400),
        ({"GrantFullControl": "id=1"}, "AccessControlListNotSupported", 400),
        ({"ServerSideEncryption": "aws:kms"}, "NotImplemented", 501),
        ({"SSEKMSKeyId": "key"}, "NotImplemented", 501),
        ({"BucketKeyEnabled": True}, "NotImplemented", 501),
        ({"SSECustomerAlgorithm": "AES256", "SSECustomerKey": "k" * 32}, "NotImplemented", 501),
        ({"ObjectLockMode": "GOVERNANCE"}, "NotImplemented", 501),
        ({"ObjectLockLegalHoldStatus": "ON"}, "NotImplemented", 501),
        ({"StorageClass": "GLACIER"}, "NotImplemented", 501),
        ({"StorageClass": "NONE"}, "InvalidStorageClass", 400),
        ({"WebsiteRedirectLocation": "elsewhere"}, "InvalidRedirectLocation", 400),
        ({"WebsiteRedirectLocation": "/" + "x" * 2048}, "InvalidRedirectLocation", 400),
        ({"Metadata": {"a": "x" * 2048}}, "MetadataTooLarge", 400),
        ({"Tagging": "a=1&a=2"}, "InvalidArgument", 400),
        ({"Tagging": "&".join(f"k{n}=v" for n in range(11))}, "BadRequest", 400),
        ({"ContentMD5": "nonsense"}, "InvalidDigest", 400),
    ],
)
async def test_what_is_refused_changes_nothing(quick, option, code, status):
    await quick.put_object(Bucket="bucket", Key="key", Body=b"old")
    refusal = await quick.refused("put_object", Bucket="bucket", Key="key", Body=SMALL, **option)
    assert (refusal.code, refusal.status) == (code, status)
    assert (await quick.get_object(Bucket="bucket", Key="key"))["Body"] == b"old"


async def test_harmless_options_are_taken(quick):
    options = {"ACL": "bucket-owner-full-control", "ServerSideEncryption": "AES256", "RequestPayer": "requester"}
    await quick.put_object(Bucket="bucket", Key="key", Body=SMALL, **options)
    assert (await quick.get_object_acl(Bucket="bucket", Key="key"))["Grants"][0]["Permission"] == "FULL_CONTROL"


async def test_nothing_works_without_a_bucket(quick):
    for operation in ("put_object", "get_object", "delete_object", "get_object_tagging", "create_multipart_upload"):
        refusal = await quick.refused(operation, Bucket="nowhere", Key="key")
        assert (refusal.code, refusal.status, refusal.extra["BucketName"]) == ("NoSuchBucket", 404, "nowhere")
    assert (await quick.refused("list_objects_v2", Bucket="nowhere")).code == "NoSuchBucket"
    assert (await quick.refused("head_object", Bucket="nowhere", Key="key")).code == "404"


async def test_attributes(quick):
    etag = (await quick.put_object(Bucket="bucket", Key="key", Body=SMALL, ChecksumAlgorithm="SHA256"))["ETag"]
    wanted = ["ETag", "Checksum", "ObjectParts", "StorageClass", "ObjectSize"]
    told = await quick.get_object_attributes(Bucket="bucket", Key="key", ObjectAttributes=wanted)
    assert (told["ETag"], told["ObjectSize"], told["StorageClass"]) == (etag.strip('"'), 5, "STANDARD")
    assert told["Checksum"]["ChecksumSHA256"] == "LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ="
    assert told["Checksum"]["ChecksumType"] == "FULL_OBJECT"
    assert "ObjectParts" not in told
    few = await quick.get_object_attributes(Bucket="bucket", Key="key", ObjectAttributes=["ObjectSize"])
    assert "ETag" not in few
