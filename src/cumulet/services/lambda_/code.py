"""Code packages: looking into a zip, and unpacking it once for all environments that run it.

It refuses what is no zip, an empty one, one that unpacks to more than AWS allows, and names that would land outside
the folder. Permissions are kept, but every file can be read by the function, whoever packed it.
"""

import base64
import errno
import hashlib
import io
import lzma
import shutil
import stat
import struct
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from cumulet.base.ids import Entropy, make_hex
from cumulet.services.lambda_.errors import InvalidParameterValueException

MAX_UNPACKED = 262_144_000
MAX_PACKED = 50 * 1024 * 1024
BROKEN = (
    zipfile.BadZipFile, zipfile.LargeZipFile, NotImplementedError, EOFError, RuntimeError, ValueError, OverflowError,
    struct.error, zlib.error, lzma.LZMAError,
)  # fmt: skip
"""What Python's zipfile raises where a package is damaged in one place or another."""
IMPOSSIBLE = frozenset({errno.ENAMETOOLONG, errno.ENOTDIR, errno.EISDIR, errno.EINVAL, errno.ELOOP, errno.EEXIST})
"""What the file system says to names that contradict each other or cannot be."""
BAD_ZIP = "Could not unzip uploaded file. Please check your file, then try to upload again."


def digest(data: bytes) -> str:
    """CodeSha256."""
    return base64.b64encode(hashlib.sha256(data).digest()).decode()


def inspect(data: bytes) -> None:
    """Raise AWS's error where `data` is no package that could be unpacked."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as package:
            _check(package.infolist())
    except BROKEN as error:
        raise InvalidParameterValueException(problem=BAD_ZIP) from error


def _check(members: list[zipfile.ZipInfo]) -> None:
    if not members:
        raise InvalidParameterValueException(problem="Uploaded file must be a non-empty zip")
    if sum(member.file_size for member in members) > MAX_UNPACKED:
        raise InvalidParameterValueException(problem=f"Unzipped size must be smaller than {MAX_UNPACKED} bytes")
    for member in members:
        _place(member.orig_filename)
        if member.flag_bits & 0x1:
            raise InvalidParameterValueException(problem=BAD_ZIP)


def _place(name: str) -> PurePosixPath:
    """Where a member belongs, below the folder; refuses names that climb out of it."""
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or "\\" in name or "\0" in name:
        raise InvalidParameterValueException(problem=f"The zip holds a name outside of its folder: {name!r}")
    return path


@dataclass(frozen=True, slots=True)
class CodeCache:
    """Unpacked packages, each in a folder named by its digest. Safe to lose: it is filled again."""

    folder: Path
    entropy: Entropy

    def path(self, sha256: str) -> Path:
        return self.folder / base64.b64decode(sha256).hex()

    def has(self, sha256: str) -> bool:
        return self.path(sha256).is_dir()

    def unpack(self, data: bytes) -> Path:
        """Unpack unless it is there, so that a folder is always whole; the folder."""
        place = self.path(digest(data))
        if place.is_dir():
            return place
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        draft = self.folder / f"draft-{make_hex(self.entropy, 8)}"
        try:
            with zipfile.ZipFile(io.BytesIO(data)) as package:
                _check(package.infolist())
                _extract(package, draft)
            draft.rename(place)
        except BROKEN as error:
            raise InvalidParameterValueException(problem=BAD_ZIP) from error
        except OSError as error:
            if place.is_dir():  # another server was faster
                return place
            if error.errno in IMPOSSIBLE:
                raise InvalidParameterValueException(problem=BAD_ZIP) from error
            raise
        finally:
            shutil.rmtree(draft, ignore_errors=True)
        return place

    def sweep(self, before: float) -> None:
        """Remove what who died while unpacking left, where it is older than `before` (seconds since the epoch)."""
        for draft in self.folder.glob("draft-*"):
            if draft.stat().st_mtime < before:
                shutil.rmtree(draft, ignore_errors=True)


def _extract(package: zipfile.ZipFile, folder: Path) -> None:
    folder.mkdir(mode=0o755)
    left = MAX_UNPACKED
    for member in package.infolist():
        target = folder / _place(member.filename)
        _clear(target, folder)
        if member.is_dir():
            target.mkdir(exist_ok=True)
            continue
        mode = member.external_attr >> 16
        if stat.S_ISLNK(mode):
            _link(package.read(member).decode("utf-8", "surrogateescape"), target, folder)
            continue
        with package.open(member) as source, target.open("wb") as copy:
            while piece := source.read(1 << 20):
                left -= len(piece)
                if left < 0:
                    raise InvalidParameterValueException(
                        problem=f"Unzipped size must be smaller than {MAX_UNPACKED} bytes"
                    )
                copy.write(piece)
        target.chmod(_mode(mode))


def _mode(mode: int) -> int:
    """Readable for all; executable for all where it is for anybody. What has no mode may be run: so does AWS."""
    if not stat.S_IMODE(mode):
        return 0o755
    return stat.S_IMODE(mode) & 0o755 | 0o644 | (0o111 if mode & 0o111 else 0)


def _link(aim: str, target: Path, folder: Path) -> None:
    """A symbolic link, if it stays within the package: `..` may only stand at its beginning."""
    parts = PurePosixPath(aim).parts
    up = next((place for place, part in enumerate(parts) if part != ".."), len(parts))
    if aim.startswith("/") or ".." in parts[up:] or up > len(target.parent.relative_to(folder).parts):
        raise InvalidParameterValueException(problem=f"The zip holds a link outside of its folder: {aim!r}")
    target.symlink_to(aim)


def _clear(target: Path, folder: Path) -> None:
    """Make sure that `target` can be written where its name says: no link on the way, none in its place."""
    target.parent.mkdir(parents=True, exist_ok=True)
    if target.parent.resolve() != folder.resolve() / target.parent.relative_to(folder):
        name = str(target.relative_to(folder))
        raise InvalidParameterValueException(problem=f"The zip holds a name behind a link: {name!r}")
    if target.is_symlink():
        target.unlink()
