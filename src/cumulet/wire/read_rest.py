"""What REST requests say outside of their bodies: labels of the path, the query string, headers."""

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from cumulet.base import json
from cumulet.wire import values
from cumulet.wire.http import Headers
from cumulet.wire.models import Shape
from cumulet.wire.values import Unreadable

type Reader = Callable[[str], Any]

_ITEM: Final = re.compile(r'\s*("(?:[^"\\]|\\.)*"|[^,]*)\s*(?:,|$)')
_DATES: Final = re.compile(r"\s*([^,]*,[^,]*)(?:,|$)")


class Misplaced(Unreadable):
    """A label, query parameter or header that is no value of its type."""

    def __init__(self, name: str, value: str, problem: str) -> None:
        super().__init__(problem)
        self.name = name
        self.value = value


def _same(text: str) -> str:
    return text


def _header_json(text: str) -> Any:
    """Base64 of JSON: a `jsonvalue` in a header."""
    try:
        return json.loads(values.read_blob(text))
    except ValueError as error:
        raise Unreadable(f"Could not parse JSON value: {error}") from None


_SCALARS: Final[Mapping[str, Reader]] = {
    "string": _same,
    "character": _same,
    "boolean": values.read_boolean,
    "integer": values.read_integer,
    "long": values.read_integer,
    "float": values.read_float,
    "double": values.read_float,
    "blob": values.read_blob,
    "timestamp": values.read_time,
}


def _reader(shape: Shape) -> Reader:
    if shape.traits.get("jsonvalue"):
        return _header_json
    return _header_list(shape) if shape.type_name == "list" else _SCALARS[shape.type_name]


def _header_list(shape: Shape) -> Reader:
    item = _reader(shape.member)
    dates = shape.member.type_name == "timestamp" and shape.member.traits.get("timestampFormat", "rfc822") == "rfc822"
    pattern = _DATES if dates else _ITEM

    def read(text: str) -> list[Any]:
        parts = (match.group(1).strip() for match in pattern.finditer(text) if match.start() < len(text))
        return [item(_unquote(part)) for part in parts]

    return read


def _unquote(text: str) -> str:
    if len(text) > 1 and text[0] == text[-1] == '"':
        return re.sub(r"\\(.)", r"\1", text[1:-1])
    return text


class Line:
    """Reads the members of an input that travel outside of its body."""

    def __init__(self, shape: Shape) -> None:
        self._labels: dict[str, tuple[str, Reader]] = {}
        self._headers: dict[str, tuple[str, Reader]] = {}
        self._prefixes: list[tuple[str, str]] = []
        self._query: dict[str, tuple[str, Callable[[list[str]], Any]]] = {}
        self._rest: tuple[str, bool] | None = None
        for name, member in shape.members.items():
            self._add(name, member)

    def _add(self, name: str, member: Shape) -> None:
        wire = member.wire or name
        match member.location:
            case "uri":
                self._labels[wire] = (name, _reader(member))
            case "header":
                self._headers[wire.lower()] = (name, _reader(member))
            case "headers":
                self._prefixes.append((wire.lower() if member.wire else "", name))
            case "querystring" if member.type_name == "map":
                self._rest = (name, member.value.type_name == "list")
            case "querystring":
                self._query[wire] = (name, _from_query(member))

    def read(self, labels: Mapping[str, str], query: Mapping[str, list[str]], headers: Headers) -> dict[str, Any]:
        """All members that the request line and the headers hold. Raises `Misplaced`."""
        out: dict[str, Any] = {}
        for wire, (name, read) in self._labels.items():
            if wire in labels:
                out[name] = _read(read, wire, labels[wire], labels[wire])
        if query:
            self._read_query(query, out)
        if self._headers or self._prefixes:
            self._read_headers(headers, out)
        return out

    def _read_query(self, query: Mapping[str, list[str]], out: dict[str, Any]) -> None:
        rest = {}
        for wire, found in query.items():
            entry = self._query.get(wire)
            if entry is not None:
                out[entry[0]] = _read(entry[1], wire, found[0], found)
            elif self._rest is not None:
                rest[wire] = found if self._rest[1] else found[0]
        if self._rest is not None and rest:
            out[self._rest[0]] = rest

    def _read_headers(self, headers: Headers, out: dict[str, Any]) -> None:
        found: dict[str, str] = {}
        for wire, value in headers:
            if wire in self._headers:
                found[wire] = f"{found[wire]},{value}" if wire in found else value
            for prefix, name in self._prefixes:
                if wire.startswith(prefix):
                    group = out.setdefault(name, {})
                    key = wire[len(prefix) :]
                    group[key] = f"{group[key]},{value}" if key in group else value
        for wire, value in found.items():
            name, read = self._headers[wire]
            out[name] = _read(read, wire, value, value)


def _from_query(shape: Shape) -> Callable[[list[str]], Any]:
    if shape.type_name == "list":
        item = _reader(shape.member)
        return lambda found: [item(text) for text in found]
    read = _reader(shape)
    return lambda found: read(found[0])


def _read(read: Callable[[Any], Any], wire: str, text: str, value: Any) -> Any:
    try:
        return read(value)
    except Unreadable as error:
        raise Misplaced(wire, text, str(error)) from None


def in_body(shape: Shape) -> list[str]:
    """The members of an input that are part of its body."""
    return [name for name, member in shape.members.items() if member.location is None]
