"""Writing objects: put, and delete one or many. The answer comes after the durable commit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from cumulet.services.s3.bodies import LARGEST, Body
from cumulet.services.s3.conditions import check_write_headers, etag_matches
from cumulet.services.s3.digests import full, read_promise
from cumulet.services.s3.errors import (
    EntityTooLarge,
    InvalidArgument,
    InvalidRequest,
    KeyTooLongError,
    MalformedXML,
    PreconditionFailed,
)
from cumulet.services.s3.headers import ENCRYPTION, read_facts, read_storage_class, refuse_options
from cumulet.services.s3.naming import NULL_VERSION, check_version, key_bytes
from cumulet.services.s3.parts import Input, Parts
from cumulet.services.s3.records import Stored, quoted
from cumulet.services.s3.tags import read_tag_header

if TYPE_CHECKING:
    from typing import Unpack

    from types_boto3_s3.type_defs import (
        DeleteObjectRequestTypeDef,
        DeleteObjectsRequestTypeDef,
        PutObjectRequestTypeDef,
    )

    from cumulet.base.errors import AwsError
    from cumulet.store.api import Transaction
    from cumulet.wire.service import Call, Reply

MOST_DELETES = 1000


class Writing(Parts):
    """Operations that write and delete objects."""

    async def put_object(self, call: Call, **input: Unpack[PutObjectRequestTypeDef]) -> Reply:
        refuse_options(input)
        check_write_headers(input.get("IfMatch"), input.get("IfNoneMatch"))
        key = key_bytes(input["Key"])
        facts, storage_class = read_facts(input, read_tag_header(input.get("Tagging", ""))), read_storage_class(input)
        promise = read_promise(input, call.headers)
        check_length(input)

        async def permit() -> None:
            await self._database.read(lambda tx: self._bucket(tx, call, input))

        meter, piece = await self._take(cast("Body", input.get("Body", b"")), promise, permit=permit)
        checksum = full(meter, promise.algorithm)
        new = Stored(
            key,
            self._new_content(),
            meter.size,
            meter.etag,
            self._clock.now(),
            storage_class,
            checksum,
            0,
            facts,
        )

        def work(tx: Transaction) -> None:
            bucket = self._bucket(tx, call, input)
            self._place(tx, bucket.name, new, input.get("IfMatch"), input.get("IfNoneMatch"))
            self._add_pieces(tx, new.content, [piece])

        await self._commit(work, piece)
        return {"ETag": quoted(new.etag), "ServerSideEncryption": ENCRYPTION, **checksum.members}

    async def delete_object(self, call: Call, **input: Unpack[DeleteObjectRequestTypeDef]) -> Reply:
        check_version(input.get("VersionId"))
        refuse_options(input)
        key = key_bytes(input["Key"])

        def work(tx: Transaction) -> None:
            bucket = self._bucket(tx, call, input)
            self._drop(tx, bucket.name, key, input.get("IfMatch"))

        await self._commit(work)
        return {"VersionId": NULL_VERSION} if "VersionId" in input else {}

    def _drop(self, tx: Transaction, bucket: str, key: bytes, if_match: str | None = None) -> None:
        """Remove the object, if it is there and its ETag is the one asked for."""
        if if_match is not None:
            row = tx.one(self._sql.lock_object, bucket=bucket, key=key)
            if row is not None and not etag_matches(if_match, row["etag"]):
                raise PreconditionFailed(Condition="If-Match")
        gone = tx.one(self._sql.drop_object, bucket=bucket, key=key)
        if gone is not None:
            self._forget(tx, gone["content"], gone["parts"])

    async def delete_objects(self, call: Call, **input: Unpack[DeleteObjectsRequestTypeDef]) -> Reply:
        refuse_options(input)
        _check_integrity(call)
        wanted: Any = input["Delete"]["Objects"]
        if not 1 <= len(wanted) <= MOST_DELETES:
            raise MalformedXML

        def work(tx: Transaction) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
            bucket = self._bucket(tx, call, input)
            deleted: list[dict[str, Any]] = []
            errors: list[dict[str, Any]] = []
            for each in wanted:
                told = {name: each[name] for name in ("Key", "VersionId") if name in each}
                try:
                    refuse_options({f"IfMatch{name}": 1 for name in ("LastModifiedTime", "Size") if name in each})
                    check_version(each.get("VersionId"))
                    self._drop(tx, bucket.name, key_bytes(each["Key"]), each.get("ETag"))
                except (PreconditionFailed, InvalidArgument, KeyTooLongError) as error:
                    errors.append({**told, **_tell_error(error)})
                else:
                    deleted.append(told)
            return deleted, errors

        deleted, errors = await self._commit(work)
        reply: Reply = {"Deleted": deleted} if deleted and not input["Delete"].get("Quiet") else {}
        return {**reply, "Errors": errors} if errors else reply


def check_length(input: Input) -> None:
    """Refuses before the body is read what is too large."""
    length = input.get("ContentLength", 0)
    if length > LARGEST:
        raise EntityTooLarge(ProposedSize=length, MaxSizeAllowed=LARGEST)


def _check_integrity(call: Call) -> None:
    """DeleteObjects from outside must carry a digest of its body; the gate's own callers have no body."""
    has_digest = "content-md5" in call.headers or any(
        name.startswith("x-amz-checksum-") or name == "x-amz-trailer" for name, _ in call.headers
    )
    if any(True for _ in call.headers) and not has_digest:
        raise InvalidRequest(problem="Missing required header for this request: Content-MD5 OR x-amz-checksum-*")


def _tell_error(error: AwsError) -> dict[str, str]:
    return {"Code": error.error_code, "Message": error.message}
