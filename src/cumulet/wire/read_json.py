"""JSON and CBOR values into input: the same walk over the shapes, with other scalars.

Wrong types are told in the words of AWS's own deserialiser. Unknown members are ignored, null members are absent;
null in a list or map stays, for `check` to refuse.
"""

import math
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import cache
from typing import Any, Final

from cumulet.base import json
from cumulet.wire import values
from cumulet.wire.models import ServiceModel, Shape
from cumulet.wire.values import Unreadable

type Reader = Callable[[Any], Any]

_TOKENS: Final[Mapping[type, str]] = {str: "STRING_VALUE", int: "NUMBER_VALUE", float: "NUMBER_VALUE"}


def wrong(value: object, wanted: str) -> Unreadable:
    """What AWS says to a value of another type."""
    if isinstance(value, dict):
        return Unreadable("Start of structure or map found where not expected.")
    if isinstance(value, list):
        return Unreadable("Start of list found where not expected")
    token = f"{str(value).upper()}_VALUE" if isinstance(value, bool) else _TOKENS.get(type(value), "BINARY_VALUE")
    return Unreadable(f"{token} can not be converted to {wanted}")


def string(value: Any) -> str:
    if type(value) is str:
        return value
    raise wrong(value, "a String")


def boolean(value: Any) -> bool:
    if value is True or value is False:
        return value
    raise wrong(value, "a Boolean")


def integer(value: Any) -> int:
    if type(value) is int:
        return value
    if type(value) is float and math.isfinite(value) and value.is_integer():
        return int(value)
    raise wrong(value, "an Integer")


def number(value: Any) -> float:
    if type(value) is float or type(value) is int:
        return value
    if type(value) is str and value in {"NaN", "Infinity", "-Infinity"}:
        return values.read_float(value)
    raise wrong(value, "a Double")


def blob(value: Any) -> bytes:
    if type(value) is str:
        return values.read_blob(value)
    raise wrong(value, "a ByteBuffer")


def time(value: Any) -> datetime:
    if type(value) in {int, float, str}:
        return values.read_time(value)
    raise wrong(value, "a Timestamp")


def document(value: Any) -> Any:
    return value


JSON_SCALARS: Final[Mapping[str, Reader]] = {
    "string": string,
    "character": string,
    "boolean": boolean,
    "integer": integer,
    "long": integer,
    "float": number,
    "double": number,
    "blob": blob,
    "timestamp": time,
}


class Readers:
    """The readers of one model's shapes in one notation, made at their first use."""

    def __init__(self, scalars: Mapping[str, Reader]) -> None:
        self._scalars = scalars
        self._structures: dict[str, Reader] = {}

    def of(self, shape: Shape) -> Reader:
        """The reader of a shape's values."""
        if shape.document:
            return document
        match shape.type_name:
            case "structure":
                return self._structures.get(shape.name) or self.structure(shape, list(shape.members), keep=True)
            case "list":
                return _list(self.of(shape.member))
            case "map":
                return _map(self.of(shape.value))
            case scalar:
                return self._scalars[scalar]

    def structure(self, shape: Shape, names: list[str], *, keep: bool = False) -> Reader:
        """The reader of a structure, of its members `names` only. `keep` lets the shape refer to itself."""
        table: dict[str, tuple[str, Reader]] = {}

        def read(value: Any) -> dict[str, Any]:
            if type(value) is not dict:
                raise wrong(value, "a Structure")
            out = {}
            for key, item in value.items():
                entry = table.get(key)
                if entry is not None and item is not None:
                    out[entry[0]] = entry[1](item)
            return out

        if keep:
            self._structures[shape.name] = read
        for name in names:
            member = shape.members[name]
            table[member.wire or name] = (name, self.of(member))
        return read


def _list(item: Reader) -> Reader:
    def read(value: Any) -> list[Any]:
        if type(value) is not list:
            raise wrong(value, "a List") if not isinstance(value, str) else Unreadable("Expected list or null")
        return [None if each is None else item(each) for each in value]

    return read


def _map(item: Reader) -> Reader:
    def read(value: Any) -> dict[str, Any]:
        if type(value) is not dict:
            raise wrong(value, "a Map") if not isinstance(value, str) else Unreadable("Expected map or null")
        return {str(key): None if each is None else item(each) for key, each in value.items()}

    return read


@cache
def json_readers(model: ServiceModel) -> Readers:  # noqa: ARG001  the key of the cache
    return Readers(JSON_SCALARS)


def load(body: bytes) -> Any:
    """The JSON value of a body."""
    try:
        return json.loads(body)
    except ValueError as error:
        raise Unreadable(f"Could not parse request body into json: {error}") from None
