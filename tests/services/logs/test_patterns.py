import pytest

from cumulet.base.errors import NotImplementedHere
from cumulet.services.logs.errors import InvalidParameterException
from cumulet.services.logs.patterns import compile_pattern

MESSAGE = "[ERROR] out of memory in worker-7"


@pytest.mark.parametrize(
    ("pattern", "matches"),
    [
        ("", True),
        ("  ", True),
        ("memory", True),
        ("Memory", False),
        ("memory disk", False),
        ("memory worker-7", True),
        ('"out of memory"', True),
        ('"of out"', False),
        ("?disk ?memory", True),
        ("?disk ?cpu", False),
        ("memory -worker-7", False),
        ("memory -worker-8", True),
        ("-disk", True),
        (r'"[ERROR\]"', True),
    ],
)
def test_terms(pattern, matches):
    assert compile_pattern(pattern)(MESSAGE) is matches


@pytest.mark.parametrize("pattern", ["{ $.level = 1 }", "[a, b]", "%a.c%"])
def test_other_languages_are_refused_by_name(pattern):
    with pytest.raises(NotImplementedHere):
        compile_pattern(pattern)


def test_an_open_quote_is_an_error():
    with pytest.raises(InvalidParameterException):
        compile_pattern('"open')
