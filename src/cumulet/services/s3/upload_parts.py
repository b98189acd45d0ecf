"""The parts of a multipart upload: received, or taken from another object without copying its bytes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, cast

from cumulet.base import json
from cumulet.services.s3.bodies import Body, cut
from cumulet.services.s3.copying import Copying, check_source_size
from cumulet.services.s3.digests import DEFAULT, Meter, Promise, read_promise
from cumulet.services.s3.errors import InvalidArgument, InvalidRequest
from cumulet.services.s3.headers import ENCRYPTION, refuse_options
from cumulet.services.s3.naming import Source, copy_source, key_bytes
from cumulet.services.s3.parts import Input
from cumulet.services.s3.ranges import Span, read_copy_range
from cumulet.services.s3.records import Part, Piece, Upload, quoted, seconds
from cumulet.services.s3.uploads import Uploads
from cumulet.services.s3.writing import check_length

if TYPE_CHECKING:
    from typing import Unpack

    from types_boto3_s3.type_defs import UploadPartCopyRequestTypeDef, UploadPartRequestTypeDef

    from cumulet.store.api import Transaction
    from cumulet.wire.service import Call, Reply

MOST_PARTS = 10_000


class UploadParts(Uploads, Copying):
    """Operations that bring parts."""

    async def upload_part(self, call: Call, **input: Unpack[UploadPartRequestTypeDef]) -> Reply:
        refuse_options(input)
        check_part_number(input["PartNumber"])
        check_length(input)
        promise = read_promise(input, call.headers)
        upload = await self._database.read(lambda tx: self._open_upload(tx, call, input))
        _check_algorithm(upload, promise)
        meter, piece = await self._take(cast("Body", input.get("Body", b"")), promise, _algorithm(upload))
        part = self._part(input["PartNumber"], meter)

        def work(tx: Transaction) -> None:
            self._put_part(tx, self._open_upload(tx, call, input, lock=True), part, [piece])

        await self._commit(work, piece)
        name = promise.algorithm if promise.chosen else upload.checksum_algorithm
        told = {f"Checksum{name}": part.checksums[name]} if name else {}
        return {"ETag": quoted(part.etag), "ServerSideEncryption": ENCRYPTION, **told}

    async def upload_part_copy(self, call: Call, **input: Unpack[UploadPartCopyRequestTypeDef]) -> Reply:
        refuse_options(input)
        check_part_number(input["PartNumber"])
        source = copy_source(str(input["CopySource"]))
        upload = await self._database.read(lambda tx: self._open_upload(tx, call, input))
        while (part := await self._part_copied(call, input, source, upload)) is None:
            continue
        name = upload.checksum_algorithm
        told = {"ETag": quoted(part.etag), "LastModified": seconds(part.modified_at)}
        sums = {f"Checksum{name}": part.checksums[name]} if name else {}
        return {"CopyPartResult": {**told, **sums}, "ServerSideEncryption": ENCRYPTION}

    async def _part_copied(self, call: Call, input: Input, source: Source, upload: Upload) -> Part | None:
        """The part, committed. None where the source changed meanwhile."""
        with self._bodies.looking():
            original = await self._original(call, input, source)
            span = _span(input, original.object.size)
            meter = await self._measure(original.pieces, span.start, span.end, _algorithm(upload))
        part = self._part(input["PartNumber"], meter)

        def work(tx: Transaction) -> bool:
            locked = self._object(tx, source.bucket, key_bytes(source.key), lock=True)
            if locked.content != original.object.content:
                return False
            pieces = list(cut(original.pieces, span.start, span.end))
            self._put_part(tx, self._open_upload(tx, call, input, lock=True), part, pieces)
            return True

        return part if await self._commit(work) else None

    def _part(self, number: int, meter: Meter) -> Part:
        return Part(number, meter.size, meter.etag, self._clock.now(), meter.sums)

    def _put_part(self, tx: Transaction, upload: Upload, part: Part, pieces: Sequence[Piece]) -> None:
        lost = tx.all(self._sql.drop_pieces_of_part, content=upload.id, part=part.number)
        self._add_pieces(tx, upload.id, pieces, part.number)
        tx.run(
            self._sql.put_part,
            content=upload.id,
            number=part.number,
            size=part.size,
            etag=part.etag,
            modified_at=part.modified_at,
            checksums=json.dumps(part.checksums),
        )
        self._doom(tx, [row["blob"] for row in lost if row["blob"] is not None])


def check_part_number(number: int) -> None:
    """Raises `InvalidArgument`."""
    if not 1 <= number <= MOST_PARTS:
        raise InvalidArgument(
            problem=f"Part number must be an integer between 1 and {MOST_PARTS}, inclusive",
            ArgumentName="partNumber",
            ArgumentValue=number,
        )


def _span(input: Input, size: int) -> Span:
    """What of the source is to be copied."""
    span = read_copy_range(input["CopySourceRange"], size) if "CopySourceRange" in input else Span(0, size, size)
    check_source_size(span.size)
    return span


def _algorithm(upload: Upload) -> str:
    return upload.checksum_algorithm or DEFAULT


def _check_algorithm(upload: Upload, promise: Promise) -> None:
    """A part must be summed as its upload was begun."""
    wanted = upload.checksum_algorithm
    if wanted and promise.chosen and promise.algorithm != wanted:
        raise InvalidRequest(
            problem=f"Checksum Type mismatch occurred, expected checksum Type: {wanted.lower()}, "
            f"actual checksum Type: {promise.algorithm.lower()}"
        )
