"""What a body promises to be, and what it is: MD5 for the ETag, Content-MD5, and S3's checksums.

A promise is read from the headers before the body: what is malformed is refused at once. While the body passes, a
`Meter` counts; at the end `Promise.keep` raises `BadDigest` where the body is another. A checksum that comes in a
trailer was verified by the decoder of aws-chunked bodies; here it is only computed, to be kept.
"""

import hashlib
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

from cumulet.base.errors import NotImplementedHere
from cumulet.services.s3.errors import BadDigest, ContentMD5Mismatch, InvalidDigest, InvalidRequest
from cumulet.services.s3.records import Checksum
from cumulet.wire import checksums
from cumulet.wire.http import Headers

ALGORITHMS = ("CRC32", "CRC32C", "CRC64NVME", "SHA1", "SHA256")
_OTHERS = ("SHA512", "MD5", "XXHASH64", "XXHASH3", "XXHASH128")

DEFAULT = "CRC64NVME" if find_spec("awscrt") else "CRC32"
"""What S3 computes when nobody asks: CRC64NVME. Without awscrt that is slow, and few clients could check it."""


class Meter:
    """Counts the bytes of a body and sums them."""

    __slots__ = ("_md5", "_sums", "size")

    def __init__(self, *algorithms: str) -> None:
        self.size = 0
        self._md5 = hashlib.md5(usedforsecurity=False)
        self._sums = {name: checksums.make(name) for name in algorithms}

    def update(self, data: bytes) -> None:
        self.size += len(data)
        self._md5.update(data)
        for checksum in self._sums.values():
            checksum.update(data)

    @property
    def etag(self) -> str:
        return self._md5.hexdigest()

    @property
    def md5(self) -> str:
        """In base64, as Content-MD5."""
        return b64encode(self._md5.digest()).decode()

    @property
    def sums(self) -> dict[str, str]:
        """Algorithm to value in base64."""
        return {name: checksum.text() for name, checksum in self._sums.items()}


@dataclass(frozen=True, slots=True)
class Promise:
    """What the request says of its body. `algorithm` is the checksum to keep; `value` is claimed or empty."""

    algorithm: str
    value: str = ""
    md5: str = ""
    chosen: bool = False
    """Whether the caller named the algorithm."""

    def keep(self, meter: Meter) -> None:
        """Raises where the body is not what was promised."""
        if self.md5 and self.md5 != meter.md5:
            raise ContentMD5Mismatch(ExpectedDigest=self.md5, CalculatedDigest=meter.md5)
        if self.value and meter.sums[self.algorithm] != self.value:
            raise BadDigest(algorithm=self.algorithm)


def read_promise(input: Mapping[str, Any], headers: Headers) -> Promise:
    """From the input and the headers of a write."""
    md5 = input.get("ContentMD5", "")
    if "ContentMD5" in input and not checksums.well_formed("MD5", md5):
        raise InvalidDigest(**{"Content-MD5": md5})
    given = given_checksums(input)
    if len(given) > 1:
        raise InvalidRequest(
            problem="Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed."
        )
    trailing = _trailing(headers)
    asked = known_algorithm(input["ChecksumAlgorithm"]) if "ChecksumAlgorithm" in input else None
    named = next(iter(given), trailing)
    if asked and named is None and "x-amz-sdk-checksum-algorithm" in headers:
        raise InvalidRequest(
            problem="x-amz-sdk-checksum-algorithm specified, but no corresponding "
            "x-amz-checksum-* or x-amz-trailer headers were found."
        )
    if asked and named and asked != named:
        raise InvalidRequest(problem="Value for x-amz-sdk-checksum-algorithm header is invalid.")
    algorithm = named or asked
    return Promise(algorithm or DEFAULT, given.get(algorithm or "", ""), md5, chosen=algorithm is not None)


def given_checksums(input: Mapping[str, Any]) -> dict[str, str]:
    """The checksums that an input claims, algorithm to value. Refuses malformed ones."""
    for name in _OTHERS:
        if f"Checksum{name}" in input:
            known_algorithm(name)
    given = {name: input[f"Checksum{name}"] for name in ALGORITHMS if f"Checksum{name}" in input}
    for name, value in given.items():
        if not checksums.well_formed(name, value):
            raise InvalidRequest(problem=f"Value for x-amz-checksum-{name.lower()} header is invalid.")
    return given


def known_algorithm(name: str) -> str:
    """The algorithm's name in capitals. Refuses those that AWS has and we do not."""
    upper = name.upper()
    if upper in _OTHERS:
        raise NotImplementedHere(what=f"the checksum algorithm {upper}")
    if upper not in ALGORITHMS:
        raise InvalidRequest(
            problem="Checksum algorithm provided is unsupported. Please try again with any of the valid types: "
            "[CRC32, CRC32C, CRC64NVME, SHA1, SHA256]"
        )
    return upper


def _trailing(headers: Headers) -> str | None:
    """The algorithm of a checksum that comes after the body."""
    names = (name.strip().lower() for name in (headers.get("x-amz-trailer") or "").split(","))
    return next((checksums.HEADERS[name] for name in names if name in checksums.HEADERS), None)


def full(meter: Meter, algorithm: str) -> Checksum:
    """The checksum of a whole object."""
    return Checksum(algorithm, meter.sums[algorithm])
