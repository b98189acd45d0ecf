"""Running code behind the walls of bubblewrap.

Inside there is a file system made of what the plan mounts, the system's programs and libraries (read-only) and a
private /tmp in memory; a process list of its own; no capability, and no way to gain one. The network is the host's, so
that functions reach the server on loopback. Two ways to be somebody else:

    USERS       the server is root: each cell is an otherwise unused user of the machine
    NAMESPACE   the server is not: each cell has a user namespace of its own, without more of them inside

`find` tries which of them the machine allows.
"""

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from cumulet.base.ids import Entropy
from cumulet.sandbox.api import Mount, Plan
from cumulet.sandbox.child import Child, Launch
from cumulet.sandbox.errors import SandboxError
from cumulet.sandbox.meter import Meters
from cumulet.sandbox.process import limits

FIRST_USER = 1_879_048_192
"""systemd's map of user ids leaves 1879048192 to 2147483647 unused."""
USERS = 268_435_455
INSIDE_USER = 993
SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib64", "/lib32", "/libx32")
ETC = (
    "alternatives", "ca-certificates", "hosts", "ld.so.cache", "ld.so.conf", "ld.so.conf.d", "localtime", "mime.types",
    "nsswitch.conf", "pki/ca-trust", "pki/tls/cert.pem", "pki/tls/certs", "protocols", "resolv.conf", "services",
    "ssl/cert.pem", "ssl/certs", "ssl/openssl.cnf",
)  # fmt: skip
"""What of /etc is seen: no passwords, no private keys."""


class Way(Enum):
    USERS = "each under a user id of its own"
    NAMESPACE = "each in a user namespace of its own"


@dataclass(frozen=True, slots=True)
class Bubblewrap:
    """The driver."""

    way: Way
    meters: Meters
    entropy: Entropy
    name: str = "bubblewrap"

    @property
    def isolation(self) -> str:
        return (
            f"bubblewrap: own file system, processes and IPC, {self.way.value}, the host's network shared; "
            f"{self.meters.words}"
        )

    async def prepare(self, plan: Plan) -> Child:
        user = FIRST_USER + int.from_bytes(self.entropy(4)) % USERS
        launch = Launch(
            command=(
                *walls(plan, self.way),
                "--",
                *becoming(self.way, user),
                *limits(plan, processes=True),
                *plan.command,
            ),
            environment=plan.environment,
            memory=plan.memory,
            shell_status=True,
        )
        return Child(launch, self.meters.make(plan.memory, plan.scratch, plan.processes))


def walls(plan: Plan, way: Way) -> tuple[str, ...]:
    """The program and its arguments, without the command to run inside."""
    return ("bwrap", *_namespaces(plan, way), *_system(), *_mounts(plan), "--chdir", plan.directory)


def becoming(way: Way, user: int) -> tuple[str, ...]:
    """The command that gives up the rest of root's rights inside, where there are any."""
    if way is not Way.USERS:
        return ()
    return (
        "setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups", "--no-new-privs", "--inh-caps=-all",
        "--bounding-set=-all", "--",
    )  # fmt: skip


def _namespaces(plan: Plan, way: Way) -> Iterator[str]:
    yield from ("--die-with-parent", "--new-session", "--unshare-pid", "--unshare-ipc", "--unshare-uts")
    yield from ("--unshare-cgroup-try", "--hostname", "cumulet")
    if not plan.network:
        yield "--unshare-net"
    if way is Way.USERS:
        for capability in ("CAP_SETUID", "CAP_SETGID", "CAP_SETPCAP"):
            yield from ("--cap-add", capability)
    else:
        user = str(INSIDE_USER)
        yield from ("--unshare-user", "--disable-userns", "--uid", user, "--gid", user, "--cap-drop", "ALL")


def _system() -> Iterator[str]:
    for place in SYSTEM:
        if (path := Path(place)).is_symlink():
            yield from ("--symlink", str(path.readlink()), place)
        elif path.is_dir():
            yield from ("--ro-bind", place, place)
    for folder in ("/etc", "/etc/ssl", "/etc/pki", "/etc/pki/tls"):
        yield from ("--perms", "0755", "--dir", folder)
    for name in ETC:
        yield from ("--ro-bind-try", f"/etc/{name}", f"/etc/{name}")
    yield from ("--proc", "/proc", "--dev", "/dev")


def _mounts(plan: Plan) -> Iterator[str]:
    yield from ("--perms", "1777", "--size", str(plan.scratch), "--tmpfs", "/tmp")  # noqa: S108
    for above in _above(plan.mounts):
        yield from ("--perms", "0755", "--dir", above)
    for mount in plan.mounts:
        yield from ("--bind" if mount.writable else "--ro-bind", str(mount.source), mount.target)
    yield from ("--remount-ro", "/")


def _above(mounts: tuple[Mount, ...]) -> list[str]:
    """The folders above the mounts' places that nothing else makes, the uppermost first."""
    found = {str(above) for mount in mounts for above in Path(mount.target).parents}
    return sorted(found - {"/", "/etc", "/usr"})


async def find(meters: Meters, entropy: Entropy) -> Bubblewrap | None:
    """The driver, where bubblewrap is present and this machine lets it work."""
    if shutil.which("bwrap") is None:
        return None
    ways = [Way.NAMESPACE]
    if os.geteuid() == 0 and shutil.which("setpriv"):
        ways.insert(0, Way.USERS)
    for way in ways:
        if await works(driver := Bubblewrap(way, meters, entropy)):
            return driver
    return None


async def works(driver: Bubblewrap) -> bool:
    """Whether a program can be run so on this machine."""
    cell = await driver.prepare(Plan(command=("/bin/true",), scratch=1 << 20))
    try:
        await cell.start()
        return (await cell.wait()).status == 0
    except SandboxError:
        return False
    finally:
        await cell.destroy()
