"""Expressions read the input, the context object, variables and calls; what is missing is said in AWS's words."""

import contextlib
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.asl.data.given import scope

from cumulet.asl.data.expression import PathNotFound, PathSyntaxError, compile_expression
from cumulet.asl.data.scope import DataError


def test_where_values_come_from() -> None:
    here = scope({"a": {"b": 1}}, order={"id": 7}, über=1)
    assert compile_expression("$").evaluate(here) == {"a": {"b": 1}}
    assert compile_expression("$.a.b").evaluate(here) == 1
    assert compile_expression("$$.Execution.Id").evaluate(here) == "arn:e"
    assert compile_expression("$$").evaluate(here) == here.context
    assert compile_expression("$order.id").evaluate(here) == 7
    assert compile_expression("$order['id']").evaluate(here) == 7
    assert compile_expression("$über").evaluate(here) == 1
    assert compile_expression("States.MathAdd($order.id, $.a.b)").evaluate(here) == 8


def test_what_an_expression_says_of_itself() -> None:
    kinds = {"$.a[*]": "input", "$$.a": "context", "$v.a": "variable", "States.UUID()": "call"}
    assert {text: compile_expression(text).kind for text in kinds} == kinds
    assert compile_expression("$v.a").variable == "v"
    assert [compile_expression(text).reference for text in ("$.a", "$.a[*]", "$$.a", "$v.a", "States.UUID()")] == [
        True, False, True, True, False,
    ]  # fmt: skip


INVALID_PATH = {
    "$.NoSuchInputPath": "Invalid path '$.NoSuchInputPath' : No results for path: $['NoSuchInputPath']",
    "$$.x": "Invalid path '$$.x' : No results for path: $['x']",
    "$v": "Invalid path '$v' : No results for path: $['v']",
    "$o.x": "Invalid path '$o.x' : No results for path: $['x']",
}


@pytest.mark.parametrize("text", INVALID_PATH)
def test_missing_in_an_input_path(text: str) -> None:
    with pytest.raises(DataError) as problem:
        compile_expression(text).evaluate(scope(o={}))
    assert (problem.value.error, problem.value.cause) == ("States.Runtime", INVALID_PATH[text])
    with pytest.raises(PathNotFound):
        compile_expression(text).find(scope(o={}))


def test_missing_in_a_field() -> None:
    words = "The JSONPath '$.x' specified for the field 'y.$' could not be found in the input '{\"a\":[1,\"ü\"]}'"
    with pytest.raises(DataError, match=re.escape(words)):
        compile_expression("$.x").of_field(scope({"a": [1, "ü"]}), "y.$")
    with pytest.raises(DataError, match=re.escape("in the input '{\"o\":1}'")):
        compile_expression("$v").of_field(scope(o=1), "y.$")
    with pytest.raises(DataError, match=re.escape('in the input \'{"Execution"')):
        compile_expression("$$.x").of_field(scope(), "y.$")


def test_missing_in_an_argument_names_the_whole_call() -> None:
    text = "States.Format('{}', States.ArrayLength($.x))"
    with pytest.raises(DataError) as problem:
        compile_expression(text).evaluate(scope({"a": 1}))
    assert problem.value.error == "States.Runtime"
    assert problem.value.cause == (
        f"The function '{text}' had the following error: "
        "The JsonPath argument for the field '$.x' could not be found in the input '{\"a\":1}'"
    )


@pytest.mark.parametrize("text", ["", "a", "x.$", "Format('a')", "states.UUID()", "$.", "$v.", "$$x", "{% 1 %}"])
def test_no_expression(text: str) -> None:
    with pytest.raises(PathSyntaxError):
        compile_expression(text)


@settings(deadline=None)
@given(st.text(alphabet="States.Formaty($'{}\\,) 1", max_size=40))
def test_any_text_is_an_expression_or_is_refused(text: str) -> None:
    with contextlib.suppress(PathSyntaxError):
        compile_expression(text)
