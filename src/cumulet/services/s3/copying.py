"""CopyObject: nothing is read or written that need not be.

A copy shares the blobs of its source; only what has no MD5 or checksum of the whole yet (an object that was uploaded in
parts, another algorithm) is read once to be summed. The source is locked when the copy is committed: if it changed
meanwhile, the copy begins again.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from cumulet.services.s3.bodies import LARGEST
from cumulet.services.s3.conditions import Conditions, check_write_headers
from cumulet.services.s3.digests import DEFAULT, Meter, known_algorithm
from cumulet.services.s3.errors import InvalidArgument, InvalidRequest
from cumulet.services.s3.headers import ENCRYPTION, read_facts, read_storage_class, refuse_options
from cumulet.services.s3.naming import Source, copy_source, key_bytes
from cumulet.services.s3.parts import Input, Parts
from cumulet.services.s3.records import Checksum, Facts, Piece, Stored, quoted, seconds
from cumulet.services.s3.tags import read_tag_header

if TYPE_CHECKING:
    from typing import Unpack

    from types_boto3_s3.type_defs import CopyObjectRequestTypeDef

    from cumulet.store.api import Transaction
    from cumulet.wire.service import Call, Reply


@dataclass(frozen=True, slots=True)
class Original:
    """The source of a copy as it was read."""

    object: Stored
    pieces: tuple[Piece, ...]


class Copying(Parts):
    """Operations that take bytes from another object."""

    async def copy_object(self, call: Call, **input: Unpack[CopyObjectRequestTypeDef]) -> Reply:
        refuse_options(input)
        check_write_headers(input.get("IfMatch"), input.get("IfNoneMatch"))
        source = copy_source(str(input["CopySource"]))
        key, storage_class = key_bytes(input["Key"]), read_storage_class(input)
        for directive in ("MetadataDirective", "TaggingDirective"):
            _check_directive(input, directive)
        _check_itself(input, source)
        algorithm = known_algorithm(input["ChecksumAlgorithm"]) if "ChecksumAlgorithm" in input else None
        read_facts(input, read_tag_header(input.get("Tagging", "")))
        while (new := await self._copied(call, input, source, key, storage_class, algorithm)) is None:
            continue
        return {"CopyObjectResult": _tell(new), "ServerSideEncryption": ENCRYPTION}

    async def _copied(
        self, call: Call, input: Input, source: Source, key: bytes, storage_class: str, algorithm: str | None
    ) -> Stored | None:
        """The copy, committed. None where the source changed meanwhile."""
        with self._bodies.looking():
            original = await self._original(call, input, source)
            check_source_size(original.object.size)
            etag, checksum = await self._summed(original, algorithm)
        new = replace(
            original.object,
            key=key,
            content=self._new_content(),
            etag=etag,
            checksum=checksum,
            parts=0,
            storage_class=storage_class,
            facts=_facts(input, original.object.facts),
            modified_at=self._clock.now(),
        )
        return new if await self._copy(call, input, source, original, new) else None

    async def _original(self, call: Call, input: Input, source: Source) -> Original:
        """The source, if it fulfils the conditions."""
        conditions, now = Conditions.of(input, "CopySource"), self._clock.now()

        def work(tx: Transaction) -> Original:
            self._bucket(tx, call, input)
            self._bucket_named(tx, call, source.bucket, input.get("ExpectedSourceBucketOwner"))
            stored = self._object(tx, source.bucket, key_bytes(source.key))
            conditions.check(stored.etag, stored.modified_at, now)
            return Original(stored, tuple(self._pieces(tx, stored.content)))

        return await self._database.read(work)

    async def _summed(self, original: Original, algorithm: str | None) -> tuple[str, Checksum]:
        """ETag and checksum of the copy. Reads the bytes where the source cannot tell them."""
        kept = original.object.checksum
        algorithm = algorithm or (kept.algorithm if kept is not None else DEFAULT)
        fits = kept is not None and kept.type == "FULL_OBJECT" and kept.algorithm == algorithm
        if kept is not None and fits and not original.object.parts:
            return original.object.etag, kept
        meter = await self._measure(original.pieces, 0, original.object.size, algorithm)
        return meter.etag, Checksum(algorithm, meter.sums[algorithm])

    async def _measure(self, pieces: tuple[Piece, ...], start: int, end: int, *algorithms: str) -> Meter:
        meter = Meter(*algorithms)
        async for data in self._bodies.open(pieces, start, end):
            meter.update(data)
        return meter

    async def _copy(self, call: Call, input: Input, source: Source, original: Original, new: Stored) -> bool:
        """Commit the copy. False where the source is no longer the one that was read."""

        def work(tx: Transaction) -> bool:
            bucket = self._bucket(tx, call, input)
            locked = self._object(tx, source.bucket, key_bytes(source.key), lock=True)
            if locked.content != original.object.content:
                return False
            self._add_pieces(tx, new.content, original.pieces)
            self._place(tx, bucket.name, new, input.get("IfMatch"), input.get("IfNoneMatch"))
            return True

        return await self._commit(work)


def check_source_size(size: int) -> None:
    """Raises where it is more than one copy may take."""
    if size > LARGEST:
        raise InvalidRequest(
            problem=f"The specified copy source is larger than the maximum allowable size for a copy source: {LARGEST}"
        )


def _check_directive(input: Input, name: str) -> None:
    if input.get(name, "COPY") not in ("COPY", "REPLACE"):
        raise InvalidArgument(
            problem=f"Unknown {'metadata' if name == 'MetadataDirective' else 'tagging'} directive.",
            ArgumentName=f"x-amz-{name.removesuffix('Directive').lower()}-directive",
            ArgumentValue=input[name],
        )


def _check_itself(input: Input, source: Source) -> None:
    """An object may be copied onto itself only to change it."""
    if (source.bucket, source.key) != (input["Bucket"], input["Key"]):
        return
    changes = ("StorageClass", "WebsiteRedirectLocation", "ServerSideEncryption", "ChecksumAlgorithm")
    if input.get("MetadataDirective") != "REPLACE" and not any(name in input for name in changes):
        raise InvalidRequest(
            problem="This copy request is illegal because it is trying to copy an object to itself without changing "
            "the object's metadata, storage class, website redirect location or encryption attributes."
        )


def _facts(input: Input, original: Facts) -> Facts:
    """The copy's headers, metadata, tags. The redirect is never copied."""
    tags = read_tag_header(input.get("Tagging", "")) if input.get("TaggingDirective") == "REPLACE" else original.tags
    given = read_facts(input, tags)
    if input.get("MetadataDirective") == "REPLACE":
        return given
    return replace(given, headers=original.headers, metadata=original.metadata)


def _tell(new: Stored) -> dict[str, Any]:
    sums = {} if new.checksum is None else new.checksum.members
    return {"ETag": quoted(new.etag), "LastModified": seconds(new.modified_at), **sums}
