"""Event-stream frames, against botocore's own reader."""

from datetime import UTC, datetime, timedelta

import pytest
from botocore.eventstream import EventStreamBuffer
from hypothesis import given
from hypothesis import strategies as st

from cumulet.wire.stream import BadFrame, Decoder, Message, encode

TIMES = st.integers(0, 1 << 42).map(lambda n: datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=n))
VALUES = st.one_of(
    st.booleans(),
    st.integers(-(1 << 63), (1 << 63) - 1),
    st.binary(max_size=30),
    st.text(st.characters(codec="utf-8"), max_size=30),
    TIMES,
    st.uuids(),
)
HEADERS = st.dictionaries(st.text(st.characters(codec="ascii"), min_size=1, max_size=20), VALUES, max_size=5)


@given(HEADERS, st.binary(max_size=100), st.integers(1, 40))
def test_what_is_written_is_read_again_in_any_pieces(headers, payload, size):
    frames = encode(headers, payload) + encode({}, b"next")
    decoder = Decoder()
    found = [m for at in range(0, len(frames), size) for m in decoder.feed(frames[at : at + size])]
    decoder.finish()
    assert found == [Message(headers, payload), Message({}, b"next")]


@given(
    st.dictionaries(
        st.sampled_from([":event-type", ":content-type", "n"]),
        st.one_of(st.text(st.characters(codec="utf-8")), st.booleans()),
    )
)
def test_botocore_reads_it(headers):
    buffer = EventStreamBuffer()
    buffer.add_data(encode(headers, b"payload"))
    [event] = list(buffer)
    assert (event.headers, event.payload) == (headers, b"payload")


@given(st.integers(0, 200), st.integers(1, 255))
def test_any_changed_byte_is_seen(at, change):
    frame = bytearray(encode({":event-type": "a", "n": 1}, b"some payload"))
    at %= len(frame)
    frame[at] ^= change
    with pytest.raises(BadFrame):
        read(bytes(frame))


def read(data):
    decoder = Decoder()
    decoder.feed(data)
    decoder.finish()


def test_a_cut_frame():
    decoder = Decoder()
    assert decoder.feed(encode({}, b"abc")[:-1]) == []
    with pytest.raises(BadFrame, match="cut short"):
        decoder.finish()


def test_small_numbers_of_other_writers():
    import struct
    import zlib

    head = b"\x01b\x02\xff" + b"\x01s\x03\xff\xfe"
    prelude = struct.pack("!II", len(head) + 16, len(head))
    before = prelude + struct.pack("!I", zlib.crc32(prelude)) + head
    assert Decoder().feed(before + struct.pack("!I", zlib.crc32(before))) == [Message({"b": -1, "s": -2})]


def framed(head: bytes) -> bytes:
    import struct
    import zlib

    prelude = struct.pack("!II", len(head) + 16, len(head))
    before = prelude + struct.pack("!I", zlib.crc32(prelude)) + head
    return before + struct.pack("!I", zlib.crc32(before))


@pytest.mark.parametrize(
    "head",
    [
        b"\x01b",
        b"\x05b",
        b"\x01b\x0c",
        b"\x01b\x04\x00",
        b"\x01b\x07\x00\x09a",
        b"\x01\xff\x00",
        b"\x01u\x09abc",
        b"\x01t\x08" + b"\x7f" * 8,
    ],
)
def test_headers_that_cannot_be_read(head):
    with pytest.raises(BadFrame):
        Decoder().feed(framed(head))


def test_lengths_that_cannot_be():
    import struct
    import zlib

    prelude = struct.pack("!II", 15, 0)
    with pytest.raises(BadFrame, match="lengths"):
        Decoder().feed(prelude + struct.pack("!I", zlib.crc32(prelude)))


@pytest.mark.parametrize("name, value", [("", "a"), ("n" * 256, "a"), ("n", b"x" * 70_000), ("n", 1 << 70)])
def test_what_no_frame_can_hold(name, value):
    with pytest.raises(BadFrame):
        encode({name: value})


def test_too_much():
    with pytest.raises(BadFrame, match="too large"):
        encode({}, b"x" * (24 * 1024 * 1024 + 1))
