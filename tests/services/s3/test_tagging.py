"""Tags of objects."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cumulet.base.errors import AwsError
from cumulet.services.s3.tags import read_tag_header

TAGS = [{"Key": "a", "Value": "1"}, {"Key": "b c", "Value": ""}, {"Key": "ü", "Value": "x=+-._:/@"}]


async def test_tags_come_and_go(s3):
    await s3.put_object(Bucket="bucket", Key="key", Body=b"x", Metadata={"m": "1"})
    assert (await s3.get_object_tagging(Bucket="bucket", Key="key"))["TagSet"] == []
    await s3.put_object_tagging(Bucket="bucket", Key="key", Tagging={"TagSet": TAGS})
    assert (await s3.get_object_tagging(Bucket="bucket", Key="key"))["TagSet"] == TAGS
    got = await s3.get_object(Bucket="bucket", Key="key")
    assert (got["TagCount"], got["Body"], got["Metadata"]) == (3, b"x", {"m": "1"})
    assert (await s3.delete_object_tagging(Bucket="bucket", Key="key"))["status"] == 204
    assert (await s3.get_object_tagging(Bucket="bucket", Key="key"))["TagSet"] == []


async def test_tags_of_nothing(quick):
    for operation, more in (
        ("get_object_tagging", {}),
        ("delete_object_tagging", {}),
        ("put_object_tagging", {"Tagging": {"TagSet": TAGS}}),
    ):
        assert (await quick.refused(operation, Bucket="bucket", Key="none", **more)).code == "NoSuchKey"


@pytest.mark.parametrize(
    "tags, code, message",
    [
        ([(str(n), "") for n in range(11)], "BadRequest", "Object tags cannot be greater than 10"),
        ([("a", "1"), ("a", "2")], "InvalidTag", "Cannot provide multiple Tags with the same key"),
        ([("k" * 129, "")], "InvalidTag", "The TagKey you have provided is invalid"),
        ([("k", "v" * 257)], "InvalidTag", "The TagValue you have provided is invalid"),
        ([("<k>", "")], "InvalidTag", "The TagKey you have provided is invalid"),
        ([("aws:k", "")], "InvalidTag", "System tags cannot be added/updated by requester"),
    ],
)
async def test_tags_that_cannot_be(quick, tags, code, message):
    await quick.put_object(Bucket="bucket", Key="key", Tagging="old=1")
    tagging = {"TagSet": [{"Key": key, "Value": value} for key, value in tags]}
    refusal = await quick.refused("put_object_tagging", Bucket="bucket", Key="key", Tagging=tagging)
    assert (refusal.code, refusal.status, refusal.message) == (code, 400, message)
    assert (await quick.get_object_tagging(Bucket="bucket", Key="key"))["TagSet"] == [{"Key": "old", "Value": "1"}]


@pytest.mark.parametrize(
    "text, tags",
    [("", ()), ("a=1&b=", (("a", "1"), ("b", ""))), ("a", (("a", ""),)), ("a%20b=c+d%26", (("a b", "c d&"),))],
)
def test_the_header(text, tags):
    if "&" in dict(tags).get("a b", ""):
        with pytest.raises(AwsError, match="TagValue"):
            read_tag_header(text)
    else:
        assert read_tag_header(text) == tags


@given(st.text())
def test_any_header_is_read_or_refused(text):
    try:
        tags = read_tag_header(text)
    except AwsError:
        return
    assert len(dict(tags)) == len(tags) <= 10


@pytest.mark.parametrize("text", ["a=%ff", "&&", "a=1&a=1"])
def test_headers_that_are_none(text):
    with pytest.raises(AwsError, match="x-amz-tagging"):
        read_tag_header(text)
