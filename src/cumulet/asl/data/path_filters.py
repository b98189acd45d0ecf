"""Filters of a path, `[?(@.a > 1 && @.b == 'x')]`, compiled to a function of a node and the root document.

Jayway's comparisons: numbers and texts are ordered among themselves only, a text that is a number equals that number,
and a path that finds nothing is undefined, which equals nothing but another undefined.
A bare path asks whether it exists.
"""

import re
from collections.abc import Callable
from typing import Any

from cumulet.asl.data.path_steps import PathNotFound, Step, Test
from cumulet.asl.data.path_syntax import PathSyntaxError, Reader, is_strict, read_steps, run
from cumulet.base.json import JSONDecodeError, loads

type Operand = Callable[[Any, Any], Any]


class _Undefined:
    __slots__ = ()


UNDEFINED = _Undefined()
_STOPS = " \t\n\r)&|=!<>~,"
_ORDER = ("===", "!==", "==", "!=", "<=", ">=", "=~", "<", ">")
_WORDS = ("in", "nin", "subsetof", "anyof", "noneof", "size", "empty", "contains", "all", "type")


def read_filter(reader: Reader) -> Test:
    """The condition between `[?(` and `)]`; the reader stops before the closing parenthesis."""
    return _any(reader)


def _any(reader: Reader) -> Test:
    tests = [_all(reader)]
    while _sign(reader, "||"):
        tests.append(_all(reader))
    return tests[0] if len(tests) == 1 else lambda node, root: any(test(node, root) for test in tests)


def _all(reader: Reader) -> Test:
    tests = [_one(reader)]
    while _sign(reader, "&&"):
        tests.append(_one(reader))
    return tests[0] if len(tests) == 1 else lambda node, root: all(test(node, root) for test in tests)


def _sign(reader: Reader, sign: str) -> bool:
    reader.space()
    return reader.take(sign)


def _one(reader: Reader) -> Test:
    if _sign(reader, "!"):
        inner = _one(reader)
        return lambda node, root: not inner(node, root)
    if reader.take("("):
        inner = _any(reader)
        reader.expect(")")
        return inner
    left = _operand(reader)
    operator = _operator(reader)
    if operator is None:
        return lambda node, root: left(node, root) is not UNDEFINED
    right = _operand(reader)
    compare = OPERATORS[operator]
    return lambda node, root: compare(left(node, root), right(node, root))


def _operator(reader: Reader) -> str | None:
    reader.space()
    for sign in _ORDER:
        if reader.take(sign):
            return sign
    start = reader.at
    word = reader.until(_STOPS + "[('\"@$").lower()
    if word in _WORDS:
        return word
    reader.at = start
    return None


def _operand(reader: Reader) -> Operand:
    reader.space()
    start = reader.peek()
    if start in ("@", "$"):
        reader.at += 1
        return _path(read_steps(reader, read_filter, _STOPS), current=start == "@")
    return _literal(reader, start)


def _literal(reader: Reader, start: str) -> Operand:
    if start in ("'", '"'):
        return _constant(reader.quoted())
    if start == "/":
        return _constant(_regex(reader))
    if start in ("[", "{"):
        return _constant(_json(reader))
    word = reader.until(_STOPS)
    try:
        return _constant(loads(word))
    except JSONDecodeError:
        return _bare(word, reader)


def _constant(value: Any) -> Operand:
    return lambda _node, _root: value


def _bare(word: str, reader: Reader) -> Operand:
    """A word without quotes: AWS takes the definition and fails the evaluation."""
    if not word.isidentifier():
        raise PathSyntaxError(f"'{word}' is no value of a filter in '{reader.text}'")

    def fail(_node: Any, _root: Any) -> Any:
        raise PathNotFound(f"'{word}' is neither a path nor a value")

    return fail


def _path(steps: list[Step], *, current: bool) -> Operand:
    strict = is_strict(steps)

    def value(node: Any, root: Any) -> Any:
        try:
            nodes, definite, _ = run(steps, node if current else root, root, strict=strict)
        except PathNotFound:
            return UNDEFINED
        if not definite:
            return nodes
        return nodes[0] if nodes else UNDEFINED

    return value


_FLAGS = {"i": re.IGNORECASE, "m": re.MULTILINE, "s": re.DOTALL, "x": re.VERBOSE, "u": re.UNICODE}


def _regex(reader: Reader) -> re.Pattern[str]:
    reader.at += 1
    parts: list[str] = []
    while True:
        parts.append(reader.until("/\\"))
        if reader.take("\\"):
            parts.append(("" if reader.peek() == "/" else "\\") + reader.peek())
            reader.at += 1
        elif reader.take("/"):
            break
        else:
            raise PathSyntaxError(f"a pattern does not end in '{reader.text}'")
    flags = 0
    while reader.peek() in _FLAGS:
        flags |= _FLAGS[reader.peek()]
        reader.at += 1
    try:
        return re.compile("".join(parts), flags)
    except re.error as error:
        raise PathSyntaxError(f"a pattern in '{reader.text}' is wrong: {error}") from None


def _json(reader: Reader) -> Any:
    """A list or an object, in JSON or with single quotes."""
    start, depth = reader.at, 0
    parts: list[str] = []
    while reader.at < len(reader.text):
        sign = reader.peek()
        if sign in ("'", '"'):
            text = reader.quoted()
            parts.append('"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"')
            continue
        depth += {"[": 1, "{": 1, "]": -1, "}": -1}.get(sign, 0)
        parts.append(sign)
        reader.at += 1
        if depth == 0:
            break
    try:
        return loads("".join(parts))
    except JSONDecodeError:
        raise PathSyntaxError(f"'{reader.text[start : reader.at]}' is no JSON in '{reader.text}'") from None


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _equal(left: Any, right: Any) -> bool:
    if isinstance(left, str) and _is_number(right):
        left, right = right, left
    if _is_number(left) and isinstance(right, str):
        try:
            return bool(float(right) == left)
        except ValueError:
            return False
    return same(left, right)


def same(left: Any, right: Any) -> bool:
    """JSON equality: 1 equals 1.0, but true is not 1."""
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(same, left, right))
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(same(left[key], right[key]) for key in left)
    return bool(left == right)


def _ordered(compare: Callable[[Any, Any], bool]) -> Callable[[Any, Any], bool]:
    def test(left: Any, right: Any) -> bool:
        alike = (_is_number(left) and _is_number(right)) or (isinstance(left, str) and isinstance(right, str))
        return alike and bool(compare(left, right))

    return test


def _matches(left: Any, right: Any) -> bool:
    if isinstance(left, re.Pattern):
        left, right = right, left
    return (
        isinstance(right, re.Pattern)
        and isinstance(left, str | int | float)
        and right.fullmatch(_text(left)) is not None
    )


def _text(value: Any) -> str:
    return value if isinstance(value, str) else str(value).lower()


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _in(left: Any, right: Any) -> bool:
    return any(_equal(left, item) for item in _list(right))


def _contains(left: Any, right: Any) -> bool:
    if isinstance(left, str):
        return isinstance(right, str) and right in left
    return _in(right, left)


def _size(left: Any, right: Any) -> bool:
    return isinstance(left, list | str) and same(len(left), right)


def _empty(left: Any, right: Any) -> bool:
    return isinstance(left, list | str | dict) and isinstance(right, bool) and (not left) == right


_TYPES = {
    str: "string",
    bool: "boolean",
    int: "number",
    float: "number",
    list: "json",
    dict: "json",
    type(None): "null",
}

OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "==": _equal,
    "!=": lambda left, right: not _equal(left, right),
    "===": lambda left, right: type(left) is type(right) and same(left, right),
    "!==": lambda left, right: not (type(left) is type(right) and same(left, right)),
    "<": _ordered(lambda left, right: left < right),
    "<=": _ordered(lambda left, right: left <= right),
    ">": _ordered(lambda left, right: left > right),
    ">=": _ordered(lambda left, right: left >= right),
    "=~": _matches,
    "in": _in,
    "nin": lambda left, right: not _in(left, right),
    "subsetof": lambda left, right: isinstance(left, list) and all(_in(item, right) for item in left),
    "anyof": lambda left, right: any(_in(item, right) for item in _list(left)),
    "noneof": lambda left, right: not any(_in(item, right) for item in _list(left)),
    "all": lambda left, right: isinstance(left, list) and all(_in(item, left) for item in _list(right)),
    "contains": _contains,
    "size": _size,
    "empty": _empty,
    "type": lambda left, right: _TYPES.get(type(left)) == right,
}
