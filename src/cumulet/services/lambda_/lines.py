"""What an environment prints: cut into log events, and the last of it kept for `LogType=Tail`.

Between the lines stand marks, a record separator and a request id, that our own runtimes print after each invocation.
They are taken out and told apart: all before a mark was printed by that invocation or an earlier one. A separator that
the function itself prints is left alone.
"""

from collections.abc import Callable

TAIL = 4096
MARK = b"\x1e"
LONGEST = 256 * 1024
"""A line longer than CloudWatch's greatest event is cut."""


class Lines:
    """Bytes to lines. `line` is called for each, without its end; `mark` says whether what may be a mark is one."""

    def __init__(self, line: Callable[[str], None], mark: Callable[[str], bool]) -> None:
        self._line = line
        self._mark = mark
        self._rest = b""

    def feed(self, piece: bytes) -> None:
        *whole, self._rest = (self._rest + piece).split(b"\n")
        for text in whole:
            self._take(text)
        while len(self._rest) > LONGEST:
            self._emit(self._rest[:LONGEST])
            self._rest = self._rest[LONGEST:]

    def end(self) -> None:
        """The last line had no end."""
        rest, self._rest = self._rest, b""
        if rest:
            self._take(rest)

    def _take(self, text: bytes) -> None:
        before, found, request = text.rpartition(MARK)
        if not found or not self._mark(request.decode("utf-8", "replace")):
            self._emit(text)
        elif before:
            self._emit(before)

    def _emit(self, text: bytes) -> None:
        for start in range(0, max(len(text), 1), LONGEST):
            self._line(text[start : start + LONGEST].decode("utf-8", "replace"))
