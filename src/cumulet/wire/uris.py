"""REST request lines: a tree of path segments per service, made from the URI templates of its model.

A literal segment goes before a label, a label before a greedy one. Where operations share a path and a method, the
query literals (`?uploads`) must all be there; of what is left, that operation wins which has most of them, and then
most of its required query and header members, none of them missing (CopyObject is PutObject with a header).
"""

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import NamedTuple
from urllib.parse import unquote

from cumulet.wire.http import Headers
from cumulet.wire.models import Operation, ServiceModel

type Query = Mapping[str, Sequence[str]]


class Match(NamedTuple):
    operation: str
    labels: dict[str, str]


class Candidate(NamedTuple):
    """An operation at the end of a path."""

    operation: str
    labels: tuple[str, ...]
    literals: tuple[tuple[str, str | None], ...]
    query: tuple[str, ...]
    headers: tuple[str, ...]
    deprecated: bool

    def score(self, query: Query, headers: Headers) -> tuple[int, bool, int, bool] | None:
        """How well it fits, or None where it does not."""
        for name, value in self.literals:
            if name not in query or (value is not None and value not in query[name]):
                return None
        missing = sum(name not in query for name in self.query) + sum(name not in headers for name in self.headers)
        found = len(self.query) + len(self.headers) - missing
        return len(self.literals), missing == 0, found, not self.deprecated


class End:
    """The operations of one path and method."""

    __slots__ = ("_bare", "_candidates", "_headers", "_query")

    def __init__(self) -> None:
        self._candidates: list[Candidate] = []
        self._query: set[str] = set()
        self._headers: set[str] = set()
        self._bare: Candidate | None = None

    def add(self, candidate: Candidate) -> None:
        self._candidates.append(candidate)
        self._query.update(candidate.query, (name for name, _ in candidate.literals))
        self._headers.update(candidate.headers)
        self._bare = self._choose({}, Headers())

    def best(self, query: Query, headers: Headers) -> Candidate | None:
        """The operation that fits best, or None. Mostly the query and the headers say nothing about it."""
        if self._query.isdisjoint(query) and not any(name in headers for name in self._headers):
            return self._bare
        return self._choose(query, headers)

    def _choose(self, query: Query, headers: Headers) -> Candidate | None:
        best, best_score = None, (-1, False, 0, False)
        for candidate in self._candidates:
            score = candidate.score(query, headers)
            if score is not None and score > best_score:
                best, best_score = candidate, score
        return best


class Node:
    """A place in the tree."""

    __slots__ = ("ends", "greedy", "label", "literals")

    def __init__(self) -> None:
        self.literals: dict[str, Node] = {}
        self.label: Node | None = None
        self.greedy: Node | None = None
        self.ends: dict[str, End] = {}


class Table:
    """All request lines of one service."""

    def __init__(self, model: ServiceModel) -> None:
        self._root = Node()
        for name in sorted(model.operation_names):
            self._add(model.operation_model(name))

    def _add(self, operation: Operation) -> None:
        path, _, query = operation.uri.partition("?")
        node, labels = self._root, []
        for segment in path.strip("/").split("/") if path != "/" else ():
            if not segment.startswith("{"):
                node = node.literals.setdefault(segment, Node())
                continue
            labels.append(segment.strip("{+}"))
            if segment.endswith("+}"):
                node.greedy = node = node.greedy or Node()
            else:
                node.label = node = node.label or Node()
        node.ends.setdefault(operation.method, End()).add(_candidate(operation, tuple(labels), query))

    def match(self, method: str, path: str, query: Query, headers: Headers) -> Match | None:
        """The operation that a request line names, with its labels decoded. Raises UnicodeDecodeError."""
        for node, values in _walk(self._root, _segments(path), 0):
            end = node.ends.get(method)
            if end is not None and (best := end.best(query, headers)) is not None:
                return Match(best.operation, dict(zip(best.labels, map(_label, values), strict=True)))
        return None

    def knows(self, path: str) -> bool:
        """Whether some method is allowed on the path."""
        return any(True for _ in _walk(self._root, _segments(path), 0))


def _candidate(operation: Operation, labels: tuple[str, ...], query: str) -> Candidate:
    literals = []
    for part in filter(None, query.split("&")):
        name, equals, value = part.partition("=")
        literals.append((name, value if equals else None))
    shape = operation.input_shape
    wanted = [shape.members[name] for name in shape.required_members] if shape else []
    return Candidate(
        operation.name,
        labels,
        tuple(literals),
        tuple(m.wire for m in wanted if m.location == "querystring" and m.wire),
        tuple(m.wire.lower() for m in wanted if m.location == "header" and m.wire),
        operation.deprecated,
    )


def _segments(path: str) -> list[str]:
    return path.removeprefix("/").split("/")


def _walk(node: Node, parts: list[str], at: int) -> Iterator[tuple[Node, tuple[str, ...]]]:
    """The ends that a path can reach, the most literal first, with the values of the labels on the way."""
    if at == len(parts):
        if node.ends:
            yield node, ()
        return
    part = parts[at]
    if part in node.literals:
        yield from _walk(node.literals[part], parts, at + 1)
    if node.label is not None and part:
        for end, values in _walk(node.label, parts, at + 1):
            yield end, (part, *values)
    if node.greedy is not None:
        yield from _walk_greedy(node.greedy, parts, at)
    if part == "" and at == len(parts) - 1 and node.ends:  # one slash at the end counts for nothing but a greedy label
        yield node, ()


def _walk_greedy(node: Node, parts: list[str], at: int) -> Iterator[tuple[Node, tuple[str, ...]]]:
    """Labels that may hold slashes; short ones first, for they leave more to literals."""
    last = len(parts)
    stops = [stop for stop in range(at + 1, last) if parts[stop] in node.literals] if node.literals else []
    for stop in (*stops, last):
        value = "/".join(parts[at:stop])
        if value:
            for end, values in _walk(node, parts, stop):
                yield end, (value, *values)


def read_query(text: str) -> dict[str, list[str]]:
    """A query string or form: each name's values in order, decoded."""
    found: dict[str, list[str]] = {}
    for name, value in read_pairs(text):
        found.setdefault(name, []).append(value)
    return found


def read_pairs(text: str) -> Iterator[tuple[str, str]]:
    """The names and values of a query string or form, decoded."""
    for part in text.split("&"):
        if part:
            name, _, value = part.partition("=")
            yield _decode(name), _decode(value)


def _decode(text: str) -> str:
    if "+" in text:
        text = text.replace("+", " ")
    return unquote(text) if "%" in text else text


def _label(text: str) -> str:
    """Strictly UTF-8: with anything put in the place of what is not, different keys would become one."""
    return unquote(text, errors="strict") if "%" in text else text


@cache
def table(model: ServiceModel) -> Table:
    return Table(model)
