"""The 18 intrinsic functions: what they give, what they refuse when compiled, and what when evaluated."""

import base64
import hashlib
import uuid
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.asl.data.given import scope

from cumulet.asl.data.expression import PathSyntaxError, compile_expression
from cumulet.asl.data.intrinsics import INTRINSICS
from cumulet.asl.data.scope import DataError

DOC: dict[str, Any] = {
    "a": [1, 2, 3, 4, 5],
    "m": {"x": 1, "l": [True, None, "s"]},
    "s": "text",
    "n": 3,
    "f": 1.5,
    "dup": [1, 1.0, "1", True, {"a": 1}, {"a": 1}, [1], [True]],
    "json": '{"k":[1,2.5]}',
    "bad": "{",
    "i": 1,
    "none": None,
    "long": "x" * 10_001,
    "b64": "w7w=",
}


def run(text: str, **variables: Any) -> Any:
    return compile_expression(text).evaluate(scope(DOC, **variables))


GIVES = {
    "States.Format('plain')": "plain",
    "States.Format('{} of {}', $.i, $.n)": "1 of 3",
    "States.Format('{}', $.m)": "{x=1, l=[true, null, s]}",
    "States.Format('{}{}{}', $.f, true, null)": "1.5truenull",
    "States.Format('it\\'s \\{{}\\} \\\\', $.s)": "it's {text} \\",
    "States.Format($.s)": "text",
    "States.Format('{}', 'a{}b')": "a{}b",
    "States.Format('ü {}', 'ñ')": "ü ñ",
    "States.StringToJson($.json)": {"k": [1, 2.5]},
    "States.StringToJson('')": None,
    "States.StringToJson(' ')": None,
    "States.JsonToString($.m)": '{"x":1,"l":[true,null,"s"]}',
    "States.JsonToString('a')": '"a"',
    "States.Array()": [],
    "States.Array('Foo', 2020, $.m.x, null, true, -1.5)": ["Foo", 2020, 1, None, True, -1.5],
    "States.ArrayPartition($.a, 2)": [[1, 2], [3, 4], [5]],
    "States.ArrayPartition($.a, 9)": [[1, 2, 3, 4, 5]],
    "States.ArrayPartition($.a, 1.6)": [[1, 2], [3, 4], [5]],
    "States.ArrayContains($.a, 3)": True,
    "States.ArrayContains($.a, $.s)": False,
    "States.ArrayContains($.dup, $.m)": False,
    "States.ArrayRange(1, 9, 2)": [1, 3, 5, 7, 9],
    "States.ArrayRange(3, 1, -1)": [3, 2, 1],
    "States.ArrayRange(1, 1, 1)": [1],
    "States.ArrayRange(5, 1, 1)": [],
    "States.ArrayRange(1, 1000, 1)": list(range(1, 1001)),
    "States.ArrayGetItem($.a, 0)": 1,
    "States.ArrayGetItem($.a, $.n)": 4,
    "States.ArrayLength($.a)": 5,
    "States.ArrayUnique($.dup)": [1, "1", True, {"a": 1}, [1], [True]],
    "States.Base64Encode('ü')": "w7w=",
    "States.Base64Decode($.b64)": "ü",
    "States.Hash('input data', 'SHA-1')": "aaff4a450a104cd177d28d18d74485e8cae074b7",
    "States.Hash($.m, 'MD5')": hashlib.md5(b'{"x":1,"l":[true,null,"s"]}').hexdigest(),
    "States.JsonMerge($.m, $.m, false)": DOC["m"],
    "States.MathAdd(1, -1)": 0,
    "States.MathAdd($.f, 0)": 2,
    "States.MathAdd(-1.5, 0)": -1,
    "States.StringSplit('a,b;;c', ',;')": ["a", "b", "c"],
    "States.StringSplit('abc', '')": ["abc"],
    "States.StringSplit('', ',')": [],
    "States.ArrayGetItem(States.StringSplit('a-b', '-'), States.MathAdd(States.ArrayLength($.a), -4))": "b",
    "States.Format( '{}' , $.a[?(@ > 4)] )": "[5]",
    "States.Array($.m['x'], $['s'],$.a.length())": [1, "text", 5],
    "States.Format('{}', $v)": "1",
}


@pytest.mark.parametrize("text", GIVES)
def test_gives(text: str) -> None:
    result = run(text, v=1)
    assert result == GIVES[text]
    assert type(result) is type(GIVES[text])


FAILS = {
    "States.Format($.json)": "Invalid template in States.Format: matching '}' not found for '{'",
    "States.Format($.s, 1)": "Invalid arguments in States.Format: number of arguments do not match the occurrences of {}",
    "States.Format($.n)": "Invalid arguments in States.Format",
    "States.StringToJson($.bad)": "Invalid arguments in States.StringToJson",
    "States.StringToJson($.m)": "Invalid arguments in States.StringToJson",
    "States.ArrayPartition($.s, 2)": "Invalid arguments in States.ArrayPartition",
    "States.ArrayPartition($.a, 0)": "Invalid arguments in States.ArrayPartition",
    "States.ArrayPartition($.a, $.s)": "Invalid arguments in States.ArrayPartition",
    "States.ArrayContains($.s, 1)": "Invalid arguments in States.ArrayContains",
    "States.ArrayRange(1, 1001, 1)": "Invalid arguments in States.ArrayRange",
    "States.ArrayRange(1, 2, 0)": "Invalid arguments in States.ArrayRange",
    "States.ArrayRange($.s, 2, 1)": "Invalid arguments in States.ArrayRange",
    "States.ArrayGetItem($.a, 5)": "Invalid arguments in States.ArrayGetItem",
    "States.ArrayGetItem($.a, -1)": "Invalid arguments in States.ArrayGetItem",
    "States.ArrayLength($.m)": "Invalid arguments in States.ArrayLength",
    "States.ArrayUnique($.s)": "Invalid arguments in States.ArrayUnique",
    "States.Base64Encode($.long)": "Invalid arguments in States.Base64Encode",
    "States.Base64Encode($.n)": "Invalid arguments in States.Base64Encode",
    "States.Base64Decode('?')": "Invalid arguments in States.Base64Decode",
    "States.Base64Decode('/w==')": "Invalid arguments in States.Base64Decode",
    "States.Hash($.long, 'MD5')": "Invalid arguments in States.Hash",
    "States.Hash('a', 'CRC')": "Invalid arguments in States.Hash",
    "States.Hash('a', $.n)": "Invalid arguments in States.Hash",
    "States.JsonMerge($.m, $.s, false)": "Invalid arguments in States.JsonMerge",
    "States.JsonMerge($.s, $.m, false)": "Invalid arguments in States.JsonMerge",
    "States.JsonMerge($.m, $.m, true)": "Invalid arguments in States.JsonMerge",
    "States.MathRandom(2, 2)": "Invalid arguments in States.MathRandom",
    "States.MathAdd($.s, 1)": "Invalid arguments in States.MathAdd",
    "States.MathAdd($.none, 1)": "Invalid arguments in States.MathAdd",
    "States.StringSplit($.n, ',')": "Invalid arguments in States.StringSplit",
}


@pytest.mark.parametrize("text", FAILS)
def test_fails(text: str) -> None:
    with pytest.raises(DataError) as problem:
        run(text)
    assert problem.value.error == "States.Runtime"
    assert problem.value.cause == f"The function '{text}' had the following error: {FAILS[text]}"


@pytest.mark.parametrize(
    "text",
    [
        "States.Nothing()", "States.", "States.UUID", "States.UUID(", "States.Array($.a", "States.UUID() x", "States.UUID(1)", "States.Format()",
        "States.Format('{}')", "States.Format('{', 1)", "States.Format('}', 1)", "States.Format('a', 1)", "States.Format('a\\n')",
        "States.Format('a", "States.Format('a\\", 'States.Format("a")', "States.Format('{}', a)", "States.Format('{}', [1])",
        "States.Format('{}', {})", "States.Format('{}' 1)", "States.Format('{}',)", "States.Format('{}', $.)", "States.MathAdd(1,'-1')",
        "States.MathAdd(1, true)", "States.MathAdd(1)", "States.ArrayLength(1)", "States.ArrayLength('a')", "States.StringToJson(1)",
        "States.StringToJson('{\"a\": \\\"b\\\"}')", "States.JsonMerge($.a, $.b, 1)", "States.ArrayRange(1, 2)", "States.Hash('a', 1)",
        "States.Array(" * 11 + ")" * 11,
    ],
)  # fmt: skip
def test_refused_when_compiled(text: str) -> None:
    with pytest.raises(PathSyntaxError):
        compile_expression(text)


def test_ten_calls_deep() -> None:
    assert run("States.Array(" * 10 + ")" * 10) == [[[[[[[[[[]]]]]]]]]]


def test_there_are_eighteen() -> None:
    assert len(INTRINSICS) == 18


@settings(deadline=None)
@given(st.binary(min_size=1, max_size=64))
def test_chance_comes_from_the_seed_alone(seed: bytes) -> None:
    text = "States.Array(States.UUID(), States.UUID(), States.MathRandom(1, 1000000))"
    first, second, number = compile_expression(text).evaluate(scope(seed=seed))
    assert compile_expression(text).evaluate(scope(seed=seed)) == [first, second, number]
    assert first != second
    assert uuid.UUID(first).version == 4
    assert 1 <= number < 1_000_000


@settings(deadline=None)
@given(st.integers(-50, 50), st.integers(1, 50))
def test_random_stays_within_its_bounds(low: int, span: int) -> None:
    assert low <= run("States.MathRandom($l, $h)", l=low, h=low + span) < low + span
    seeded = compile_expression("States.MathRandom($l, $h, 7)")
    results = {seeded.evaluate(scope(seed=seed, l=low, h=low + span)) for seed in (b"a", b"b")}
    assert len(results) == 1


@settings(deadline=None)
@given(st.text(max_size=200))
def test_base64_there_and_back(text: str) -> None:
    encoded = run("States.Base64Encode($t)", t=text)
    assert base64.b64decode(encoded).decode() == text
    assert run("States.Base64Decode($t)", t=encoded) == text


def test_a_deep_argument_is_no_crash() -> None:
    deep: Any = []
    for _ in range(20_000):
        deep = [deep]
    with pytest.raises(DataError, match="nested too deeply"):
        run("States.ArrayContains($l, $d)", l=[deep], d=[deep])
