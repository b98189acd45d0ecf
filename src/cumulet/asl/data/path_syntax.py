"""Reads a JSONPath into steps, by Jayway's grammar.

    $ .name .'na me' ['a'] ['a','b'] [0] [-1] [0,2] [1:3] .* [*] ..x [?(filter)] .length()

Refused by name, because Jayway would take it in silence and mean something else: slices with a stride.
"""

import re
from collections.abc import Callable
from typing import Any

from cumulet.asl.data.path_functions import FUNCTIONS
from cumulet.asl.data.path_steps import Filter, Function, Index, Name, Names, Scan, Slice, Step, Test, Wildcard


class PathSyntaxError(ValueError):
    """The text is no JSONPath."""


type Value = Callable[[Any], Any]
type ReadFilter = Callable[["Reader"], Test]


class Reader:
    """A place in a text. Shared by the readers of paths, filters and intrinsic functions."""

    __slots__ = ("at", "text")

    def __init__(self, text: str, at: int = 0) -> None:
        self.text = text
        self.at = at

    def peek(self) -> str:
        return self.text[self.at : self.at + 1]

    def take(self, token: str) -> bool:
        if self.text.startswith(token, self.at):
            self.at += len(token)
            return True
        return False

    def space(self) -> None:
        while self.peek() in (" ", "\t", "\n", "\r"):
            self.at += 1

    def expect(self, token: str) -> None:
        self.space()
        if not self.take(token):
            raise PathSyntaxError(f"expected '{token}' at position {self.at} of '{self.text}'")

    def until(self, stops: str) -> str:
        start = self.at
        while self.at < len(self.text) and self.text[self.at] not in stops:
            self.at += 1
        return self.text[start : self.at]

    def quoted(self) -> str:
        """The text between two equal quotes. A backslash escapes the quote and itself, and is a character otherwise."""
        quote = self.peek()
        self.at += 1
        parts: list[str] = []
        while True:
            parts.append(self.until(quote + "\\"))
            if self.take("\\"):
                kept = "" if self.peek() in (quote, "\\") else "\\"
                parts.append(kept + self.peek())
                self.at += 1
            elif self.take(quote):
                return "".join(parts)
            else:
                raise PathSyntaxError(f"a string does not end in '{self.text}'")


def read_steps(reader: Reader, read_filter: ReadFilter, stops: str) -> list[Step]:
    """Steps up to the end of the text or to a character of `stops`."""
    steps: list[Step] = []
    while reader.at < len(reader.text) and reader.peek() not in stops:
        if reader.take(".."):
            if reader.peek() == "[":
                steps.append(Scan(_bracket(reader, read_filter)))
            else:
                steps.append(Scan(_dotted(reader, read_filter, stops)))
        elif reader.take("."):
            steps.append(_dotted(reader, read_filter, stops))
        elif reader.peek() == "[":
            steps.append(_bracket(reader, read_filter))
        else:
            raise PathSyntaxError(f"expected '.' or '[' at position {reader.at} of '{reader.text}'")
    return [_placed(step, leaf=place == len(steps) - 1) for place, step in enumerate(steps)]


def _placed(step: Step, *, leaf: bool) -> Step:
    match step:
        case Name(name):
            return Name(name, leaf)
        case Names(names):
            return Names(names, leaf)
        case Scan(Name(name)):
            return Scan(Name(name, leaf))
        case Scan(Names(names)):
            return Scan(Names(names, leaf))
    return step


def _dotted(reader: Reader, read_filter: ReadFilter, stops: str) -> Step:
    if reader.take("*"):
        return Wildcard()
    if reader.peek() == "[":
        return _bracket(reader, read_filter)
    name = reader.until(".[(" + stops)
    if not name or name != name.strip():
        raise PathSyntaxError(f"a name is missing or has blanks at position {reader.at} of '{reader.text}'")
    if reader.peek() == "(":
        return _function(reader, name, read_filter)
    return Name(name, leaf=False)


def _function(reader: Reader, name: str, read_filter: ReadFilter) -> Step:
    known = FUNCTIONS.get(name)
    if known is None:
        raise PathSyntaxError(f"there is no function '{name}' in '{reader.text}'")
    reader.expect("(")
    parameters: list[Value] = []
    reader.space()
    while reader.peek() != ")":
        parameters.append(_parameter(reader, read_filter))
        reader.space()
        if not reader.take(","):
            break
        reader.space()
    reader.expect(")")
    return Function(name, known, tuple(parameters))


def _parameter(reader: Reader, read_filter: ReadFilter) -> Value:
    if reader.peek() in ("'", '"'):
        text = reader.quoted()
        return lambda _root: text
    if reader.take("$"):
        steps = read_steps(reader, read_filter, ", )")
        return lambda root: evaluate(steps, root, root)
    word = reader.until(", )")
    try:
        number = float(word) if "." in word else int(word)
    except ValueError:
        raise PathSyntaxError(f"'{word}' is no parameter of a function in '{reader.text}'") from None
    return lambda _root: number


def _bracket(reader: Reader, read_filter: ReadFilter) -> Step:
    reader.expect("[")
    reader.space()
    if reader.peek() in ("'", '"'):
        step: Step = _names(reader)
    elif reader.take("*"):
        step = Wildcard()
    elif reader.take("?"):
        reader.expect("(")
        step = Filter(read_filter(reader))
        reader.expect(")")
    else:
        step = _numbers(reader)
    reader.expect("]")
    return step


def _names(reader: Reader) -> Step:
    names: list[str] = []
    while True:
        reader.space()
        if reader.peek() not in ("'", '"'):
            raise PathSyntaxError(f"a quoted name is missing at position {reader.at} of '{reader.text}'")
        names.append(reader.quoted())
        reader.space()
        if not reader.take(","):
            return Name(names[0], leaf=False) if len(names) == 1 else Names(tuple(names), leaf=False)


_FROM_THE_END = re.compile(r"\(\s*@\.length\s*-\s*([1-9]\d*)\s*\)\s*")
"""`[(@.length-1)]`, the one script that paths ever had."""


def _numbers(reader: Reader) -> Step:
    inside = reader.until("]")
    last = _FROM_THE_END.fullmatch(inside)
    if last:
        return Index((-int(last[1]),))
    try:
        if ":" not in inside:
            return Index(tuple(int(part) for part in inside.split(",")))
        bounds = [int(part) if part.strip() else None for part in inside.split(":")]
    except ValueError:
        raise PathSyntaxError(f"'[' must be followed by ', a number, '*' or '?' in '{reader.text}'") from None
    if len(bounds) != 2 or bounds == [None, None]:
        raise PathSyntaxError(f"'[{inside}]' is no slice that is understood in '{reader.text}'")
    return Slice(bounds[0], bounds[1])


def evaluate(steps: list[Step], node: Any, root: Any) -> Any:
    """The value of a path that is a function's parameter: None where there is nothing."""
    nodes, definite, _ = run(steps, node, root, strict=False)
    if not definite:
        return nodes
    return nodes[0] if nodes else None


def is_definite(steps: list[Step]) -> bool:
    """Whether one node at most is selected. A function makes one value of all that came before it."""
    definite = True
    for step in steps:
        definite = isinstance(step, Function) or (definite and step.definite)
    return definite


def is_strict(steps: list[Step]) -> bool:
    """Whether something missing is an error: nothing on the way may select more or less than one node."""
    return all(step.definite for step in steps)


def run(steps: list[Step], node: Any, root: Any, *, strict: bool) -> tuple[list[Any], bool, str]:
    """All nodes that the steps select, whether there is one at most, and the path's normal form.

    With `strict` a missing node raises `PathNotFound`; without, it selects nothing.
    """
    nodes, where, definite = [node], "$", True
    for step in steps:
        if isinstance(step, Function) and not definite:
            nodes = step.select(nodes, root, strict, where)
            definite = True
        else:
            nodes = [found for one in nodes for found in step.select(one, root, strict, where)]
            definite = definite and step.definite
        where += step.text
    return nodes, definite, where
