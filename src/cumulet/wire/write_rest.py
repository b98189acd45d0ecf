"""What REST answers say outside of their bodies: the status and the headers."""

from collections.abc import Callable, Mapping
from typing import Any

from cumulet.base import json
from cumulet.wire import values
from cumulet.wire.models import Shape

type Writer = Callable[[Any], str]
type HeaderList = list[tuple[str, str]]


def _boolean(value: Any) -> str:
    return "true" if value else "false"


def _blob(value: bytes | str) -> str:
    return values.write_blob(value if isinstance(value, bytes) else value.encode())


def _embedded(value: Any) -> str:
    """Base64 of JSON: a `jsonvalue` in a header."""
    return values.write_blob(json.dumps(value).encode())


def _writer(shape: Shape) -> Writer:
    if shape.traits.get("jsonvalue"):
        return _embedded
    match shape.type_name:
        case "boolean":
            return _boolean
        case "float" | "double":
            return values.write_float
        case "blob":
            return _blob
        case "timestamp":
            notation = shape.traits.get("timestampFormat", "rfc822")
            return lambda value: values.write_time(value, notation)
        case "list":
            return _list(shape)
    return str


def _list(shape: Shape) -> Writer:
    item = _writer(shape.member)
    if shape.member.type_name == "string":
        return lambda value: ", ".join(_quote(item(each)) for each in value)
    return lambda value: ", ".join(item(each) for each in value)


def _quote(text: str) -> str:
    if '"' not in text and "," not in text:
        return text
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


class Line:
    """Writes the members of an output that travel outside of its body."""

    def __init__(self, shape: Shape) -> None:
        self._headers: dict[str, tuple[str, Writer]] = {}
        self._prefixes: dict[str, str] = {}
        self._status = ""
        self._partial = ""
        for name, member in shape.members.items():
            match member.location:
                case "header":
                    self._headers[name] = (member.wire or name, _writer(member))
                    if member.wire == "Content-Range":
                        self._partial = name
                case "headers":
                    self._prefixes[name] = member.wire or ""
                case "statusCode":
                    self._status = name

    def headers(self, output: Mapping[str, Any]) -> HeaderList:
        """The header fields of an output."""
        found: HeaderList = []
        for name, value in output.items():
            if value is None:
                continue
            if name in self._headers:
                wire, write = self._headers[name]
                found.append((wire, write(value)))
            elif name in self._prefixes:
                prefix = self._prefixes[name]
                found.extend((f"{prefix}{key}", str(item)) for key, item in value.items())
        return found

    def status(self, output: Mapping[str, Any], usual: int) -> int:
        """The HTTP status of an output; one that tells a Content-Range is a part, 206."""
        if self._partial in output:
            return 206
        found: int = output.get(self._status, usual)
        return found


def in_body(shape: Shape) -> list[str]:
    """The members of an output that are part of its body; an answer has no query string."""
    return [name for name, member in shape.members.items() if member.location in {None, "querystring", "uri"}]
