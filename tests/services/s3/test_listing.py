"""Listings: the order of bytes, prefixes, delimiters, pages; held against a naive listing of a set of keys."""

import bisect
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cumulet.services.s3.listing import Position, read_page, url_encoded

KEYS = ["a", "a/1", "a/2/x", "a/2/y", "b", "b/1", "c//d", "Z", "ä/1", "z/1", "z/2", "zz"]


@pytest.fixture
async def filled(s3):
    for key in KEYS:
        await s3.put_object(Bucket="bucket", Key=key, Body=key.encode())
    return s3


def names(reply: dict) -> list[str]:
    return [each["Key"] for each in reply.get("Contents", [])]


def commons(reply: dict) -> list[str]:
    return [each["Prefix"] for each in reply.get("CommonPrefixes", [])]


async def test_listings(filled):
    ordered = sorted(KEYS, key=str.encode)
    plain = await filled.list_objects_v2(Bucket="bucket")
    assert (names(plain), plain["KeyCount"], plain["IsTruncated"]) == (ordered, len(KEYS), False)
    assert (plain["Name"], plain["Prefix"], plain["MaxKeys"]) == ("bucket", "", 1000)
    assert "Owner" not in plain["Contents"][0]
    first = plain["Contents"][0]
    assert (first["Size"], first["StorageClass"], first["ETag"][0]) == (1, "STANDARD", '"')
    assert first["LastModified"].microsecond == 0

    top = await filled.list_objects_v2(Bucket="bucket", Delimiter="/")
    assert names(top) == ["Z", "a", "b", "zz"]
    assert commons(top) == ["a/", "b/", "c/", "z/", "ä/"]
    assert (top["KeyCount"], top["Delimiter"]) == (9, "/")

    inner = await filled.list_objects_v2(Bucket="bucket", Delimiter="/", Prefix="a/")
    assert (names(inner), commons(inner), inner["Prefix"]) == (["a/1"], ["a/2/"], "a/")
    assert names(await filled.list_objects_v2(Bucket="bucket", Prefix="a/2")) == ["a/2/x", "a/2/y"]
    assert (await filled.list_objects_v2(Bucket="bucket", Prefix="none"))["KeyCount"] == 0

    after = await filled.list_objects_v2(Bucket="bucket", StartAfter="b/1", FetchOwner=True)
    assert (names(after), after["StartAfter"]) == (["c//d", "z/1", "z/2", "zz", "ä/1"], "b/1")
    assert len(after["Contents"][0]["Owner"]["ID"]) == 64
    between = await filled.list_objects_v2(Bucket="bucket", StartAfter="b0")
    assert names(between)[0] == "c//d"


async def test_pages(filled):
    for more in ({}, {"Delimiter": "/"}, {"Prefix": "a"}, {"Prefix": "a", "Delimiter": "/"}):
        whole = await filled.list_objects_v2(Bucket="bucket", **more)
        for size in (1, 2, 3, 100):
            found, token, pages = [], {}, 0
            while True:
                page = await filled.list_objects_v2(Bucket="bucket", MaxKeys=size, **more, **token)
                assert page["KeyCount"] <= size
                assert page.get("ContinuationToken") == token.get("ContinuationToken")
                found += names(page) + commons(page)
                pages += 1
                if not page["IsTruncated"]:
                    break
                token = {"ContinuationToken": page["NextContinuationToken"]}
            assert "NextContinuationToken" not in page
            assert sorted(found) == sorted(names(whole) + commons(whole)), (more, size)
            assert pages == max(1, -(-whole["KeyCount"] // size))


async def test_version_one(filled):
    page = await filled.list_objects(Bucket="bucket", MaxKeys=2)
    assert (names(page), page["IsTruncated"], page["Marker"]) == (["Z", "a"], True, "")
    assert "NextMarker" not in page
    assert "Owner" in page["Contents"][0]
    page = await filled.list_objects(Bucket="bucket", MaxKeys=2, Marker="a")
    assert names(page) == ["a/1", "a/2/x"]
    found, marker = [], ""
    while True:
        page = await filled.list_objects(Bucket="bucket", MaxKeys=2, Delimiter="/", Marker=marker)
        found += names(page) + commons(page)
        if not page["IsTruncated"]:
            break
        marker = page["NextMarker"]
    assert sorted(found) == sorted(["Z", "a", "b", "zz", "a/", "b/", "c/", "z/", "ä/"])


async def test_versions_are_one_each(filled):
    page = await filled.list_object_versions(Bucket="bucket", Prefix="a/2/")
    assert [(each["Key"], each["VersionId"], each["IsLatest"]) for each in page["Versions"]] == [
        ("a/2/x", "null", True),
        ("a/2/y", "null", True),
    ]
    found, marker = [], {}
    while True:
        page = await filled.list_object_versions(Bucket="bucket", MaxKeys=2, Delimiter="/", **marker)
        found += [each["Key"] for each in page.get("Versions", [])] + commons(page)
        if not page["IsTruncated"]:
            break
        marker = {"KeyMarker": page["NextKeyMarker"], "VersionIdMarker": page.get("NextVersionIdMarker", "")}
    assert sorted(found) == sorted(["Z", "a", "b", "zz", "a/", "b/", "c/", "z/", "ä/"])


async def test_page_sizes(quick):
    await quick.put_object(Bucket="bucket", Key="key", Body=b"")
    none = await quick.list_objects_v2(Bucket="bucket", MaxKeys=0)
    assert (none["KeyCount"], none["IsTruncated"], none["MaxKeys"]) == (0, False, 0)
    assert (await quick.list_objects_v2(Bucket="bucket", MaxKeys=5000))["MaxKeys"] == 1000
    refusal = await quick.refused("list_objects_v2", Bucket="bucket", MaxKeys=-1)
    assert (refusal.code, refusal.message) == (
        "InvalidArgument",
        "Argument maxKeys must be an integer between 0 and 2147483647",
    )


@pytest.mark.parametrize("token", ["nonsense", "", "aGVsbG8=", "!!"])
async def test_a_token_that_is_none(quick, token):
    refusal = await quick.refused("list_objects_v2", Bucket="bucket", ContinuationToken=token)
    assert (refusal.code, refusal.message) == ("InvalidArgument", "The continuation token provided is incorrect")


@pytest.mark.parametrize("operation", ["list_objects", "list_objects_v2", "list_multipart_uploads"])
async def test_an_encoding_that_is_none(quick, operation):
    assert (await quick.refused(operation, Bucket="bucket", EncodingType="base64")).code == "InvalidArgument"


async def test_names_are_encoded_as_asked(quick):
    await quick.put_object(Bucket="bucket", Key="a b/ü&<\x01>", Body=b"")
    assert names(await quick.list_objects_v2(Bucket="bucket")) == ["a b/ü&<\x01>"]


def test_url_encoding():
    assert url_encoded("a b/ü~*(3).png") == "a+b/%C3%BC%7E*%283%29.png"


# Against a naive listing.


def naive(keys: Sequence[bytes], prefix: bytes, delimiter: bytes) -> list[bytes]:
    found: dict[bytes, None] = {}
    for key in sorted(keys):
        if not key.startswith(prefix):
            continue
        at = key.find(delimiter, len(prefix)) if delimiter else -1
        found[key if at < 0 else key[: at + len(delimiter)]] = None
    return list(found)


PIECES = st.lists(st.sampled_from([b"a", b"b", b"/", b"\xc3\xa4", b"/", b"z"]), max_size=6).map(b"".join)


class Index:
    """Rows as the database would bring them; counts what was asked for."""

    def __init__(self, keys: Sequence[bytes]) -> None:
        self.keys = sorted(keys)
        self.brought = 0

    def fetch(self, first: bytes, end: bytes, limit: int) -> list[dict[str, bytes]]:
        at = bisect.bisect_left(self.keys, first)
        found = [key for key in self.keys[at : at + limit] if key < end]
        self.brought += len(found)
        return [{"key": key} for key in found]


@given(st.sets(PIECES.filter(bool), max_size=60), PIECES, st.sampled_from([b"", b"/", b"a/", b"z"]), st.integers(1, 7))
def test_pages_are_the_naive_listing(keys, prefix, delimiter, size):
    index, begin, found = Index(sorted(keys)), Position(), []
    while True:
        page = read_page(index.fetch, prefix, delimiter, begin, size)
        merged = sorted([row["key"] for row in page.rows] + list(page.prefixes))
        assert page.count == len(merged) <= size
        found += merged
        if page.next is None:
            break
        assert page.count == size
        begin = Position.parse(str(page.next))
    assert found == naive(list(keys), prefix, delimiter)


@given(st.sets(PIECES.filter(bool), max_size=60), PIECES, PIECES, st.sampled_from([b"", b"/"]))
def test_after_a_marker(keys, prefix, marker, delimiter):
    page = read_page(
        Index(sorted(keys)).fetch, prefix, delimiter, Position.after_marker(marker, prefix, delimiter), 1000
    )
    kept = [key for key in keys if key > marker]
    told = naive(kept, prefix, delimiter)
    assert sorted([row["key"] for row in page.rows] + list(page.prefixes)) == [name for name in told if name != marker]


def test_plain_keys_beside_a_delimiter():
    keys = [b"k%04d" % n for n in range(700)] + [b"l/%04d" % n for n in range(700)] + [b"m%04d" % n for n in range(400)]
    index = Index(keys)
    page = read_page(index.fetch, b"", b"/", Position(), 1000)
    assert [row["key"] for row in page.rows] == keys[:700] + keys[1400:1699]
    assert (page.prefixes, page.next) == ((b"l/",), Position(b"m0298"))
    assert index.brought < 2500


def test_what_is_skipped_is_not_read():
    index = Index([b"a/%05d" % n for n in range(50_000)] + [b"b/%05d" % n for n in range(50_000)] + [b"c"])
    page = read_page(index.fetch, b"", b"/", Position(), 1000)
    assert (page.prefixes, [row["key"] for row in page.rows]) == ((b"a/", b"b/"), [b"c"])
    assert index.brought < 100
