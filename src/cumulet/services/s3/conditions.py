"""Conditional requests: RFC 9110 with S3's answers. Pure.

Reading: If-Match before If-Unmodified-Since (412), then If-None-Match before If-Modified-Since (304, in a copy 412).
Writing: If-None-Match may only be `*`; If-Match asks for the ETag of what is overwritten.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cumulet.base.clock import SECOND
from cumulet.services.s3.errors import HeaderNotImplemented, NoSuchKey, NotModified, PreconditionFailed


@dataclass(frozen=True, slots=True)
class Conditions:
    """What a reader asks of an object."""

    match: str | None = None
    none_match: str | None = None
    modified_since: datetime | None = None
    unmodified_since: datetime | None = None
    copying: bool = False

    @classmethod
    def of(cls, input: Mapping[str, Any], prefix: str = "") -> "Conditions":
        """From an operation's input; `prefix` is `CopySource` for the source of a copy."""
        return cls(
            input.get(f"{prefix}IfMatch"),
            input.get(f"{prefix}IfNoneMatch"),
            input.get(f"{prefix}IfModifiedSince"),
            input.get(f"{prefix}IfUnmodifiedSince"),
            copying=bool(prefix),
        )

    def check(self, etag: str, modified_at: int, now: int) -> None:
        """Raises `PreconditionFailed` or `NotModified`."""
        if self.match is not None:
            if not etag_matches(self.match, etag):
                raise self._failed("If-Match")
        elif self.unmodified_since is not None and modified_at // SECOND > self.unmodified_since.timestamp():
            raise self._failed("If-Unmodified-Since")
        if self.none_match is not None:
            if etag_matches(self.none_match, etag):
                raise self._same("If-None-Match")
        elif self.modified_since and modified_at // SECOND <= self.modified_since.timestamp() <= now / SECOND:
            raise self._same("If-Modified-Since")

    def _failed(self, header: str) -> PreconditionFailed:
        return PreconditionFailed(Condition=f"x-amz-copy-source-{header}" if self.copying else header)

    def _same(self, header: str) -> PreconditionFailed | NotModified:
        return self._failed(header) if self.copying else NotModified()


def etag_matches(wanted: str, etag: str) -> bool:
    """Whether `etag` (without quotes) is among those of the header."""
    names = (name.strip().removeprefix("W/").strip('"') for name in wanted.split(","))
    return any(name in ("*", etag) for name in names)


def check_overwrite(if_match: str | None, if_none_match: str | None, key: str, etag: str | None) -> None:
    """Whether a write may replace the object of ETag `etag` (None: there is none)."""
    if if_none_match is not None and etag is not None:
        raise PreconditionFailed(Condition="If-None-Match")
    if if_match is not None:
        if etag is None:
            raise NoSuchKey(Key=key)
        if not etag_matches(if_match, etag):
            raise PreconditionFailed(Condition="If-Match")


def check_write_headers(if_match: str | None, if_none_match: str | None) -> None:
    """Whether the headers can be meant at all. Raises `HeaderNotImplemented`."""
    if if_none_match is not None and (if_none_match.strip() != "*" or if_match is not None):
        raise HeaderNotImplemented(
            Header="If-None-Match",
            additionalMessage="We don't accept the provided value of If-None-Match header for this API",
        )
