"""Copies: the same bytes, the metadata as directed, conditions on both ends."""

import hashlib
import random
from base64 import b64encode
from datetime import UTC, datetime, timedelta

import pytest

from cumulet.services.s3.naming import Source, copy_source

LARGE = random.Random(2).randbytes(100_000)
SAID = {"ContentType": "text/css", "CacheControl": "no-cache", "Metadata": {"a": "1"}, "Tagging": "t=1"}


async def test_a_copy_is_the_same(s3, cloud):
    await s3.create_bucket(Bucket="other")
    for body in (b"", b"small", LARGE):
        put = await s3.put_object(Bucket="bucket", Key="from/a b+c", Body=body, WebsiteRedirectLocation="/x", **SAID)
        source = {"Bucket": "bucket", "Key": "from/a b+c"}
        copied = await s3.copy_object(Bucket="other", Key="to", CopySource=source)
        assert copied["CopyObjectResult"]["ETag"] == put["ETag"]
        await s3.delete_object(**source)
        got = await s3.get_object(Bucket="other", Key="to")
        assert (got["Body"], got["ETag"], got["Metadata"]) == (body, put["ETag"], {"a": "1"})
        assert (got["ContentType"], got["CacheControl"], got["TagCount"]) == ("text/css", "no-cache", 1)
        assert "WebsiteRedirectLocation" not in got
    await s3.delete_object(Bucket="other", Key="to")
    assert await cloud.blob_names() == set()
    assert await cloud.rows("s3_pieces") == 0


async def test_copies_share_bytes_until_the_last_is_gone(s3, cloud):
    await s3.put_object(Bucket="bucket", Key="a", Body=LARGE)
    for key in ("b", "c"):
        await s3.copy_object(Bucket="bucket", Key=key, CopySource="bucket/a")
    assert len(await cloud.blob_names()) == 1
    await s3.delete_object(Bucket="bucket", Key="a")
    await s3.put_object(Bucket="bucket", Key="b", Body=b"other")
    assert (await s3.get_object(Bucket="bucket", Key="c"))["Body"] == LARGE
    await s3.delete_object(Bucket="bucket", Key="c")
    assert await cloud.blob_names() == set()


async def test_directives(quick):
    await quick.put_object(Bucket="bucket", Key="from", Body=b"x", StorageClass="STANDARD_IA", **SAID)
    replaced = {"MetadataDirective": "REPLACE", "Metadata": {"b": "2"}, "ContentType": "text/html"}
    await quick.copy_object(
        Bucket="bucket", Key="to", CopySource="bucket/from", TaggingDirective="REPLACE", Tagging="u=2&v=3", **replaced
    )
    got = await quick.head_object(Bucket="bucket", Key="to")
    assert (got["Metadata"], got["ContentType"]) == ({"b": "2"}, "text/html")
    assert "CacheControl" not in got
    assert "StorageClass" not in got
    tags = (await quick.get_object_tagging(Bucket="bucket", Key="to"))["TagSet"]
    assert tags == [{"Key": "u", "Value": "2"}, {"Key": "v", "Value": "3"}]
    ignored = {"Metadata": {"c": "3"}, "ContentType": "text/plain", "Tagging": "w=4"}
    await quick.copy_object(
        Bucket="bucket", Key="to", CopySource="bucket/from", WebsiteRedirectLocation="/r", **ignored
    )
    got = await quick.head_object(Bucket="bucket", Key="to")
    assert (got["Metadata"], got["ContentType"], got["WebsiteRedirectLocation"]) == ({"a": "1"}, "text/css", "/r")
    assert (await quick.get_object_tagging(Bucket="bucket", Key="to"))["TagSet"] == [{"Key": "t", "Value": "1"}]


async def test_onto_itself(s3):
    await s3.put_object(Bucket="bucket", Key="key", Body=LARGE, **SAID)
    itself = {"Bucket": "bucket", "Key": "key", "CopySource": "bucket/key"}
    refusal = await s3.refused("copy_object", **itself)
    assert (refusal.code, refusal.status) == ("InvalidRequest", 400)
    assert refusal.message == (
        "This copy request is illegal because it is trying to copy an object to itself without changing the object's "
        "metadata, storage class, website redirect location or encryption attributes."
    )
    await s3.copy_object(**itself, MetadataDirective="REPLACE", Metadata={"z": "9"})
    got = await s3.get_object(Bucket="bucket", Key="key")
    assert (got["Body"], got["Metadata"]) == (LARGE, {"z": "9"})
    await s3.copy_object(**itself, StorageClass="ONEZONE_IA")
    got = await s3.get_object(Bucket="bucket", Key="key")
    assert (got["Body"], got["StorageClass"], got["Metadata"]) == (LARGE, "ONEZONE_IA", {"z": "9"})


@pytest.mark.parametrize(
    "source, code",
    [
        ("bucket/none", "NoSuchKey"),
        ("nowhere/key", "NoSuchBucket"),
        ("bucket/key?versionId=v1", "InvalidArgument"),
        ("bucket", "InvalidArgument"),
        ("bucket/", "InvalidArgument"),
        ("arn:aws:s3:us-west-2:123456789012:accesspoint/p/object/k", "NotImplemented"),
    ],
)
async def test_sources_that_are_none(quick, source, code):
    await quick.put_object(Bucket="bucket", Key="key", Body=b"x")
    assert (await quick.refused("copy_object", Bucket="bucket", Key="to", CopySource=source)).code == code
    assert (await quick.refused("head_object", Bucket="bucket", Key="to")).status == 404


@pytest.mark.parametrize(
    "text", ["/bucket/a%20b/c", "bucket/a%20b/c", "bucket/a b/c", "bucket%2Fa%20b/c?versionId=null"]
)
def test_ways_to_write_a_source(text):
    assert copy_source(text) == Source("bucket", "a b/c")


async def test_conditions(quick, clock):
    etag = (await quick.put_object(Bucket="bucket", Key="key", Body=b"x"))["ETag"]
    clock.jump(100)
    at = datetime.fromtimestamp(clock.now() / 1e6, UTC)
    before, after = at - timedelta(seconds=200), at - timedelta(seconds=50)
    copy = {"Bucket": "bucket", "CopySource": "bucket/key"}
    for conditions in (
        {"CopySourceIfMatch": etag, "CopySourceIfUnmodifiedSince": before},
        {"CopySourceIfNoneMatch": '"other"'},
        {"CopySourceIfModifiedSince": before},
        {"IfNoneMatch": "*"},
    ):
        await quick.copy_object(Key="good", **copy, **conditions)
        await quick.delete_object(Bucket="bucket", Key="good")
    for conditions in (
        {"CopySourceIfMatch": '"other"'},
        {"CopySourceIfNoneMatch": etag},
        {"CopySourceIfNoneMatch": etag, "CopySourceIfModifiedSince": before},
        {"CopySourceIfModifiedSince": after},
        {"CopySourceIfUnmodifiedSince": before},
    ):
        assert (await quick.refused("copy_object", Key="bad", **copy, **conditions)).status == 412, conditions
    await quick.put_object(Bucket="bucket", Key="there", Body=b"y")
    assert (await quick.refused("copy_object", Key="there", **copy, IfNoneMatch="*")).code == "PreconditionFailed"


async def test_directives_must_be_known(quick):
    await quick.put_object(Bucket="bucket", Key="key", Body=b"x")
    copy = {"Bucket": "bucket", "Key": "to", "CopySource": "bucket/key"}
    assert (await quick.refused("copy_object", **copy, MetadataDirective="KEEP")).code == "InvalidArgument"
    assert (await quick.refused("copy_object", **copy, TaggingDirective="KEEP")).code == "InvalidArgument"


async def test_checksums_of_copies(quick):
    digest = hashlib.sha256(LARGE).digest()
    await quick.put_object(Bucket="bucket", Key="key", Body=LARGE, ChecksumAlgorithm="CRC32")
    kept = await quick.copy_object(Bucket="bucket", Key="to", CopySource="bucket/key")
    assert "ChecksumCRC32" in kept["CopyObjectResult"]
    other = await quick.copy_object(Bucket="bucket", Key="to", CopySource="bucket/key", ChecksumAlgorithm="SHA256")
    told = other["CopyObjectResult"]["ChecksumSHA256"]
    assert told == b64encode(digest).decode()
    got = await quick.get_object(Bucket="bucket", Key="to", ChecksumMode="ENABLED")
    assert (got["ChecksumSHA256"], got["Body"]) == (told, LARGE)
