"""Tags of objects and buckets: reading and checking. Pure.

An object has at most 10, a bucket 50; keys to 128 characters, values to 256, no key twice, none of AWS's own.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

from cumulet.services.s3.errors import BadRequest, InvalidArgument, InvalidTag
from cumulet.services.s3.records import Tags

if TYPE_CHECKING:
    from types_boto3_s3.type_defs import TagTypeDef

OBJECT_TAGS = 10
BUCKET_TAGS = 50

_TEXT = re.compile(r"[\w\s_.:/=+\-@]*")


def read_tag_set(tag_set: Iterable[TagTypeDef], most: int) -> Tags:
    """From the TagSet of a request."""
    return _checked([(tag["Key"], tag["Value"]) for tag in tag_set], most)


def read_tag_header(text: str) -> Tags:
    """From `x-amz-tagging`: a URL's query."""
    try:
        pairs = parse_qsl(text, keep_blank_values=True, errors="strict")
        good = len({key for key, _ in pairs}) == len(pairs) and (bool(pairs) or not text)
    except ValueError:
        good = False
    if not good:
        raise InvalidArgument(
            problem="The header 'x-amz-tagging' shall be encoded as UTF-8 then URLEncoded URL query parameters "
            "without tag name duplicates.",
            ArgumentName="x-amz-tagging",
            ArgumentValue=text,
        )
    return _checked(pairs, OBJECT_TAGS)


def tell_tags(tags: Tags) -> list[dict[str, str]]:
    """As the TagSet of an answer."""
    return [{"Key": key, "Value": value} for key, value in tags]


def _checked(pairs: list[tuple[str, str]], most: int) -> Tags:
    if len(pairs) > most:
        owner = "Object tags" if most == OBJECT_TAGS else "Bucket tag count"
        raise BadRequest(problem=f"{owner} cannot be greater than {most}")
    for key, value in pairs:
        if not 1 <= len(key) <= 128 or not _TEXT.fullmatch(key):
            raise InvalidTag(problem="The TagKey you have provided is invalid", TagKey=key)
        if len(value) > 256 or not _TEXT.fullmatch(value):
            raise InvalidTag(problem="The TagValue you have provided is invalid", TagKey=key, TagValue=value)
        if key.lower().startswith("aws:"):
            raise InvalidTag(problem="System tags cannot be added/updated by requester", TagKey=key)
    if len({key for key, _ in pairs}) != len(pairs):
        raise InvalidTag(problem="Cannot provide multiple Tags with the same key")
    return tuple(pairs)
