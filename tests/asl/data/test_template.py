"""Payload templates: `.$` members are replaced, all else stays as it is."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.asl.data.given import scope

from cumulet.asl.data.scope import DataError
from cumulet.asl.data.template import TemplateError, compile_template

DOC = {"a": 1, "l": [1, 2]}


@pytest.mark.parametrize(
    ("template", "rendered"),
    [
        ({"x.$": "$.a"}, {"x": 1}),
        ({"x.$": "$.a", "y": {"k": None}}, {"x": 1, "y": {"k": None}}),
        ({"y": {"x.$": "$.l[*]"}, "n": [{"x.$": "$$.State.Name"}, 3]}, {"y": {"x": [1, 2]}, "n": [{"x": "S"}, 3]}),
        ([{"x.$": "States.MathAdd($.a, 1)"}], [{"x": 2}]),
        ({"x": "$.a", "y$": "$.a"}, {"x": "$.a", "y$": "$.a"}),
        ("$.a", "$.a"),
        (None, None),
        ({".$": "$.a"}, {"": 1}),
        ({"x.$.$": "$.a"}, {"x.$": 1}),
    ],
)
def test_rendered(template: object, rendered: object) -> None:
    assert compile_template(template).render(scope(DOC)) == rendered


def test_members_keep_their_order() -> None:
    rendered = compile_template({"b": 1, "a.$": "$.a", "c": {"z.$": "$.a", "y": 2}}).render(scope(DOC))
    assert (list(rendered), list(rendered["c"])) == (["b", "a", "c"], ["z", "y"])


def test_all_expressions_are_known() -> None:
    template = compile_template({"a.$": "$x", "b": [{"c.$": "$.y"}]})
    assert [(name, one.text) for name, one in template.expressions] == [("a.$", "$x"), ("c.$", "$.y")]


def test_missing() -> None:
    with pytest.raises(DataError) as problem:
        compile_template({"out": {"y.$": "$.x"}}).render(scope(DOC))
    assert problem.value.cause == (
        "The JSONPath '$.x' specified for the field 'y.$' could not be found in the input '{\"a\":1,\"l\":[1,2]}'"
    )


@pytest.mark.parametrize(
    ("template", "field"),
    [
        ({"x.$": "a"}, "x.$"),
        ({"x.$": 1}, "x.$"),
        ({"o": [{"x.$": "$["}]}, "x.$"),
        ({"x.$": "$.a", "x": 1}, "x.$"),
    ],
)
def test_refused(template: object, field: str) -> None:
    with pytest.raises(TemplateError) as problem:
        compile_template(template)
    assert problem.value.field == field


@settings(deadline=None)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text().filter(lambda name: not name.endswith(".$")), inner),
    )
)
def test_without_expressions_a_template_is_a_constant(value: object) -> None:
    assert compile_template(value).render(scope()) == value
