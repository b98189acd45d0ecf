"""An HTTP request and its answer, as plain data: what the server hands to the wire and takes back."""

from collections.abc import AsyncIterator, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Protocol


class Headers:
    """Header fields in order, looked up without regard to case."""

    __slots__ = ("_items", "_values")

    def __init__(self, items: Iterable[tuple[str, str]] = ()) -> None:
        self._items = [(name.lower(), value) for name, value in items]
        self._values: dict[str, str] = {}
        for name, value in self._items:
            self._values[name] = f"{self._values[name]},{value}" if name in self._values else value

    def get(self, name: str, default: str | None = None) -> str | None:
        """The value under `name`; several fields of one name are joined with commas."""
        return self._values.get(name.lower(), default)

    def __contains__(self, name: str) -> bool:
        return name.lower() in self._values

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return iter(self._items)


class ByteStream(Protocol):
    """A body that arrives or leaves in pieces. Read it once, to its end or not at all."""

    def __aiter__(self) -> AsyncIterator[bytes]: ...


@dataclass(slots=True)
class Request:
    """A request. `path` and `query` are as sent (still percent-encoded), without the `?`.

    `body` is the whole body; for an operation with a streaming payload the server leaves it empty and gives `stream`.
    """

    method: str
    path: str
    query: str
    headers: Headers
    body: bytes = b""
    stream: ByteStream | None = None

    @property
    def host(self) -> str:
        return self.headers.get("host") or ""


@dataclass(slots=True)
class Response:
    """An answer. `body` is whole or a stream; a stream's length is in the headers where it is known."""

    status: int
    headers: list[tuple[str, str]] = field(default_factory=list)
    body: bytes | ByteStream = b""
