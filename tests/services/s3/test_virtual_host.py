"""Buckets as part of the host's name, as SDKs write them by default."""

from collections.abc import Iterator
from typing import Any

import pytest
from botocore.config import Config
from tests.inprocess import House

from cumulet.services.s3.service import S3


@pytest.fixture(
    params=["http://localhost:4566", "http://s3.localhost.localstack.cloud:4566", "http://s3.amazonaws.com"]
)
def s3(request: Any) -> Iterator[Any]:
    with House() as house:
        house.add(lambda parts: S3(parts.database, parts.blobs, parts.clock, parts.entropy))
        config = Config(s3={"addressing_style": "virtual"})
        yield house.client("s3", endpoint_url=request.param, config=config)


def test_a_bucket_in_the_host_name(s3: Any) -> None:
    s3.create_bucket(Bucket="in-the-host")
    sent: list[str] = []
    s3.meta.events.register_first("before-send.s3.PutObject", lambda request, **_: sent.append(request.url))
    s3.put_object(Bucket="in-the-host", Key="a/b c.txt", Body=b"hello")
    assert sent[0].startswith("http://in-the-host.")
    assert s3.get_object(Bucket="in-the-host", Key="a/b c.txt")["Body"].read() == b"hello"
    assert [item["Key"] for item in s3.list_objects_v2(Bucket="in-the-host")["Contents"]] == ["a/b c.txt"]
    s3.copy_object(Bucket="in-the-host", Key="copy", CopySource={"Bucket": "in-the-host", "Key": "a/b c.txt"})
    assert s3.head_object(Bucket="in-the-host", Key="copy")["ContentLength"] == 5
