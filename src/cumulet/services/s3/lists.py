"""ListObjects, ListObjectsV2 and ListObjectVersions: the keys of a bucket in the order of their bytes, page by page.

Without versioning an object has one version, "null".
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from cumulet.services.s3.listing import Page, Position, page_size, read_page, read_text, teller
from cumulet.services.s3.naming import NULL_VERSION, canonical_id
from cumulet.services.s3.parts import Input, Parts
from cumulet.services.s3.records import Checksum, quoted, seconds

if TYPE_CHECKING:
    from typing import Unpack

    from types_boto3_s3.type_defs import (
        ListObjectsRequestTypeDef,
        ListObjectsV2RequestTypeDef,
        ListObjectVersionsRequestTypeDef,
    )

    from cumulet.store.api import Row, Transaction
    from cumulet.wire.service import Call, Reply


class Lists(Parts):
    """Operations that list objects."""

    async def list_objects(self, call: Call, **input: Unpack[ListObjectsRequestTypeDef]) -> Reply:
        delimiter, marker = read_text(input, "Delimiter"), read_text(input, "Marker")
        begin = _after(input, marker)
        page, most = await self._page(call, input, begin)
        tell = teller(input)
        reply = _reply(call, input, page, most, owners=True)
        reply["Marker"] = tell(marker)
        if page.next is not None and delimiter:
            reply["NextMarker"] = tell(page.next.text.decode())
        return reply

    async def list_objects_v2(self, call: Call, **input: Unpack[ListObjectsV2RequestTypeDef]) -> Reply:
        start, token = read_text(input, "StartAfter"), input.get("ContinuationToken")
        begin = _after(input, start) if token is None else Position.parse(token)
        page, most = await self._page(call, input, begin)
        reply = _reply(call, input, page, most, owners=input.get("FetchOwner", False))
        reply["KeyCount"] = page.count
        if token is not None:
            reply["ContinuationToken"] = token
        if "StartAfter" in input:
            reply["StartAfter"] = teller(input)(start)
        if page.next is not None:
            reply["NextContinuationToken"] = str(page.next)
        return reply

    async def list_object_versions(self, call: Call, **input: Unpack[ListObjectVersionsRequestTypeDef]) -> Reply:
        marker, tell = read_text(input, "KeyMarker"), teller(input)
        page, most = await self._page(call, input, _after(input, marker))
        reply = _reply(call, input, page, most, owners=True)
        reply |= {"KeyMarker": tell(marker), "VersionIdMarker": read_text(input, "VersionIdMarker")}
        if "Contents" in reply:
            found = reply.pop("Contents")
            reply["Versions"] = [{**each, "VersionId": NULL_VERSION, "IsLatest": True} for each in found]
        if page.next is not None:
            reply["NextKeyMarker"] = tell(page.next.text.decode())
            if not page.next.common:
                reply["NextVersionIdMarker"] = NULL_VERSION
        return reply

    async def _page(self, call: Call, input: Input, begin: Position) -> tuple[Page, int]:
        most = page_size(input, "MaxKeys", "maxKeys")

        def work(tx: Transaction) -> Page:
            bucket = self._bucket(tx, call, input).name

            def fetch(first: bytes, end: bytes, limit: int) -> Sequence[Row]:
                return tx.all(self._sql.list_objects, bucket=bucket, first=first, end=end, limit=limit)

            prefix, delimiter = read_text(input, "Prefix").encode(), read_text(input, "Delimiter").encode()
            return read_page(fetch, prefix, delimiter, begin, most)

        return await self._database.read(work), most


def _after(input: Input, marker: str) -> Position:
    return Position.after_marker(
        marker.encode(), read_text(input, "Prefix").encode(), read_text(input, "Delimiter").encode()
    )


def _reply(call: Call, input: Input, page: Page, most: int, *, owners: bool) -> Reply:
    """What both versions tell."""
    tell = teller(input)
    owner = {"Owner": {"ID": canonical_id(call.account)}} if owners else {}
    reply: Reply = {
        "Name": input["Bucket"],
        "Prefix": tell(read_text(input, "Prefix")),
        "MaxKeys": most,
        "IsTruncated": page.next is not None,
    }
    if read_text(input, "Delimiter"):
        reply["Delimiter"] = tell(read_text(input, "Delimiter"))
    if "EncodingType" in input:
        reply["EncodingType"] = input["EncodingType"]
    if page.rows:
        reply["Contents"] = [{"Key": tell(bytes(row["key"]).decode()), **_facts(row), **owner} for row in page.rows]
    if page.prefixes:
        reply["CommonPrefixes"] = [{"Prefix": tell(prefix.decode())} for prefix in page.prefixes]
    return reply


def _facts(row: Row) -> dict[str, Any]:
    told: dict[str, Any] = {
        "LastModified": seconds(row["modified_at"]),
        "ETag": quoted(row["etag"]),
        "Size": row["size"],
        "StorageClass": row["storage_class"],
    }
    checksum = Checksum.parse(row["checksum"])
    if checksum is not None:
        told |= {"ChecksumAlgorithm": [checksum.algorithm], "ChecksumType": checksum.type}
    return told
