"""What goes wrong on the way: nothing half is ever stored, and what readers hold stays."""

import asyncio
import random
from base64 import b64encode
from hashlib import md5

import pytest

from cumulet.base.clock import SECOND
from cumulet.services.s3.bodies import Bodies
from cumulet.services.s3.digests import Meter
from cumulet.services.s3.errors import EntityTooLarge
from cumulet.store.errors import StorageFull
from cumulet.wire.body_errors import IncompleteBody
from cumulet.wire.http import Headers, Request

LARGE = random.Random(4).randbytes(300_000)


async def pieces(*parts, then=None):
    for part in parts:
        await asyncio.sleep(0)
        yield part
    if then is not None:
        raise then


async def read(body):
    return body if isinstance(body, bytes) else b"".join([piece async for piece in body])


@pytest.mark.parametrize("sent", [(), (b"x" * 100,), (LARGE[:100_000], LARGE[100_000:200_000])])
async def test_a_body_cut_short_changes_nothing(s3, cloud, sent):
    await s3.put_object(Bucket="bucket", Key="key", Body=LARGE)
    before = await cloud.blob_names()
    body = pieces(*sent, then=IncompleteBody())
    with pytest.raises(IncompleteBody):
        await cloud.service.put_object(cloud.call(), Bucket="bucket", Key="key", Body=body)
    assert (await s3.get_object(Bucket="bucket", Key="key"))["Body"] == LARGE
    assert await cloud.blob_names() == before
    assert await cloud.rows("s3_pieces") == 1


async def test_a_part_cut_short_changes_nothing(s3, cloud):
    place = {"Bucket": "bucket", "Key": "key"}
    place["UploadId"] = (await s3.create_multipart_upload(**place))["UploadId"]
    body = pieces(LARGE, then=IncompleteBody())
    with pytest.raises(IncompleteBody):
        await cloud.service.upload_part(cloud.call(), **place, PartNumber=1, Body=body)
    assert "Parts" not in await s3.list_parts(**place)
    assert await cloud.blob_names() == set()


async def test_a_body_in_small_pieces(s3, cloud):
    for body in (LARGE, LARGE[:20_000]):
        split = [body[at : at + 1000] for at in range(0, len(body), 1000)]
        await cloud.service.put_object(cloud.call(), Bucket="bucket", Key="key", Body=pieces(*split))
        got = await s3.get_object(Bucket="bucket", Key="key")
        assert (got["Body"], got["ETag"]) == (body, f'"{md5(body).hexdigest()}"')


async def test_a_put_that_is_given_up_leaves_nothing(cloud, s3):
    started = asyncio.Event()

    async def slow():
        yield LARGE
        started.set()
        await asyncio.Event().wait()

    task = asyncio.create_task(cloud.service.put_object(cloud.call(), Bucket="bucket", Key="key", Body=slow()))
    await started.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await cloud.blob_names() == set()
    assert (await s3.list_objects_v2(Bucket="bucket"))["KeyCount"] == 0


async def test_a_bucket_that_goes_while_the_body_comes(cloud, s3):
    async def slow():
        yield LARGE
        await s3.delete_bucket(Bucket="bucket")
        yield LARGE

    with pytest.raises(Exception, match="bucket does not exist"):
        await cloud.service.put_object(cloud.call(), Bucket="bucket", Key="key", Body=slow())
    assert await cloud.blob_names() == set()


class FullDatabase:
    """Refuses to write, as a full disk does."""

    def __init__(self, database):
        self.kind = database.kind
        self.read = database.read

    async def write(self, work):
        raise StorageFull("no space left on device")


async def test_a_full_disk_at_the_commit(quick_cloud, quick):
    await quick.put_object(Bucket="bucket", Key="key", Body=b"old")
    real = quick_cloud.service._database
    quick_cloud.service._database = FullDatabase(real)
    refusal = await quick.refused("put_object", Bucket="bucket", Key="key", Body=LARGE)
    quick_cloud.service._database = real
    assert refusal.status == 507
    assert (await quick.get_object(Bucket="bucket", Key="key"))["Body"] == b"old"
    assert await quick_cloud.blob_names() == set()


async def test_a_reader_keeps_what_is_deleted_under_it(s3, cloud):
    place = {"Bucket": "bucket", "Key": "key"}
    await s3.put_object(Bucket="bucket", Key="source", Body=LARGE * 20)
    upload = (await s3.create_multipart_upload(**place))["UploadId"]
    parts = []
    for number in (1, 2, 3):
        more = {"UploadId": upload, "PartNumber": number}
        reply = await s3.upload_part(**place, **more, Body=LARGE * 20)
        parts.append({"PartNumber": number, "ETag": reply["ETag"]})
    await s3.complete_multipart_upload(**place, UploadId=upload, MultipartUpload={"Parts": parts})

    reply = await cloud.service.get_object(cloud.call(), **place)
    reading = aiter(reply["Body"])
    first = await anext(reading)
    await s3.delete_object(**place)
    assert len(await cloud.blob_names()) == 3
    assert first + b"".join([piece async for piece in reading]) == LARGE * 60
    assert len(await cloud.blob_names()) == 1


async def test_a_reader_that_leaves_early_lets_go(s3, cloud):
    await s3.put_object(Bucket="bucket", Key="key", Body=LARGE * 20)
    reply = await cloud.service.get_object(cloud.call(), Bucket="bucket", Key="key")
    reading = aiter(reply["Body"])
    await anext(reading)
    await reading.aclose()
    await s3.delete_object(Bucket="bucket", Key="key")
    assert await cloud.blob_names() == set()


async def test_a_copy_begins_again_when_its_source_changes(s3, cloud):
    await s3.put_object(Bucket="bucket", Key="source", Body=LARGE)
    service, original = cloud.service, cloud.service._original

    async def changing(call, input, source):
        found = await original(call, input, source)
        if found.object.size == len(LARGE):
            await s3.put_object(Bucket="bucket", Key="source", Body=b"changed")
        return found

    service._original = changing
    await s3.copy_object(Bucket="bucket", Key="copy", CopySource="bucket/source")
    assert (await s3.get_object(Bucket="bucket", Key="copy"))["Body"] == b"changed"
    assert await cloud.blob_names() == set()


async def test_many_writers_of_one_key(cloud, s3):
    texts = [bytes([number]) * (40_000 + number) for number in range(12)]
    puts = [cloud.service.put_object(cloud.call(), Bucket="bucket", Key="key", Body=text) for text in texts]
    await asyncio.gather(*puts)
    assert (await s3.get_object(Bucket="bucket", Key="key"))["Body"] in texts
    assert await cloud.rows("s3_pieces") == 1
    assert len(await cloud.blob_names()) == 1


async def test_only_one_of_many_is_first(cloud, s3):
    puts = [
        cloud.service.put_object(cloud.call(), Bucket="bucket", Key="key", Body=b"%d" % number, IfNoneMatch="*")
        for number in range(8)
    ]
    answers = await asyncio.gather(*puts, return_exceptions=True)
    assert sum(isinstance(answer, dict) for answer in answers) == 1
    assert await cloud.rows("s3_pieces") == 1


async def test_the_sweep_takes_what_no_row_names(cloud, s3, clock):
    await s3.put_object(Bucket="bucket", Key="key", Body=LARGE)
    (kept,) = await cloud.blob_names()
    lost = await cloud.blobs.put(pieces(LARGE))
    await cloud.service._sweep()
    assert await cloud.blob_names() == {kept, lost}
    clock.jump(100 * 365 * 86_400 - clock.now() / SECOND + 86_400 * 365 * 30)
    task = asyncio.create_task(cloud.service.run())
    while lost in await cloud.blob_names():
        await asyncio.sleep(0)
    task.cancel()
    assert await cloud.blob_names() == {kept}
    assert (await s3.get_object(Bucket="bucket", Key="key"))["Body"] == LARGE


async def test_deletes_without_a_digest_are_refused(quick_cloud, quick):
    await quick.put_object(Bucket="bucket", Key="key", Body=b"x")
    body = b"<Delete><Object><Key>key</Key></Object></Delete>"
    headers = [("host", "127.0.0.1:4566"), ("content-length", str(len(body)))]
    answer = await quick_cloud.app.answer(Request("POST", "/bucket", "delete", Headers(headers), body))
    assert answer.status == 400
    assert b"Missing required header for this request: Content-MD5" in answer.body
    headers.append(("content-md5", b64encode(md5(body).digest()).decode()))
    answer = await quick_cloud.app.answer(Request("POST", "/bucket", "delete", Headers(headers), body))
    assert answer.status == 200
    assert (await quick.list_objects_v2(Bucket="bucket"))["KeyCount"] == 0


async def test_a_body_larger_than_may_be(quick_cloud, quick):
    narrow = Bodies(quick_cloud.blobs, largest=250_000)
    for sent in ((LARGE,), (LARGE[:200_000], LARGE[200_000:])):
        with pytest.raises(EntityTooLarge) as caught:
            await narrow.take(pieces(*sent), Meter())
        assert caught.value.extra == {"ProposedSize": 300_000, "MaxSizeAllowed": 250_000}
    assert await quick_cloud.blob_names() == set()
    with pytest.raises(EntityTooLarge):
        await quick_cloud.service.put_object(
            quick_cloud.call(), Bucket="bucket", Key="key", Body=b"x", ContentLength=5 * 1024**3 + 1
        )


async def test_streams_of_the_reply_are_lazy(quick_cloud, quick):
    await quick.put_object(Bucket="bucket", Key="key", Body=LARGE)
    reply = await quick_cloud.service.get_object(quick_cloud.call(), Bucket="bucket", Key="key", Range="bytes=7-100007")
    assert await read(reply["Body"]) == LARGE[7:100_008]
