"""Filter patterns of CloudWatch Logs for unstructured text: a pure predicate.

| pattern | matches messages that hold |
|---|---|
| `` | anything |
| `ERROR` | the term (case matters) |
| `ERROR Exception` | all of them |
| `"out of memory"` | the phrase |
| `?ERROR ?WARN` | at least one of them |
| `ERROR -timeout` | the one and not the other |

Patterns for JSON (`{ $.x = 1 }`), for columns (`[a, b]`) and regular expressions (`%x%`) are refused by name.
Source: "Filter pattern syntax for metric filters, subscription filters, filter log events, and Live Tail".
"""

import re
from collections.abc import Callable

from cumulet.base.errors import NotImplementedHere
from cumulet.services.logs.errors import InvalidParameterException

_TERM = re.compile(r'\s*([?-]?)(?:"((?:[^"\\]|\\.)*)"|([^\s"]+))')


def compile_pattern(pattern: str) -> Callable[[str], bool]:
    """A predicate of a message."""
    text = pattern.strip()
    if text.startswith(("{", "[")) or re.search(r"(^|\s)%.+%", text):
        raise NotImplementedHere(what="filter patterns for JSON, for columns or with regular expressions")
    needed: list[str] = []
    either: list[str] = []
    banned: list[str] = []
    at = 0
    while at < len(text):
        found = _TERM.match(text, at)
        if found is None:
            raise InvalidParameterException(problem="Invalid filter pattern")
        mark, phrase, word = found.groups()
        term = re.sub(r"\\(.)", r"\1", phrase) if phrase is not None else word
        {"": needed, "?": either, "-": banned}[mark].append(term)
        at = found.end()

    def matches(message: str) -> bool:
        if any(term in message for term in banned) or not all(term in message for term in needed):
            return False
        return not either or bool(needed) or any(term in message for term in either)

    return matches
