import pytest
from hypothesis import given
from hypothesis import strategies as st

from cumulet.base.paging import BadToken, make_token, read_token

scalars = st.none() | st.integers(-(2**60), 2**60) | st.text(st.characters(codec="utf-8"))
positions = st.lists(scalars, max_size=4)


@given(positions, positions)
def test_a_token_holds_its_position(position, question):
    assert read_token(make_token(position, question), question) == position


def test_a_token_of_another_question_is_refused():
    with pytest.raises(BadToken):
        read_token(make_token([1], ["a"]), ["b"])


@given(st.text())
def test_text_that_is_no_token_is_refused(text):
    with pytest.raises(BadToken):
        read_token(text, ["q"])
