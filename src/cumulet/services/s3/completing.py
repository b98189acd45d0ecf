"""CompleteMultipartUpload: parts become an object, and no byte of them moves.

The object's content is the upload itself; parts that are not named go. Completing again with the same parts gives the
same answer as long as the object is there.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from cumulet.base import json
from cumulet.services.s3.combining import combined, combined_etag
from cumulet.services.s3.conditions import check_write_headers
from cumulet.services.s3.digests import ALGORITHMS, DEFAULT, given_checksums
from cumulet.services.s3.errors import (
    BadDigest,
    EntityTooSmall,
    InvalidPart,
    InvalidPartOrder,
    InvalidRequest,
    MalformedXML,
    NoSuchUpload,
)
from cumulet.services.s3.headers import ENCRYPTION, refuse_options
from cumulet.services.s3.naming import key_bytes
from cumulet.services.s3.parts import Input
from cumulet.services.s3.records import Checksum, Part, Stored, Upload, quoted
from cumulet.services.s3.uploads import Uploads

if TYPE_CHECKING:
    from typing import Unpack

    from types_boto3_s3.type_defs import CompleteMultipartUploadRequestTypeDef

    from cumulet.store.api import Transaction
    from cumulet.wire.service import Call, Reply

SMALLEST_PART = 5 * 1024**2
MOST_PARTS = 10_000


class Completing(Uploads):
    """The operation that ends an upload well."""

    async def complete_multipart_upload(
        self, call: Call, **input: Unpack[CompleteMultipartUploadRequestTypeDef]
    ) -> Reply:
        refuse_options(input)
        check_write_headers(input.get("IfMatch"), input.get("IfNoneMatch"))
        named = _read_parts(input)
        while (answer := await self._completed(call, input, named)) is None:
            continue
        return {
            "Location": f"{call.endpoint}/{input['Bucket']}/{input['Key']}",
            "Bucket": input["Bucket"],
            "Key": input["Key"],
            "ServerSideEncryption": ENCRYPTION,
            **answer,
        }

    async def _completed(self, call: Call, input: Input, named: Sequence[dict[str, Any]]) -> dict[str, Any] | None:
        """What to tell of the object, committed. None where a part came again meanwhile."""
        upload, parts = await self._database.read(lambda tx: self._upload_and_parts(tx, call, input))
        if upload.answer:
            return _again(upload, named)
        chosen = _choose(upload, named, parts)
        checksum = combined(chosen, upload.checksum_algorithm or DEFAULT, upload.checksum_type or "FULL_OBJECT")
        _check_whole(input, chosen, checksum)
        new = self._assembled(upload, chosen, checksum)
        told: dict[str, Any] = {"ETag": quoted(new.etag), **checksum.members}

        def work(tx: Transaction) -> dict[str, Any] | None:
            locked, now = self._upload_and_parts(tx, call, input, lock=True)
            if locked.answer:
                return _again(locked, named)
            if now != parts:
                return None
            self._place(tx, upload.bucket, new, input.get("IfMatch"), input.get("IfNoneMatch"))
            self._drop_parts(tx, upload.id, {part.number for part in parts} - {part.number for part in chosen})
            tx.run(self._sql.finish_upload, id=upload.id, answer=json.dumps([_names(named), told]))
            return told

        return await self._commit(work)

    def _upload_and_parts(
        self, tx: Transaction, call: Call, input: Input, *, lock: bool = False
    ) -> tuple[Upload, list[Part]]:
        upload = self._upload(tx, call, input, lock=lock)
        rows = tx.all(self._sql.parts, content=upload.id, after=0, limit=MOST_PARTS)
        return upload, [Part.of(row) for row in rows]

    def _assembled(self, upload: Upload, parts: Sequence[Part], checksum: Checksum) -> Stored:
        return Stored(
            key=upload.key,
            content=upload.id,
            size=sum(part.size for part in parts),
            etag=combined_etag(parts),
            modified_at=self._clock.now(),
            storage_class=upload.storage_class,
            checksum=checksum,
            parts=len(parts),
            facts=upload.facts,
        )

    def _drop_parts(self, tx: Transaction, content: str, numbers: set[int]) -> None:
        """Parts that were uploaded and not named."""
        for number in sorted(numbers):
            tx.run(self._sql.drop_part, content=content, number=number)
            lost = tx.all(self._sql.drop_pieces_of_part, content=content, part=number)
            self._doom(tx, [row["blob"] for row in lost if row["blob"] is not None])


def _read_parts(input: Input) -> Sequence[dict[str, Any]]:
    """The parts that the caller names, in ascending order."""
    key_bytes(input["Key"])
    named: Sequence[dict[str, Any]] = input.get("MultipartUpload", {}).get("Parts", ())
    if not 1 <= len(named) <= MOST_PARTS or any("PartNumber" not in part or "ETag" not in part for part in named):
        raise MalformedXML
    numbers = [part["PartNumber"] for part in named]
    if any(one >= other for one, other in pairwise(numbers)):
        raise InvalidPartOrder(UploadId=input["UploadId"])
    return named


def _choose(upload: Upload, named: Sequence[dict[str, Any]], parts: Sequence[Part]) -> list[Part]:
    """The parts that are meant. Each must be there as it is named, and all but the last be large enough."""
    by_number = {part.number: part for part in parts}
    chosen = [_match(upload, name, by_number.get(name["PartNumber"])) for name in named]
    for part in chosen[:-1]:
        if part.size < SMALLEST_PART:
            raise EntityTooSmall(
                ProposedSize=part.size, MinSizeAllowed=SMALLEST_PART, PartNumber=part.number, ETag=part.etag
            )
    return chosen


def _match(upload: Upload, named: dict[str, Any], part: Part | None) -> Part:
    etag = named["ETag"].strip('"')
    wrong = InvalidPart(UploadId=upload.id, PartNumber=named["PartNumber"], ETag=etag)
    if part is None or part.etag != etag:
        raise wrong
    claimed = {name: named[f"Checksum{name}"] for name in ALGORITHMS if f"Checksum{name}" in named}
    if any(part.checksums.get(name) != value for name, value in claimed.items()):
        raise wrong
    needed = upload.checksum_algorithm
    if upload.checksum_type == "COMPOSITE" and needed not in claimed:
        raise InvalidRequest(
            problem=f"The upload was created using a {needed.lower()} checksum. The complete request must include the "
            f"checksum for each part. It was missing for part {part.number} in the request."
        )
    return part


def _check_whole(input: Input, parts: Sequence[Part], checksum: Checksum) -> None:
    """What the caller claims of the whole object."""
    if input.get("ChecksumType", checksum.type) != checksum.type:
        raise BadDigest(algorithm="checksum type")
    claims = {name: value.partition("-")[0] for name in ALGORITHMS if (value := input.get(f"Checksum{name}"))}
    for name, value in given_checksums({f"Checksum{name}": value for name, value in claims.items()}).items():
        if name == checksum.algorithm and value != checksum.value.partition("-")[0]:
            raise BadDigest(algorithm=name)
    size = sum(part.size for part in parts)
    if input.get("MpuObjectSize", size) != size:
        raise InvalidRequest(
            problem=f"The provided 'x-amz-mp-object-size' header value {input['MpuObjectSize']} does not match what "
            f"was computed: {size}"
        )


def _names(named: Sequence[dict[str, Any]]) -> list[list[Any]]:
    return [[part["PartNumber"], part["ETag"].strip('"')] for part in named]


def _again(upload: Upload, named: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """The answer of an upload that is complete already."""
    parts, told = json.loads(upload.answer)
    if parts != _names(named):
        raise NoSuchUpload(UploadId=upload.id)
    answer: dict[str, Any] = told
    return answer
