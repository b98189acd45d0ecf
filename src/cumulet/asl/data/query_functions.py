"""The six functions that Step Functions adds to JSONata: $partition $range $hash $parse, and $uuid $random from `env`.

AWS's words for wrong arguments are JSONata's own (T0410); where a function has a fault of its own, ours say it.
"""

import hashlib
import math
import random
import uuid
from collections.abc import Callable, Mapping
from typing import Any

from cumulet.base.errors import CumuletError
from cumulet.base.json import JSONDecodeError, loads
from cumulet.base.step import Env

LONGEST_RANGE = 1_000_000
_HASHES = {"MD5": "md5", "SHA-1": "sha1", "SHA-256": "sha256", "SHA-384": "sha384", "SHA-512": "sha512"}


class FunctionError(CumuletError):
    """A function was called with what it does not take."""

    def __init__(self, message: str, code: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.code = code


def _wrong(number: int, name: str) -> FunctionError:
    return FunctionError(f'Argument {number} of function "{name}" does not match function signature', "T0410")


def _number(values: tuple[Any, ...], at: int, name: str) -> float:
    value = values[at] if at < len(values) else None
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise _wrong(at + 1, name)
    return value


def _count(values: tuple[Any, ...], most: int, name: str) -> None:
    if len(values) > most:
        raise _wrong(most + 1, name)


def partition(*values: Any) -> list[list[Any]]:
    _count(values, 2, "partition")
    size = int(_number(values, 1, "partition"))
    items = values[0] if isinstance(values[0], list) else [values[0]]
    if size < 1:
        raise FunctionError("The chunk size of $partition must be a positive number")
    return [items[start : start + size] for start in range(0, len(items), size)]


def number_range(*values: Any) -> list[float]:
    """From the first number to the second, which belongs to it where a step leads there."""
    _count(values, 3, "range")
    first, last, step = (_number(values, at, "range") for at in range(3))
    if step == 0:
        raise FunctionError("The step of $range must not be zero")
    length = math.floor((last - first) / step) + 1
    if length > LONGEST_RANGE:
        raise FunctionError(f"$range would give more than {LONGEST_RANGE} numbers")
    return [first + step * number for number in range(length)]


def digest(*values: Any) -> str:
    _count(values, 2, "hash")
    if not values or not isinstance(values[0], str):
        raise _wrong(1, "hash")
    algorithm = values[1] if len(values) > 1 else "SHA-256"
    if not isinstance(algorithm, str):
        raise _wrong(2, "hash")
    if algorithm not in _HASHES:
        raise FunctionError(f"Unsupported hash algorithm: {algorithm}")
    return hashlib.new(_HASHES[algorithm], values[0].encode(), usedforsecurity=False).hexdigest()


def parse(*values: Any) -> Any:
    _count(values, 1, "parse")
    if not values or not isinstance(values[0], str):
        raise _wrong(1, "parse")
    try:
        return loads(values[0])
    except JSONDecodeError as problem:
        raise FunctionError(f"The argument of $parse is not JSON: {problem}") from None


def drawn(env: Env) -> Callable[..., float]:
    def draw(*values: Any) -> float:
        """A number from 0 up to 1; the same seed gives the same number."""
        _count(values, 1, "random")
        if values and values[0] is not None:
            return random.Random(_number(values, 0, "random")).random()
        return (int.from_bytes(env.entropy(8)) >> 11) / 2**53

    return draw


def named(env: Env) -> Callable[..., str]:
    def make(*values: Any) -> str:
        _count(values, 0, "uuid")
        return str(uuid.UUID(bytes=env.entropy(16), version=4))

    return make


PURE: Mapping[str, Callable[..., Any]] = {
    "partition": partition,
    "range": number_range,
    "hash": digest,
    "parse": parse,
}
DRAWING: Mapping[str, Callable[[Env], Callable[..., Any]]] = {"random": drawn, "uuid": named}
"""Made for each evaluation, because chance is the scope's."""
