"""Rules of a Choice state: 39 comparisons, And, Or and Not, compiled to one function of a scope.

    compile_rule({"Variable": "$.n", "NumericGreaterThan": 3}).matches(scope)

A comparison of values of another type is false. A path that finds nothing fails the execution, except under IsPresent.
Raises `RuleError` for a rule that is none; the static checks say it in AWS's words before.
"""

import operator
import re
from collections.abc import Callable, Mapping
from typing import Any

from cumulet.asl.data.expression import INPUT, RUNTIME, Expression, PathNotFound, PathSyntaxError, compile_expression
from cumulet.asl.data.scope import DataError, Scope
from cumulet.asl.data.timestamp import parse_timestamp

type Matches = Callable[[Scope], bool]
type Compare = Callable[[Any, Any], bool]


class RuleError(ValueError):
    """The object is no choice rule."""


class Rule:
    """A compiled rule. `matches` raises `DataError` when a path finds nothing."""

    __slots__ = ("matches",)

    def __init__(self, matches: Matches) -> None:
        self.matches = matches


def compile_rule(rule: Mapping[str, Any]) -> Rule:
    """Members other than the condition (Next, Comment, Assign ...) are left alone."""
    return Rule(_condition(rule))


def _condition(rule: Mapping[str, Any]) -> Matches:
    if "And" in rule:
        parts = [_condition(part) for part in rule["And"]]
        return lambda scope: all(part(scope) for part in parts)
    if "Or" in rule:
        parts = [_condition(part) for part in rule["Or"]]
        return lambda scope: any(part(scope) for part in parts)
    if "Not" in rule:
        inner = _condition(rule["Not"])
        return lambda scope: not inner(scope)
    return _comparison(rule)


def _comparison(rule: Mapping[str, Any]) -> Matches:
    names = [name for name in rule if name in OPERATORS]
    if len(names) != 1 or not isinstance(rule.get("Variable"), str):
        raise RuleError("a rule needs a Variable and one comparison")
    name, wanted = names[0], rule[names[0]]
    try:
        variable = compile_expression(rule["Variable"])
        return OPERATORS[name](variable, wanted)
    except PathSyntaxError as problem:
        raise RuleError(str(problem)) from None


def _reader(expression: Expression) -> Callable[[Scope], Any]:
    """Reads a value, and fails in the words of a Choice state."""
    text, find = expression.text, expression.find
    if expression.kind == INPUT and expression.path is not None:
        get = expression.path.get

        def of_input(scope: Scope) -> Any:
            try:
                return get(scope.input)
            except PathNotFound:
                raise _invalid(text) from None

        return of_input

    def read(scope: Scope) -> Any:
        try:
            return find(scope)
        except PathNotFound:
            raise _invalid(text) from None

    return read


def _invalid(path: str) -> DataError:
    return DataError(RUNTIME, f"Invalid path '{path}': The choice state's condition path references an invalid value.")


type Operator = Callable[[Expression, Any], Matches]


def _with_constant(compare: Compare) -> Operator:
    def compile_comparison(variable: Expression, wanted: Any) -> Matches:
        read = _reader(variable)
        return lambda scope: compare(read(scope), wanted)

    return compile_comparison


def _with_path(compare: Compare) -> Operator:
    def compile_comparison(variable: Expression, wanted: Any) -> Matches:
        if not isinstance(wanted, str):
            raise RuleError("a path is needed")
        read, other = _reader(variable), _reader(compile_expression(wanted))
        return lambda scope: compare(read(scope), other(scope))

    return compile_comparison


def _is(test: Callable[[Any], bool]) -> Operator:
    def compile_test(variable: Expression, wanted: Any) -> Matches:
        read = _reader(variable)
        return lambda scope: test(read(scope)) is wanted

    return compile_test


def _is_present(variable: Expression, wanted: Any) -> Matches:
    find = variable.find

    def matches(scope: Scope) -> bool:
        try:
            find(scope)
        except PathNotFound:
            return wanted is False
        return wanted is True

    return matches


def _is_timestamp(value: Any) -> bool:
    return isinstance(value, str) and parse_timestamp(value) is not None


def _is_number(value: Any) -> bool:
    return type(value) is int or type(value) is float


def _numbers(compare: Compare) -> Compare:
    def test(left: Any, right: Any) -> bool:
        kind, other = type(left), type(right)
        return (kind is int or kind is float) and (other is int or other is float) and compare(left, right)

    return test


def _strings(compare: Compare) -> Compare:
    def test(left: Any, right: Any) -> bool:
        if type(left) is not str or type(right) is not str:
            return False
        if left.isascii() or right.isascii():
            return compare(left, right)
        return compare(left.encode("utf-16-be", "surrogatepass"), right.encode("utf-16-be", "surrogatepass"))

    return test


def _timestamps(compare: Compare) -> Compare:
    def test(left: Any, right: Any) -> bool:
        if type(left) is not str or type(right) is not str:
            return False
        one, other = parse_timestamp(left), parse_timestamp(right)
        return one is not None and other is not None and compare(one, other)

    return test


def _booleans(left: Any, right: Any) -> bool:
    return type(left) is bool and left is right


def _string_matches(variable: Expression, wanted: Any) -> Matches:
    if not isinstance(wanted, str):
        raise RuleError("StringMatches needs a string")
    read, pieces = _reader(variable), _pieces(wanted)

    def matches(scope: Scope) -> bool:
        value = read(scope)
        return isinstance(value, str) and _fits(value, pieces)

    return matches


def _pieces(wanted: str) -> list[str]:
    r"""The texts between the stars. `\*` and `\\` are a star and a backslash."""
    pieces = [""]
    for part in re.findall(r"\\[*\\]|.", wanted, re.DOTALL):
        if part == "*":
            pieces.append("")
        else:
            pieces[-1] += part[-1]
    return pieces


def _fits(value: str, pieces: list[str]) -> bool:
    """Each piece after the one before it; in linear time, whatever the pattern."""
    first, last = pieces[0], pieces[-1]
    if len(pieces) == 1:
        return value == first
    at, end = len(first), len(value) - len(last)
    if not value.startswith(first) or not value.endswith(last):
        return False
    for piece in pieces[1:-1]:
        found = value.find(piece, at, end)
        if found < 0:
            return False
        at = found + len(piece)
    return at <= end


_ORDERS: dict[str, Compare] = {
    "Equals": operator.eq,
    "LessThan": operator.lt,
    "GreaterThan": operator.gt,
    "LessThanEquals": operator.le,
    "GreaterThanEquals": operator.ge,
}
_KINDS: dict[str, Callable[[Compare], Compare]] = {
    "String": _strings,
    "Numeric": _numbers,
    "Timestamp": _timestamps,
}
_TESTS: dict[str, Callable[[Any], bool]] = {
    "IsNull": lambda value: value is None,
    "IsString": lambda value: isinstance(value, str),
    "IsNumeric": _is_number,
    "IsBoolean": lambda value: isinstance(value, bool),
    "IsTimestamp": _is_timestamp,
}

OPERATORS: dict[str, Operator] = {
    **{
        f"{kind}{order}{path}": make(of(compare))
        for kind, of in _KINDS.items()
        for order, compare in _ORDERS.items()
        for path, make in (("", _with_constant), ("Path", _with_path))
    },
    "BooleanEquals": _with_constant(_booleans),
    "BooleanEqualsPath": _with_path(_booleans),
    "StringMatches": _string_matches,
    **{name: _is(test) for name, test in _TESTS.items()},
    "IsPresent": _is_present,
}
