"""Identifiers, made from randomness that is passed in.

`Entropy` is a function that returns n random bytes; `os.urandom` is the real one, tests give a seeded one.
"""

import string
import uuid
from collections.abc import Callable

type Entropy = Callable[[int], bytes]

_ID_LETTERS = string.ascii_uppercase + string.digits


def make_uuid(entropy: Entropy) -> str:
    """A random UUID, version 4."""
    return str(uuid.UUID(bytes=entropy(16), version=4))


def make_aws_id(prefix: str, entropy: Entropy, length: int = 17) -> str:
    """An IAM-like identifier: `AROA` and `length` capital letters and digits."""
    return prefix + "".join(_ID_LETTERS[byte % 36] for byte in entropy(length))


def make_hex(entropy: Entropy, size: int = 16) -> str:
    """`size` random bytes in hexadecimal."""
    return entropy(size).hex()


def make_ordered_uuid(now: int, entropy: Entropy) -> str:
    """A UUID, version 7: random, but later ones sort after earlier ones, so that rows lie in the order of their making.

    `now` in microseconds since the epoch.
    """
    raw = bytearray((now // 1000).to_bytes(6) + entropy(10))
    raw[6] = 0x70 | raw[6] & 0x0F
    raw[8] = 0x80 | raw[8] & 0x3F
    return str(uuid.UUID(bytes=bytes(raw)))
