"""JSONata expressions, compiled once: `compile_query("$states.input.n + 1").evaluate(scope)`.

The engine is the library jlens (why: docs/decisions/0010-jsonata.md); it is loaded here and nowhere else, and only once
a definition holds an expression. A plain path (`$states.input.order.id`, `$total`) needs no engine: it is read off the
data as it stands. Time and chance come from the scope's `env` only. An evaluation that does not end, recurses without
end or grows without end fails: nothing that stands in a definition can hold up the server.

The scope's `input` is the `$states` object; `$eval` is not there, as on AWS.
"""

import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from cumulet.asl.data.query_functions import DRAWING, PURE, FunctionError
from cumulet.asl.data.scope import Scope
from cumulet.base.errors import CumuletError
from cumulet.base.json import JSONDecodeError, loads

if TYPE_CHECKING:
    from jlens import Expression

STATES = "states"
LONGEST = 1.0
"""Seconds an evaluation may take, whatever it does; `STEPS` ends all but a few before."""
STEPS = 5_000_000
DEEPEST = 2_000
MOST_ITEMS = 1_000_000
LONGEST_TEXT = 8 * 1024 * 1024

_PLAIN = re.compile(r"\s*\$([A-Za-z_]\w*)((?:\.[A-Za-z_]\w*)*)\s*", re.ASCII)
_WORDS = frozenset({"and", "or", "in", "true", "false", "null", "function"})
_NEVER: Final = "eval"


class QueryError(CumuletError):
    """An expression that cannot be compiled or evaluated: the JSONata code ("" for none) and the message."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}" if code else message)
        self.code = code
        self.message = message


class NothingError(CumuletError):
    """The expression gave nothing, which JSON cannot say."""


class _Unsure(Exception):
    """The data is no plain object: the engine must look."""


class Query:
    """A compiled expression. `evaluate` raises `QueryError` or `NothingError`."""

    __slots__ = ("_engine", "_fixed", "_keys", "_names", "reads", "text")

    def __init__(self, text: str) -> None:
        self.text = text.strip()
        engine = _compile(text)
        self.reads = Reads(engine)
        self._engine = engine
        self._names = tuple(self.reads.variables)
        self._fixed: dict[str, Callable[..., Any] | None] = {
            name: function for name, function in PURE.items() if f"${name}" in text
        }
        if f"${_NEVER}" in text:
            self._fixed[_NEVER] = None
        self._keys = _plain(text)

    def evaluate(self, scope: Scope) -> Any:
        """The value. `scope.input` is the `$states` object."""
        if self._keys is not None:
            try:
                return _follow(self._keys, scope)
            except _Unsure:
                pass
        bindings = self._bindings(scope)
        options: dict[str, Any] = {"now": scope.env.now // 1000, "seed": 0}
        if "$shuffle" in self.text:
            options["seed"] = int.from_bytes(scope.env.entropy(4))
        value = self._run(self._engine.evaluate, bindings, options)
        if value is None:  # null or nothing: only the text tells
            told = self._run(self._engine.evaluate_json, bindings, options)
            if told is None:
                raise NothingError
            return loads(told)
        return value

    def _bindings(self, scope: Scope) -> dict[str, Any]:
        variables = scope.variables
        bindings: dict[str, Any] = {STATES: scope.input, **self._fixed}
        for name, make in DRAWING.items():
            if name in self._names or f"${name}" in self.text:
                bindings[name] = make(scope.env)
        for name in self._names:
            if name in variables:
                bindings[name] = variables[name]
        return bindings

    @staticmethod
    def _run(call: Callable[..., Any], bindings: dict[str, Any], options: dict[str, Any]) -> Any:
        try:
            return call(
                None,
                bindings,
                timeout=LONGEST,
                max_depth=DEEPEST,
                max_steps=STEPS,
                max_array_length=MOST_ITEMS,
                max_string_length=LONGEST_TEXT,
                **options,
            )
        except ValueError as problem:  # the engine's own error is one, with a code
            raise QueryError(getattr(problem, "code", None) or "", _worded(problem)) from None
        except FunctionError as problem:
            raise QueryError(problem.code, problem.message) from None
        except (TypeError, RecursionError) as problem:
            raise QueryError("", str(problem)) from None


class Reads:
    """What an expression looks at, found without evaluating it."""

    __slots__ = ("states", "top", "variables")

    def __init__(self, engine: "Expression") -> None:
        stubs: dict[str, Any] = dict.fromkeys((*PURE, *DRAWING, _NEVER), _stub)
        found: Mapping[str, Any] = engine.reads(stubs)
        names = [name for name in found["bindings"] if name not in stubs and name != STATES]
        if found.get("input") is True:  # perhaps only because it calls what is no function
            found = engine.reads(stubs | dict.fromkeys(names, _stub))
        self.variables = sorted(names)
        self.states: Any = found["bindings"].get(STATES, {})
        """The part of `$states` that is read: True for all of it, else a tree of names."""
        self.top: Any = found.get("input") or {}
        """Names that are looked for outside of `$states` and variables; True for `$` itself."""


def _stub(*_values: Any) -> None:
    """Stands for a function while an expression is looked at."""


@lru_cache(maxsize=4096)
def compile_query(text: str) -> Query:
    """`text` is what stands between {% and %}. Raises `QueryError`."""
    return Query(text)


def _compile(text: str) -> "Expression":
    from jlens import Expression, JlensError

    try:
        return Expression(text)
    except JlensError as problem:
        raise QueryError(problem.code or "", str(problem)) from None


def _worded(problem: ValueError) -> str:
    if getattr(problem, "code", None) == "D1001":
        return "Number out of range: Infinity"  # the engine shows it as null
    return str(problem)


def _plain(text: str) -> tuple[str, ...] | None:
    """The names of a path that is nothing else: `$a.b.c`."""
    found = _PLAIN.fullmatch(text)
    if found is None:
        return None
    keys = (found[1], *found[2].split(".")[1:])
    special = keys[0] in PURE or keys[0] in DRAWING
    return None if special or any(key in _WORDS for key in keys) else keys


def _follow(keys: tuple[str, ...], scope: Scope) -> Any:
    value: Any = scope.input if keys[0] == STATES else scope.variables.get(keys[0], _Unsure)
    if value is _Unsure:
        raise _Unsure
    for key in keys[1:]:
        if type(value) is not dict:
            raise _Unsure
        if key not in value:
            raise NothingError
        value = value[key]
    return value


__all__ = ["JSONDecodeError", "NothingError", "Query", "QueryError", "compile_query"]
