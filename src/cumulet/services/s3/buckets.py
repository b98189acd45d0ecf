"""Buckets: create, delete, head, list, location, tags.

Names are global: one bucket of a name in the whole server. Refused: a name against the rules, a location that is not
the region of the call (but us-east-1 takes all), object lock, ACLs that would grant something.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cumulet.base import json
from cumulet.base.errors import NotImplementedHere
from cumulet.base.paging import BadToken, make_token, read_token
from cumulet.services.s3.errors import (
    BucketAlreadyExists,
    BucketAlreadyOwnedByYou,
    BucketNotEmpty,
    IllegalLocationConstraint,
    InvalidArgument,
    InvalidLocationConstraint,
    NoSuchTagSet,
)
from cumulet.services.s3.headers import refuse_options
from cumulet.services.s3.naming import canonical_id, check_new_bucket
from cumulet.services.s3.parts import Input, Parts
from cumulet.services.s3.records import Bucket, Tags, seconds
from cumulet.services.s3.tags import BUCKET_TAGS, read_tag_set, tell_tags

if TYPE_CHECKING:
    from typing import Unpack

    from types_boto3_s3.type_defs import (
        CreateBucketRequestTypeDef,
        DeleteBucketRequestTypeDef,
        DeleteBucketTaggingRequestTypeDef,
        GetBucketLocationRequestTypeDef,
        GetBucketTaggingRequestTypeDef,
        HeadBucketRequestTypeDef,
        ListBucketsRequestTypeDef,
        PutBucketTaggingRequestTypeDef,
    )

    from cumulet.store.api import Transaction
    from cumulet.wire.service import Call, Reply

FIRST_REGION = "us-east-1"
MOST_BUCKETS = 10_000


class Buckets(Parts):
    """Operations on buckets."""

    async def create_bucket(self, call: Call, **input: Unpack[CreateBucketRequestTypeDef]) -> Reply:
        name = input["Bucket"]
        check_new_bucket(name)
        refuse_options(input)
        if input.get("ObjectOwnership", "BucketOwnerEnforced") != "BucketOwnerEnforced":
            raise NotImplementedHere(what=f"the object ownership {input['ObjectOwnership']}")
        if input.get("BucketNamespace", "global") != "global":
            raise NotImplementedHere(what="buckets in an account's own namespace")
        location, region, tags = _read_configuration(call.region, input.get("CreateBucketConfiguration", {}))
        new = Bucket(name, call.account, region, location, self._clock.now(), tags)
        await self._database.write(lambda tx: self._add_bucket(tx, call, new))
        return {"Location": _address(call, new), "BucketArn": new.arn}

    def _add_bucket(self, tx: Transaction, call: Call, new: Bucket) -> None:
        added = tx.run(
            self._sql.add_bucket,
            name=new.name,
            account=new.account,
            region=new.region,
            location=new.location,
            created_at=new.created_at,
            tags=json.dumps(new.tags),
        )
        if added:
            return
        row = tx.one(self._sql.bucket, name=new.name)
        if row is None or row["account"] != new.account:
            raise BucketAlreadyExists(BucketName=new.name)
        if call.region != FIRST_REGION or row["region"] != new.region or new.region != FIRST_REGION:
            raise BucketAlreadyOwnedByYou(BucketName=new.name)

    async def delete_bucket(self, call: Call, **input: Unpack[DeleteBucketRequestTypeDef]) -> Reply:
        def work(tx: Transaction) -> None:
            name = self._bucket(tx, call, input).name
            if tx.one(self._sql.any_object, bucket=name) is not None:
                raise BucketNotEmpty(BucketName=name)
            for row in tx.all(self._sql.uploads_of, bucket=name):
                self._forget(tx, row["id"], 1)
            tx.run(self._sql.drop_bucket, name=name)

        await self._commit(work)
        return {}

    async def head_bucket(self, call: Call, **input: Unpack[HeadBucketRequestTypeDef]) -> Reply:
        bucket = await self._database.read(lambda tx: self._bucket(tx, call, input))
        return {"BucketRegion": bucket.region, "BucketArn": bucket.arn, "AccessPointAlias": False}

    async def get_bucket_location(self, call: Call, **input: Unpack[GetBucketLocationRequestTypeDef]) -> Reply:
        bucket = await self._database.read(lambda tx: self._bucket(tx, call, input))
        return {"LocationConstraint": bucket.location} if bucket.location else {}

    async def list_buckets(self, call: Call, **input: Unpack[ListBucketsRequestTypeDef]) -> Reply:
        prefix, region = input.get("Prefix", ""), input.get("BucketRegion", "")
        most = input.get("MaxBuckets", MOST_BUCKETS)
        question = [prefix, region]
        after = _after(input.get("ContinuationToken"), question)

        def work(tx: Transaction) -> list[Bucket]:
            pattern = prefix.replace("!", "!!").replace("%", "!%").replace("_", "!_") + "%"
            rows = tx.all(
                self._sql.buckets, account=call.account, after=after, pattern=pattern, region=region, limit=most + 1
            )
            return [Bucket.of(row) for row in rows]

        found = await self._database.read(work)
        paged = any(name in input for name in ("MaxBuckets", "ContinuationToken", "Prefix", "BucketRegion"))
        reply: Reply = {
            "Buckets": [_tell(bucket, paged=paged) for bucket in found[:most]],
            "Owner": {"ID": canonical_id(call.account)},
        }
        if len(found) > most:
            reply["ContinuationToken"] = make_token(found[most - 1].name, question)
        if prefix:
            reply["Prefix"] = prefix
        return reply

    async def put_bucket_tagging(self, call: Call, **input: Unpack[PutBucketTaggingRequestTypeDef]) -> Reply:
        tags = read_tag_set(input["Tagging"]["TagSet"], BUCKET_TAGS)
        await self._tag_bucket(call, input, tags)
        return {}

    async def get_bucket_tagging(self, call: Call, **input: Unpack[GetBucketTaggingRequestTypeDef]) -> Reply:
        bucket = await self._database.read(lambda tx: self._bucket(tx, call, input))
        if not bucket.tags:
            raise NoSuchTagSet(BucketName=bucket.name)
        return {"TagSet": tell_tags(bucket.tags)}

    async def delete_bucket_tagging(self, call: Call, **input: Unpack[DeleteBucketTaggingRequestTypeDef]) -> Reply:
        await self._tag_bucket(call, input, ())
        return {}

    async def _tag_bucket(self, call: Call, input: Input, tags: Tags) -> None:
        def work(tx: Transaction) -> None:
            bucket = self._bucket(tx, call, input)
            tx.run(self._sql.tag_bucket, name=bucket.name, tags=json.dumps(tags))

        await self._database.write(work)


def _read_configuration(region: str, given: Any) -> tuple[str, str, Tags]:
    """Location, region and tags of a new bucket."""
    if "Location" in given or "Bucket" in given:
        raise NotImplementedHere(what="directory buckets")
    location = given.get("LocationConstraint", "")
    meant = {"": FIRST_REGION, "EU": "eu-west-1"}.get(location, location)
    if location == FIRST_REGION:
        raise InvalidLocationConstraint(LocationConstraint=location)
    if region not in (FIRST_REGION, meant):
        raise IllegalLocationConstraint(location=location or "unspecified")
    return location, meant, read_tag_set(given.get("Tags", ()), BUCKET_TAGS)


def _address(call: Call, bucket: Bucket) -> str:
    """AWS tells the path in us-east-1 and the URL elsewhere."""
    return f"/{bucket.name}" if bucket.region == FIRST_REGION else f"{call.endpoint}/{bucket.name}"


def _after(token: str | None, question: list[str]) -> str:
    try:
        return "" if token is None else str(read_token(token, question))
    except BadToken:
        raise InvalidArgument(
            problem="The continuation token provided is incorrect", ArgumentName="continuation-token"
        ) from None


def _tell(bucket: Bucket, *, paged: bool) -> dict[str, Any]:
    told: dict[str, Any] = {
        "Name": bucket.name,
        "CreationDate": seconds(bucket.created_at),
        "BucketArn": bucket.arn,
    }
    return {**told, "BucketRegion": bucket.region} if paged else told
