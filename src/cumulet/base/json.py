"""JSON as everyone here writes and reads it.

One place, so that numbers, non-ASCII text and key order come out the same wherever they are stored or sent.
Text is compact (no spaces after separators), non-ASCII stays as it is, keys keep their order.
"""

from typing import Any

import orjson

type Json = bool | int | float | str | list[Json] | dict[str, Json] | None

JSONDecodeError = orjson.JSONDecodeError  # a ValueError


def dumps(value: Any) -> str:
    """Compact JSON text. Integers beyond 64 bits take the slow path and stay exact."""
    try:
        return orjson.dumps(value).decode()
    except TypeError:
        return _slow(value)


def loads(text: str | bytes) -> Any:
    """Parse strict JSON (no NaN, no trailing commas). Raises `JSONDecodeError`, a ValueError."""
    return orjson.loads(text)


def _slow(value: Any) -> str:
    import json

    return json.dumps(value, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
