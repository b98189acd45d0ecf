"""A server from its beginning to its end: database -> engine -> services -> gate -> HTTP, and the same way back.

One tree of tasks hangs from `serve`. At the end (Ctrl-C, SIGTERM) the requests that are open are finished while the
server still answers, for functions that run on behalf of them call back; then new ones are put off, the workers stop
(what they had in hand is taken up again at the next start), the connections close, and the database last.
"""

import asyncio
import contextlib
import importlib
import os
import secrets
import signal
import socket
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cumulet.base import json
from cumulet.base.clock import SystemClock
from cumulet.base.errors import CumuletError
from cumulet.engine.engine import Engine
from cumulet.sandbox.choose import choose
from cumulet.server.app import App
from cumulet.server.auth import Strict, Trusting
from cumulet.server.caller import Gate
from cumulet.server.config import KEY_FILE, Config
from cumulet.server.http import Front
from cumulet.server.keys import KeyPair, Keys
from cumulet.server.pages import pages_of
from cumulet.server.parts import Parts
from cumulet.server.services import SERVICES
from cumulet.store.api import Database
from cumulet.store.blobs import Blobs
from cumulet.store.sqlite import SQLite
from cumulet.wire.service import Service

LAST_WAIT = 5
"""Seconds for what is still open after the drain."""


class CannotListen(CumuletError):
    """The address cannot be listened on; the message ends with a hint."""


@dataclass(frozen=True, slots=True)
class Running:
    """A server that answers."""

    endpoint: str
    root: KeyPair
    isolation: str
    """What keeps functions apart, in words for people."""


async def serve(
    config: Config,
    ready: Callable[[Running], None],
    stop: asyncio.Event,
    services: Sequence[Callable[[Parts], Service]] = SERVICES,
) -> None:
    """Run a server until `stop` is set; `ready` is told when it answers. Raises `CumuletError` where it cannot."""
    config.check()
    async with contextlib.AsyncExitStack() as stack:
        sock = stack.enter_context(_listen(config.host, config.port))
        endpoint = f"http://{_host(config.host)}:{sock.getsockname()[1]}"
        clock, entropy = SystemClock(), os.urandom
        looking = asyncio.create_task(choose(entropy))  # it tries programs out, while the database opens
        stack.callback(looking.cancel)
        _make_folder(config.data)
        database = await _open(config)
        stack.push_async_callback(database.close)
        keys = await Keys.open(database, clock, entropy)
        stack.callback(keys.close)
        _write_key(config.data / KEY_FILE, keys.root)
        sandbox = await looking
        engine = Engine(database, clock, entropy, server=f"{socket.gethostname()}-{os.getpid()}")
        gate = Gate(entropy, endpoint)
        blobs = Blobs(config.data / "blobs", entropy)
        scratch = config.data / "scratch"
        parts = Parts(database, engine, blobs, clock, entropy, gate, sandbox, keys, endpoint, scratch, config.limits)
        for make in services:
            gate.add(make(parts))
        authenticator = Strict(keys, clock) if config.auth else Trusting(keys)
        app = App(gate, authenticator, entropy, pages_of(gate))
        running = Running(endpoint, keys.root, sandbox.isolation)
        await _run(app, engine, sock, config.drain, lambda: ready(running), stop)


async def _run(
    app: App, engine: Engine, sock: socket.socket, drain: int, ready: Callable[[], None], stop: asyncio.Event
) -> None:
    """The tree of tasks."""
    front = Front(app.answer)
    async with asyncio.TaskGroup() as group:
        workers = [group.create_task(work, name=name) for name, work in _workers(app, engine)]
        try:
            await front.open(sock)
            ready()
            await stop.wait()
            if waiting := front.under_way:
                await asyncio.wait(waiting, timeout=drain)
            app.closing = True
            for worker in workers:
                worker.cancel()
            await asyncio.wait(workers)
        finally:
            await front.close(LAST_WAIT)


def _workers(app: App, engine: Engine) -> list[tuple[str, Coroutine[Any, Any, None]]]:
    return [("engine", engine.run()), *((service.model, service.run()) for service in app.services.values())]


async def _open(config: Config) -> Database:
    if config.database is None:
        return await SQLite.open(config.data / "cumulet.db")
    postgres = importlib.import_module("cumulet.store.postgres")  # psycopg is an extra, and heavy
    database: Database = await postgres.Postgres.open(config.database)
    return database


def _listen(host: str, port: int) -> socket.socket:
    """A socket bound to the address, so that nothing is opened for a server that cannot be reached."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind((host, port))
    except (OSError, OverflowError) as error:
        sock.close()
        raise CannotListen(
            f"cannot listen on {host} port {port}: {getattr(error, 'strerror', None) or error}\n"
            "hint: is another Cumulet running? --port 0 takes a free port"
        ) from error
    sock.setblocking(False)
    return sock


def _host(host: str) -> str:
    """The host in the address we tell: where we listen everywhere, this machine."""
    if host in ("0.0.0.0", "::"):  # noqa: S104  compared, not listened on
        return "127.0.0.1" if host == "0.0.0.0" else "[::1]"  # noqa: S104
    return f"[{host}]" if ":" in host else host


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise CumuletError(f"cannot make the folder {folder}: {error.strerror}\nhint: give another --data") from error


def _write_key(path: Path, root: KeyPair) -> None:
    """The root key beside the data, readable by its owner alone: what `cumulet keys` shows."""
    text = json.dumps({"AccessKeyId": root.access_key, "SecretAccessKey": root.secret_key})
    if path.is_file() and path.read_text() == text:
        return
    new = path.with_suffix(f".{secrets.token_hex(4)}")
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
    new.replace(path)


@contextlib.asynccontextmanager
async def stopping(begun: Callable[[], None], at_once: Callable[[], None]) -> AsyncIterator[asyncio.Event]:
    """An event that Ctrl-C and SIGTERM set; the first of them calls `begun`, the second `at_once`."""
    loop, stop = asyncio.get_running_loop(), asyncio.Event()

    def heard() -> None:
        (at_once if stop.is_set() else begun)()
        stop.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, heard)
    try:
        yield stop
    finally:
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)
