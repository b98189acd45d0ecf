"""The functions of a path (`$.a.length()`), as Jayway has them: a table from name to a pure function.

Each gets the node before it, and what stands in its parentheses. Numbers come out as Jayway makes them: aggregates are
floating-point numbers, lengths are integers, and what has no answer is null.
"""

import math
from collections.abc import Callable, Iterator
from typing import Any


def _numbers(node: Any, more: tuple[Any, ...]) -> Iterator[float]:
    for part in (node, *more):
        for value in part if isinstance(part, list) else (part,):
            if isinstance(value, int | float) and not isinstance(value, bool):
                yield float(value)


def _aggregate(compute: Callable[[list[float]], float]) -> Callable[..., Any]:
    def call(node: Any, *more: Any) -> float | None:
        values = list(_numbers(node, more))
        return compute(values) if values else None

    return call


def _mean(values: list[float]) -> float:
    return sum(values) / len(values)


def _deviation(values: list[float]) -> float:
    mean = _mean(values)
    return math.sqrt(sum((value - mean) ** 2 for value in values) / len(values))


def _length(node: Any, *more: Any) -> int | None:
    subject = more[0] if more else node
    return len(subject) if isinstance(subject, list | dict | str) else None


def _keys(node: Any) -> list[str] | None:
    return list(node) if isinstance(node, dict) else None


def _concat(node: Any, *more: Any) -> str:
    texts: list[str] = [item for item in node if isinstance(item, str)] if isinstance(node, list) else []
    for part in more:
        texts.extend(str(item) for item in (part if isinstance(part, list) else (part,)))
    return "".join(texts)


def _append(node: Any, *more: Any) -> Any:
    return [*node, *more] if isinstance(node, list) else node


def _index(node: Any, at: Any) -> Any:
    if not isinstance(node, list) or not isinstance(at, int):
        return None
    return node[at] if -len(node) <= at < len(node) else None


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "length": _length,
    "size": _length,
    "keys": _keys,
    "min": _aggregate(min),
    "max": _aggregate(max),
    "sum": _aggregate(sum),
    "avg": _aggregate(_mean),
    "stddev": _aggregate(_deviation),
    "concat": _concat,
    "append": _append,
    "first": lambda node: _index(node, 0),
    "last": lambda node: _index(node, -1),
    "index": _index,
}
