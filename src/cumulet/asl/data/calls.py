"""Reads a call of an intrinsic function, `States.Format('{} of {}', $.a, States.ArrayLength($.b))`, into a closure.

Arguments are single-quoted texts, numbers, true, false, null, paths ($, $$, $name) and further calls, ten deep at most.
Raises `PathSyntaxError` for what AWS refuses when the definition is created.
"""

from collections.abc import Callable
from typing import Any

from cumulet.asl.data.intrinsics import INTRINSICS, Intrinsic, Unfit, fill, format_pieces
from cumulet.asl.data.path_syntax import PathSyntaxError, Reader
from cumulet.asl.data.scope import Scope
from cumulet.base.json import JSONDecodeError, loads

DEEPEST = 10

type Evaluate = Callable[[Scope], Any]
type ReadPath = Callable[[str], Evaluate]


class _Literal:
    """A constant argument; it is callable as the others are."""

    __slots__ = ("raw", "value")

    def __init__(self, value: Any, raw: str = "") -> None:
        self.value = value
        self.raw = raw

    def __call__(self, _scope: Scope) -> Any:
        return self.value


def read_call(text: str, read_path: ReadPath) -> Evaluate:
    """The whole text is one call."""
    reader = Reader(text)
    call = _call(reader, read_path, 1)
    reader.space()
    if reader.at != len(text):
        raise PathSyntaxError(f"text follows the call in '{text}'")
    return call


def _call(reader: Reader, read_path: ReadPath, depth: int) -> Evaluate:
    name = reader.until("( ,)'")
    intrinsic = INTRINSICS.get(name)
    if intrinsic is None:
        raise PathSyntaxError(f"there is no intrinsic function '{name}'")
    if depth > DEEPEST:
        raise PathSyntaxError(f"calls are nested more than {DEEPEST} deep in '{reader.text}'")
    arguments = _arguments(reader, read_path, depth)
    _suits(name, intrinsic, arguments)
    if name == "States.Format" and isinstance(arguments[0], _Literal):
        return _format(arguments[0].raw, arguments[1:])
    call = intrinsic.call
    return lambda scope: call([argument(scope) for argument in arguments], scope.env)


def _format(template: str, arguments: list[Evaluate]) -> Evaluate:
    """A template that is known beforehand is split once."""
    try:
        pieces = format_pieces(template)
        fill(pieces, [""] * len(arguments))
    except Unfit as problem:
        raise PathSyntaxError(str(problem)) from None
    return lambda scope: fill(pieces, [argument(scope) for argument in arguments])


def _arguments(reader: Reader, read_path: ReadPath, depth: int) -> list[Evaluate]:
    reader.expect("(")
    reader.space()
    if reader.take(")"):
        return []
    arguments: list[Evaluate] = []
    while True:
        reader.space()
        arguments.append(_argument(reader, read_path, depth))
        reader.space()
        if reader.take(")"):
            return arguments
        reader.expect(",")


def _argument(reader: Reader, read_path: ReadPath, depth: int) -> Evaluate:
    start = reader.peek()
    if start == "'":
        return _text(reader)
    if start == "$":
        return read_path(_path(reader))
    if reader.text.startswith("States.", reader.at):
        return _call(reader, read_path, depth + 1)
    word = reader.until(",)").strip()
    try:
        value = loads(word)
    except JSONDecodeError:
        value = ()
    if value is not None and not isinstance(value, int | float):  # true and false are ints to Python
        raise PathSyntaxError(f"'{word}' is no argument in '{reader.text}'")
    return _Literal(value)


def _text(reader: Reader) -> _Literal:
    reader.at += 1
    start = reader.at
    parts: list[str] = []
    while True:
        parts.append(reader.until("'\\"))
        if reader.take("'"):
            return _Literal("".join(parts), reader.text[start : reader.at - 1])
        reader.at += 1
        sign = reader.peek()
        if sign not in ("'", "{", "}", "\\"):
            raise PathSyntaxError(f"'\\{sign}' is no escape, or a text does not end, in '{reader.text}'")
        parts.append(sign)
        reader.at += 1


def _path(reader: Reader) -> str:
    """The text of a path: up to a comma or parenthesis outside its brackets, calls and quotes."""
    start, depth = reader.at, 0
    while reader.at < len(reader.text):
        sign = reader.peek()
        if sign in ("'", '"') and depth:
            reader.quoted()
            continue
        if sign in ("[", "("):
            depth += 1
        elif sign in ("]", ")") and depth:
            depth -= 1
        elif sign in (",", ")") and not depth:
            break
        reader.at += 1
    return reader.text[start : reader.at].rstrip()


def _suits(name: str, intrinsic: Intrinsic, arguments: list[Evaluate]) -> None:
    if not intrinsic.least <= len(arguments) <= intrinsic.most:
        raise PathSyntaxError(f"{name} does not take {len(arguments)} arguments")
    for kind, argument in zip(intrinsic.kinds, arguments, strict=False):
        if isinstance(argument, _Literal) and not _KINDS[kind](argument.value):
            raise PathSyntaxError(f"an argument of {name} has the wrong type")


_KINDS: dict[str, Callable[[Any], bool]] = {
    ".": lambda _value: True,
    "c": lambda _value: False,
    "s": lambda value: isinstance(value, str),
    "n": lambda value: isinstance(value, int | float) and not isinstance(value, bool),
    "b": lambda value: isinstance(value, bool),
}
