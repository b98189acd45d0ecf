"""Names: of buckets, of keys, and of the source of a copy. Pure.

A key is data, never a path: `../` in it climbs nowhere. Refused: a bucket's name against AWS's rules, a key that is
empty or longer than 1,024 bytes of UTF-8, the source of a copy that names no bucket and key.
"""

import hashlib
import re
from dataclasses import dataclass
from urllib.parse import parse_qs, unquote

from cumulet.base.errors import NotImplementedHere
from cumulet.services.s3.errors import InvalidArgument, InvalidBucketName, KeyTooLongError

LONGEST_KEY = 1024
NULL_VERSION = "null"
"""The one version that an object of a bucket without versioning has."""

_BUCKET = re.compile(r"(?=.{3,63}\Z)[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*")
_ADDRESS = re.compile(r"\d{1,3}(?:\.\d{1,3}){3}")
_PREFIXES = ("xn--", "sthree-", "amzn-s3-demo-")
_SUFFIXES = ("-s3alias", "--ol-s3", ".mrap", "--x-s3", "--table-s3")


def check_new_bucket(name: str) -> None:
    """Whether a bucket may be called `name`. Raises `InvalidBucketName`."""
    good = _BUCKET.fullmatch(name) and not _ADDRESS.fullmatch(name)
    if not good or name.startswith(_PREFIXES) or name.endswith(_SUFFIXES):
        raise InvalidBucketName(BucketName=name)


def key_bytes(key: str) -> bytes:
    """The key as it is stored. Raises `KeyTooLongError`, `InvalidArgument`."""
    try:
        raw = key.encode()
    except UnicodeEncodeError:
        raise InvalidArgument(problem="The key must be valid UTF-8.", ArgumentName="key") from None
    if len(raw) > LONGEST_KEY:
        raise KeyTooLongError(Size=len(raw), MaxSizeAllowed=LONGEST_KEY)
    return raw


def after_prefix(prefix: bytes) -> bytes:
    """The least text that is greater than all keys that begin with `prefix`. UTF-8 has no byte 0xFF."""
    return prefix[:-1] + bytes([prefix[-1] + 1]) if prefix else b"\xff"


def check_version(version: str | None) -> None:
    """Objects here have one version. Raises `InvalidArgument` for another."""
    if version not in (None, NULL_VERSION):
        raise InvalidArgument(problem="Invalid version id specified", ArgumentName="versionId", ArgumentValue=version)


def canonical_id(account: str) -> str:
    """The canonical user ID of an account: 64 hexadecimal digits."""
    return hashlib.sha256(f"canonical user {account}".encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Source:
    """Where a copy is taken from."""

    bucket: str
    key: str


def copy_source(text: str) -> Source:
    """Read `x-amz-copy-source`: `bucket/key`, percent-encoded, perhaps with a slash before, perhaps `?versionId=`."""
    path, _, query = text.partition("?")
    check_version(parse_qs(query, keep_blank_values=True).get("versionId", [None])[0])
    bucket, slash, key = unquote(path).removeprefix("/").partition("/")
    if bucket.startswith("arn:"):
        raise NotImplementedHere(what="a copy source given as the ARN of an access point")
    if not (bucket and slash and key):
        raise InvalidArgument(
            problem="Copy Source must mention the source bucket and key: sourcebucket/sourcekey",
            ArgumentName="x-amz-copy-source",
            ArgumentValue=text,
        )
    return Source(bucket, key)
