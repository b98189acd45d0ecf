"""What a writer says beside the bytes: system headers, metadata, redirect, storage class; and what we do not carry out.

Refused by name, before anything changes: customer and KMS keys, object lock, grants, storage classes that would need
restoring. ACLs answer as AWS does for buckets whose owner owns all (its default): only what changes nothing is taken.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from cumulet.base.clock import SECOND
from cumulet.base.errors import NotImplementedHere
from cumulet.services.s3.errors import (
    AccessControlListNotSupported,
    InvalidRedirectLocation,
    InvalidStorageClass,
    MetadataTooLarge,
)
from cumulet.services.s3.records import STANDARD, Facts, Tags

METADATA_BYTES = 2048
REDIRECT_BYTES = 2048
SYSTEM = ("CacheControl", "ContentDisposition", "ContentEncoding", "ContentLanguage", "ContentType", "Expires")
DEFAULT_TYPE = "binary/octet-stream"
ENCRYPTION = "AES256"

KEPT_CLASSES = frozenset(
    ("STANDARD", "REDUCED_REDUNDANCY", "STANDARD_IA", "ONEZONE_IA", "INTELLIGENT_TIERING", "GLACIER_IR")
)
"""Storage classes whose objects are read at once: told, and the same disk for all."""

_ARCHIVES = frozenset(("GLACIER", "DEEP_ARCHIVE"))
_HARMLESS_ACLS = frozenset(("private", "bucket-owner-full-control"))

REFUSED: Mapping[str, str] = {
    "SSECustomerAlgorithm": "encryption with the customer's keys (SSE-C)",
    "SSECustomerKey": "encryption with the customer's keys (SSE-C)",
    "SSECustomerKeyMD5": "encryption with the customer's keys (SSE-C)",
    "CopySourceSSECustomerAlgorithm": "encryption with the customer's keys (SSE-C)",
    "CopySourceSSECustomerKey": "encryption with the customer's keys (SSE-C)",
    "SSEKMSKeyId": "encryption with KMS keys (SSE-KMS)",
    "SSEKMSEncryptionContext": "encryption with KMS keys (SSE-KMS)",
    "ObjectLockMode": "object lock",
    "ObjectLockRetainUntilDate": "object lock",
    "ObjectLockLegalHoldStatus": "object lock",
    "ObjectLockEventHold": "object lock",
    "ObjectLockEventHoldDurationDays": "object lock",
    "ObjectLockEventHoldDurationYears": "object lock",
    "WriteOffsetBytes": "appending to objects",
    "MFA": "deleting with multi-factor authentication",
    "IfMatchLastModifiedTime": "deleting by the time of the last change (directory buckets)",
    "IfMatchSize": "deleting by size (directory buckets)",
    "AnnotationDirective": "object annotations",
}
"""Members of inputs that we do not carry out, and what they would mean."""

_GRANTS = ("GrantFullControl", "GrantRead", "GrantReadACP", "GrantWrite", "GrantWriteACP")


def refuse_options(input: Mapping[str, Any]) -> None:
    """Raises for an option that we do not carry out."""
    for name, what in REFUSED.items():
        if name in input:
            raise NotImplementedHere(what=what)
    if input.get("BypassGovernanceRetention") or input.get("ObjectLockEnabledForBucket"):
        raise NotImplementedHere(what="object lock")
    if input.get("BucketKeyEnabled"):
        raise NotImplementedHere(what="encryption with KMS keys (SSE-KMS)")
    if input.get("ServerSideEncryption", ENCRYPTION) != ENCRYPTION:
        raise NotImplementedHere(what=f"the encryption {input['ServerSideEncryption']}")
    if input.get("ACL", "private") not in _HARMLESS_ACLS or any(name in input for name in _GRANTS):
        raise AccessControlListNotSupported


def read_storage_class(input: Mapping[str, Any]) -> str:
    """The storage class of a new object."""
    name: str = input.get("StorageClass", STANDARD)
    if name in _ARCHIVES:
        raise NotImplementedHere(what=f"the storage class {name}, whose objects must be restored before they are read")
    if name not in KEPT_CLASSES:
        raise InvalidStorageClass(StorageClassRequested=name)
    return name


def read_facts(input: Mapping[str, Any], tags: Tags) -> Facts:
    """Headers, metadata and redirect of a new object."""
    return Facts(_headers(input), _metadata(input.get("Metadata", {})), tags, _redirect(input))


def _headers(input: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {name: _plain(input[name]) for name in SYSTEM if input.get(name) not in (None, "")}
    coding = without_chunked(found.pop("ContentEncoding", ""))
    if coding:
        found["ContentEncoding"] = coding
    return {"ContentType": DEFAULT_TYPE, **found}


def without_chunked(coding: str) -> str:
    """Content-Encoding as it is kept: aws-chunked was only for the way."""
    names = (name.strip() for name in coding.split(","))
    return ",".join(name for name in names if name and name.lower() != "aws-chunked")


def _plain(value: Any) -> Any:
    return int(value.timestamp() * SECOND) if isinstance(value, datetime) else value


def _metadata(given: Mapping[str, str]) -> dict[str, str]:
    metadata = {name.lower(): value for name, value in given.items()}
    size = sum(len(name.encode()) + len(value.encode()) for name, value in metadata.items())
    if size > METADATA_BYTES:
        raise MetadataTooLarge(Size=size, MaxSizeAllowed=METADATA_BYTES)
    return metadata


def _redirect(input: Mapping[str, Any]) -> str:
    location: str | None = input.get("WebsiteRedirectLocation")
    if location is None:
        return ""
    if len(location.encode()) > REDIRECT_BYTES:
        raise InvalidRedirectLocation("The length of website redirect location cannot exceed 2,048 characters.")
    if not location.startswith(("/", "http://", "https://")):
        raise InvalidRedirectLocation
    return location
