"""XML bodies into input (rest-xml). Namespaces are not looked at; a document type declaration is refused."""

import xml.etree.ElementTree as ET
from collections.abc import Callable
from functools import cache
from typing import Any, Final

from cumulet.wire import values
from cumulet.wire.models import ServiceModel, Shape
from cumulet.wire.values import Unreadable

type Reader = Callable[[ET.Element], Any]


class _Builder(ET.TreeBuilder):
    """Builds the tree and refuses what could make it larger than its text."""

    def doctype(self, name: str, pubid: str | None, system: str | None) -> None:  # noqa: ARG002  expat's signature
        raise Unreadable("A document type declaration is not allowed")


def load(body: bytes) -> ET.Element:
    """The root element of a body."""
    parser = ET.XMLParser(target=_Builder())  # noqa: S314  no entities: the builder refuses their declaration
    try:
        parser.feed(body)
        root: ET.Element = parser.close()
    except (ET.ParseError, ValueError, LookupError) as error:
        raise Unreadable(f"Not well-formed: {error}") from None
    return root


def _local(tag: str) -> str:
    return tag.rpartition("}")[2]


def _text(element: ET.Element) -> str:
    if len(element):
        raise Unreadable(f"Unexpected element below {_local(element.tag)}")
    return element.text or ""


def _scalar(read: Callable[[str], Any]) -> Reader:
    return lambda element: read(_text(element).strip())


_SCALARS: Final[dict[str, Reader]] = {
    "string": _text,
    "character": _text,
    "boolean": _scalar(values.read_boolean),
    "integer": _scalar(values.read_integer),
    "long": _scalar(values.read_integer),
    "float": _scalar(values.read_float),
    "double": _scalar(values.read_float),
    "blob": _scalar(values.read_blob),
    "timestamp": _scalar(values.read_time),
}


class Readers:
    """The readers of one model's shapes, made at their first use."""

    def __init__(self) -> None:
        self._structures: dict[str, Reader] = {}

    def of(self, shape: Shape) -> Reader:
        """The reader of a shape's element."""
        match shape.type_name:
            case "structure":
                return self._structures.get(shape.name) or self.structure(shape, list(shape.members), keep=True)
            case "list":
                return self._list(shape)
            case "map":
                return self._map(shape)
            case scalar:
                return _SCALARS[scalar]

    def structure(self, shape: Shape, names: list[str], *, keep: bool = False) -> Reader:
        """The reader of a structure, of its members `names` only. `keep` lets the shape refer to itself."""
        table: dict[str, tuple[str, Reader]] = {}
        many: dict[str, tuple[str, Callable[[list[ET.Element]], Any]]] = {}
        attributes: dict[str, str] = {}

        def read(element: ET.Element) -> dict[str, Any]:
            out: dict[str, Any] = {}
            repeated: dict[str, list[ET.Element]] = {}
            for child in element:
                tag = _local(child.tag)
                if tag in many:
                    repeated.setdefault(tag, []).append(child)
                elif (entry := table.get(tag)) is not None:
                    out[entry[0]] = entry[1](child)
            for tag, children in repeated.items():
                out[many[tag][0]] = many[tag][1](children)
            for attribute, value in element.attrib.items():
                if (name := attributes.get(_local(attribute))) is not None:
                    out[name] = value
            return out

        if keep:
            self._structures[shape.name] = read
        for name in names:
            member = shape.members[name]
            wire = member.wire or name
            if member.traits.get("xmlAttribute"):
                attributes[wire.rpartition(":")[2]] = name
            elif member.type_name == "list" and member.flattened:
                many[member.member.wire or wire] = many[wire] = (name, _each(self.of(member.member)))
            elif member.type_name == "map" and member.flattened:
                many[wire] = (name, self._entries(member))
            else:
                table[wire] = (name, self.of(member))
        for entry in [*table.values()]:
            table.setdefault(entry[0], entry)  # a shape's own XML name does not rename the member that has it
        return read

    def _list(self, shape: Shape) -> Reader:
        item, name = self.of(shape.member), shape.member.wire or "member"
        return lambda element: [item(child) for child in element if _local(child.tag) == name]

    def _map(self, shape: Shape) -> Reader:
        read = self._entries(shape)
        return lambda element: read([child for child in element if _local(child.tag) == "entry"])

    def _entries(self, shape: Shape) -> Callable[[list[ET.Element]], dict[str, Any]]:
        key_name, value_name = shape.key.wire or "key", shape.value.wire or "value"
        item = self.of(shape.value)

        def read(entries: list[ET.Element]) -> dict[str, Any]:
            out = {}
            for entry in entries:
                parts = {_local(child.tag): child for child in entry}
                if key_name not in parts or value_name not in parts:
                    raise Unreadable("Map entry without a key or a value")
                out[_text(parts[key_name])] = item(parts[value_name])
            return out

        return read


def _each(item: Reader) -> Callable[[list[ET.Element]], list[Any]]:
    return lambda elements: [item(element) for element in elements]


@cache
def xml_readers(model: ServiceModel) -> Readers:  # noqa: ARG001  the key of the cache
    return Readers()
