"""Event-stream frames: application/vnd.amazon.eventstream, for answers (or requests) that are series of events.

    encode({":event-type": "PayloadChunk"}, b"...") -> one frame
    Decoder().feed(data) -> the messages that are complete

A frame is: total length, length of the headers, CRC32 of those two; headers; payload; CRC32 of all before it. A
header's type follows from the Python type of its value. A frame whose sums or lengths are wrong is refused.
"""

import struct
import uuid
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from cumulet.base.errors import CumuletError

type Value = bool | int | bytes | str | datetime | uuid.UUID

HEADERS_LIMIT: Final = 128 * 1024
PAYLOAD_LIMIT: Final = 24 * 1024 * 1024
OVERHEAD: Final = 16
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND: Final = timedelta(milliseconds=1)


class BadFrame(CumuletError):
    """The bytes are no event-stream frame."""


@dataclass(frozen=True, slots=True)
class Message:
    """One event: its headers and its payload."""

    headers: Mapping[str, Value]
    payload: bytes = b""


def encode(headers: Mapping[str, Value], payload: bytes = b"") -> bytes:
    """One frame. Whole numbers travel as 32 bits where they fit, else as 64."""
    head = b"".join(_header(name, value) for name, value in headers.items())
    if len(head) > HEADERS_LIMIT or len(payload) > PAYLOAD_LIMIT:
        raise BadFrame("the frame is too large")
    prelude = struct.pack("!II", len(head) + len(payload) + OVERHEAD, len(head))
    before = prelude + struct.pack("!I", zlib.crc32(prelude)) + head + payload
    return before + struct.pack("!I", zlib.crc32(before))


class Decoder:
    """Takes frames out of bytes that come in any pieces."""

    def __init__(self) -> None:
        self._buffer = b""

    def feed(self, data: bytes) -> list[Message]:
        """The messages that are now complete. Raises `BadFrame`."""
        self._buffer += data
        found: list[Message] = []
        while (total := self._total()) is not None and len(self._buffer) >= total:
            found.append(_message(self._buffer[:total]))
            self._buffer = self._buffer[total:]
        return found

    def finish(self) -> None:
        """The bytes have ended. Raises `BadFrame` in the middle of a frame."""
        if self._buffer:
            raise BadFrame("the last frame is cut short")

    def _total(self) -> int | None:
        """The length of the frame at the front, as soon as it can be believed."""
        if len(self._buffer) < 12:
            return None
        total, headers, checksum = struct.unpack_from("!III", self._buffer)
        if zlib.crc32(self._buffer[:8]) != checksum:
            raise BadFrame("the checksum of a prelude is wrong")
        if headers > HEADERS_LIMIT or not 0 <= total - headers - OVERHEAD <= PAYLOAD_LIMIT:
            raise BadFrame("the lengths of a frame are wrong")
        return int(total)


def _message(frame: bytes) -> Message:
    if zlib.crc32(frame[:-4]) != struct.unpack_from("!I", frame, len(frame) - 4)[0]:
        raise BadFrame("the checksum of a frame is wrong")
    end = 12 + struct.unpack_from("!I", frame, 4)[0]
    try:
        headers = dict(_headers(frame[12:end]))
    except (struct.error, IndexError, UnicodeDecodeError, ValueError, OverflowError) as error:
        raise BadFrame(f"the headers of a frame cannot be read: {error}") from None
    return Message(headers, frame[end:-4])


def _header(name: str, value: Value) -> bytes:
    encoded = name.encode()
    if not 0 < len(encoded) < 256:
        raise BadFrame(f"no name of a header: {name}")
    try:
        return bytes((len(encoded),)) + encoded + _value(value)
    except struct.error:
        raise BadFrame(f"the value of header {name} is too large") from None


def _value(value: Value) -> bytes:
    match value:
        case bool():
            return b"\x00" if value else b"\x01"
        case int():
            return struct.pack("!Bi", 4, value) if -(1 << 31) <= value < 1 << 31 else struct.pack("!Bq", 5, value)
        case bytes():
            return struct.pack("!BH", 6, len(value)) + value
        case str():
            text = value.encode()
            return struct.pack("!BH", 7, len(text)) + text
        case datetime():
            return struct.pack("!Bq", 8, (value - _EPOCH) // _MILLISECOND)
        case _:
            return b"\x09" + value.bytes


type _Reader = Callable[[bytes, int], tuple[Value, int]]


def _number(code: str) -> _Reader:
    size = struct.calcsize(code)

    def read(data: bytes, at: int) -> tuple[Value, int]:
        found: int = struct.unpack_from(code, data, at)[0]
        return found, at + size

    return read


def _bytes(data: bytes, at: int) -> tuple[bytes, int]:
    end = at + 2 + struct.unpack_from("!H", data, at)[0]
    if end > len(data):
        raise IndexError("a value is cut short")
    return data[at + 2 : end], end


def _text(data: bytes, at: int) -> tuple[Value, int]:
    found, end = _bytes(data, at)
    return found.decode(), end


def _time(data: bytes, at: int) -> tuple[Value, int]:
    return _EPOCH + struct.unpack_from("!q", data, at)[0] * _MILLISECOND, at + 8


_READERS: Final[tuple[_Reader, ...]] = (
    lambda _data, at: (True, at),
    lambda _data, at: (False, at),
    _number("!b"),
    _number("!h"),
    _number("!i"),
    _number("!q"),
    _bytes,
    _text,
    _time,
    lambda data, at: (uuid.UUID(bytes=data[at : at + 16]), at + 16),
)


def _headers(data: bytes) -> Iterator[tuple[str, Value]]:
    at = 0
    while at < len(data):
        end = at + 1 + data[at]
        name = data[at + 1 : end].decode()
        value, at = _READERS[data[end]](data, end + 1)
        yield name, value
