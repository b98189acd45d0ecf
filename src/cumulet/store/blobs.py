"""Large bodies as files: six verbs, never whole in memory.

A blob is written to a temporary file beside the others, synced, and renamed into place: whoever holds its name finds
all of it, after any crash. Its name is random and ours; nothing that a user named reaches the file system. A put that
fails or is cancelled leaves nothing; what a crash left is found by `sweep`. A blob never changes.

Bytes are read, written and observed (hashed) in threads, a piece ahead of whoever waits for them.
"""

import asyncio
import errno
import os
import re
from collections.abc import AsyncIterable, AsyncIterator, Callable, Collection, Sequence
from functools import partial
from pathlib import Path
from threading import Lock
from typing import Self

from cumulet.base.ids import Entropy, make_hex
from cumulet.store.errors import BlobGone, Damaged, StorageFull

type BlobRef = str
"""32 hexadecimal digits."""

type Observer = Callable[[bytes], object]
"""Sees every piece in order, in a thread: `hashlib.md5().update`."""

PIECE = 1024 * 1024
_REF = re.compile(r"[0-9a-f]{32}")
_ARRIVING = "arriving"
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EROFS})


class Blobs:
    """The blobs of one folder. Two servers may share it."""

    def __init__(self, folder: str | Path, entropy: Entropy = os.urandom) -> None:
        self._folder = Path(folder)
        self._entropy = entropy
        arriving = self._folder / _ARRIVING
        arriving.mkdir(parents=True, exist_ok=True)
        os.utime(arriving)
        self.opened = arriving.stat().st_mtime
        """When, by the file system's clock: no blob put by this object is older."""

    def within(self, name: str) -> "Blobs":
        """The blobs of one user alone, in a folder inside this one: what others keep is neither listed nor swept."""
        return Blobs(self._folder / f"of-{name}", self._entropy)

    async def put(self, stream: AsyncIterable[bytes], observe: Observer | None = None) -> BlobRef:
        """Store the bytes of `stream`, durably, and name them. What `stream` or `observe` raises is raised here."""
        ref = make_hex(self._entropy)
        sink = _Sink(self._folder / _ARRIVING / ref, self._place(ref), observe)
        under_way: asyncio.Future[None] | None = None
        try:
            async for pieces in _gathered(stream):
                if under_way is not None:
                    await under_way
                under_way = _begin(sink.write, pieces)
            if under_way is not None:
                await under_way
            await asyncio.to_thread(sink.finish)
        except BaseException as error:
            if under_way is not None:
                under_way.cancel()
            await asyncio.shield(asyncio.to_thread(sink.abandon))
            if isinstance(error, OSError) and error.errno in _FULL:
                raise StorageFull(error.strerror or str(error)) from error
            raise
        return ref

    def get(self, ref: BlobRef, start: int = 0, end: int | None = None) -> "Reading":
        """The bytes from `start` up to before `end`, in pieces. It is opened now: deleting it later does no harm."""
        try:
            handle = _Handle(self._place(ref))
        except FileNotFoundError as error:
            raise BlobGone(f"there is no blob {ref}") from error
        return Reading(ref, handle, start, handle.size if end is None else end)

    async def size(self, ref: BlobRef) -> int:
        """Its length in bytes."""
        try:
            return (await asyncio.to_thread(self._place(ref).stat)).st_size
        except FileNotFoundError as error:
            raise BlobGone(f"there is no blob {ref}") from error

    async def exists(self, ref: BlobRef) -> bool:
        return await asyncio.to_thread(self._place(ref).exists)

    async def delete(self, ref: BlobRef) -> None:
        """Remove it. It is no error when it is not there."""
        await asyncio.to_thread(self._place(ref).unlink, missing_ok=True)

    async def list(self) -> AsyncIterator[BlobRef]:
        """Every blob, in no order that one may rely on."""
        for branch in await asyncio.to_thread(_branches, self._folder):
            for entry in await asyncio.to_thread(_files, branch):
                yield entry.name

    async def sweep(self, known: Collection[BlobRef], before: float | None = None) -> int:
        """Remove what puts that never ended have left, and blobs that are not `known`; how many that were.

        `before` (seconds since the epoch) spares younger ones: `opened` those of this server. Where servers share the
        folder, it must be older than the longest put.
        """
        return await asyncio.to_thread(_sweep, self._folder, known, before)

    def _place(self, ref: BlobRef) -> Path:
        if _REF.fullmatch(ref) is None:
            raise BlobGone(f"{ref!r} is not the name of a blob")
        return self._folder / ref[:2] / ref


class Reading:
    """Pieces of a blob on their way out, one read ahead. Iterate once; `aclose` it if you stop early."""

    def __init__(self, ref: BlobRef, handle: "_Handle", start: int, end: int) -> None:
        self._ref = ref
        self._handle: _Handle | None = handle
        self._at = start
        self._end = end
        self._ahead: asyncio.Future[bytes] | None = None

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        if self._handle is None or self._at >= self._end:
            await self.aclose()
            raise StopAsyncIteration
        data = await (self._ahead or self._read(self._handle))
        self._at += len(data)
        if not data:
            await self.aclose()
            raise Damaged(f"blob {self._ref} ends at {self._at}, before {self._end}")
        self._ahead = self._read(self._handle) if self._at < self._end else None
        return data

    async def aclose(self) -> None:
        """Close the file, once a read that is under way has ended."""
        handle, self._handle = self._handle, None
        ahead, self._ahead = self._ahead, None
        if ahead is not None:
            await asyncio.wait([ahead])
        if handle is not None:
            handle.close()

    def _read(self, handle: "_Handle") -> asyncio.Future[bytes]:
        return _begin(handle.read, self._at, min(PIECE, self._end - self._at))


class _Handle:
    """An open file; it closes at the latest when nobody, no thread either, refers to it any more."""

    __slots__ = ("_fd", "size")

    def __init__(self, path: Path) -> None:
        self._fd = -1
        self._fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        self.size = os.fstat(self._fd).st_size

    def read(self, start: int, count: int) -> bytes:
        return os.pread(self._fd, count, start)

    def close(self) -> None:
        """Close it now: no thread may be reading."""
        fd, self._fd = self._fd, -1
        if fd >= 0:
            os.close(fd)

    def __del__(self) -> None:
        self.close()


class _Sink:
    """A file that arrives. Its methods run in threads, one at a time; after `abandon` they do nothing."""

    def __init__(self, arriving: Path, place: Path, observe: Observer | None) -> None:
        self._arriving = arriving
        self._place = place
        self._observe = observe
        self._lock = Lock()
        self._fd = -1
        self._abandoned = False

    def write(self, pieces: Sequence[bytes]) -> None:
        with self._lock:
            if self._abandoned:
                return
            fd = self._open()
            for piece in pieces:
                if self._observe is not None:
                    self._observe(piece)
                _write_all(fd, piece)

    def finish(self) -> None:
        """Sync, close, give it its name, sync the name."""
        with self._lock:
            if self._abandoned:
                return
            fd = self._open()
            os.fsync(fd)
            self._close()
            branch = self._place.parent
            if not branch.is_dir():
                branch.mkdir(exist_ok=True)
                _sync_folder(branch.parent)
            self._arriving.rename(self._place)
            _sync_folder(branch)

    def abandon(self) -> None:
        """Leave nothing."""
        with self._lock:
            self._abandoned = True
            self._close()
            self._arriving.unlink(missing_ok=True)
            self._place.unlink(missing_ok=True)

    def _open(self) -> int:
        if self._fd < 0:
            self._fd = os.open(self._arriving, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        return self._fd

    def _close(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1


def _begin[**P, T](work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> asyncio.Future[T]:
    """Start `work` in a thread. Its error is no surprise when nobody waits for it any more."""
    future = asyncio.get_running_loop().run_in_executor(None, partial(work, *args, **kwargs))
    future.add_done_callback(lambda done: done.cancelled() or done.exception())
    return future


async def _gathered(stream: AsyncIterable[bytes]) -> AsyncIterator[list[bytes]]:
    """The pieces of `stream` in lists of about `PIECE` bytes."""
    pieces: list[bytes] = []
    size = 0
    async for piece in stream:
        pieces.append(piece)
        size += len(piece)
        if size >= PIECE:
            yield pieces
            pieces, size = [], 0
    if pieces:
        yield pieces


def _write_all(fd: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(fd, view) :]


def _sweep(folder: Path, known: Collection[BlobRef], before: float | None) -> int:
    lost = _files(folder / _ARRIVING)
    for branch in _branches(folder):
        lost += [entry for entry in _files(branch) if entry.name not in known]
    if before is not None:
        lost = [entry for entry in lost if entry.stat().st_mtime < before]
    for entry in lost:
        entry.unlink(missing_ok=True)
    return len(lost)


def _branches(folder: Path) -> list[Path]:
    return [path for path in folder.iterdir() if len(path.name) == 2 and path.is_dir()]


def _files(folder: Path) -> list[Path]:
    return [path for path in folder.iterdir() if path.is_file()]


def _sync_folder(folder: Path) -> None:
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
