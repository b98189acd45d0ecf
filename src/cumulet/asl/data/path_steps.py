"""The steps of a JSONPath: from one node to the nodes it selects, as Jayway's JsonPath (AWS's library) takes them.

A step is a frozen object with `select(node, root, strict, where) -> list`. `strict` says that the whole path is
definite: only then is something missing an error, and `where` is the path so far, for its words. A step refuses nothing
else: an indefinite path that does not fit selects nothing (as recorded from AWS: `$.a.b[*]` of `{}` is `[]`).
"""

# ruff: noqa: ARG002  every step has the same signature, whether it needs all of it or not

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol

from cumulet.base.errors import CumuletError
from cumulet.base.json import dumps


class PathNotFound(CumuletError):
    """The document has not what a definite path asks for; the text is Jayway's."""


class Step(Protocol):
    """One step of a path; `text` is its normal form, `definite` whether it selects one node at most."""

    @property
    def text(self) -> str: ...
    @property
    def definite(self) -> bool: ...
    def select(self, node: Any, root: Any, strict: bool, where: str) -> list[Any]: ...


@dataclass(frozen=True, slots=True)
class Name:
    """`.a` or `['a']`."""

    name: str
    leaf: bool
    definite = True

    @property
    def text(self) -> str:
        return f"['{self.name}']"

    def select(self, node: Any, root: Any, strict: bool, where: str) -> list[Any]:
        if isinstance(node, dict):
            if self.name in node:
                return [node[self.name]]
            if strict:
                words = "No results for path: " if self.leaf else "Missing property in path "
                raise PathNotFound(f"{words}{where}{self.text}")
            return []
        if strict:
            raise PathNotFound(_no_object(self.text, where, node))
        return []


@dataclass(frozen=True, slots=True)
class Names:
    """`['a','b']`: at the end of a path an object of those members that exist, before it each of them in turn."""

    names: tuple[str, ...]
    leaf: bool

    @property
    def definite(self) -> bool:
        return self.leaf

    @property
    def text(self) -> str:
        return "[" + ",".join(f"'{name}'" for name in self.names) + "]"

    def select(self, node: Any, root: Any, strict: bool, where: str) -> list[Any]:
        if not isinstance(node, dict):
            if strict:
                raise PathNotFound(_no_object(self.text, where, node))
            return []
        if self.leaf:
            return [{name: node[name] for name in self.names if name in node}]
        return [node[name] for name in self.names if name in node]


@dataclass(frozen=True, slots=True)
class Index:
    """`[0]`, `[-1]`, `[0,2]`."""

    indexes: tuple[int, ...]

    @property
    def definite(self) -> bool:
        return len(self.indexes) == 1

    @property
    def text(self) -> str:
        return "[" + ",".join(map(str, self.indexes)) + "]"

    def select(self, node: Any, root: Any, strict: bool, where: str) -> list[Any]:
        if not _is_array(node, strict, where, self.text):
            return []
        size = len(node)
        return [node[index] for index in self.indexes if -size <= index < size]


@dataclass(frozen=True, slots=True)
class Slice:
    """`[1:3]`, `[:2]`, `[-2:]`."""

    start: int | None
    stop: int | None
    definite = False

    @property
    def text(self) -> str:
        return f"[{'' if self.start is None else self.start}:{'' if self.stop is None else self.stop}]"

    def select(self, node: Any, root: Any, strict: bool, where: str) -> list[Any]:
        if not _is_array(node, strict, where, self.text):
            return []
        chosen: list[Any] = node[self.start : self.stop]
        return chosen


@dataclass(frozen=True, slots=True)
class Wildcard:
    """`.*` or `[*]`: all members or elements."""

    definite = False
    text = "[*]"

    def select(self, node: Any, root: Any, strict: bool, where: str) -> list[Any]:
        if isinstance(node, list):
            return node
        return list(node.values()) if isinstance(node, dict) else []


type Test = Callable[[Any, Any], bool]
"""Of a node and the root document."""


@dataclass(frozen=True, slots=True)
class Filter:
    """`[?(...)]`: an object itself, or the elements of an array, that pass the test."""

    test: Test
    definite = False
    text = "[?]"

    def select(self, node: Any, root: Any, strict: bool, where: str) -> list[Any]:
        if isinstance(node, list):
            return [item for item in node if self.test(item, root)]
        if isinstance(node, dict):
            return [node] if self.test(node, root) else []
        return []


@dataclass(frozen=True, slots=True)
class Scan:
    """`..` with the step after it, tried on every object and array, the outer ones first."""

    step: Step
    definite = False

    @property
    def text(self) -> str:
        return f"..{self.step.text}"

    def select(self, node: Any, root: Any, strict: bool, where: str) -> list[Any]:
        wanted: Any = list if isinstance(self.step, Index | Slice) else object
        if isinstance(self.step, Filter | Name | Names):
            wanted = dict
        found: list[Any] = []
        needed = self.step.names if isinstance(self.step, Names) and self.step.leaf else ()
        for inner in walk(node):
            if isinstance(inner, wanted) and all(name in inner for name in needed):
                found.extend(self.step.select(inner, root, strict, where))
        return found


@dataclass(frozen=True, slots=True)
class Function:
    """`.length()` and its like, of the node before it. `parameters` see the root document."""

    name: str
    call: Callable[..., Any]
    parameters: tuple[Callable[[Any], Any], ...]
    definite = True

    @property
    def text(self) -> str:
        return f".{self.name}()"

    def select(self, node: Any, root: Any, strict: bool, where: str) -> list[Any]:
        return [self.call(node, *(parameter(root) for parameter in self.parameters))]


def walk(node: Any) -> Iterator[Any]:
    """Every object and array at or below a node, each before what it holds. No recursion: depth is the user's."""
    waiting = [node]
    while waiting:
        node = waiting.pop()
        if isinstance(node, dict):
            yield node
            waiting.extend(reversed(node.values()))
        elif isinstance(node, list):
            yield node
            waiting.extend(reversed(node))


def _is_array(node: Any, strict: bool, where: str, text: str) -> bool:
    if isinstance(node, list):
        return True
    if not strict:
        return False
    if node is None:
        raise PathNotFound(f"The path {where} is null")
    raise PathNotFound(f"Filter: {text} can only be applied to arrays. Current context is: {dumps(node)}")


_JAVA = {str: "java.lang.String", bool: "java.lang.Boolean", int: "java.lang.Integer", float: "java.lang.Double"}


def _no_object(fragment: str, where: str, node: Any) -> str:
    found = "null" if node is None else _JAVA.get(type(node), "java.util.ArrayList")
    return f"Expected to find an object with property {fragment} in path {where} but found '{found}'."
