"""JSONPath as AWS evaluates it (Jayway's library), compiled once.

    path = compile_path("$.orders[0].id")
    path.get(document)               the value; PathNotFound when a definite path finds nothing
    path.set(document, value)        a new document for ResultPath; what is not on the way is shared, nothing is mutated

An indefinite path ([*], .., a filter, a slice, a union) gives a list, possibly empty. Names only, the common case, is a
plain loop over subscripts.
"""

from collections.abc import Callable
from functools import lru_cache
from typing import Any

from cumulet.asl.data.path_filters import read_filter
from cumulet.asl.data.path_steps import Index, Name, PathNotFound, Step
from cumulet.asl.data.path_syntax import PathSyntaxError, Reader, is_definite, is_strict, read_steps, run
from cumulet.asl.data.scope import DataError
from cumulet.base.json import dumps

__all__ = ["Path", "PathNotFound", "PathSyntaxError", "compile_path"]


MISMATCH = "States.ResultPathMatchFailure"


class _NoPlaceError(Exception):
    """Something else is where the path leads."""


class Path:
    """A compiled path. `definite`: one node at most. `reference`: names and single indexes only."""

    __slots__ = ("definite", "get", "keys", "reference", "text")

    def __init__(self, text: str, steps: list[Step]) -> None:
        self.text = text
        self.definite = is_definite(steps)
        self.reference = all(isinstance(step, Name) or (isinstance(step, Index) and step.definite) for step in steps)
        self.keys: tuple[str | int, ...] = tuple(map(_key, steps)) if self.reference else ()
        self.get: Callable[[Any], Any] = _getter(steps, self.keys if self.reference else None)

    def set(self, document: Any, value: Any) -> Any:
        """The document with the value at this reference path; objects on the way are made where they are missing.

        Only for a reference path. Raises `DataError` when something else is in the way: no object where a member is
        to be, no such element.
        """
        try:
            return _put(document, self.keys, value)
        except _NoPlaceError:
            raise DataError(MISMATCH, f"Unable to apply ReferencePath {self.text} to input {dumps(document)}") from None


@lru_cache(maxsize=4096)
def compile_path(text: str) -> Path:
    """`text` begins with `$`, the document. Raises `PathSyntaxError`."""
    if not text.startswith("$"):
        raise PathSyntaxError(f"'{text}' does not begin with '$'")
    try:
        return Path(text, read_steps(Reader(text, 1), read_filter, ""))
    except RecursionError:
        raise PathSyntaxError("a filter is nested too deeply") from None


def _key(step: Step) -> str | int:
    if isinstance(step, Name):
        return step.name
    assert isinstance(step, Index)
    return step.indexes[0]


def _getter(steps: list[Step], keys: tuple[str | int, ...] | None) -> Callable[[Any], Any]:
    strict = is_strict(steps)

    def slow(document: Any) -> Any:
        try:
            nodes, definite, where = run(steps, document, document, strict=strict)
        except RecursionError:  # a filter that compares lists in lists in lists ...
            raise PathNotFound("the document is nested too deeply") from None
        if not definite:
            return nodes
        if not nodes:
            raise PathNotFound(f"No results for path: {where}")
        return nodes[0]

    if keys is None:
        return slow
    if not keys:
        return lambda document: document
    if not all(isinstance(key, str) for key in keys):
        return _mixed(keys, slow)
    return _one(keys[0], slow) if len(keys) == 1 else _many(keys, slow)


def _one(name: str | int, slow: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def get(document: Any) -> Any:
        try:
            return document[name]
        except (KeyError, TypeError):
            return slow(document)

    return get


def _many(names: tuple[str | int, ...], slow: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def get(document: Any) -> Any:
        node = document
        try:
            for name in names:
                node = node[name]
        except (KeyError, TypeError):
            return slow(document)
        return node

    return get


def _mixed(keys: tuple[str | int, ...], slow: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def get(document: Any) -> Any:
        node = document
        try:
            for key in keys:
                if type(key) is int and type(node) is not list:  # a text has subscripts too
                    return slow(document)
                node = node[key]
        except (KeyError, TypeError, IndexError):
            return slow(document)
        return node

    return get


def _put(node: Any, keys: tuple[str | int, ...], value: Any) -> Any:
    if not keys:
        return value
    key, rest = keys[0], keys[1:]
    if isinstance(key, str):
        if not isinstance(node, dict):
            raise _NoPlaceError
        return {**node, key: _put(node.get(key, {}), rest, value)}
    if not isinstance(node, list) or not -len(node) <= key < len(node):
        raise _NoPlaceError
    changed = list(node)
    changed[key] = _put(node[key], rest, value)
    return changed
