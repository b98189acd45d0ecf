"""The checksum of an object that was uploaded in parts, from those of its parts. Pure.

FULL_OBJECT: CRCs of parts combine to the CRC of the whole, by multiplying polynomials over GF(2).
COMPOSITE: the checksum of the parts' checksums, with `-N`. The ETag is made the same way with MD5.
"""

import hashlib
from base64 import b64decode, b64encode
from collections.abc import Sequence
from functools import lru_cache

from cumulet.services.s3.records import Checksum, Part
from cumulet.wire import checksums

_POLYNOMIALS = {
    "CRC32": (0xEDB88320, 32),
    "CRC32C": (checksums.CRC32C_POLYNOMIAL, 32),
    "CRC64NVME": (checksums.CRC64NVME_POLYNOMIAL, 64),
}
"""Reflected polynomial and bits."""

FULL_OBJECT_TYPES = frozenset(_POLYNOMIALS)
COMPOSITE_TYPES = frozenset(("CRC32", "CRC32C", "SHA1", "SHA256"))


def combined_etag(parts: Sequence[Part]) -> str:
    """MD5 of the parts' MD5s, `-N`."""
    digest = hashlib.md5(b"".join(bytes.fromhex(part.etag) for part in parts), usedforsecurity=False)
    return f"{digest.hexdigest()}-{len(parts)}"


def combined(parts: Sequence[Part], algorithm: str, type_: str) -> Checksum:
    """The checksum of the whole."""
    if type_ == "FULL_OBJECT":
        polynomial, bits = _POLYNOMIALS[algorithm]
        value = 0
        for part in parts:
            own = int.from_bytes(b64decode(part.checksums[algorithm]))
            value = _multiply(_shift(part.size, polynomial, bits), value, polynomial, bits) ^ own
        return Checksum(algorithm, b64encode(value.to_bytes(bits // 8)).decode())
    meter = checksums.make(algorithm)
    for part in parts:
        meter.update(b64decode(part.checksums[algorithm]))
    return Checksum(algorithm, f"{meter.text()}-{len(parts)}", "COMPOSITE")


@lru_cache(maxsize=64)
def _shift(size: int, polynomial: int, bits: int) -> int:
    """Of x, the power 8 * size, modulo the polynomial."""
    result, power = 1 << (bits - 1), 1 << (bits - 1 - 8)
    while size:
        if size & 1:
            result = _multiply(result, power, polynomial, bits)
        power = _multiply(power, power, polynomial, bits)
        size >>= 1
    return result


def _multiply(one: int, other: int, polynomial: int, bits: int) -> int:
    """The product modulo the polynomial; the highest bit stands for x to the power of 0."""
    product = 0
    for place in range(bits - 1, -1, -1):
        if one >> place & 1:
            product ^= other
        other = (other >> 1) ^ polynomial if other & 1 else other >> 1
    return product
