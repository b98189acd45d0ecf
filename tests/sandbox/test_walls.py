"""What code behind bubblewrap cannot do: each test tries it."""

import os
import socket
from pathlib import Path

from tests.sandbox.cells import MEGABYTE, python, run

from cumulet.sandbox.api import Mount, Plan
from cumulet.sandbox.bubblewrap import Bubblewrap


async def test_the_servers_data_is_not_there(walled: Bubblewrap, tmp_path: Path):
    secret = tmp_path / "cumulet.db"
    secret.write_text("secret")
    ran = await run(
        walled, python(f"import os; print(os.path.exists({str(secret)!r}), os.path.exists({str(tmp_path)!r}))")
    )
    assert ran.text == "False False\n"


async def test_only_what_was_mounted_and_the_system_is_seen(walled: Bubblewrap, tmp_path: Path):
    tmp_path.chmod(0o755)
    (tmp_path / "main.txt").write_text("mine")
    code = "import os; print(open('/var/task/main.txt').read()); print(os.listdir('/var'), os.listdir('/tmp'))"
    ran = await run(walled, python(code, mounts=(Mount(tmp_path, "/var/task"),)))
    assert ran.text == "mine\n['task'] []\n"


async def test_passwords_and_homes_are_not_there(walled: Bubblewrap):
    code = "import os; print([p for p in ('/etc/shadow', '/etc/passwd', '/root/.ssh', '/home', '/var/lib') if os.path.exists(p)])"
    assert (await run(walled, python(code))).text == "[]\n"


async def test_nothing_can_be_written_but_tmp(walled: Bubblewrap, tmp_path: Path):
    code = """
for place in ('/x', '/usr/x', '/etc/x', '/var/task/x', '/var/x', '/run/x'):
    try:
        open(place, 'w')
        print('wrote', place)
    except OSError:
        pass
open('/tmp/x', 'w').write('fine')
print(open('/tmp/x').read())
"""
    ran = await run(walled, python(code, mounts=(Mount(tmp_path, "/var/task"),)))
    assert ran.text == "fine\n"
    assert list(tmp_path.iterdir()) == []


async def test_a_writable_mount_can_be_written(walled: Bubblewrap, tmp_path: Path):
    tmp_path.chmod(0o777)
    code = "open('/work/out', 'w').write('made')"
    ran = await run(walled, python(code, mounts=(Mount(tmp_path, "/work", writable=True),)))
    assert ran.ended.status == 0, ran.text
    assert (tmp_path / "out").read_text() == "made"


async def test_tmp_is_private_and_ends_with_the_cell(walled: Bubblewrap):
    await run(walled, python("open('/tmp/left', 'w').write('x')"))
    assert (await run(walled, python("import os; print(os.listdir('/tmp'))"))).text == "[]\n"


async def test_tmp_has_a_size(walled: Bubblewrap):
    code = """
file = open('/tmp/big', 'wb')
try:
    for _ in range(64):
        file.write(bytes(1 << 19))
        file.flush()
    print('no limit')
except OSError as error:
    print(type(error).__name__, file.tell() < (9 << 20))
"""
    assert (await run(walled, python(code, scratch=8 * MEGABYTE))).text == "OSError True\n"


async def test_other_processes_are_not_seen(walled: Bubblewrap):
    code = "import os; print(sorted(int(name) for name in os.listdir('/proc') if name.isdigit()))"
    found = (await run(walled, python(code))).text
    assert str(os.getpid()) not in found or os.getpid() < 10
    assert found.count(",") <= 3


async def test_the_server_cannot_be_signalled(walled: Bubblewrap):
    code = f"""
import os
try:
    os.kill({os.getpid()}, 0)
    print('could')
except ProcessLookupError:
    print('no such process')
"""
    assert (await run(walled, python(code))).text == "no such process\n"


async def test_it_has_no_rights_and_can_gain_none(walled: Bubblewrap):
    code = """
import os
status = open('/proc/self/status').read().splitlines()
print(os.getuid() != 0, [line.split()[1] for line in status if line.startswith(('CapEff', 'CapPrm', 'NoNewPrivs'))])
"""
    assert (await run(walled, python(code))).text == "True ['0000000000000000', '0000000000000000', '1']\n"


async def test_it_cannot_mount_or_change_root(walled: Bubblewrap):
    code = """
import ctypes
libc = ctypes.CDLL(None, use_errno=True)
print(libc.mount(b'none', b'/tmp', b'tmpfs', 0, None), libc.umount(b'/usr'), libc.chroot(b'/tmp'))
"""
    assert (await run(walled, python(code))).text == "-1 -1 -1\n"


async def test_a_fork_bomb_stays_within_its_limit(walled: Bubblewrap):
    code = """
import os, time
count = 0
try:
    while count < 500:
        if os.fork() == 0:
            time.sleep(60)
        count += 1
    print('no limit')
except OSError as error:
    print(type(error).__name__, count < 30)
"""
    assert (await run(walled, python(code, processes=30))).text == "BlockingIOError True\n"


async def test_the_network_is_the_hosts_unless_it_was_not_asked_for(walled: Bubblewrap):
    with socket.create_server(("127.0.0.1", 0)) as server:
        code = f"""
import socket
try:
    socket.create_connection(('127.0.0.1', {server.getsockname()[1]})); print('connected')
except OSError:
    print('alone')
"""
        assert (await run(walled, python(code))).text == "connected\n"
        assert (await run(walled, python(code, network=False))).text == "alone\n"


async def test_isolation_says_what_there_is(walled: Bubblewrap):
    assert walled.isolation.startswith("bubblewrap: own file system, processes")
    assert walled.meters.words in walled.isolation


async def test_two_cells_are_different_users(walled: Bubblewrap):
    if "user id" not in walled.way.value:
        return
    one, other = [(await run(walled, Plan(command=("/usr/bin/id", "-u")))).text for _ in range(2)]
    assert one != other
