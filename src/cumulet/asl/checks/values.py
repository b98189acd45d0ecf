"""Kinds of values that a field may have: each is a function of the value and its place that reports what is wrong.

Kinds are combined by functions that make kinds (`integer(0, 100)`, `array_of(text)`), so the table of fields stays one.
"""

import re
from collections.abc import Callable
from typing import Any

from cumulet.asl.checks.report import JSONATA, Place
from cumulet.asl.data.expression import CALL, CONTEXT, VARIABLE, PathSyntaxError, compile_expression
from cumulet.asl.data.timestamp import parse_timestamp

type Kind = Callable[[Any, Place], None]

VALID_PATH = "Value must be a valid JSONPath."
NO_REFERENCE = "Value is not a Reference Path"
NO_JSONATA = "JSONata string must start with {% and end with %}"


def _of_type(name: str, test: Callable[[Any], bool]) -> Kind:
    def kind(value: Any, place: Place) -> None:
        if not test(value):
            place.wrong(f"Expected value of type {name}")

    return kind


def anything(_value: Any, _place: Place) -> None:
    """No demand."""


text = _of_type("String", lambda value: isinstance(value, str))
boolean = _of_type("Boolean", lambda value: isinstance(value, bool))


def is_jsonata(value: Any) -> bool:
    return isinstance(value, str) and value.startswith("{%") and value.endswith("%}")


def jsonata_text(value: Any, place: Place) -> None:
    """A string that is a JSONata expression as a whole, or holds none."""
    if isinstance(value, str) and (value.startswith("{%") != value.endswith("%}")):
        place.wrong(NO_JSONATA)


def jsonata(value: Any, place: Place) -> None:
    """Any JSON, in whose strings JSONata may stand."""
    if isinstance(value, dict):
        for name, item in value.items():
            jsonata(item, place.at(name))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            jsonata(item, place.item(index))
    else:
        jsonata_text(value, place)


def constant_or_jsonata(kind: Kind) -> Kind:
    """The kind, or in a JSONata state an expression for it."""

    def check(value: Any, place: Place) -> None:
        if place.language == JSONATA and isinstance(value, str):
            jsonata_text(value, place)
            if is_jsonata(value):
                return
        kind(value, place)

    return check


def _number(name: str, *, floats: bool, least: float | None, most: float | None) -> Kind:
    def kind(value: Any, place: Place) -> None:
        if isinstance(value, bool) or not isinstance(value, int | float) or (isinstance(value, float) and not floats):
            place.wrong(f"Expected value of type {name}")
        elif least is not None and value < least:
            place.wrong(f"Minimum value is {least:g}")
        elif most is not None and value > most:
            place.wrong(f"Maximum value is {most:.0f}")

    return kind


def integer(least: int | None = None, most: int | None = None) -> Kind:
    return _number("Integer", floats=False, least=least, most=most)


def number(least: float | None = None, most: float | None = None) -> Kind:
    return _number("Float", floats=True, least=least, most=most)


def one_of(*values: str) -> Kind:
    def kind(value: Any, place: Place) -> None:
        if value not in values:
            place.wrong(f"Value should be one of the following: [{', '.join(values)}]")

    return kind


def array_of(kind: Kind, *, least: int = 1) -> Kind:
    def check(value: Any, place: Place) -> None:
        if not isinstance(value, list):
            place.wrong("Expected value of type Array")
        elif len(value) < least:
            place.wrong("Value cannot be empty")
        else:
            for index, item in enumerate(value):
                kind(item, place.item(index))

    return check


def or_null(kind: Kind) -> Kind:
    def check(value: Any, place: Place) -> None:
        if value is not None:
            kind(value, place)

    return check


def timestamp(value: Any, place: Place) -> None:
    if not isinstance(value, str) or parse_timestamp(value) is None:
        place.wrong("String does not match RFC3339 timestamp")


def path(value: Any, place: Place) -> None:
    """A path to the input, the context object or a variable."""
    if _kind_of(value) in (None, CALL):
        place.wrong(VALID_PATH)


def path_or_call(value: Any, place: Place) -> None:
    if _kind_of(value) is None:
        place.wrong("Value must be a valid JSONPath or a valid intrinsic function call")


def text_call(value: Any, place: Place) -> None:
    """A path or one of the intrinsic functions that give a text."""
    path_or_call(value, place)
    if _kind_of(value) == CALL and not _TEXT_CALLS.match(value):
        place.wrong("Value must be a valid JSONPath or an intrinsic function that returns a string")


_TEXT_CALLS = re.compile(r"States\.(ArrayGetItem|Base64(En|De)code|Format|JsonToString|Hash|UUID)\(")


def reference_path(value: Any, place: Place) -> None:
    """A path that names exactly one node."""
    if not isinstance(value, str):
        text(value, place)
    elif not value.startswith("$"):
        place.wrong(f"{NO_REFERENCE}: Reference path didn't start with '$'")
    elif _kind_of(value) is None or not compile_expression(value).reference:
        place.wrong(NO_REFERENCE)


def result_path(value: Any, place: Place) -> None:
    """A reference path into the input: neither a variable nor the context object."""
    reference_path(value, place)
    if _kind_of(value) in (VARIABLE, CONTEXT):
        place.wrong(NO_REFERENCE)


def _kind_of(value: Any) -> str | None:
    try:
        return compile_expression(value).kind if isinstance(value, str) else None
    except PathSyntaxError:
        return None


def template(value: Any, place: Place) -> None:
    """A payload template: members whose name ends in `.$` are expressions."""
    if isinstance(value, dict):
        for name, item in value.items():
            if name.endswith(".$"):
                _expression(name, item, value, place)
            else:
                _static(item, place.at(name))
                template(item, place.at(name))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            template(item, place.item(index))


def _expression(name: str, value: Any, siblings: dict[str, Any], place: Place) -> None:
    if name[:-2] in siblings:
        place.wrong(f"The field '{name[:-2]}' is defined twice: with and without '.$'")
    if _kind_of(value) is None:
        place.wrong(f"The value for the field '{name}' must be a valid JSONPath or a valid intrinsic function call")


def _static(value: Any, place: Place) -> None:
    if isinstance(value, str) and value.startswith(("$.", "$$.", "States.")) and _kind_of(value):
        place.warn("NO_DOLLAR", "No '.$' on a field that appears to be a JSONPath or Intrinsic Function")


def static_result(value: Any, place: Place) -> None:
    """The Result of a Pass state: nothing in it is evaluated."""
    if isinstance(value, dict):
        if any(name.endswith(".$") for name in value):
            place.warn("PASS_RESULT_IS_STATIC", "Attempt to use a path in the result of a pass state.")
        for item in value.values():
            static_result(item, place)


def no_path(kind: Kind) -> Kind:
    """A constant in whose place people write a path by mistake."""

    def check(value: Any, place: Place) -> None:
        kind(value, place)
        if isinstance(value, str) and value.startswith("$.") and _kind_of(value):
            place.warn("NO_PATH", "Field value looks like a path, but field name does not end with 'Path'.")

    return check


def by_language(jsonpath: Kind, of_jsonata: Kind) -> Kind:
    def check(value: Any, place: Place) -> None:
        (of_jsonata if place.language == JSONATA else jsonpath)(value, place)

    return check


payload = by_language(template, jsonata)
