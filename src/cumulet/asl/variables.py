"""Which variables each state of a definition refers to: `variableReferences` of DescribeStateMachine.

    references({"StartAt": "A", "States": {"A": {"Type": "Fail", "CausePath": "$why"}}})   {"A": ["why"]}

Names are sorted; a state that refers to none is left out. Setting a variable is no reference to it. Pure, and only for
definitions that passed `check`.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from cumulet.asl.checks.graph import scopes
from cumulet.asl.checks.report import JSONATA, JSONPATH, Place
from cumulet.asl.data.jsonata import QueryError, compile_query

_NESTED = frozenset({"Branches", "ItemProcessor", "Iterator"})
_TEMPLATES = frozenset(
    {"Parameters", "ItemSelector", "ResultSelector", "Assign", "Credentials", "BatchInput", "Arguments"}
)
_STATIC = frozenset({"Result", "ResultPath", "Comment"})
_QUOTED = re.compile(r"'(?:\\.|[^'\\])*'|\"(?:\\.|[^\"\\])*\"")
_VARIABLE = re.compile(r"(?<![$\w])\$([^\W\d]\w*)")


def references(document: Mapping[str, Any]) -> dict[str, list[str]]:
    """State names to the variables they refer to, in all scopes of the definition."""
    default = document.get("QueryLanguage", JSONPATH)
    found: dict[str, list[str]] = {}
    for machine, _ in scopes(document, Place([])):
        for name, state in machine["States"].items():
            own = {field: value for field, value in state.items() if field not in _NESTED}
            of_language = _queried if own.get("QueryLanguage", default) == JSONATA else _pointed
            if names := set(of_language(own)):
                found[name] = sorted(names)
    return found


def _queried(value: Any) -> Iterator[str]:
    """Variables of all JSONata expressions within."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            yield from _queried(item)
    elif isinstance(value, str) and value.startswith("{%") and value.endswith("%}"):
        try:
            yield from compile_query(value[2:-2]).reads.variables
        except QueryError:
            return


def _pointed(value: Any, *, template: bool = False) -> Iterator[str]:
    """Variables of all JSONPath expressions within; in a template only members ending in `.$` are expressions."""
    if isinstance(value, list):
        for item in value:
            yield from _pointed(item, template=template)
    if not isinstance(value, dict):
        return
    for name, item in value.items():
        if not template and name in _STATIC:
            continue
        is_path = not template and (name.endswith("Path") or name == "Variable")
        if isinstance(item, str) and (is_path or name.endswith(".$")):
            yield from _VARIABLE.findall(_QUOTED.sub("", item))
        else:
            yield from _pointed(item, template=template or name in _TEMPLATES)
