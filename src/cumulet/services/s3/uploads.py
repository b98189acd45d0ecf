"""Multipart uploads: create, abort, and list them and their parts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cumulet.base.ids import make_hex
from cumulet.services.s3.combining import COMPOSITE_TYPES, FULL_OBJECT_TYPES
from cumulet.services.s3.digests import known_algorithm
from cumulet.services.s3.errors import InvalidArgument, InvalidRequest, NoSuchUpload
from cumulet.services.s3.headers import ENCRYPTION, read_facts, read_storage_class, refuse_options
from cumulet.services.s3.listing import common_prefix, page_size, read_text, teller
from cumulet.services.s3.naming import after_prefix, canonical_id, key_bytes
from cumulet.services.s3.parts import Input, Parts
from cumulet.services.s3.records import Part, Upload, quoted, seconds
from cumulet.services.s3.tags import read_tag_header

if TYPE_CHECKING:
    from typing import Unpack

    from types_boto3_s3.type_defs import (
        AbortMultipartUploadRequestTypeDef,
        CreateMultipartUploadRequestTypeDef,
        ListMultipartUploadsRequestTypeDef,
        ListPartsRequestTypeDef,
    )

    from cumulet.store.api import Transaction
    from cumulet.wire.service import Call, Reply

_BATCH = 1000


@dataclass(frozen=True, slots=True)
class OpenUploads:
    """A page of them."""

    uploads: tuple[Upload, ...]
    prefixes: tuple[bytes, ...]
    more: bool
    last: bytes = b""
    last_id: str = ""


class Uploads(Parts):
    """Operations on multipart uploads as wholes."""

    async def create_multipart_upload(self, call: Call, **input: Unpack[CreateMultipartUploadRequestTypeDef]) -> Reply:
        refuse_options(input)
        algorithm, type_ = _checksum_kind(input)
        facts = read_facts(input, read_tag_header(input.get("Tagging", "")))
        key, storage_class = key_bytes(input["Key"]), read_storage_class(input)
        id_, now = make_hex(self._entropy, 32), self._clock.now()

        def work(tx: Transaction) -> None:
            tx.run(
                self._sql.add_upload,
                id=id_,
                bucket=self._bucket(tx, call, input).name,
                key=key,
                initiated_at=now,
                storage_class=storage_class,
                checksum_algorithm=algorithm,
                checksum_type=type_,
                facts=str(facts),
            )

        await self._database.write(work)
        kind = {"ChecksumAlgorithm": algorithm, "ChecksumType": type_} if algorithm else {}
        named = {"Bucket": input["Bucket"], "Key": input["Key"], "UploadId": id_}
        return {**named, "ServerSideEncryption": ENCRYPTION, **kind}

    async def abort_multipart_upload(self, call: Call, **input: Unpack[AbortMultipartUploadRequestTypeDef]) -> Reply:
        if "IfMatchInitiatedTime" in input:
            raise InvalidRequest(problem="x-amz-if-match-initiated-time is for directory buckets")

        def work(tx: Transaction) -> None:
            upload = self._open_upload(tx, call, input, lock=True)
            self._forget(tx, upload.id, 1)

        await self._commit(work)
        return {}

    def _open_upload(self, tx: Transaction, call: Call, input: Input, *, lock: bool = False) -> Upload:
        upload = self._upload(tx, call, input, lock=lock)
        if upload.answer:
            raise NoSuchUpload(UploadId=upload.id)
        return upload

    def _upload(self, tx: Transaction, call: Call, input: Input, *, lock: bool = False) -> Upload:
        bucket, key = self._bucket(tx, call, input), key_bytes(input["Key"])
        sql = self._sql.lock_upload if lock else self._sql.upload
        row = tx.one(sql, id=input["UploadId"], bucket=bucket.name, key=key)
        if row is None:
            raise NoSuchUpload(UploadId=input["UploadId"])
        return Upload.of(row)

    async def list_parts(self, call: Call, **input: Unpack[ListPartsRequestTypeDef]) -> Reply:
        refuse_options(input)
        most = page_size(input, "MaxParts", "max-parts")
        after = int(input.get("PartNumberMarker", 0))

        def work(tx: Transaction) -> tuple[Upload, list[Part]]:
            upload = self._open_upload(tx, call, input)
            rows = tx.all(self._sql.parts, content=upload.id, after=after, limit=most + 1)
            return upload, [Part.of(row) for row in rows]

        upload, parts = await self._database.read(work)
        shown, person = parts[:most], {"ID": canonical_id(call.account)}
        reply: Reply = {
            "Bucket": upload.bucket,
            "Key": input["Key"],
            "UploadId": upload.id,
            "PartNumberMarker": after,
            "NextPartNumberMarker": shown[-1].number if shown else 0,
            "MaxParts": most,
            "IsTruncated": len(parts) > most,
            "StorageClass": upload.storage_class,
            "Initiator": {**person, "DisplayName": call.principal.arn.rpartition(":")[2]},
            "Owner": person,
        }
        if shown:
            reply["Parts"] = [_tell_part(part, upload) for part in shown]
        return reply | _kind(upload)

    async def list_multipart_uploads(self, call: Call, **input: Unpack[ListMultipartUploadsRequestTypeDef]) -> Reply:
        most = page_size(input, "MaxUploads", "max-uploads")
        tell, person = teller(input), {"ID": canonical_id(call.account)}

        def work(tx: Transaction) -> OpenUploads:
            return self._open_uploads(tx, self._bucket(tx, call, input).name, input, most)

        page = await self._database.read(work)
        reply: Reply = {
            "Bucket": input["Bucket"],
            "Prefix": tell(read_text(input, "Prefix")),
            "KeyMarker": tell(read_text(input, "KeyMarker")),
            "UploadIdMarker": read_text(input, "UploadIdMarker"),
            "MaxUploads": most,
            "IsTruncated": page.more,
        }
        if read_text(input, "Delimiter"):
            reply["Delimiter"] = tell(read_text(input, "Delimiter"))
        if "EncodingType" in input:
            reply["EncodingType"] = input["EncodingType"]
        if page.more:
            reply |= {"NextKeyMarker": tell(page.last.decode()), "NextUploadIdMarker": page.last_id}
        if page.uploads:
            reply["Uploads"] = [
                {**_tell_upload(upload), "Key": tell(upload.key.decode()), "Owner": person, "Initiator": person}
                for upload in page.uploads
            ]
        if page.prefixes:
            reply["CommonPrefixes"] = [{"Prefix": tell(prefix.decode())} for prefix in page.prefixes]
        return reply

    def _open_uploads(self, tx: Transaction, bucket: str, input: Input, most: int) -> OpenUploads:
        prefix, delimiter = read_text(input, "Prefix").encode(), read_text(input, "Delimiter").encode()
        first, since, after = self._begin(tx, bucket, input)
        if first < prefix:
            first, since, after = prefix, -1, ""
        uploads: list[Upload] = []
        prefixes: list[bytes] = []
        last, last_id = b"", ""
        while rows := tx.all(
            self._sql.list_uploads,
            bucket=bucket,
            first=first,
            end=after_prefix(prefix),
            since=since,
            after=after,
            limit=_BATCH,
        ):
            for upload in map(Upload.of, rows):
                first, since, after = upload.key, upload.initiated_at, upload.id
                common = common_prefix(upload.key, prefix, delimiter) if delimiter else None
                if common is not None and common == last:
                    continue
                if len(uploads) + len(prefixes) == most:
                    return OpenUploads(tuple(uploads), tuple(prefixes), most > 0, last, last_id)
                last, last_id = (upload.key, upload.id) if common is None else (common, "")
                if common is None:
                    uploads.append(upload)
                else:
                    prefixes.append(common)
        return OpenUploads(tuple(uploads), tuple(prefixes), more=False)

    def _begin(self, tx: Transaction, bucket: str, input: Input) -> tuple[bytes, int, str]:
        """Key, time and id after which the listing begins."""
        marker, id_ = read_text(input, "KeyMarker").encode(), read_text(input, "UploadIdMarker")
        delimiter, prefix = read_text(input, "Delimiter").encode(), read_text(input, "Prefix").encode()
        if not marker:
            return b"", -1, ""
        row = tx.one(self._sql.upload, id=id_, bucket=bucket, key=marker) if id_ else None
        if row is not None:
            return marker, row["initiated_at"], id_
        if delimiter and marker.startswith(prefix) and common_prefix(marker, prefix, delimiter) == marker:
            return after_prefix(marker), -1, ""
        return marker + b"\0", -1, ""


def _checksum_kind(input: Input) -> tuple[str, str]:
    """Algorithm and type of the object's checksum; two empty texts where the caller names none."""
    if "ChecksumAlgorithm" not in input:
        if "ChecksumType" in input:
            raise InvalidRequest(
                problem="The x-amz-checksum-type header can only be used with the x-amz-checksum-algorithm header."
            )
        return "", ""
    algorithm = known_algorithm(input["ChecksumAlgorithm"])
    default = "COMPOSITE" if algorithm in COMPOSITE_TYPES else "FULL_OBJECT"
    type_ = input.get("ChecksumType", default)
    fitting = {"COMPOSITE": COMPOSITE_TYPES, "FULL_OBJECT": FULL_OBJECT_TYPES}.get(type_)
    if fitting is None:
        raise InvalidArgument(
            problem="Value for x-amz-checksum-type header is invalid.",
            ArgumentName="x-amz-checksum-type",
            ArgumentValue=type_,
        )
    if algorithm not in fitting:
        raise InvalidRequest(
            problem=f"The {type_} checksum type cannot be used with the {algorithm.lower()} checksum algorithm."
        )
    return algorithm, type_


def _kind(upload: Upload) -> dict[str, str]:
    if not upload.checksum_algorithm:
        return {}
    return {"ChecksumAlgorithm": upload.checksum_algorithm, "ChecksumType": upload.checksum_type}


def _tell_part(part: Part, upload: Upload) -> dict[str, Any]:
    told: dict[str, Any] = {
        "PartNumber": part.number,
        "LastModified": seconds(part.modified_at),
        "ETag": quoted(part.etag),
        "Size": part.size,
    }
    name = upload.checksum_algorithm
    return {**told, f"Checksum{name}": part.checksums[name]} if name else told


def _tell_upload(upload: Upload) -> dict[str, Any]:
    return {
        "UploadId": upload.id,
        "Initiated": seconds(upload.initiated_at),
        "StorageClass": upload.storage_class,
        **_kind(upload),
    }
