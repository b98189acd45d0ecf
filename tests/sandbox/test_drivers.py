"""What every driver does: the same tests for each, and for both ways of counting memory."""

import asyncio
import os
import sys
from pathlib import Path

import pytest
from tests.sandbox.cells import MEGABYTE, alive, python, run

from cumulet.sandbox.api import Ended, Mount, Plan, Sandbox
from cumulet.sandbox.errors import SandboxError


async def test_output_and_status(sandbox: Sandbox):
    code = "import sys; print('out'); print('err', file=sys.stderr); sys.exit(7)"
    ran = await run(sandbox, python(code))
    assert (ran.text, ran.ended) == ("out\nerr\n", Ended(7))


async def test_a_death_by_signal_is_told(sandbox: Sandbox):
    ran = await run(sandbox, python("import os; os.kill(os.getpid(), 11)"))
    assert ran.ended == Ended(-11)


async def test_the_environment_holds_only_what_was_given(sandbox: Sandbox):
    plan = python("import os; print(sorted(os.environ))", environment={"ONE": "1", "LC_ALL": "C.UTF-8"})
    names = set((await run(sandbox, plan)).text.strip("[]\n").replace("'", "").split(", "))
    assert names - {"PWD", "TMPDIR"} == {"ONE", "LC_ALL"}


async def test_mounts_lie_where_the_plan_says(sandbox: Sandbox, tmp_path: Path):
    tmp_path.chmod(0o755)
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "a.txt").write_text("found")
    code = "import os; print(open(os.environ['ROOT'] + '/deep/a.txt').read(), os.listdir('.'))"
    plan = python(
        code, environment={"ROOT": "/var/task"}, mounts=(Mount(tmp_path, "/var/task"),), directory="/var/task"
    )
    assert (await run(sandbox, plan)).text == "found ['deep']\n"


async def test_who_takes_too_much_memory_is_ended(sandbox: Sandbox):
    code = "x = bytearray(400 << 20)\nwhile True: pass"
    ran = await run(sandbox, python(code, memory=96 * MEGABYTE, scratch=MEGABYTE))
    assert ran.ended.out_of_memory
    assert ran.ended.status == -9


async def test_memory_within_the_limit_is_counted(sandbox: Sandbox):
    code = "x = bytearray(b'x') * (50 << 20); print('ready')\nwhile True: pass"
    cell = await sandbox.prepare(python(code, memory=500 * MEGABYTE))
    await cell.start()
    async for _ in cell.tail():
        break
    used = cell.memory()
    while used is not None and used < 50 * MEGABYTE:
        await asyncio.sleep(0.02)
        used = cell.memory()
    await cell.destroy()
    assert used is not None
    assert 50 * MEGABYTE <= used < 200 * MEGABYTE
    assert await cell.wait() == Ended(-9)


async def test_destroy_ends_children_of_children(sandbox: Sandbox):
    code = """
import os, time
if os.fork() == 0:
    if os.fork() == 0:
        os.write(1, b'grandchild')
        while True: time.sleep(1)
    while True: time.sleep(1)
while True: time.sleep(1)
"""
    marker = os.urandom(6).hex()
    cell = await sandbox.prepare(python(f"mark = {marker!r}\n" + code))
    await cell.start()
    async for piece in cell.tail():
        assert piece == b"grandchild"
        break
    assert len(_named(marker)) >= 3
    await cell.destroy()
    await _gone(marker)
    assert (await cell.wait()).status == -9


async def test_destroy_before_the_start_and_twice(sandbox: Sandbox):
    cell = await sandbox.prepare(python("print(1)"))
    await cell.destroy()
    cell = await sandbox.prepare(python("print(1)"))
    await cell.start()
    await cell.destroy()
    await cell.destroy()


async def test_waiting_for_what_was_not_started(sandbox: Sandbox):
    cell = await sandbox.prepare(Plan(command=("/bin/true",)))
    with pytest.raises(SandboxError, match="not started"):
        await cell.wait()
    await cell.start()
    with pytest.raises(SandboxError, match="started before"):
        await cell.start()
    await cell.destroy()


async def test_open_files_are_limited(sandbox: Sandbox):
    code = (
        "import resource; print(resource.getrlimit(resource.RLIMIT_NOFILE), resource.getrlimit(resource.RLIMIT_CORE))"
    )
    assert (await run(sandbox, python(code))).text == "(1024, 1024) (0, 0)\n"


async def test_nothing_is_left_behind(sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    await run(sandbox, python("open('/tmp/x', 'w')" if sandbox.name != "process" else "pass"))
    assert list(tmp_path.iterdir()) == []


def _named(marker: str) -> list[int]:
    """Processes of this machine whose command line holds `marker`, without bubblewrap's own."""
    found = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                line = (folder / "cmdline").read_bytes()
            except OSError:
                continue
            if marker.encode() in line and not line.startswith(b"bwrap"):
                found.append(int(folder.name))
    return found


async def _gone(marker: str) -> None:
    """Killed processes leave the table a moment later."""
    async with asyncio.timeout(5):
        while any(alive(pid) for pid in _named(marker)):
            await asyncio.sleep(0.005)


SERVER = """
import asyncio, os, sys
from cumulet.sandbox import bubblewrap
from cumulet.sandbox.meter import NoMeters
from cumulet.sandbox.process import ProcessSandbox
from tests.sandbox.cells import python

async def main():
    driver = await bubblewrap.find(NoMeters(), os.urandom) if sys.argv[1] == "walled" else ProcessSandbox(NoMeters())
    cell = await driver.prepare(python("import os, time\\nmark = " + repr(sys.argv[2]) + "\\nos.write(1, b'up')\\nwhile True: time.sleep(1)"))
    await cell.start()
    async for piece in cell.tail():
        print("up", flush=True)

asyncio.run(main())
"""


@pytest.mark.parametrize("kind", ["walled", "plain"])
async def test_cells_die_with_the_server(kind: str):
    marker = os.urandom(6).hex()
    server = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        SERVER,
        kind,
        marker,
        stdout=asyncio.subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": "."},
    )
    assert server.stdout is not None
    assert await server.stdout.readline() == b"up\n"
    assert len(_named(marker)) >= 2
    server.kill()
    await server.wait()
    await _gone(marker)
