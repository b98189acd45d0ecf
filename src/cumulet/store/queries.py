"""SQL by name: the `queries.sql` of a package, read once.

    -- name: get_bucket
    SELECT * FROM buckets WHERE name = :name;

`load("cumulet.services.s3").get_bucket` is the text, without its last semicolon. It refuses SQL before the first name,
a name given twice, an empty query, and asking for a name that is not there.
"""

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from importlib import resources

from cumulet.store.errors import UnknownQuery

_NAME = re.compile(r"--\s*name:\s*(\S+)\s*")


class Queries:
    """Each query is an attribute; iterate for the names."""

    def __init__(self, origin: str, texts: Mapping[str, str]) -> None:
        self._origin = origin
        self._texts = dict(texts)
        self.__dict__.update(texts)

    def __getattr__(self, name: str) -> str:
        known = ", ".join(sorted(self._texts)) or "none"
        raise UnknownQuery(f"{self._origin} has no query named {name}; it has: {known}")

    def __iter__(self) -> Iterator[str]:
        return iter(self._texts)


@lru_cache(maxsize=256)
def load(package: str) -> Queries:
    """The queries of `package`, from its `queries.sql`."""
    origin = f"{package}/queries.sql"
    return Queries(origin, parse((resources.files(package) / "queries.sql").read_text("utf-8"), origin))


def parse(text: str, origin: str = "queries.sql") -> dict[str, str]:
    """Name to SQL text, in the order of the file."""
    found: dict[str, list[str]] = {}
    lines: list[str] | None = None
    for number, line in enumerate(text.splitlines(), 1):
        if (header := _NAME.fullmatch(line.strip())) is not None:
            lines = _begin(found, header[1], f"{origin}:{number}")
        elif lines is not None:
            lines.append(line)
        elif line.strip() and not line.lstrip().startswith("--"):
            raise UnknownQuery(f"{origin}:{number}: SQL before the first '-- name:'")
    return {name: _text(name, lines, origin) for name, lines in found.items()}


def _begin(found: dict[str, list[str]], name: str, where: str) -> list[str]:
    if not name.isidentifier() or name.startswith("_"):
        raise UnknownQuery(f"{where}: {name!r} cannot be the name of a query")
    if name in found:
        raise UnknownQuery(f"{where}: the name {name} is given twice")
    return found.setdefault(name, [])


def _text(name: str, lines: list[str], origin: str) -> str:
    text = "\n".join(line for line in lines if line.strip() and not line.lstrip().startswith("--"))
    text = text.strip().removesuffix(";").rstrip()
    if not text:
        raise UnknownQuery(f"{origin}: the query {name} is empty")
    return text
