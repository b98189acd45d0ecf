"""SQL by name."""

import pytest

from cumulet.store.errors import UnknownQuery
from cumulet.store.queries import Queries, load, parse


def test_names_and_texts() -> None:
    text = "-- a comment\n\n-- name: one\nSELECT 1;\n\n--name: two\n-- about two\nSELECT 2\n  -- inside\nFROM things;\n"
    assert parse(text) == {"one": "SELECT 1", "two": "SELECT 2\nFROM things"}


def test_attributes_and_names() -> None:
    queries = Queries("queries.sql", {"one": "SELECT 1"})
    assert queries.one == "SELECT 1"
    assert list(queries) == ["one"]


def test_a_name_that_is_not_there_is_told_with_those_that_are() -> None:
    with pytest.raises(UnknownQuery, match=r"s\.sql has no query named three; it has: one, two"):
        _ = Queries("s.sql", {"two": "", "one": ""}).three


def test_the_queries_of_a_package_are_read_once() -> None:
    assert load("cumulet.engine") is load("cumulet.engine")
    assert list(load("cumulet.engine"))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("SELECT 1;", "queries.sql:1: SQL before the first"),
        ("-- name: a\nSELECT 1;\n-- name: a\nSELECT 2;", "queries.sql:3: the name a is given twice"),
        ("-- name: a\n-- name: b\nSELECT 2;", "the query a is empty"),
        ("-- name: a-b\nSELECT 2;", "'a-b' cannot be the name"),
        ("-- name: _a\nSELECT 2;", "'_a' cannot be the name"),
    ],
)
def test_what_cannot_be_meant_is_refused(text: str, words: str) -> None:
    with pytest.raises(UnknownQuery, match=words):
        parse(text)
