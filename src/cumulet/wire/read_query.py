"""Forms into input (query and ec2): `Tags.member.1.Key=a` is a tree, walked along the shapes.

The two protocols differ in names: ec2 capitalises and flattens all lists. A list's own member name and the plain
`member` are both understood, as are empty lists (`Tags=`).
"""

from collections.abc import Callable, Iterable, Iterator
from functools import cache
from typing import Any, Final

from cumulet.wire import values
from cumulet.wire.models import ServiceModel, Shape
from cumulet.wire.values import Unreadable

type Tree = str | dict[str, Tree]
type Reader = Callable[[Tree], Any]


def plant(pairs: Iterable[tuple[str, str]]) -> dict[str, Tree]:
    """The tree of dotted names. What is said of a name that has branches too stands under ""."""
    root: dict[str, Tree] = {}
    for name, value in pairs:
        node = root
        *stems, leaf = name.split(".")
        for stem in stems:
            below = node.get(stem)
            if not isinstance(below, dict):
                below = {} if below is None else {"": below}
                node[stem] = below
            node = below
        existing = node.get(leaf)
        if isinstance(existing, dict):
            existing[""] = value
        else:
            node[leaf] = value
    return root


def _text(node: Tree) -> str:
    if isinstance(node, str):
        return node
    if isinstance(text := node.get(""), str):
        return text
    raise Unreadable("Unexpected complex element termination")


def _scalar(read: Callable[[str], Any]) -> Reader:
    return lambda node: read(_text(node))


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

    def __init__(self, *, ec2: bool) -> None:
        self._ec2 = ec2
        self._structures: dict[str, Reader] = {}

    def _name(self, shape: Shape, name: str) -> str:
        if not self._ec2:
            return shape.wire or name
        wire = shape.wire
        told: str = shape.traits.get("queryName") or (wire[:1].upper() + wire[1:] if wire else name)
        return told

    def of(self, shape: Shape) -> Reader:
        """The reader of a shape's branch."""
        match shape.type_name:
            case "structure":
                return self._structures.get(shape.name) or self._structure(shape)
            case "list":
                return self._list(shape)
            case "map":
                return self._map(shape)
            case scalar:
                return _SCALARS[scalar]

    def _structure(self, shape: Shape) -> Reader:
        table: dict[str, tuple[str, Reader]] = {}

        def read(node: Tree) -> dict[str, Any]:
            if isinstance(node, str):
                if node:
                    raise Unreadable("Unexpected scalar where a structure is expected")
                return {}
            out = {}
            for key, below in node.items():
                entry = table.get(key)
                if entry is not None:
                    out[entry[0]] = entry[1](below)
            return out

        self._structures[shape.name] = read
        for name, member in shape.members.items():
            entry = (name, self.of(member))
            table[name[:1].upper() + name[1:] if self._ec2 else name] = entry  # so Smithy's clients write them
            table[self._name(member, name)] = entry
            if member.type_name == "list" and self._flat(member) and not self._ec2 and member.member.wire:
                table[member.member.wire] = entry  # a flattened list goes by its members' name
        return read

    def _flat(self, shape: Shape) -> bool:
        return self._ec2 or shape.flattened

    def _list(self, shape: Shape) -> Reader:
        item = self.of(shape.member)
        names = () if self._flat(shape) else (shape.member.wire or "member", "member")

        def read(node: Tree) -> list[Any]:
            return [item(below) for below in _numbered(_below(node, names))]

        return read

    def _map(self, shape: Shape) -> Reader:
        key_name, value_name = self._name(shape.key, "key"), self._name(shape.value, "value")
        read_value = self.of(shape.value)
        names = () if shape.flattened else ("entry",)

        def read(node: Tree) -> dict[str, Any]:
            out = {}
            for entry in _numbered(_below(node, names)):
                if isinstance(entry, str) or key_name not in entry:
                    raise Unreadable("Map entry without a key")
                out[_text(entry[key_name])] = read_value(entry.get(value_name, ""))
            return out

        return read


def _below(node: Tree, names: tuple[str, ...]) -> Tree:
    if isinstance(node, dict):
        for name in names:
            if name in node:
                return node[name]
    return node


def _numbered(node: Tree) -> Iterator[Tree]:
    """The branches 1, 2, 3 ... in order."""
    if isinstance(node, str):
        if node:
            raise Unreadable("Unexpected scalar where a list is expected")
        return
    for index in node:
        if index and not (index.isascii() and index.isdigit() and len(index) < 10):
            raise Unreadable(f"Unexpected list index: {index}")
    yield from (node[index] for index in sorted(filter(None, node), key=int))


@cache
def query_readers(model: ServiceModel) -> Readers:  # noqa: ARG001  the key of the cache
    return Readers(ec2=False)


@cache
def ec2_readers(model: ServiceModel) -> Readers:  # noqa: ARG001  the key of the cache
    return Readers(ec2=True)
