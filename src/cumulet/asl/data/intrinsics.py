"""The 18 intrinsic functions of the JSONPath language: a table from name to a pure function.

A function gets its evaluated arguments and the env (for chance), and raises `Unfit` with AWS's words. How many
arguments and, for literals, of which types is checked when an expression is compiled: AWS refuses the definition then.
Adding a function is adding a row.
"""

import base64
import binascii
import hashlib
import math
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from cumulet.asl.data.path_filters import same
from cumulet.base.errors import CumuletError
from cumulet.base.json import JSONDecodeError, dumps, loads
from cumulet.base.step import Env

LONGEST_TEXT = 10_000
LONGEST_RANGE = 1_000


class Unfit(CumuletError):
    """The arguments do not suit the function."""


type Call = Callable[[Sequence[Any], Env], Any]


@dataclass(frozen=True, slots=True)
class Intrinsic:
    """How to call it, how many arguments it takes, and what its literal arguments may be ("" is anything)."""

    call: Call
    least: int
    most: int
    kinds: str = ""
    """One letter an argument: `s` string, `n` number, `b` boolean, `c` anything but a literal, `.` anything."""


def _unfit(name: str, more: str = "") -> Unfit:
    return Unfit(f"Invalid arguments in States.{name}{more}")


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _round(value: float) -> int:
    """Java's Math.round: halves go up, towards positive infinity."""
    return value if isinstance(value, int) else math.floor(value + 0.5)


def _integer(value: Any, name: str) -> int:
    if not _is_number(value):
        raise _unfit(name)
    return _round(value)


def _array(value: Any, name: str) -> list[Any]:
    if not isinstance(value, list):
        raise _unfit(name)
    return value


def _string(value: Any, name: str, longest: int | None = None) -> str:
    if not isinstance(value, str) or (longest is not None and len(value) > longest):
        raise _unfit(name)
    return value


def java_text(value: Any) -> str:
    """A value as AWS prints it into a text: maps and lists in Java's manner, `{a=1, b=[x, 2]}`."""
    if isinstance(value, str):
        return value
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}={java_text(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(java_text, value)) + "]"
    return dumps(value)


def format_pieces(template: str) -> list[str]:
    r"""A template of States.Format, split at its `{}`; `\'`, `\{`, `\}` and `\\` are escapes. Raises `Unfit`."""
    pieces, now, at = [], [], 0
    while at < len(template):
        sign = template[at]
        if sign == "\\" and template[at + 1 : at + 2] in ("'", "{", "}", "\\"):
            now.append(template[at + 1])
            at += 2
        elif sign == "{":
            if template[at + 1 : at + 2] != "}":
                raise Unfit("Invalid template in States.Format: matching '}' not found for '{'")
            pieces.append("".join(now))
            now = []
            at += 2
        elif sign == "}":
            raise Unfit("Invalid template in States.Format: matching '{' not found for '}'")
        else:
            now.append(sign)
            at += 1
    return [*pieces, "".join(now)]


def _format(values: Sequence[Any], _env: Env) -> str:
    pieces = format_pieces(_string(values[0], "Format"))
    return fill(pieces, values[1:])


def fill(pieces: Sequence[str], values: Sequence[Any]) -> str:
    """The pieces of a template with values between them."""
    if len(pieces) != len(values) + 1:
        raise _unfit("Format", ": number of arguments do not match the occurrences of {}")
    texts = [pieces[0]]
    for value, piece in zip(values, pieces[1:], strict=True):
        texts.append(java_text(value))
        texts.append(piece)
    return "".join(texts)


def _string_to_json(values: Sequence[Any], _env: Env) -> Any:
    text = _string(values[0], "StringToJson")
    if not text.strip():
        return None
    try:
        return loads(text)
    except JSONDecodeError:
        raise _unfit("StringToJson") from None


def _json_to_string(values: Sequence[Any], _env: Env) -> str:
    return dumps(values[0])


def _partition(values: Sequence[Any], _env: Env) -> list[list[Any]]:
    items, size = _array(values[0], "ArrayPartition"), _integer(values[1], "ArrayPartition")
    if size < 1:
        raise _unfit("ArrayPartition")
    return [items[start : start + size] for start in range(0, len(items), size)]


def _contains(values: Sequence[Any], _env: Env) -> bool:
    return any(same(item, values[1]) for item in _array(values[0], "ArrayContains"))


def _range(values: Sequence[Any], _env: Env) -> list[int]:
    first, last, step = (_integer(value, "ArrayRange") for value in values)
    if step == 0:
        raise _unfit("ArrayRange")
    numbers = range(first, last + (1 if step > 0 else -1), step)
    if len(numbers) > LONGEST_RANGE:
        raise _unfit("ArrayRange")
    return list(numbers)


def _get_item(values: Sequence[Any], _env: Env) -> Any:
    items, at = _array(values[0], "ArrayGetItem"), _integer(values[1], "ArrayGetItem")
    if not 0 <= at < len(items):
        raise _unfit("ArrayGetItem")
    return items[at]


def _length(values: Sequence[Any], _env: Env) -> int:
    return len(_array(values[0], "ArrayLength"))


def _unique(values: Sequence[Any], _env: Env) -> list[Any]:
    kept: list[Any] = []
    for item in _array(values[0], "ArrayUnique"):
        if not any(same(item, other) for other in kept):
            kept.append(item)
    return kept


def _encode(values: Sequence[Any], _env: Env) -> str:
    return base64.b64encode(_string(values[0], "Base64Encode", LONGEST_TEXT).encode()).decode()


def _decode(values: Sequence[Any], _env: Env) -> str:
    try:
        return base64.b64decode(_string(values[0], "Base64Decode", LONGEST_TEXT), validate=True).decode()
    except (binascii.Error, ValueError):  # a decoding error of UTF-8 is a ValueError
        raise _unfit("Base64Decode") from None


_HASHES = {"MD5": "md5", "SHA-1": "sha1", "SHA-256": "sha256", "SHA-384": "sha384", "SHA-512": "sha512"}


def _hash(values: Sequence[Any], _env: Env) -> str:
    data, algorithm = values
    name = _HASHES.get(algorithm) if isinstance(algorithm, str) else None
    text = data if isinstance(data, str) else dumps(data)
    if name is None or len(text) > LONGEST_TEXT:
        raise _unfit("Hash")
    return hashlib.new(name, text.encode(), usedforsecurity=False).hexdigest()


def _merge(values: Sequence[Any], _env: Env) -> dict[str, Any]:
    left, right, deep = values
    if not isinstance(left, dict) or not isinstance(right, dict) or deep is not False:
        raise _unfit("JsonMerge")  # AWS supports the shallow merge only
    return {**left, **right}


def _random(values: Sequence[Any], env: Env) -> int:
    low, high = _integer(values[0], "MathRandom"), _integer(values[1], "MathRandom")
    if low >= high:
        raise _unfit("MathRandom")
    if len(values) == 3:
        seed = str(_integer(values[2], "MathRandom")).encode()
        drawn = hashlib.blake2b(seed, digest_size=16).digest()
    else:
        drawn = env.entropy(16)
    return low + int.from_bytes(drawn) % (high - low)


def _add(values: Sequence[Any], _env: Env) -> int:
    return _integer(values[0], "MathAdd") + _integer(values[1], "MathAdd")


def _split(values: Sequence[Any], _env: Env) -> list[str]:
    text, signs = _string(values[0], "StringSplit"), _string(values[1], "StringSplit")
    parts, now = [], ""
    for sign in text:  # each character of the second argument separates, and empty parts are dropped
        if sign in signs:
            parts.append(now)
            now = ""
        else:
            now += sign
    return [part for part in (*parts, now) if part]


def _uuid(_values: Sequence[Any], env: Env) -> str:
    return str(uuid.UUID(bytes=env.entropy(16), version=4))


INTRINSICS: dict[str, Intrinsic] = {
    "States.Format": Intrinsic(_format, 1, 1_000, "s"),
    "States.StringToJson": Intrinsic(_string_to_json, 1, 1, "s"),
    "States.JsonToString": Intrinsic(_json_to_string, 1, 1),
    "States.Array": Intrinsic(lambda values, _env: list(values), 0, 1_000),
    "States.ArrayPartition": Intrinsic(_partition, 2, 2, "cn"),
    "States.ArrayContains": Intrinsic(_contains, 2, 2, "c."),
    "States.ArrayRange": Intrinsic(_range, 3, 3, "nnn"),
    "States.ArrayGetItem": Intrinsic(_get_item, 2, 2, "cn"),
    "States.ArrayLength": Intrinsic(_length, 1, 1, "c"),
    "States.ArrayUnique": Intrinsic(_unique, 1, 1, "c"),
    "States.Base64Encode": Intrinsic(_encode, 1, 1, "s"),
    "States.Base64Decode": Intrinsic(_decode, 1, 1, "s"),
    "States.Hash": Intrinsic(_hash, 2, 2, ".s"),
    "States.JsonMerge": Intrinsic(_merge, 3, 3, "ccb"),
    "States.MathRandom": Intrinsic(_random, 2, 3, "nnn"),
    "States.MathAdd": Intrinsic(_add, 2, 2, "nn"),
    "States.StringSplit": Intrinsic(_split, 2, 2, "ss"),
    "States.UUID": Intrinsic(_uuid, 0, 0),
}
