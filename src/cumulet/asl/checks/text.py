"""From text to a definition, with AWS's words for text that is no JSON.

AWS reads JSON with Jackson and quotes its errors. The commonest, a word that is no value, is worded exactly;
others say the same in Jackson's form. A state name that stands twice in one object is an error of its own, because
JSON readers would drop one.
"""

import json
import re
from collections import Counter
from typing import Any

from cumulet.asl.checks.report import ERROR, SCHEMA, Diagnostic
from cumulet.base.json import JSONDecodeError, loads

DEEPEST = 100
_EXCERPT = 500
_WORD = re.compile(r"[^\W\d]\w*")


def read(text: str) -> tuple[dict[str, Any] | None, list[Diagnostic]]:
    """The definition, or None and why."""
    if not text.strip():
        return None, [no_object()]
    try:
        document = loads(text)
    except JSONDecodeError as problem:
        return None, [_broken(text, problem)]
    if too_deep(document):
        return None, [deep()]
    if not isinstance(document, dict):
        return None, [no_object()]
    return document, _twice(text)


def no_object() -> Diagnostic:
    return Diagnostic(ERROR, SCHEMA, "Definition must be a valid JSON object")


def deep() -> Diagnostic:
    return Diagnostic(ERROR, "TOO_DEEPLY_NESTED", f"The definition is nested more than {DEEPEST} levels deep")


def too_deep(document: Any) -> bool:
    """Whether lists and objects are nested deeper than anyone here wants to recurse."""
    layer = [document]
    for _ in range(DEEPEST):
        layer = [
            inner
            for node in layer
            if isinstance(node, dict | list)
            for inner in (node.values() if isinstance(node, dict) else node)
        ]
        if not layer:
            return False
    return True


def _broken(text: str, problem: JSONDecodeError) -> Diagnostic:
    at = min(problem.pos, len(text))
    word = _WORD.match(text, at)
    if at == len(text):
        words = "Unexpected end-of-input"
    elif word and word[0] not in ("true", "false", "null"):
        words = (
            f"Unrecognized token '{word[0]}': was expecting "
            "(JSON String, Number, Array, Object or token 'null', 'true' or 'false')"
        )
        at = word.end()
    else:
        words = f"Unexpected character ('{text[at]}' (code {ord(text[at])})): the text is no valid JSON"
    line = text.count("\n", 0, at) + 1
    column = at - (text.rfind("\n", 0, at) + 1) + 1
    excerpt = text if len(text) <= _EXCERPT else f"{text[:_EXCERPT]}[truncated {len(text) - _EXCERPT} chars]"
    source = f'[Source: (String)"{excerpt}"; line: {line}, column: {column}]'
    return Diagnostic(ERROR, "INVALID_JSON_DESCRIPTION", f"{words}\n at {source}", source)


class _Names(dict[str, Any]):
    """An object that remembers which of its names stood there twice."""

    twice: tuple[str, ...] = ()


def _object(pairs: list[tuple[str, Any]]) -> _Names:
    found = _Names(pairs)
    if len(found) != len(pairs):
        found.twice = tuple(name for name, count in Counter(name for name, _ in pairs).items() if count > 1)
    return found


def _twice(text: str) -> list[Diagnostic]:
    """State names that stand twice in one States object."""
    found: list[Diagnostic] = []
    waiting: list[tuple[Any, str]] = [(json.loads(text, object_pairs_hook=_object), "")]
    while waiting:
        node, where = waiting.pop()
        if isinstance(node, _Names):
            if where.endswith("/States"):
                found.extend(
                    Diagnostic(ERROR, "DUPLICATE_STATE_NAME", f"Duplicate State name: {name}", f"{where}/{name}")
                    for name in node.twice
                )
            waiting.extend((item, f"{where}/{name}") for name, item in node.items())
        elif isinstance(node, list):
            waiting.extend((item, f"{where}[{index}]") for index, item in enumerate(node))
    return found
