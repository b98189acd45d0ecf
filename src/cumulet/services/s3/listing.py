"""One page of a listing: pure but for `fetch`, which brings rows in the order of their keys.

Keys that share a text up to the delimiter after the prefix are told once, as a common prefix, and count as one. The
index is asked for what comes after a common prefix, so that listing costs what it tells, not what it skips.
"""

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Self
from urllib.parse import quote_plus

from cumulet.services.s3.errors import InvalidArgument
from cumulet.services.s3.naming import after_prefix
from cumulet.services.s3.parts import Input
from cumulet.store.api import Row

type Fetch = Callable[[bytes, bytes, int], Sequence[Row]]
"""At most so many rows with `first <= key < end`."""

LARGEST_PAGE = 1000
_FIRST_BATCH = 32
_PLAIN = re.compile(r"[A-Za-z0-9_./*-]*")


@dataclass(frozen=True, slots=True)
class Position:
    """Where a page begins: after this key, or after all keys of this common prefix."""

    text: bytes = b""
    common: bool = False

    @classmethod
    def after_marker(cls, marker: bytes, prefix: bytes, delimiter: bytes) -> Self:
        """After a key that the caller gives. A whole common prefix stands for all its keys."""
        common = bool(delimiter) and marker.startswith(prefix) and common_prefix(marker, prefix, delimiter) == marker
        return cls(marker, common)

    @classmethod
    def parse(cls, token: str) -> Self:
        """From a continuation token. Raises `InvalidArgument`."""
        try:
            raw = urlsafe_b64decode(token.encode())
        except ValueError:
            raw = b""
        if raw[:1] not in (b"k", b"p") or urlsafe_b64encode(raw).decode() != token:
            raise InvalidArgument(
                problem="The continuation token provided is incorrect", ArgumentName="continuation-token"
            )
        return cls(raw[1:], raw[:1] == b"p")

    def __str__(self) -> str:
        return urlsafe_b64encode((b"p" if self.common else b"k") + self.text).decode()

    @property
    def first(self) -> bytes:
        """The least key that may follow."""
        if self.common:
            return after_prefix(self.text)
        return self.text + b"\0" if self.text else b""


@dataclass(frozen=True, slots=True)
class Page:
    """Rows and common prefixes in order, and where the next page begins if there is more."""

    rows: tuple[Row, ...] = ()
    prefixes: tuple[bytes, ...] = ()
    next: Position | None = None

    @property
    def count(self) -> int:
        return len(self.rows) + len(self.prefixes)


def common_prefix(key: bytes, prefix: bytes, delimiter: bytes) -> bytes | None:
    """The common prefix that stands for `key`, or None where it stands for itself."""
    at = key.find(delimiter, len(prefix))
    return None if at < 0 else key[: at + len(delimiter)]


def read_page(fetch: Fetch, prefix: bytes, delimiter: bytes, begin: Position, most: int) -> Page:
    """At most `most` rows and common prefixes after `begin`."""
    if most == 0:
        return Page()
    first, end = max(prefix, begin.first), after_prefix(prefix)
    if not delimiter:
        rows = fetch(first, end, most + 1)
        more = len(rows) > most
        return Page(tuple(rows[:most]), (), Position(bytes(rows[most - 1]["key"])) if more else None)
    return _grouped(fetch, prefix, delimiter, first, end, most)


def _grouped(fetch: Fetch, prefix: bytes, delimiter: bytes, first: bytes, end: bytes, most: int) -> Page:
    rows: list[Row] = []
    prefixes: list[bytes] = []
    last = Position()
    batch = _FIRST_BATCH
    while first < end and (found := fetch(first, end, batch)):
        first = bytes(found[-1]["key"]) + b"\0"
        for row in found:
            key = bytes(row["key"])
            if last.common and key.startswith(last.text):
                continue
            if len(rows) + len(prefixes) == most:
                return Page(tuple(rows), tuple(prefixes), last)
            common = common_prefix(key, prefix, delimiter)
            last = Position(key if common is None else common, common is not None)
            if common is None:
                rows.append(row)
            else:
                prefixes.append(common)
        if len(found) < batch:
            break
        if last.common and first.startswith(last.text):
            first, batch = last.first, _FIRST_BATCH
        else:
            batch = min(batch * 2, LARGEST_PAGE)
    return Page(tuple(rows), tuple(prefixes))


def url_encoded(text: str) -> str:
    """A name as `encoding-type=url` tells it."""
    return text if _PLAIN.fullmatch(text) else quote_plus(text, safe="/*").replace("~", "%7E")


def page_size(input: Input, member: str, argument: str) -> int:
    """How many to tell: what was asked for, at most 1,000."""
    asked: int = input.get(member, LARGEST_PAGE)
    if not 0 <= asked < 2**31:
        raise InvalidArgument(
            problem=f"Argument {argument} must be an integer between 0 and 2147483647",
            ArgumentName=argument,
            ArgumentValue=asked,
        )
    return min(asked, LARGEST_PAGE)


def read_text(input: Input, name: str) -> str:
    """A text of the input; empty where it is absent."""
    return str(input.get(name, ""))


def teller(input: Input) -> Callable[[str], str]:
    """How names are told: as they are, or encoded like in URLs."""
    coding = input.get("EncodingType")
    if coding not in (None, "url"):
        raise InvalidArgument(
            problem="Invalid Encoding Method specified in Request", ArgumentName="encoding-type", ArgumentValue=coding
        )
    return url_encoded if coding else str
