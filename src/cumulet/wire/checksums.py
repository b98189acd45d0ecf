"""Checksums that grow with a body: the ones S3 keeps in its x-amz-checksum-* headers, and MD5.

One object per body: `update` with each piece, then `digest()` for the bytes or `text()` for the base64 of the header.
CRC32C and CRC64NVME come from `awscrt` where it is installed (extra `checksums`); without it a table in pure Python
computes the same, slowly (some ten MB/s). Nothing here compares: whoever holds the claimed value does.
"""

import binascii
import hashlib
import zlib
from base64 import b64encode
from collections.abc import Callable
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from typing import Protocol


class Checksum(Protocol):
    """A running checksum."""

    def update(self, data: bytes, /) -> None: ...

    def digest(self) -> bytes: ...

    def text(self) -> str:
        """The digest in base64, as the x-amz-checksum-* headers carry it."""
        ...


type Step = Callable[[bytes, int], int]
"""A CRC over `data`, continuing from the value before."""


class _Crc:
    __slots__ = ("_size", "_step", "_value")

    def __init__(self, step: Step, size: int) -> None:
        self._step = step
        self._size = size
        self._value = 0

    def update(self, data: bytes, /) -> None:
        self._value = self._step(data, self._value)

    def digest(self) -> bytes:
        return self._value.to_bytes(self._size)

    def text(self) -> str:
        return b64encode(self.digest()).decode()


class _Hash:
    __slots__ = ("_hash", "update")

    def __init__(self, name: str) -> None:
        self._hash = hashlib.new(name, usedforsecurity=False)
        self.update = self._hash.update

    def digest(self) -> bytes:
        return self._hash.digest()

    def text(self) -> str:
        return b64encode(self._hash.digest()).decode()


def table_step(polynomial: int, bits: int) -> Step:
    """A reflected CRC by table, in pure Python; `polynomial` is given reflected."""
    table = _table(polynomial)
    mask = (1 << bits) - 1

    def step(data: bytes, before: int) -> int:
        value = before ^ mask
        for byte in data:
            value = table[(value ^ byte) & 0xFF] ^ (value >> 8)
        return value ^ mask

    return step


@cache
def _table(polynomial: int) -> tuple[int, ...]:
    return tuple(_entry(index, polynomial) for index in range(256))


def _entry(index: int, polynomial: int) -> int:
    for _ in range(8):
        index = (index >> 1) ^ polynomial if index & 1 else index >> 1
    return index


CRC32C_POLYNOMIAL = 0x82F63B78
CRC64NVME_POLYNOMIAL = 0x9A6C9329AC4BC9B5


def from_library(name: str, otherwise: Step, library: str = "awscrt") -> Step:
    """A function of awscrt: the one place where this heavy optional library is loaded, when first needed."""
    if find_spec(library) is None:
        return otherwise
    found: Step = getattr(import_module(f"{library}.checksums"), name)
    return found


@cache
def _crc32c() -> Step:
    return from_library("crc32c", table_step(CRC32C_POLYNOMIAL, 32))


@cache
def _crc64nvme() -> Step:
    return from_library("crc64nvme", table_step(CRC64NVME_POLYNOMIAL, 64))


_MAKERS: dict[str, Callable[[], Checksum]] = {
    "CRC32": lambda: _Crc(zlib.crc32, 4),
    "CRC32C": lambda: _Crc(_crc32c(), 4),
    "CRC64NVME": lambda: _Crc(_crc64nvme(), 8),
    "SHA1": lambda: _Hash("sha1"),
    "SHA256": lambda: _Hash("sha256"),
    "MD5": lambda: _Hash("md5"),
}
SIZES = {"CRC32": 4, "CRC32C": 4, "CRC64NVME": 8, "SHA1": 20, "SHA256": 32, "MD5": 16}
HEADERS = {f"x-amz-checksum-{name.lower()}": name for name in SIZES if name != "MD5"}
"""Header (or trailer) name to algorithm."""


def make(algorithm: str) -> Checksum:
    """A fresh checksum: CRC32, CRC32C, CRC64NVME, SHA1, SHA256 or MD5. Raises KeyError for another name."""
    return _MAKERS[algorithm]()


def well_formed(algorithm: str, text: str) -> bool:
    """Whether `text` can be a value of this checksum: base64 of the right length."""
    try:
        return len(binascii.a2b_base64(text.encode(), strict_mode=True)) == SIZES[algorithm]
    except (binascii.Error, UnicodeEncodeError):
        return False
