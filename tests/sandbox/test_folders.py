"""Folders of servers that are gone are cleared away."""

import os
import subprocess
from pathlib import Path

import pytest

from cumulet.sandbox.folders import gone, make_folder, sweep_folders


def test_only_what_the_dead_left_is_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    mine = make_folder("env")
    (mine / "file").touch()
    dead, other = tmp_path / "cumulet-999999999-env-x", tmp_path / "cumulet-pg-data-x"
    for folder in (dead, other):
        folder.mkdir()
    sweep_folders()
    assert sorted(tmp_path.iterdir()) == sorted([mine, other])
    assert mine.name.startswith(f"cumulet-{os.getpid()}-env-")
    assert mine.stat().st_mode & 0o077 == 0


def test_who_is_gone():
    zombie = subprocess.Popen(["true"])
    while not gone(str(zombie.pid)):
        pass
    zombie.wait()
    assert gone("999999999")
    assert not gone(str(os.getpid()))
    assert not gone("pg")
