"""Blobs: what is named is whole, what failed is not there."""

import asyncio
import hashlib
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cumulet.store.blobs import PIECE, Blobs
from cumulet.store.errors import BlobGone, Damaged, StorageFull


@pytest.fixture
def blobs(tmp_path: Path) -> Blobs:
    return Blobs(tmp_path)


async def stream(*pieces: bytes) -> AsyncIterator[bytes]:
    for piece in pieces:
        yield piece


async def all_of(blobs: Blobs, ref: str, start: int = 0, end: int | None = None) -> bytes:
    return b"".join([piece async for piece in blobs.get(ref, start, end)])


def files(folder: Path) -> list[str]:
    return [path.name for path in folder.rglob("*") if path.is_file()]


async def test_what_was_put_can_be_got_and_is_observed_in_order(blobs: Blobs) -> None:
    pieces = [os.urandom(size) for size in (0, 1, 65_536, 3 * PIECE + 17, 5)]
    seen = hashlib.md5()
    ref = await blobs.put(stream(*pieces), seen.update)
    whole = b"".join(pieces)
    assert await all_of(blobs, ref) == whole
    assert seen.hexdigest() == hashlib.md5(whole).hexdigest()
    assert await blobs.size(ref) == len(whole)
    assert await blobs.exists(ref)
    assert [name async for name in blobs.list()] == [ref]


async def test_an_empty_blob(blobs: Blobs) -> None:
    ref = await blobs.put(stream())
    assert await all_of(blobs, ref) == b""
    assert await blobs.size(ref) == 0


@given(start=st.integers(0, PIECE * 2 + 5), length=st.integers(0, PIECE * 2))
@settings(max_examples=15, deadline=None)
def test_any_range(tmp_path_factory: pytest.TempPathFactory, start: int, length: int) -> None:
    body = (bytes(range(251)) * 8_400)[: PIECE * 2 + 5]
    end = min(start + length, len(body))

    async def check() -> None:
        blobs = Blobs(tmp_path_factory.getbasetemp() / "ranges")
        ref = await blobs.put(stream(body))
        assert await all_of(blobs, ref, start, end) == body[start:end]
        await blobs.delete(ref)

    asyncio.run(check())


async def test_pieces_are_of_bounded_size(blobs: Blobs) -> None:
    ref = await blobs.put(stream(bytes(PIECE * 5)))
    sizes = [len(piece) async for piece in blobs.get(ref)]
    assert sum(sizes) == PIECE * 5
    assert max(sizes) <= PIECE


async def test_deleting_a_blob_does_not_disturb_who_reads_it(blobs: Blobs) -> None:
    body = os.urandom(PIECE * 3)
    ref = await blobs.put(stream(body))
    reading = blobs.get(ref)
    await blobs.delete(ref)
    assert b"".join([piece async for piece in reading]) == body
    assert not await blobs.exists(ref)


async def test_a_reader_that_stops_early_lets_the_file_go(blobs: Blobs, tmp_path: Path) -> None:
    ref = await blobs.put(stream(bytes(PIECE * 3)))
    reading = blobs.get(ref)
    await anext(reading)
    await reading.aclose()
    assert [piece async for piece in reading] == []
    links = [link for link in Path("/proc/self/fd").iterdir() if link.is_symlink()]
    assert not [link for link in links if ref in str(link.readlink())]


async def test_what_is_not_there(blobs: Blobs) -> None:
    ref = "0" * 32
    with pytest.raises(BlobGone):
        blobs.get(ref)
    with pytest.raises(BlobGone):
        await blobs.size(ref)
    assert not await blobs.exists(ref)
    await blobs.delete(ref)


@pytest.mark.parametrize("name", ["../../etc/passwd", "a" * 31, "A" * 32, "", f"{'0' * 32}\n", "/" + "0" * 31])
async def test_only_our_own_names_reach_the_file_system(blobs: Blobs, name: str) -> None:
    with pytest.raises(BlobGone, match="is not the name of a blob"):
        blobs.get(name)
    with pytest.raises(BlobGone):
        await blobs.delete(name)


async def test_a_put_whose_stream_fails_leaves_nothing(blobs: Blobs, tmp_path: Path) -> None:
    async def failing() -> AsyncIterator[bytes]:
        yield bytes(PIECE * 2)
        yield bytes(PIECE)
        raise ValueError("the client went away")

    with pytest.raises(ValueError, match="went away"):
        await blobs.put(failing())
    assert files(tmp_path) == []


async def test_a_put_whose_observer_fails_leaves_nothing(blobs: Blobs, tmp_path: Path) -> None:
    def observe(piece: bytes) -> None:
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        await blobs.put(stream(bytes(PIECE), bytes(PIECE), bytes(PIECE)), observe)
    assert files(tmp_path) == []


async def test_a_cancelled_put_leaves_nothing(blobs: Blobs, tmp_path: Path) -> None:
    waiting = asyncio.Event()

    async def endless() -> AsyncIterator[bytes]:
        yield bytes(PIECE * 2)
        waiting.set()
        await asyncio.Event().wait()

    put = asyncio.create_task(blobs.put(endless()))
    await waiting.wait()
    put.cancel()
    with pytest.raises(asyncio.CancelledError):
        await put
    assert files(tmp_path) == []


async def test_many_at_once(blobs: Blobs) -> None:
    bodies = [os.urandom(100 + n * 4099) for n in range(40)]
    refs = await asyncio.gather(*(blobs.put(stream(body)) for body in bodies))
    assert len(set(refs)) == len(bodies)
    assert await asyncio.gather(*(all_of(blobs, ref) for ref in refs)) == bodies


async def test_a_blob_that_was_cut_short_is_told(blobs: Blobs, tmp_path: Path) -> None:
    ref = await blobs.put(stream(bytes(1000)))
    os.truncate(tmp_path / ref[:2] / ref, 10)
    with pytest.raises(Damaged, match="ends at 10, before 1000"):
        await all_of(blobs, ref, 0, 1000)


async def test_a_sweep_removes_what_nobody_knows(blobs: Blobs, tmp_path: Path) -> None:
    kept, lost = [await blobs.put(stream(b"x")) for _ in range(2)]
    (tmp_path / "arriving" / ("f" * 32)).write_bytes(b"half")
    assert await blobs.sweep({kept}, before=1.0) == 0
    assert await blobs.sweep({kept}) == 2
    assert [name async for name in blobs.list()] == [kept]
    assert files(tmp_path) == [kept]
    assert not await blobs.exists(lost)


async def test_a_full_disk_is_told_and_leaves_nothing(small_disk: Path) -> None:
    blobs = Blobs(small_disk)
    kept = await blobs.put(stream(b"precious"))
    with pytest.raises(StorageFull, match="No space left"):
        await blobs.put(stream(*[bytes(PIECE)] * 8))
    assert files(small_disk) == [kept]
    ref = await blobs.put(stream(bytes(PIECE)))
    assert await all_of(blobs, kept) == b"precious"
    assert await blobs.size(ref) == PIECE


CHILD = """
import asyncio, os, sys
from cumulet.store.blobs import Blobs
async def stream(n):
    for _ in range(4): yield bytes([n % 256]) * 400_000
async def main():
    blobs = Blobs(sys.argv[1])
    async def lane(first):
        for n in range(first, 100000, 4):
            print(await blobs.put(stream(n)), n % 256, flush=True)
    await asyncio.gather(*(lane(n) for n in range(4)))
asyncio.run(main())
"""


async def test_a_process_that_is_killed_loses_nothing_it_acknowledged(tmp_path: Path) -> None:
    child = subprocess.Popen([sys.executable, "-c", CHILD, tmp_path], stdout=subprocess.PIPE)
    assert child.stdout is not None
    acknowledged = [child.stdout.readline().split() for _ in range(12)]
    child.kill()
    acknowledged += [line.split() for line in child.stdout.read().splitlines()]
    child.stdout.close()
    child.wait()
    blobs = Blobs(tmp_path)
    known = {ref.decode(): int(n) for ref, n in acknowledged}
    await blobs.sweep(known)
    assert sorted(files(tmp_path)) == sorted(known)
    for ref, n in known.items():
        assert await all_of(blobs, ref) == bytes([n]) * 1_600_000
