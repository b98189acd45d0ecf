"""Choice rules: 39 comparisons, And, Or, Not."""

import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.asl.data.given import scope

from cumulet.asl.data.choice import OPERATORS, RuleError, compile_rule
from cumulet.asl.data.scope import DataError

DOC: dict[str, Any] = {
    "n": 5, "f": 5.0, "s": "b", "t": True, "z": None, "at": "2020-01-01T00:00:00Z", "same": "2020-01-01T01:00:00+01:00",
    "later": "2020-01-01T00:00:00.000000001Z", "l": [1], "star": "a*c", "back": "a\\c", "text": "log-2020.txt\n",
}  # fmt: skip


def matches(rule: dict[str, Any]) -> bool:
    return compile_rule(rule).matches(scope(DOC, v=5))


@pytest.mark.parametrize(
    ("variable", "operator", "value", "expected"),
    [
        ("n", "NumericEquals", 5, True), ("n", "NumericEquals", 5.0, True), ("f", "NumericEquals", 5, True), ("s", "NumericEquals", 5, False),
        ("t", "NumericEquals", 1, False), ("n", "NumericLessThan", 6, True), ("n", "NumericLessThan", 5, False),
        ("n", "NumericGreaterThan", 4.5, True), ("n", "NumericLessThanEquals", 5, True), ("n", "NumericGreaterThanEquals", 6, False),
        ("s", "StringEquals", "b", True), ("s", "StringLessThan", "c", True), ("s", "StringGreaterThan", "ba", False),
        ("s", "StringLessThanEquals", "b", True), ("s", "StringGreaterThanEquals", "b", True), ("n", "StringEquals", "5", False),
        ("t", "BooleanEquals", True, True), ("t", "BooleanEquals", False, False), ("n", "BooleanEquals", True, False),
        ("at", "TimestampEquals", "2020-01-01T00:00:00Z", True), ("same", "TimestampEquals", "2020-01-01T00:00:00Z", True),
        ("at", "TimestampEquals", "2019-12-31T19:00:00-05:00", True), ("later", "TimestampGreaterThan", "2020-01-01T00:00:00Z", True),
        ("at", "TimestampLessThan", "2020-01-01T00:00:00.5Z", True), ("s", "TimestampLessThan", "2020-01-01T00:00:00Z", False),
        ("n", "TimestampEquals", "2020-01-01T00:00:00Z", False),
        ("z", "IsNull", True, True), ("n", "IsNull", True, False), ("n", "IsNull", False, True), ("n", "IsNumeric", True, True),
        ("t", "IsNumeric", True, False), ("s", "IsString", True, True), ("t", "IsBoolean", True, True), ("n", "IsBoolean", False, True),
        ("at", "IsTimestamp", True, True), ("s", "IsTimestamp", True, False), ("n", "IsTimestamp", False, True),
        ("n", "IsPresent", True, True), ("n", "IsPresent", False, False), ("gone", "IsPresent", True, False), ("gone", "IsPresent", False, True),
        ("z", "IsPresent", True, True),
        ("s", "StringMatches", "b", True), ("text", "StringMatches", "log-*.txt*", True), ("text", "StringMatches", "log-*.txt", False),
        ("text", "StringMatches", "log-2020?txt*", False), ("star", "StringMatches", "a\\*c", True), ("s", "StringMatches", "a\\*c", False),
        ("back", "StringMatches", "a\\\\c", True), ("n", "StringMatches", "*", False), ("text", "StringMatches", "*og*20*20*", True), ("text", "StringMatches", "*20*2020*", False),
        ("s", "StringMatches", "b*b", False), ("text", "StringMatches", "log*x", False), ("s", "StringMatches", "**b", True), ("s", "StringMatches", "*", True),
        ("n", "NumericEqualsPath", "$.f", True), ("n", "NumericEqualsPath", "$v", True), ("s", "StringEqualsPath", "$.s", True),
        ("t", "BooleanEqualsPath", "$.t", True), ("t", "BooleanEqualsPath", "$.n", False), ("at", "TimestampEqualsPath", "$.same", True),
        ("at", "TimestampLessThanPath", "$.later", True), ("n", "NumericEqualsPath", "$.s", False),
    ],
)  # fmt: skip
def test_comparisons(variable: str, operator: str, value: object, expected: bool) -> None:
    assert matches({"Variable": f"$.{variable}", operator: value}) is expected


@pytest.mark.parametrize(
    "text",
    [
        "2020-01-01T00:00:00", "2020-01-01 00:00:00Z", "2020-01-01t00:00:00Z", "2020-01-01T00:00:00z", "2020-13-01T00:00:00Z",
        "2020-01-01T24:00:00Z", "2020-01-01", "20200101T000000Z", "2020-01-01T00:00:00+0100", "2020-01-01T00:00:00+19:00",
        "2020-01-01T00:00:00+01:60", "2020-01-01T00:00:00.Z", "٢٠٢٠-01-01T00:00:00Z", "2021-02-29T00:00:00Z",
    ],
)  # fmt: skip
def test_no_timestamps(text: str) -> None:
    assert not compile_rule({"Variable": "$", "IsTimestamp": True}).matches(scope(text))


def test_texts_are_ordered_by_their_utf16_units() -> None:
    rule = {"Variable": "$.a", "StringLessThanPath": "$.b"}
    assert compile_rule(rule).matches(scope({"a": "\U0001f600", "b": "\uff5e"}))  # as Java compares


@settings(deadline=None)
@given(st.text(alphabet="ab*\\", max_size=8), st.text(alphabet="ab*\\", max_size=8))
def test_string_matches_as_a_pattern_would(pattern: str, value: str) -> None:
    parts = re.findall(r"\\[*\\]|.", pattern)
    model = "".join(".*" if part == "*" else re.escape(part[-1]) for part in parts)
    rule = compile_rule({"Variable": "$", "StringMatches": pattern})
    assert rule.matches(scope(value)) is (re.fullmatch(model, value) is not None)


def test_combinations() -> None:
    five, text = {"Variable": "$.n", "NumericEquals": 5}, {"Variable": "$.s", "StringEquals": "x"}
    assert not matches({"And": [five, text], "Next": "X"})
    assert matches({"Or": [text, five], "Next": "X"})
    assert matches({"Not": text, "Next": "X"})
    assert matches({"And": [{"Or": [text, five]}, {"Not": {"And": [text]}}], "Next": "X"})


def test_and_stops_at_the_first_false() -> None:
    absent = {"Variable": "$.gone", "IsPresent": True}
    assert not matches({"And": [absent, {"Variable": "$.gone", "NumericEquals": 1}]})


@pytest.mark.parametrize(
    "rule",
    [
        {"Variable": "$.gone", "NumericEquals": 1},
        {"Variable": "$.gone", "IsNull": True},
        {"Variable": "$.n", "NumericEqualsPath": "$.gone"},
    ],
)
def test_missing(rule: dict[str, Any]) -> None:
    with pytest.raises(DataError) as problem:
        matches(rule)
    assert problem.value.error == "States.Runtime"
    assert problem.value.cause == (
        "Invalid path '$.gone': The choice state's condition path references an invalid value."
    )


def test_the_context_and_variables_are_read() -> None:
    assert matches({"Variable": "$$.State.Name", "StringEquals": "S"})
    assert matches({"Variable": "$v", "NumericEquals": 5})
    with pytest.raises(DataError, match="Invalid path '\\$w': The choice"):
        matches({"Variable": "$w", "NumericEquals": 5})


@pytest.mark.parametrize(
    "rule",
    [
        {},
        {"Variable": "$.n"},
        {"NumericEquals": 1},
        {"Variable": 1, "NumericEquals": 1},
        {"Variable": "$.n", "NumericEquals": 1, "StringEquals": "a"},
        {"Variable": "n", "NumericEquals": 1},
        {"Variable": "$.n", "NumericEqualsPath": 1},
        {"Variable": "$.n", "NumericEqualsPath": "x"},
        {"Variable": "$.n", "StringMatches": 1},
    ],
)
def test_no_rules(rule: dict[str, Any]) -> None:
    with pytest.raises(RuleError):
        compile_rule(rule)


def test_there_are_thirty_nine() -> None:
    assert len(OPERATORS) == 39
