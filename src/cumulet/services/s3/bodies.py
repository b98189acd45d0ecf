"""Where the bytes of objects are: small bodies in rows, big ones in blobs.

`take` receives a body, a few pieces in memory at a time. What it put into the blobs is durable, yet nobody's until a
row names it: `withdraw` it when the commit does not come. `open` gives bytes out and holds their blobs until it is read
to its end or closed; a blob that lost its last row is deleted when no reader holds it. Nothing here knows of keys.
"""

from collections import Counter
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager

from cumulet.services.s3.digests import Meter
from cumulet.services.s3.errors import EntityTooLarge
from cumulet.services.s3.records import Piece
from cumulet.store.blobs import Blobs, Reading

SMALL = 32 * 1024
"""Bodies to this size stand in the row."""

LARGEST = 5 * 1024**3
"""The greatest body of one PutObject, part or copy."""

type Body = AsyncIterable[bytes] | bytes

type Permit = Callable[[], Awaitable[object]]
"""Raises where the body need not be received."""


class Bodies:
    """Bytes in and out. Knows which blobs are being read and which are to go."""

    def __init__(self, blobs: Blobs, largest: int = LARGEST) -> None:
        self._blobs = blobs
        self._largest = largest
        self._held: Counter[str] = Counter()
        self._doomed: dict[str, int] = {}
        self._turn = 0
        self._looks: set[int] = set()

    async def take(self, body: Body, meter: Meter, permit: Permit | None = None) -> Piece:
        """Store the body; `meter` sees all of it. Whatever the stream raises is raised, and nothing is kept.

        `permit` is asked before a big body is received; a small one is here sooner than the answer.
        """
        arriving = aiter(_pieces(body) if isinstance(body, bytes) else body)
        head = bytearray()
        async for data in arriving:
            head += data
            if len(head) > SMALL:
                if permit is not None:
                    await permit()
                ref = await self._blobs.put(_limited(bytes(head), arriving, self._largest), meter.update)
                return Piece(meter.size, ref)
        meter.update(bytes(head))
        return Piece(meter.size, body=bytes(head))

    def open(self, pieces: Sequence[Piece], start: int, end: int) -> "Reader":
        """The bytes `start` to `end` of an object that consists of `pieces`. Raises `BlobGone`."""
        return Reader(self, self._blobs, list(cut(pieces, start, end)))

    @contextmanager
    def looking(self) -> Iterator[None]:
        """While somebody looks up what he will open: blobs that are doomed from now on stay till he has done so."""
        self._turn += 1
        turn = self._turn
        self._looks.add(turn)
        try:
            yield
        finally:
            self._looks.discard(turn)

    def doom(self, blobs: Iterable[str]) -> None:
        """No row names these blobs any more: `clear` deletes them. Called after the commit."""
        self._turn += 1
        self._doomed.update(dict.fromkeys(blobs, self._turn))

    async def clear(self) -> None:
        """Delete the doomed blobs that nobody reads or is about to read."""
        oldest = min(self._looks, default=self._turn + 1)
        for ref in [ref for ref, turn in self._doomed.items() if turn < oldest and not self._held[ref]]:
            self._doomed.pop(ref, None)
            await self._blobs.delete(ref)

    async def withdraw(self, piece: Piece) -> None:
        """Forget what `take` stored: its row was not committed."""
        if piece.blob is not None:
            await self._blobs.delete(piece.blob)

    def hold(self, blobs: Iterable[str]) -> None:
        self._held.update(blobs)

    def release(self, blobs: Iterable[str]) -> None:
        self._held.subtract(blobs)
        self._held += Counter()


class Reader:
    """Bytes on their way out: a `ByteStream`, read once. Its first blob is open from the beginning."""

    def __init__(self, bodies: Bodies, blobs: Blobs, pieces: Sequence[Piece]) -> None:
        self._held: list[str] = []
        self._bodies = bodies
        self._blobs = blobs
        self._pieces = pieces
        self._first = _open(blobs, pieces[0]) if pieces and pieces[0].blob is not None else None
        self._held = [piece.blob for piece in pieces[1:] if piece.blob is not None]
        bodies.hold(self._held)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        reading, self._first = self._first, None
        try:
            for piece in self._pieces:
                if piece.body is not None:
                    yield piece.body
                    continue
                reading = reading or _open(self._blobs, piece)
                async for data in reading:
                    yield data
                reading = None
        finally:
            if reading is not None:
                await reading.aclose()
            self.close()
            await self._bodies.clear()

    def close(self) -> None:
        """Let the blobs go. Whoever does not read it to its end calls this, or forgets it."""
        held, self._held = self._held, []
        self._bodies.release(held)

    def __del__(self) -> None:
        if self._held:
            self.close()


def cut(pieces: Iterable[Piece], start: int, end: int) -> Iterable[Piece]:
    """Those pieces, shortened, that hold the bytes `start` to `end`."""
    at = 0
    for piece in pieces:
        first, last = max(start - at, 0), min(end - at, piece.size)
        if first < last:
            if piece.body is None:
                yield Piece(last - first, piece.blob, piece.start + first)
            else:
                yield Piece(last - first, body=piece.body[first:last])
        at += piece.size


def _open(blobs: Blobs, piece: Piece) -> Reading:
    assert piece.blob is not None
    return blobs.get(piece.blob, piece.start, piece.start + piece.size)


async def _pieces(body: bytes) -> AsyncIterator[bytes]:
    yield body


async def _limited(head: bytes, rest: AsyncIterator[bytes], largest: int) -> AsyncIterator[bytes]:
    """The whole body. Raises `EntityTooLarge` where it grows too large."""
    size, data = 0, head
    while True:
        size += len(data)
        if size > largest:
            raise EntityTooLarge(ProposedSize=size, MaxSizeAllowed=largest)
        yield data
        try:
            data = await anext(rest)
        except StopAsyncIteration:
            return
