"""Code packages: unpacked once, whole or not at all, within their folder."""

import io
import os
import stat
import tempfile
import warnings
import zipfile
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tests.services.lambda_.shop import pack

from cumulet.services.lambda_ import code
from cumulet.services.lambda_.code import CodeCache, digest, inspect
from cumulet.services.lambda_.errors import InvalidParameterValueException


@pytest.fixture
def cache(tmp_path: Path) -> CodeCache:
    return CodeCache(tmp_path / "code", os.urandom)


def entries(*given: tuple[str, int, str]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as package, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # names that come twice
        for name, mode, text in given:
            info = zipfile.ZipInfo(name)
            info.external_attr = mode << 16
            package.writestr(info, text)
    return buffer.getvalue()


def test_unpacked_once(cache: CodeCache):
    data = pack({"handler.py": "x = 1", "lib/part.py": "y = 2"})
    folder = cache.unpack(data)
    (folder / "handler.py").write_text("still there")
    assert cache.unpack(data) == folder == cache.path(digest(data))
    assert (folder / "handler.py").read_text() == "still there"
    assert (folder / "lib" / "part.py").read_text() == "y = 2"
    assert [path.name for path in cache.folder.iterdir()] == [folder.name]


@pytest.mark.parametrize(
    ("mode", "kept"), [(0o600, 0o644), (0o700, 0o755), (0o664, 0o644), (0o4755, 0o755), (0o100, 0o755)]
)
def test_permissions_are_kept_and_all_can_read(cache: CodeCache, mode: int, kept: int):
    folder = cache.unpack(entries(("file", mode, "x")))
    assert stat.S_IMODE((folder / "file").stat().st_mode) == kept


def test_what_was_packed_without_a_mode_can_be_run(cache: CodeCache):
    data = bytearray(entries(("file", 0o600, "x")))
    at = data.index(b"PK\x01\x02") + 38  # the external attributes in the directory of the zip
    data[at : at + 4] = bytes(4)
    assert stat.S_IMODE((cache.unpack(bytes(data)) / "file").stat().st_mode) == 0o755


def test_folders_and_links(cache: CodeCache):
    data = entries(("lib/", 0o40755, ""), ("lib/real", 0o100644, "x"), ("link", 0o120777, "lib/real"))
    folder = cache.unpack(data)
    assert (folder / "link").is_symlink()
    assert (folder / "link").read_text() == "x"


@pytest.mark.parametrize("aim", ["/etc/passwd", "../../secret", "lib/../../x"])
def test_links_that_lead_out_are_refused(cache: CodeCache, aim: str):
    with pytest.raises(InvalidParameterValueException, match="link outside"):
        cache.unpack(entries(("link", 0o120777, aim)))
    assert list(cache.folder.iterdir()) == []


@pytest.mark.parametrize("name", ["../x", "/x", "a/../../x", "a\\..\\x", "a/.."])
def test_names_that_lead_out_are_refused(name: str):
    with pytest.raises(InvalidParameterValueException, match="outside of its folder"):
        inspect(entries((name, 0o644, "x")))


def test_a_file_behind_a_link_cannot_leave(cache: CodeCache, tmp_path: Path):
    with pytest.raises((InvalidParameterValueException, OSError)):
        cache.unpack(entries(("out", 0o120777, str(tmp_path)), ("out/file", 0o644, "x")))
    assert not (tmp_path / "file").exists()


UP = (("a/b/c/", 0o40755, ""), ("a/b/up", 0o120777, "../.."))


@pytest.mark.parametrize(
    "then",
    [
        (("a/b/up/x", 0o120777, "../.."),),
        (("a/b/up/file", 0o644, "x"),),
        (("a/b/up/folder/", 0o40755, ""),),
        (("a/b/p", 0o120777, "up/../secret"), ("a/b/p", 0o644, "x")),
    ],
)
def test_links_upon_links_cannot_leave(cache: CodeCache, tmp_path: Path, then: tuple[tuple[str, int, str], ...]):
    with pytest.raises(InvalidParameterValueException, match="link"):
        cache.unpack(entries(*UP, *then))
    assert list(cache.folder.iterdir()) == []
    assert [path.name for path in tmp_path.iterdir()] == ["code"]


def test_a_file_takes_a_links_place(cache: CodeCache):
    folder = cache.unpack(entries(("real", 0o644, "old"), ("name", 0o120777, "real"), ("name", 0o644, "new")))
    assert ((folder / "real").read_text(), (folder / "name").read_text()) == ("old", "new")


@pytest.mark.parametrize("names", [("x" * 300,), ("a", "a/b"), ("a/b", "a")])
def test_names_that_cannot_be(cache: CodeCache, names: tuple[str, ...]):
    with pytest.raises(InvalidParameterValueException, match="Could not unzip"):
        cache.unpack(entries(*((name, 0o644, "x") for name in names)))
    assert list(cache.folder.iterdir()) == []


def test_what_unpacks_to_too_much(cache: CodeCache, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(code, "MAX_UNPACKED", 100)
    data = pack({"a": "x" * 60, "b": "y" * 60})
    with pytest.raises(InvalidParameterValueException, match="Unzipped size must be smaller than 100 bytes"):
        inspect(data)
    with pytest.raises(InvalidParameterValueException, match="Unzipped size"):
        cache.unpack(data)


def test_a_damaged_package_leaves_nothing(cache: CodeCache):
    data = bytearray(pack({"handler.py": "x" * 1000}))
    data[60] ^= 0xFF
    with pytest.raises(InvalidParameterValueException, match="Could not unzip"):
        cache.unpack(bytes(data))
    assert list(cache.folder.iterdir()) == []


@given(st.binary(max_size=300))
def test_nonsense_is_never_a_package(data: bytes):
    with pytest.raises(InvalidParameterValueException):
        inspect(data)


@settings(max_examples=300, deadline=None)
@given(st.binary(min_size=1, max_size=40), st.integers(0, 400))
@example(b"\x00\x00\x08" + bytes(18) + b"\x1c", 98)
def test_a_damaged_package_is_refused_or_stays_inside(noise: bytes, at: int):
    data = bytearray(pack({"handler.py": "x = 1", "lib/part.py": "y = 2"}))
    data[at : at + len(noise)] = noise
    with tempfile.TemporaryDirectory() as folder:
        inside = Path(folder) / "code"
        try:
            inspect(bytes(data))
            CodeCache(inside, os.urandom).unpack(bytes(data))
        except InvalidParameterValueException:
            assert not inside.exists() or list(inside.iterdir()) == []
        assert [path.name for path in Path(folder).iterdir()] in ([], ["code"])
