"""The plain driver: what it translates, and that it says what it is."""

from pathlib import Path

from cumulet.sandbox.api import Mount, Plan
from cumulet.sandbox.process import ProcessSandbox, Translation, limits


def test_it_says_that_nothing_keeps_code_apart(plain: ProcessSandbox):
    assert plain.isolation.startswith("none: ")


def test_paths_of_the_plan_become_paths_of_the_host(tmp_path: Path):
    code, boot = tmp_path / "code", tmp_path / "boot.py"
    code.mkdir()
    boot.touch()
    mounts = (Mount(code, "/var/task"), Mount(boot, "/var/runtime/boot.py"), Mount(Path("/usr"), "/usr"))
    cell = tmp_path / "cell"
    cell.mkdir()
    translate = Translation.make(Plan(command=("x",), mounts=mounts), cell)
    assert translate.value("/var/task/lib:/var/task") == f"{code}/lib:{code}"
    assert translate.value("/var/runtime/boot.py") == str(boot)
    assert translate.value("/var/runtime") == f"{cell}/var/runtime"
    assert translate.value("/tmp/x") == f"{cell}/tmp/x"
    assert translate.value("/usr/bin:/var") == "/usr/bin:/var"
    assert translate.value("http://127.0.0.1/var/task") == "http://127.0.0.1/var/task"
    assert (cell / "var" / "runtime" / "boot.py").resolve() == boot


def test_file_sizes_are_limited_unless_a_place_is_writable(tmp_path: Path):
    assert "--fsize=100:100" in limits(Plan(command=("x",), scratch=100))
    writable = Plan(command=("x",), scratch=100, mounts=(Mount(tmp_path, "/work", writable=True),))
    assert not any(part.startswith("--fsize") for part in limits(writable))
    assert "--nproc=5:5" in limits(Plan(command=("x",), processes=5), processes=True)
