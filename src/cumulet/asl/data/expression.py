"""What may stand after a `.$` key or in a `...Path` field: a path or a call of an intrinsic function.

    compile_expression("$.a")                       the input
    compile_expression("$$.Execution.Id")           the context object
    compile_expression("$order.id")                 a variable
    compile_expression("States.UUID()")             an intrinsic function

Compiled once, evaluated often. Three ways to evaluate, because AWS words a missing value differently: `evaluate` as
InputPath does, `of_field` as a payload template or ErrorPath does, `find` with the bare `PathNotFound`.
"""

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from cumulet.asl.data.calls import read_call
from cumulet.asl.data.intrinsics import Unfit
from cumulet.asl.data.jsonpath import Path, PathNotFound, PathSyntaxError, compile_path
from cumulet.asl.data.scope import DataError, Scope
from cumulet.base.json import dumps

__all__ = ["RUNTIME", "Expression", "PathNotFound", "PathSyntaxError", "compile_expression"]

RUNTIME = "States.Runtime"
_VARIABLE = re.compile(r"\$([^\W\d]\w*)")

INPUT, CONTEXT, VARIABLE, CALL = "input", "context", "variable", "call"


class Expression:
    """A compiled expression.

    `kind` says what it reads: input, context, variable or call. `path` is its path from there (None for a call), and
    `variable` the variable's name ("" for others).
    """

    __slots__ = ("evaluate", "find", "kind", "path", "text", "variable")

    def __init__(self, text: str, kind: str, path: Path | None, variable: str, find: Callable[[Scope], Any]) -> None:
        self.text = text
        self.kind = kind
        self.path = path
        self.variable = variable
        self.find = find
        """The value; `PathNotFound` where a path finds nothing, `DataError` where a call fails."""
        self.evaluate: Callable[[Scope], Any] = _checked(find, text)
        """The value; `DataError` in the words of InputPath and OutputPath."""

    @property
    def reference(self) -> bool:
        """Whether it is a reference path: it names exactly one node."""
        return self.path is not None and self.path.reference

    def of_field(self, scope: Scope, field: str) -> Any:
        """The value; `DataError` in the words of a payload template's member or of ErrorPath and CausePath."""
        try:
            return self.find(scope)
        except PathNotFound:
            words = f"The JSONPath '{self.text}' specified for the field '{field}' could not be found in the input"
            raise DataError(RUNTIME, f"{words} '{dumps(self.subject(scope))}'") from None

    def subject(self, scope: Scope) -> Any:
        """The document that the path is looked for in."""
        if self.kind == CONTEXT:
            return scope.context
        return dict(scope.variables) if self.kind == VARIABLE else scope.input


@lru_cache(maxsize=8192)
def compile_expression(text: str) -> Expression:
    """Raises `PathSyntaxError` when the text is neither a path nor a call of an intrinsic function."""
    if text.startswith("$$"):
        path = compile_path(text[1:])
        return Expression(text, CONTEXT, path, "", _context(path))
    name = _VARIABLE.match(text)
    if name:
        path = compile_path("$" + text[name.end() :])
        return Expression(text, VARIABLE, path, name[1], _variable(name[1], path))
    if text.startswith("$"):
        path = compile_path(text)
        return Expression(text, INPUT, path, "", _input(path))
    if text.startswith("States."):
        return Expression(text, CALL, None, "", _call(text))
    raise PathSyntaxError(f"'{text}' is neither a path nor an intrinsic function")


def _checked(find: Callable[[Scope], Any], text: str) -> Callable[[Scope], Any]:
    def evaluate(scope: Scope) -> Any:
        try:
            return find(scope)
        except PathNotFound as problem:
            raise DataError(RUNTIME, f"Invalid path '{text}' : {problem}") from None

    return evaluate


def _input(path: Path) -> Callable[[Scope], Any]:
    get = path.get
    return lambda scope: get(scope.input)


def _context(path: Path) -> Callable[[Scope], Any]:
    get = path.get
    return lambda scope: get(scope.context)


def _variable(name: str, path: Path) -> Callable[[Scope], Any]:
    get = path.get

    def find(scope: Scope) -> Any:
        try:
            value = scope.variables[name]
        except KeyError:
            raise PathNotFound(f"No results for path: $['{name}']") from None
        return get(value)

    return find


def _call(text: str) -> Callable[[Scope], Any]:
    call = read_call(text, lambda path: _argument(path, text))

    def find(scope: Scope) -> Any:
        try:
            return call(scope)
        except Unfit as problem:
            raise DataError(RUNTIME, f"The function '{text}' had the following error: {problem}") from None
        except RecursionError:
            words = "an argument is nested too deeply"
            raise DataError(RUNTIME, f"The function '{text}' had the following error: {words}") from None

    return find


def _argument(text: str, call: str) -> Callable[[Scope], Any]:
    expression = compile_expression(text)
    find = expression.find

    def argument(scope: Scope) -> Any:
        try:
            return find(scope)
        except PathNotFound:
            words = f"The JsonPath argument for the field '{text}' could not be found in the input"
            document = dumps(expression.subject(scope))
            raise DataError(RUNTIME, f"The function '{call}' had the following error: {words} '{document}'") from None

    return argument
