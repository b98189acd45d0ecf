"""The `Range` header as S3 reads it: one range of bytes; what is not understood is ignored. Pure."""

import re
from dataclasses import dataclass

from cumulet.services.s3.errors import InvalidArgument, InvalidRange

_RANGE = re.compile(r"bytes=(\d*)-(\d*)", re.ASCII)


@dataclass(frozen=True, slots=True)
class Span:
    """Bytes `start` to `end`, `end` not included, of `whole`."""

    start: int
    end: int
    whole: int

    @property
    def size(self) -> int:
        return self.end - self.start

    @property
    def content_range(self) -> str:
        return f"bytes {self.start}-{self.end - 1}/{self.whole}"


def read_range(text: str, size: int) -> Span | None:
    """The span that the header asks for; None where S3 ignores it and answers all. Raises `InvalidRange`."""
    found = _RANGE.fullmatch(text.strip())
    if found is None or found[1] == found[2] == "":
        return None
    if found[1] == "":
        start, end = max(size - int(found[2]), 0), size
    else:
        start, end = int(found[1]), min(int(found[2]) + 1 if found[2] else size, size)
        if found[2] and int(found[2]) < start:
            return None
    if start >= size or start >= end:
        raise InvalidRange(RangeRequested=text, ActualObjectSize=size)
    return Span(start, end, size)


def read_copy_range(text: str, size: int) -> Span:
    """`x-amz-copy-source-range`: strict, `bytes=first-last`, within the source."""
    found = _RANGE.fullmatch(text)
    if found is None or not (found[1] and found[2]) or int(found[2]) < int(found[1]):
        raise InvalidArgument(
            problem="The x-amz-copy-source-range value must be of the form bytes=first-last "
            "where first and last are the zero-based offsets of the first and last bytes to copy",
            ArgumentName="x-amz-copy-source-range",
            ArgumentValue=text,
        )
    if int(found[2]) >= size:
        raise InvalidArgument(
            problem=f"Range specified is not valid for source object of size: {size}",
            ArgumentName="x-amz-copy-source-range",
            ArgumentValue=text,
        )
    return Span(int(found[1]), int(found[2]) + 1, size)
