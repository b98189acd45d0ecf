"""Reading objects: get, head, attributes. Bodies are streamed; what they consist of is fixed by one snapshot."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from cumulet.services.s3.bodies import Body
from cumulet.services.s3.conditions import Conditions
from cumulet.services.s3.errors import InvalidArgument, InvalidPartNumber, InvalidRequest
from cumulet.services.s3.headers import ENCRYPTION, refuse_options
from cumulet.services.s3.naming import check_version, key_bytes
from cumulet.services.s3.parts import Input, Parts
from cumulet.services.s3.ranges import Span, read_range
from cumulet.services.s3.records import STANDARD, Part, Piece, Stored, quoted, seconds

if TYPE_CHECKING:
    from typing import Unpack

    from types_boto3_s3.type_defs import (
        GetObjectAttributesRequestTypeDef,
        GetObjectRequestTypeDef,
        HeadObjectRequestTypeDef,
    )

    from cumulet.store.api import Transaction
    from cumulet.wire.service import Call, Reply

MOST_PARTS = 10_000
PARTS_PAGE = 1000

_OVERRIDES: Mapping[str, str] = {
    f"Response{name}": name
    for name in ("CacheControl", "ContentDisposition", "ContentEncoding", "ContentLanguage", "ContentType", "Expires")
}


@dataclass(frozen=True, slots=True)
class Found:
    """An object, which of its bytes are asked for, and perhaps the one part that they are."""

    object: Stored
    span: Span
    partial: bool
    part: Part | None = None
    pieces: tuple[Piece, ...] = ()


class Reading(Parts):
    """Operations that read objects."""

    async def get_object(self, call: Call, **input: Unpack[GetObjectRequestTypeDef]) -> Reply:
        with self._bodies.looking():
            found = await self._find(call, input, pieces=True)
            body: Body = self._bodies.open(found.pieces, found.span.start, found.span.end)
        if len(found.pieces) == 1 and found.pieces[0].body is not None:
            body = found.pieces[0].body[found.span.start : found.span.end]
        return {**_tell(found, input), "Body": body}

    async def head_object(self, call: Call, **input: Unpack[HeadObjectRequestTypeDef]) -> Reply:
        return _tell(await self._find(call, input, pieces=False), input)

    async def _find(self, call: Call, input: Input, *, pieces: bool) -> Found:
        check_version(input.get("VersionId"))
        refuse_options(input)
        if "Range" in input and "PartNumber" in input:
            raise InvalidRequest(problem="Cannot specify both Range header and partNumber query parameter")
        key, conditions, now = key_bytes(input["Key"]), Conditions.of(input), self._clock.now()

        def work(tx: Transaction) -> Found:
            bucket = self._bucket(tx, call, input)
            stored = self._object(tx, bucket.name, key)
            conditions.check(stored.etag, stored.modified_at, now)
            found = self._span(tx, stored, input)
            return replace(found, pieces=tuple(self._pieces(tx, stored.content))) if pieces else found

        return await self._database.read(work)

    def _span(self, tx: Transaction, stored: Stored, input: Input) -> Found:
        whole = Span(0, stored.size, stored.size)
        if "Range" in input:
            span = read_range(input["Range"], stored.size)
            return Found(stored, span or whole, partial=span is not None)
        if (number := input.get("PartNumber")) is None:
            return Found(stored, whole, partial=False)
        _check_part_number(number)
        if not stored.parts:
            if number > 1:
                raise InvalidPartNumber(PartNumberRequested=number, ActualPartCount=1)
            return Found(stored, whole, partial=stored.size > 0)
        at = 0
        for part in self._parts(tx, stored.content):
            if part.number == number:
                return Found(stored, Span(at, at + part.size, stored.size), partial=True, part=part)
            at += part.size
        raise InvalidPartNumber(PartNumberRequested=number, ActualPartCount=stored.parts)

    def _parts(self, tx: Transaction, content: str, after: int = 0, limit: int = MOST_PARTS) -> list[Part]:
        return [Part.of(row) for row in tx.all(self._sql.parts, content=content, after=after, limit=limit)]

    async def get_object_attributes(self, call: Call, **input: Unpack[GetObjectAttributesRequestTypeDef]) -> Reply:
        check_version(input.get("VersionId"))
        refuse_options(input)
        key, wanted = key_bytes(input["Key"]), input["ObjectAttributes"]
        most = min(input.get("MaxParts", PARTS_PAGE), PARTS_PAGE)
        after = int(input.get("PartNumberMarker", 0))

        def work(tx: Transaction) -> tuple[Stored, list[Part]]:
            bucket = self._bucket(tx, call, input)
            stored = self._object(tx, bucket.name, key)
            listed = stored.parts and "ObjectParts" in wanted
            return stored, self._parts(tx, stored.content, after, most + 1) if listed else []

        stored, parts = await self._database.read(work)
        told: Reply = {"ETag": stored.etag, "ObjectSize": stored.size, "StorageClass": stored.storage_class}
        if stored.checksum is not None:
            told["Checksum"] = stored.checksum.members
        if stored.parts:
            told["ObjectParts"] = _tell_parts(stored, parts, after, most)
        chosen = {name: value for name, value in told.items() if name in wanted}
        return {"LastModified": seconds(stored.modified_at), **chosen}


def _check_part_number(number: int) -> None:
    if not 1 <= number <= MOST_PARTS:
        raise InvalidArgument(
            problem="Part number must be an integer between 1 and 10000, inclusive",
            ArgumentName="partNumber",
            ArgumentValue=number,
        )


def _tell(found: Found, input: Input) -> Reply:
    """The headers of an object."""
    stored, span = found.object, found.span
    told: Reply = {
        "AcceptRanges": "bytes",
        "LastModified": seconds(stored.modified_at),
        "ContentLength": span.size,
        "ETag": quoted(stored.etag),
        "ServerSideEncryption": ENCRYPTION,
        **stored.facts.members,
    }
    if stored.storage_class != STANDARD:
        told["StorageClass"] = stored.storage_class
    if stored.facts.tags:
        told["TagCount"] = len(stored.facts.tags)
    if found.partial and span.size:
        told["ContentRange"] = span.content_range
    if "PartNumber" in input and stored.parts:
        told["PartsCount"] = stored.parts
    if input.get("ChecksumMode") == "ENABLED" and (found.part or span.size == stored.size):
        told |= _tell_checksum(stored, found.part)
    return told | {name: input[given] for given, name in _OVERRIDES.items() if given in input}


def _tell_checksum(stored: Stored, part: Part | None) -> dict[str, Any]:
    """That of the bytes which are sent: the object's, or its part's."""
    if stored.checksum is None:
        return {}
    if part is None:
        return stored.checksum.members
    value = part.checksums.get(stored.checksum.algorithm)
    return {f"Checksum{stored.checksum.algorithm}": value, "ChecksumType": stored.checksum.type} if value else {}


def _tell_parts(stored: Stored, parts: list[Part], after: int, most: int) -> dict[str, Any]:
    """ObjectParts. The parts themselves are told only where they have checksums of their own (COMPOSITE)."""
    told: dict[str, Any] = {"TotalPartsCount": stored.parts}
    if stored.checksum is None or stored.checksum.type != "COMPOSITE":
        return told
    shown, name = parts[:most], stored.checksum.algorithm
    return told | {
        "PartNumberMarker": after,
        "NextPartNumberMarker": shown[-1].number if shown else 0,
        "MaxParts": most,
        "IsTruncated": len(parts) > most,
        "Parts": [
            {"PartNumber": part.number, "Size": part.size, f"Checksum{name}": part.checksums[name]} for part in shown
        ],
    }
