"""Any sequence of puts, copies, deletes and listings, beside a dictionary that does the same."""

import asyncio
import hashlib
import random
import tempfile

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from cumulet.base.clock import JumpClock
from cumulet.base.errors import AwsError
from cumulet.services.s3.service import S3
from cumulet.store.blobs import Blobs
from cumulet.store.sqlite import SQLite
from cumulet.wire.service import Call, Principal

KEYS = st.sampled_from(["a", "a/", "a/b", "a/b/c", "a0", "b", "b/ü", "ä", "z/1", "z/2", "z//", "\U0001f600"])
PREFIXES = st.sampled_from(["", "a", "a/", "z/", "b", "zz"])
BODIES = st.sampled_from([b"", b"tiny", b"x" * 32_768, b"y" * 32_769, b"z" * 70_000])
CALL = Call(
    "000000000000", "us-east-1", Principal("000000000000", "arn:aws:iam::000000000000:root", "0"), "r", "http://x"
)


def rolled_up(keys, prefix, delimiter):
    """The naive listing."""
    found = set()
    for key in keys:
        if key.startswith(prefix):
            head, sep, _ = key[len(prefix) :].partition(delimiter) if delimiter else (key, "", "")
            found.add(prefix + head + sep if sep else key)
    return sorted(found, key=str.encode)


class Buckets(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.folder = tempfile.TemporaryDirectory()
        self.run(self.build())
        self.model: dict[str, tuple[bytes, dict]] = {}

    async def build(self) -> None:
        self.database = await SQLite.open(":memory:")
        self.blobs = Blobs(self.folder.name)
        self.s3 = S3(self.database, self.blobs, JumpClock(), random.Random(7).randbytes)
        await self.s3.create_bucket(CALL, Bucket="bucket")

    def run(self, work):
        return self.runner.run(work)

    def refused(self, work, code):
        with pytest.raises(AwsError) as caught:
            self.run(work)
        assert caught.value.error_code == code

    def teardown(self) -> None:
        self.run(self.database.close())
        self.runner.close()
        self.folder.cleanup()

    @rule(key=KEYS, body=BODIES, metadata=st.dictionaries(st.sampled_from("abc"), st.sampled_from("xyz")))
    def put(self, key, body, metadata):
        self.run(self.s3.put_object(CALL, Bucket="bucket", Key=key, Body=body, Metadata=metadata))
        self.model[key] = (body, metadata)

    @rule(key=KEYS, source=KEYS)
    def copy(self, key, source):
        copy = self.s3.copy_object(CALL, Bucket="bucket", Key=key, CopySource=f"bucket/{source}")
        if key == source:
            self.refused(copy, "InvalidRequest")
        elif source not in self.model:
            self.refused(copy, "NoSuchKey")
        else:
            self.run(copy)
            self.model[key] = self.model[source]

    @rule(key=KEYS, body=BODIES)
    def upload(self, key, body):
        async def upload():
            place = {"Bucket": "bucket", "Key": key}
            begun = await self.s3.create_multipart_upload(CALL, **place)
            place["UploadId"] = begun["UploadId"]
            part = await self.s3.upload_part(CALL, **place, PartNumber=1, Body=body)
            named = {"Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]}
            await self.s3.complete_multipart_upload(CALL, **place, MultipartUpload=named)

        self.run(upload())
        self.model[key] = (body, {})

    @rule(key=KEYS)
    def delete(self, key):
        self.run(self.s3.delete_object(CALL, Bucket="bucket", Key=key))
        self.model.pop(key, None)

    @rule(keys=st.lists(KEYS, min_size=1, max_size=4))
    def delete_many(self, keys):
        wanted = {"Objects": [{"Key": key} for key in keys]}
        self.run(self.s3.delete_objects(CALL, Bucket="bucket", Delete=wanted))
        for key in keys:
            self.model.pop(key, None)

    @rule(key=KEYS, start=st.integers(0, 40_000), size=st.integers(1, 40_000))
    def get(self, key, start, size):
        async def get():
            found = await self.s3.get_object(CALL, Bucket="bucket", Key=key, Range=f"bytes={start}-{start + size - 1}")
            body = found["Body"]
            return (body if isinstance(body, bytes) else b"".join([piece async for piece in body])), found["Metadata"]

        body, metadata = self.model.get(key, (b"", {}))
        if key not in self.model:
            self.refused(get(), "NoSuchKey")
        elif start >= len(body):
            self.refused(get(), "InvalidRange")
        else:
            assert self.run(get()) == (body[start : start + size], metadata)

    @rule(prefix=PREFIXES, delimiter=st.sampled_from(["", "/", "b"]), most=st.integers(1, 5), after=KEYS | st.just(""))
    def list(self, prefix, delimiter, most, after):
        async def list_all():
            found, place = [], {"StartAfter": after} if after else {}
            while True:
                question = {"Prefix": prefix, "Delimiter": delimiter, "MaxKeys": most, **place}
                page = await self.s3.list_objects_v2(CALL, Bucket="bucket", **question)
                names = [each["Key"] for each in page.get("Contents", ())]
                names += [each["Prefix"] for each in page.get("CommonPrefixes", ())]
                assert len(names) == page["KeyCount"] <= most
                found += sorted(names, key=str.encode)
                if not page["IsTruncated"]:
                    return found
                place = {"ContinuationToken": page["NextContinuationToken"]}

        kept = [key for key in self.model if key.encode() > after.encode()]
        assert self.run(list_all()) == [name for name in rolled_up(kept, prefix, delimiter) if name != after]

    @invariant()
    def nothing_is_lost_or_left(self):
        async def look():
            def count(tx):
                return tx.one("SELECT COUNT(*) AS n FROM s3_pieces")["n"], tx.one("SELECT COUNT(*) AS n FROM s3_parts")[
                    "n"
                ]

            blobs = {ref async for ref in self.blobs.within("s3").list()}
            named = await self.database.read(lambda tx: {row["blob"] for row in tx.all(self.s3._sql.blobs)})
            return blobs, named, await self.database.read(count), await self.heads()

        blobs, named, (pieces, parts), heads = self.run(look())
        assert blobs == named
        assert pieces == len(self.model)
        assert parts <= len(self.model)
        assert heads == {key: (len(body), metadata) for key, (body, metadata) in self.model.items()}

    async def heads(self):
        found = {}
        for key, (body, _) in self.model.items():
            head = await self.s3.head_object(CALL, Bucket="bucket", Key=key)
            if "-" not in head["ETag"]:
                assert head["ETag"] == f'"{hashlib.md5(body).hexdigest()}"'
            found[key] = (head["ContentLength"], head["Metadata"])
        return found


Buckets.TestCase.settings = settings(max_examples=25, stateful_step_count=25, deadline=None)
TestBuckets = Buckets.TestCase
