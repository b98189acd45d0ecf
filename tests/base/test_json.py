import json as stdlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cumulet.base import json

values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(codec="utf-8")),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(st.characters(codec="utf-8")), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(values)
def test_what_is_written_is_read_by_anyone(value):
    assert stdlib.loads(json.dumps(value)) == value


def test_text_is_compact_and_keeps_order_and_letters():
    assert json.dumps({"b": [1, "é"], "a": None}) == '{"b":[1,"é"],"a":null}'


def test_great_integers_stay_exact():
    assert json.dumps({"n": 2**70}) == '{"n":1180591620717411303424}'


@pytest.mark.parametrize("text", ["", "{", "NaN", "[1,]", "{'a':1}", "1 2"])
def test_bad_text_is_refused(text):
    with pytest.raises(json.JSONDecodeError):
        json.loads(text)
    with pytest.raises(ValueError):
        json.loads(text)
