"""Output into XML: the bodies of rest-xml, query and ec2.

A writer appends pieces of text to a list; names, namespaces and attributes are worked out once, when it is made.
Members come in the model's order. Empty lists that are not flattened leave an empty element, absent members nothing.
"""

import re
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, Final

from cumulet.wire import values
from cumulet.wire.models import ServiceModel, Shape

type Out = list[str]
type Writer = Callable[[Any, Out], None]
type Scalar = Callable[[Any], str]

_SPECIAL: Final = re.compile('[&<>"\r\n\x00-\x08\x0b\x0c\x0e-\x1f\x85\u2028]')
_search: Final = _SPECIAL.search
_NAMED: Final = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;"}


def escape(text: str) -> str:
    """Text for an element or attribute. Control characters become references, as S3 writes them."""
    return _SPECIAL.sub(lambda match: _NAMED.get(match[0]) or f"&#x{ord(match[0]):x};", text)


def _string(value: Any) -> str:
    text: str = value if type(value) is str else str(value)
    return text if _search(text) is None else escape(text)


def _boolean(value: Any) -> str:
    return "true" if value else "false"


def _blob(value: bytes | str) -> str:
    return values.write_blob(value if isinstance(value, bytes) else value.encode())


def namespace(shape: Shape) -> str:
    """The declaration of an element's own namespace, with a space before it."""
    told: dict[str, str] | str | None = shape.traits.get("xmlNamespace")
    if not told:
        return ""
    if isinstance(told, str):
        return f' xmlns="{escape(told)}"'
    prefix = f":{told['prefix']}" if told.get("prefix") else ""
    return f' xmlns{prefix}="{escape(told["uri"])}"'


class Writers:
    """The writers of one model's shapes, made at their first use."""

    def __init__(self, *, always_millis: bool) -> None:
        self._always_millis = always_millis
        self._contents: dict[str, Writer] = {}

    def element(self, shape: Shape, name: str, attributes: str = "") -> Writer:
        """The writer of a value as the element `name` (several for what is flattened)."""
        attributes += namespace(shape)
        match shape.type_name:
            case "structure":
                return self.structure(shape, name, attributes)
            case "list":
                return self._list(shape, name, attributes)
            case "map":
                return self._map(shape, name, attributes)
        start, end = f"<{name}{attributes}>", f"</{name}>"
        text = self._text(shape)

        def write(value: Any, out: Out) -> None:
            out.append(f"{start}{text(value)}{end}")

        return write

    def _text(self, shape: Shape) -> Scalar:
        match shape.type_name:
            case "boolean":
                return _boolean
            case "integer" | "long":
                return str
            case "float" | "double":
                return values.write_float
            case "blob":
                return _blob
            case "timestamp":
                return self._time(shape.traits.get("timestampFormat", "iso8601"))
        return _string

    def _time(self, notation: str) -> Scalar:
        millis = self._always_millis
        if notation == "iso8601":
            return lambda value: values.iso(value, always_millis=millis)
        return lambda value: values.write_time(value, notation)

    def content(self, shape: Shape, names: list[str] | None = None) -> Writer:
        """The writer of what is inside a structure's element, of its members `names` only where given."""
        if names is None and shape.name in self._contents:
            return self._contents[shape.name]
        fields: list[tuple[str, Writer]] = []

        def write(value: Mapping[str, Any], out: Out) -> None:
            for name, inner in fields:
                item = value.get(name)
                if item is not None:
                    inner(item, out)

        if names is None:
            self._contents[shape.name] = write
        for name in names if names is not None else shape.members:
            member = shape.members[name]
            if not member.traits.get("xmlAttribute"):
                fields.append((name, self.element(member, member.wire or name)))
        return write

    def structure(self, shape: Shape, name: str, attributes: str, names: list[str] | None = None) -> Writer:
        """The writer of a structure's element, with its members `names` only where given."""
        content = self.content(shape, names)
        marks = [(key, f" {m.wire or key}=") for key, m in shape.members.items() if m.traits.get("xmlAttribute")]
        start, end = f"<{name}{attributes}", f"</{name}>"

        def write(value: Mapping[str, Any], out: Out) -> None:
            out.append(start)
            for key, mark in marks:
                if value.get(key) is not None:
                    out.append(f'{mark}"{escape(value[key])}"')
            out.append(">")
            content(value, out)
            out.append(end)

        return write

    def _list(self, shape: Shape, name: str, attributes: str) -> Writer:
        member = shape.member
        if shape.flattened:
            each = self.element(member, member.wire or name, "" if namespace(member) else attributes)
            return lambda value, out: _each(each, value, out)
        each = self.element(member, member.wire or "member")
        start, end = f"<{name}{attributes}>", f"</{name}>"

        def write(value: list[Any], out: Out) -> None:
            out.append(start)
            _each(each, value, out)
            out.append(end)

        return write

    def _map(self, shape: Shape, name: str, attributes: str) -> Writer:
        entry = name if shape.flattened else "entry"
        opening = f"<{entry}{attributes if shape.flattened else ''}>"
        key = self.element(shape.key, shape.key.wire or "key")
        item = self.element(shape.value, shape.value.wire or "value")

        def entries(value: Mapping[str, Any], out: Out) -> None:
            for each, inner in value.items():
                out.append(opening)
                key(each, out)
                if inner is not None:
                    item(inner, out)
                out.append(f"</{entry}>")

        def write(value: Mapping[str, Any], out: Out) -> None:
            out.append(f"<{name}{attributes}>")
            entries(value, out)
            out.append(f"</{name}>")

        return entries if shape.flattened else write


def _each(write: Writer, value: list[Any], out: Out) -> None:
    for item in value:
        if item is not None:
            write(item, out)


@cache
def xml_writers(model: ServiceModel) -> Writers:
    """The writers of a model. S3 and EC2 tell milliseconds even where there are none."""
    return Writers(always_millis=model.metadata.get("protocol") in {"rest-xml", "ec2"})
