"""Paths find what Jayway finds, and say what is missing in its words."""

import contextlib
import copy
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cumulet.asl.data.jsonpath import PathNotFound, PathSyntaxError, compile_path
from cumulet.asl.data.scope import DataError

BOOKS = [
    {"title": "A", "price": 8, "tags": ["x", "y"], "isbn": "1", "sold": None},
    {"title": "B", "price": 12.5, "tags": [], "in": {"title": "B2"}},
    {"title": "C", "price": 22, "tags": ["z"], "isbn": "3"},
]
DOC: dict[str, Any] = {
    "store": {"book": BOOKS, "bike": {"price": 19}},
    "a-b": 1,
    "na me": 2,
    "ключ": 3,
    "it's": 4,
    'T\\""N"': 5,
    "@type": 6,
    "n": None,
    "s": "text",
    "m": [[1, 2], [3, 4]],
    "limit": 10,
}

FOUND = {
    "$": DOC,
    "$.store.bike.price": 19,
    "$['store']['bike']": {"price": 19},
    '$["store"].bike["price"]': 19,
    "$.a-b": 1,
    "$.['a-b']": 1,
    "$['na me']": 2,
    "$.ключ": 3,
    "$['it\\'s']": 4,
    '$["it\'s"]': 4,
    '$[\'T\\""N"\']': 5,
    "$.@type": 6,
    "$.n": None,
    "$.store.book[0].title": "A",
    "$.store.book[-1].title": "C",
    "$.store.book[(@.length-1)].title": "C",
    "$.m[1][0]": 3,
    "$.store[ 'bike' ]": {"price": 19},
    "$.store.book[*].title": ["A", "B", "C"],
    "$.store.book.*.title": ["A", "B", "C"],
    "$.store.bike.*": [19],
    "$.store.book[0,2].title": ["A", "C"],
    "$.store.book[0,9].title": ["A"],
    "$.store.book[1:].title": ["B", "C"],
    "$.store.book[:1].title": ["A"],
    "$.store.book[0:2].title": ["A", "B"],
    "$.store.book[-2:].title": ["B", "C"],
    "$.store.book[:-1].title": ["A", "B"],
    "$['a-b','n']": {"a-b": 1, "n": None},
    "$['a-b', 'none']": {"a-b": 1},
    "$.store.book[0]['title','price']": {"title": "A", "price": 8},
    "$.store['bike','none'].price": [19],
    "$.s['x','y'].z": [],
    "$..['price','none']": [],
    "$..['title','price']": [{"title": book["title"], "price": book["price"]} for book in BOOKS],
    "$..['bike','none'].price": [19],
    "$..title": ["A", "B", "B2", "C"],
    "$..book[0].title": ["A"],
    "$..['price']": [8, 12.5, 22, 19],
    "$.m..[0]": [[1, 2], 1, 3],
    "$..book[0]['title','isbn']": [{"title": "A", "isbn": "1"}],
    "$.store.bike..*": [19],
    "$..[?(@.isbn)].title": ["A", "C"],
    "$.store.book[*].isbn": ["1", "3"],
    # nothing there: an indefinite path gives an empty list (recorded from AWS)
    "$.none[*]": [],
    "$.none.items[1:5].value": [],
    "$.store.none[?(@.a)]": [],
    "$.s[*]": [],
    "$.s[?(@.a)]": [],
    "$.s[0:1]": [],
    "$.s[0,1]": [],
    "$.n[0,1]": [],
    "$..none": [],
    "$.store.bike[*].x": [],
    # functions
    "$.store.book.length()": 3,
    "$.length($.store.book)": 3,
    "$.s.length()": 4,
    "$.store.length()": 2,
    "$.limit.length()": None,
    "$.store.book[0].price.length()": None,
    "$.m[0].sum()": 3.0,
    "$.m[0].avg()": 1.5,
    "$.m[0].min()": 1.0,
    "$.m[0].max()": 2.0,
    "$.m[0].stddev()": 0.5,
    "$.s.sum()": None,
    "$.store.book[*].price.max()": 22.0,
    "$.store.bike.keys()": ["price"],
    "$.s.keys()": None,
    "$.store.book[0].tags.concat()": "xy",
    "$.store.book[0].tags.concat('-', $.m[0], $.none)": "xy-12None",
    "$.s.concat('a', \"b\")": "ab",
    "$.m[0].append(7, 1.5)": [1, 2, 7, 1.5],
    "$.s.append(7)": "text",
    "$.m.first()": [1, 2],
    "$.m.last()": [3, 4],
    "$.m.index(-1)": [3, 4],
    "$.m.index(7)": None,
    "$.s.first()": None,
    "$.max($.m[*][0], 9)": 9.0,
}


@pytest.mark.parametrize("path", FOUND)
def test_found(path: str) -> None:
    assert compile_path(path).get(DOC) == FOUND[path]


FILTERS = {
    "@.price > 10": "BC",
    "@.price >= 12.5": "BC",
    "@.price < 12.5": "A",
    "@.price <= 8": "A",
    "@.price == 8": "A",
    "@.price == 8.0": "A",
    "@.price == '8'": "A",
    "'8' == @.price": "A",
    "@.title == 'B'": "B",
    '@.title == "B"': "B",
    "@.title != 'B'": "AC",
    "@.title == 8": "",
    "@.title > 'A'": "BC",
    "@.title > 1": "",
    "@.isbn": "AC",
    "!@.isbn": "B",
    "!(@.isbn && @.price > 10)": "AB",
    "@.sold == null": "A",
    "@.isbn == null": "",
    "@['title'] == 'C'": "C",
    "@.tags[0] == 'x'": "A",
    "@.in.title == 'B2'": "B",
    "@.price > 10 && @.title == 'C'": "C",
    "@.price > 20 || @.title == 'A'": "AC",
    "@.price>10&&@.price<20||@.title=='A'": "AB",
    "@.price > $.limit": "BC",
    "@.price < $.store.bike.price": "AB",
    "@.tags.length() > 0": "AC",
    "@.tags == ['x','y']": "A",
    "@.tags == []": "B",
    "@.in == {\"title\": 'B2'}": "B",
    "@.title =~ /[ab]/i": "AB",
    "/b/i =~ @.title": "B",
    "@.title =~ /b/": "",
    "@.price =~ /\\d+/": "AC",
    "@.title =~ /a\\/b|C/": "C",
    "@.title =~ 'A'": "",
    "@.title in ['A', 'C']": "AC",
    "@.title nin ['A', 'C']": "B",
    "@.price in ['8']": "A",
    "@.tags subsetof ['x','y','q']": "AB",
    "@.tags anyof ['z','y']": "AC",
    "@.tags noneof ['z']": "AB",
    "@.tags all ['x']": "A",
    "@.tags contains 'y'": "A",
    "@.title contains 'B'": "B",
    "@.tags size 2": "A",
    "@.title SIZE 1": "ABC",
    "@.tags empty true": "B",
    "@.tags empty false": "AC",
    "@.price type 'number'": "ABC",
    "@.tags type 'json'": "ABC",
    "@.price === 8": "A",
    "@.price === 8.0": "",
    "@.price !== 8": "BC",
    "@.sold == false": "",
    "@.title == true": "",
    "@.tags[*] == ['z']": "C",
    "@.in == @.in": "ABC",
    "@.none > 1": "",
    "true": "ABC",
}


@pytest.mark.parametrize("condition", FILTERS)
def test_filters(condition: str) -> None:
    assert "".join(compile_path(f"$.store.book[?({condition})].title").get(DOC)) == FILTERS[condition]


def test_a_filter_of_an_object_keeps_or_drops_it() -> None:
    assert compile_path("$.store.bike[?(@.price == 19)]").get(DOC) == [{"price": 19}]
    assert compile_path("$.store.bike[?(@.price == 1)]").get(DOC) == []


def test_true_is_not_one() -> None:
    path = compile_path("$[?(@ == 1)]")
    assert path.get([1, True, 1.0, "1", [1]]) == [1, 1.0, "1"]


def test_lists_are_equal_item_by_item() -> None:
    path = compile_path('$[?(@ == [1, {"a": [true]}])]')
    assert path.get([[1, {"a": [True]}], [1, {"a": [1]}], [1], [1, {"b": [True]}]]) == [[1, {"a": [True]}]]


MISSING = {
    "$.x": "No results for path: $['x']",
    "$.x.y": "Missing property in path $['x']",
    "$.store.x.y": "Missing property in path $['store']['x']",
    "$.store.book[9]": "No results for path: $['store']['book'][9]",
    "$.store.book[-9].title": "No results for path: $['store']['book'][-9]['title']",
    "$.n[0]": "The path $['n'] is null",
    "$.s[0]": 'Filter: [0] can only be applied to arrays. Current context is: "text"',
    "$.store[0]": None,
    "$.s.x": "Expected to find an object with property ['x'] in path $['s'] but found 'java.lang.String'.",
    "$.n.x": "Expected to find an object with property ['x'] in path $['n'] but found 'null'.",
    "$.m.x": "Expected to find an object with property ['x'] in path $['m'] but found 'java.util.ArrayList'.",
    "$.s['x','y']": "Expected to find an object with property ['x','y'] in path $['s'] but found 'java.lang.String'.",
    "$.x.length()": "Missing property in path $['x']",
    "$.store.book[?(@.title == A)]": "'A' is neither a path nor a value",
}


@pytest.mark.parametrize("path", MISSING)
def test_missing(path: str) -> None:
    with pytest.raises(PathNotFound) as problem:
        compile_path(path).get(DOC)
    assert MISSING[path] in (None, str(problem.value))


@pytest.mark.parametrize(
    "path",
    [
        "", "a", ".a", "$a", "$ .a", "$.", "$...", "$..", "$.a.", "$[", "$[]", "$[']", "$['a", "$['a'", "$['a' 'b']", "$['a',]",
        "$[a]", "$[1", "$[1,]", "$[::]", "$[:]", "$[0:4:2]", "$[1.5]", "$. a", "$.a b.c ", "$.nofunction()", "$.length(", "$.length(x)",
        "$.length('a'", "$[?]", "$[?(]", "$[?()]", "$[?(@.a >)]", "$[?(@.a > 1]", "$[?(@.a > 1)", "$[?(@.a ==  1 &&)]", "$[?(@.a == 'x)]",
        "$[?(@.a =~ /x)]", "$[?(@.a =~ /(/)]", "$[?(@.a in [1)]", "$[?(@.a in [1", "$.a.*(1)", "$[?(@.a == 1x)]", "$[?(@.a 1)]", "$()", "$[*", "$['a'].()",
    ],
)  # fmt: skip
def test_no_path(path: str) -> None:
    with pytest.raises(PathSyntaxError):
        compile_path(path)


@settings(deadline=None)
@given(st.text(alphabet="$.['\"]*?@()&|=<>!~/\\, :0123456789-abxyzlength", max_size=30))
def test_any_text_is_a_path_or_is_refused(text: str) -> None:
    try:
        path = compile_path("$" + text)
    except PathSyntaxError:
        return
    with contextlib.suppress(PathNotFound):
        path.get(DOC)


@pytest.mark.parametrize(
    ("path", "definite", "reference"),
    [
        ("$", True, True),
        ("$.a.b[0]['c']", True, True),
        ("$.a[-1]", True, True),
        ("$.a.length()", True, False),
        ("$.a[*].sum()", True, False),
        ("$['a','b']", True, False),
        ("$['a','b'].c", False, False),
        ("$.a[*]", False, False),
        ("$..a", False, False),
        ("$.a[0:1]", False, False),
        ("$.a[0,1]", False, False),
        ("$.a[?(@.b)]", False, False),
    ],
)
def test_what_a_path_promises(path: str, definite: bool, reference: bool) -> None:
    compiled = compile_path(path)
    assert (compiled.definite, compiled.reference) == (definite, reference)


KEYS = st.lists(st.text(min_size=1, max_size=5), min_size=1, max_size=4)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


def quoted(keys: list[str]) -> str:
    return "$" + "".join("['" + key.replace("\\", "\\\\").replace("'", "\\'") + "']" for key in keys)


@settings(deadline=None)
@given(KEYS, JSON, JSON)
def test_what_was_set_is_found_and_nothing_is_mutated(keys: list[str], document: Any, value: Any) -> None:
    path, before = compile_path(quoted(keys)), copy.deepcopy(document)
    with contextlib.suppress(DataError):
        assert path.get(path.set(document, value)) == value
    assert document == before


def test_set() -> None:
    assert compile_path("$").set({"a": 1}, 2) == 2
    assert compile_path("$.r").set({"a": 1}, 2) == {"a": 1, "r": 2}
    assert compile_path("$.a.b.c").set({"a": {"x": 1}}, 2) == {"a": {"x": 1, "b": {"c": 2}}}
    assert compile_path("$.l[0].b").set({"l": [{"a": 1}, 2]}, 3) == {"l": [{"a": 1, "b": 3}, 2]}
    assert compile_path("$.l[-1]").set({"l": [1, 2]}, 3) == {"l": [1, 3]}


@pytest.mark.parametrize(
    ("path", "document", "words"),
    [
        ("$.x", "input1", 'Unable to apply ReferencePath $.x to input "input1"'),
        ("$.a.b", {"a": None}, 'Unable to apply ReferencePath $.a.b to input {"a":null}'),
        ("$.a[2]", {"a": [1]}, 'Unable to apply ReferencePath $.a[2] to input {"a":[1]}'),
        ("$.a[0]", {}, "Unable to apply ReferencePath $.a[0] to input {}"),
    ],
)
def test_something_is_in_the_way(path: str, document: Any, words: str) -> None:
    with pytest.raises(DataError) as problem:
        compile_path(path).set(document, 1)
    assert (problem.value.error, problem.value.cause) == ("States.ResultPathMatchFailure", words)


def test_depth_is_no_crash() -> None:
    for text in ("$[?(" + "(" * 10_000, "$[?(" + "!" * 10_000 + "@.a)]"):
        with pytest.raises(PathSyntaxError):
            compile_path(text)
    deep: Any = []
    for _ in range(20_000):
        deep = [deep]
    assert compile_path("$..a").get(deep) == []
    with pytest.raises(PathNotFound):
        compile_path("$[?(@ == $[0])]").get([deep, [deep]])
