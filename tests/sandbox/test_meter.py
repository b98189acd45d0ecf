"""Control groups, on folders that look like the kernel's."""

import os
from pathlib import Path

from cumulet.sandbox.meter import V1, V2, GroupMeters, NoMeters, TreeMeters, find_meters, sweep


def test_v2_limits_memory_and_processes_in_one_group(tmp_path: Path):
    meter = GroupMeters(V2, tmp_path, tmp_path, os.urandom).make(1000, 50, 7)
    assert len(meter.folders) == 1
    assert (meter.memory / "memory.max").read_text() == "1050"
    assert (meter.memory / "pids.max").read_text() == "9"
    (meter.memory / "memory.stat").write_text("anon 4096\nfile 77\n")
    (meter.memory / "memory.events").write_text("low 0\noom_kill 1\n")
    assert (meter.used(1), meter.killed()) == (4096, True)


def test_v1_has_a_group_for_each(tmp_path: Path):
    memory, pids = tmp_path / "memory", tmp_path / "pids"
    memory.mkdir()
    pids.mkdir()
    meter = GroupMeters(V1, memory, pids, os.urandom).make(None, 50, 7)
    assert [folder.parent for folder in meter.folders] == [memory, pids]
    assert not (meter.memory / "memory.limit_in_bytes").exists()
    assert (meter.used(1), meter.killed()) == (None, False)


def test_a_group_is_removed_when_it_is_empty(tmp_path: Path):
    meter = GroupMeters(V2, tmp_path, None, os.urandom).make(None, 0, 1)
    (meter.memory / "busy").touch()
    assert not meter.close()
    (meter.memory / "busy").unlink()
    assert meter.close()
    assert meter.close()


def test_groups_of_servers_that_are_gone_are_swept(tmp_path: Path):
    (tmp_path / "cumulet-999999999-aa").mkdir()
    (tmp_path / f"cumulet-{os.getpid()}-bb").mkdir()
    sweep(GroupMeters(V2, tmp_path, None, os.urandom))
    assert [folder.name for folder in tmp_path.iterdir()] == [f"cumulet-{os.getpid()}-bb"]


def test_without_control_groups_the_process_tree_is_added_up(tmp_path: Path):
    meters = find_meters(os.urandom, tmp_path)
    assert isinstance(meters, TreeMeters)
    meter = meters.make(None, 0, 1)
    assert (meter.used(os.getpid()) or 0) > 1_000_000
    assert not meter.killed()
    assert meter.close()


def test_without_anything_nothing_is_counted():
    meter = NoMeters().make(1, 1, 1)
    assert (meter.used(1), meter.killed(), meter.close(), meter.folders) == (None, False, True, ())
