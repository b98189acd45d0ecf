"""The engine's queries in the words of one database.

`queries.sql` is one text for both; the notation explained at its head is translated here, once.
"""

import re
from collections.abc import Sequence
from functools import lru_cache

from cumulet.base import json
from cumulet.store import queries

_LIST = re.compile(r"IN :(\w+)\[(bigint|text)\]")


class Sql:
    """Each query of `queries.sql` is an attribute."""

    def __init__(self, kind: str) -> None:
        self._sqlite = kind == "sqlite"
        texts = queries.load("cumulet.engine")
        self._texts = {name: translate(getattr(texts, name), kind) for name in texts}
        self.__dict__.update(self._texts)

    def __getattr__(self, name: str) -> str:
        raise AttributeError(name)

    def list(self, values: Sequence[int | str]) -> object:
        """A list, as one value for `IN :name[...]`."""
        return json.dumps(values) if self._sqlite else values


def translate(text: str, kind: str) -> str:
    """One query in the words of database `kind`."""
    if kind == "sqlite":
        return _LIST.sub(r"IN (SELECT value FROM json_each(:\1))", text)
    return _LIST.sub(r"= ANY(CAST(:\1 AS \2[]))", text)


@lru_cache(maxsize=2)
def of(kind: str) -> Sql:
    """The queries for databases of `kind`."""
    return Sql(kind)
