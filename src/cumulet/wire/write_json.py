"""Output into JSON and CBOR values: names, times and blobs as the notation has them.

Members that the model does not know are left out, as are those that are None; whether a reply has such is for the
tests of its service to say.
"""

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, Final

from cumulet.base import json
from cumulet.wire import values
from cumulet.wire.models import ServiceModel, Shape

type Writer = Callable[[Any], Any]


def _blob(value: bytes | str) -> str:
    return values.write_blob(value if isinstance(value, bytes) else value.encode())


def _float(value: float) -> float | str:
    if value != value or value in {float("inf"), float("-inf")}:  # noqa: PLR0124  NaN differs from itself
        return values.write_float(value)
    return value


def _time(shape: Shape) -> Writer:
    notation = shape.traits.get("timestampFormat", "unixTimestamp")
    if notation == "unixTimestamp":
        return values.epoch
    return lambda value: values.write_time(value, notation)


def _instant(shape: Shape) -> Writer:  # noqa: ARG001  CBOR has one notation of times
    return values.utc


JSON_SCALARS: Final[Mapping[str, Callable[[Shape], Writer]]] = {
    "blob": lambda _: _blob,
    "timestamp": _time,
    "float": lambda _: _float,
    "double": lambda _: _float,
}
CBOR_SCALARS: Final[Mapping[str, Callable[[Shape], Writer]]] = {
    "timestamp": _instant,
    "float": lambda _: float,
    "double": lambda _: float,
}


class Writers:
    """The writers of one model's shapes in one notation, made at their first use."""

    def __init__(self, scalars: Mapping[str, Callable[[Shape], Writer]]) -> None:
        self._scalars = scalars
        self._structures: dict[str, Writer] = {}

    def of(self, shape: Shape) -> Writer | None:
        """The writer of a shape's values; None where a value is written as it is."""
        if shape.document:
            return None
        match shape.type_name:
            case "structure":
                return self._structures.get(shape.name) or self.structure(shape, list(shape.members), keep=True)
            case "list":
                return _list(self.of(shape.member))
            case "map":
                return _map(self.of(shape.value))
            case scalar:
                make = self._scalars.get(scalar)
                return make(shape) if make else None

    def structure(self, shape: Shape, names: list[str], *, keep: bool = False) -> Writer:
        """The writer of a structure, of its members `names` only. `keep` lets the shape refer to itself."""
        table: dict[str, tuple[str, Writer | None]] = {}

        def write(value: Mapping[str, Any]) -> dict[str, Any]:
            out = {}
            for name, item in value.items():
                entry = table.get(name)
                if entry is not None and item is not None:
                    wire, inner = entry
                    out[wire] = item if inner is None else inner(item)
            return out

        if keep:
            self._structures[shape.name] = write
        for name in names:
            member = shape.members[name]
            table[name] = (member.wire or name, self.of(member))
        return write


def _list(item: Writer | None) -> Writer | None:
    if item is None:
        return None
    return lambda value: [None if each is None else item(each) for each in value]


def _map(item: Writer | None) -> Writer | None:
    if item is None:
        return None
    return lambda value: {key: None if each is None else item(each) for key, each in value.items()}


@cache
def json_writers(model: ServiceModel) -> Writers:  # noqa: ARG001  the key of the cache
    return Writers(JSON_SCALARS)


@cache
def cbor_writers(model: ServiceModel) -> Writers:  # noqa: ARG001  the key of the cache
    return Writers(CBOR_SCALARS)


def dump(value: Any) -> bytes:
    """A value as JSON text."""
    return json.dumps(value).encode()
