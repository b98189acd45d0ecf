"""Tags of objects."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cumulet.services.s3.naming import check_version, key_bytes
from cumulet.services.s3.parts import Input, Parts
from cumulet.services.s3.records import Tags
from cumulet.services.s3.tags import OBJECT_TAGS, read_tag_set, tell_tags

if TYPE_CHECKING:
    from typing import Unpack

    from types_boto3_s3.type_defs import (
        DeleteObjectTaggingRequestTypeDef,
        GetObjectTaggingRequestTypeDef,
        PutObjectTaggingRequestTypeDef,
    )

    from cumulet.store.api import Transaction
    from cumulet.wire.service import Call, Reply


class Tagging(Parts):
    """Operations on the tags of objects."""

    async def put_object_tagging(self, call: Call, **input: Unpack[PutObjectTaggingRequestTypeDef]) -> Reply:
        await self._tag(call, input, read_tag_set(input["Tagging"]["TagSet"], OBJECT_TAGS))
        return {}

    async def delete_object_tagging(self, call: Call, **input: Unpack[DeleteObjectTaggingRequestTypeDef]) -> Reply:
        await self._tag(call, input, ())
        return {}

    async def get_object_tagging(self, call: Call, **input: Unpack[GetObjectTaggingRequestTypeDef]) -> Reply:
        check_version(input.get("VersionId"))
        key = key_bytes(input["Key"])

        def work(tx: Transaction) -> Tags:
            bucket = self._bucket(tx, call, input)
            return self._object(tx, bucket.name, key).facts.tags

        return {"TagSet": tell_tags(await self._database.read(work))}

    async def _tag(self, call: Call, input: Input, tags: Tags) -> None:
        check_version(input.get("VersionId"))
        key = key_bytes(input["Key"])

        def work(tx: Transaction) -> None:
            bucket = self._bucket(tx, call, input)
            facts = self._object(tx, bucket.name, key, lock=True).facts.with_tags(tags)
            tx.run(self._sql.set_facts, bucket=bucket.name, key=key, facts=str(facts))

        await self._database.write(work)
