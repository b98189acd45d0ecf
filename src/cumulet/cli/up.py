"""`cumulet up`: run the cloud until Ctrl-C.

Prints one line on standard output when it serves: `Ready. http://127.0.0.1:4566`. Ctrl-C (or SIGTERM) finishes what is
open and stops; a second one stops at once, and loses nothing that was acknowledged.
"""

import argparse
import asyncio
import gc
import logging
import os
import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import uvloop

from cumulet.base.limits import PROFILES
from cumulet.sandbox.folders import clear_folders
from cumulet.server.config import PORT, Config, default_data
from cumulet.server.serve import Running, serve, stopping


def add_arguments(parser: argparse.ArgumentParser) -> None:
    where = parser.add_mutually_exclusive_group()
    where.add_argument(
        "--data", type=Path, default=None, metavar="DIR", help="where data lives (default: XDG's folder)"
    )
    where.add_argument("--ephemeral", action="store_true", help="keep nothing: a temporary folder, removed at the end")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    parser.add_argument("--port", type=int, default=PORT, help="0 takes a free one (default: %(default)s)")
    parser.add_argument(
        "--auth", action="store_true", help="accept only keys of this installation (see `cumulet keys`)"
    )
    parser.add_argument(
        "--database", default=None, metavar="DSN", help="postgresql://... instead of SQLite in the folder"
    )
    parser.add_argument(
        "--limits", choices=sorted(PROFILES), default="aws", help="quotas to keep (default: %(default)s)"
    )


def main(arguments: argparse.Namespace) -> int:
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    if not arguments.ephemeral:
        return _up(arguments, arguments.data or default_data(), lambda: None)
    folder = Path(tempfile.mkdtemp(prefix="cumulet-"))
    try:
        return _up(arguments, folder, lambda: shutil.rmtree(folder, ignore_errors=True))
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _up(arguments: argparse.Namespace, folder: Path, tidy: Callable[[], None]) -> int:
    config = Config(
        data=folder.absolute(),
        ephemeral=arguments.ephemeral,
        host=arguments.host,
        port=arguments.port,
        auth=arguments.auth,
        database=arguments.database,
        limits=PROFILES[arguments.limits],
    )

    def at_once() -> None:
        tidy()
        clear_folders()
        os._exit(130)

    def begun() -> None:
        print("Stopping: finishing what is open; again to stop at once.", file=sys.stderr, flush=True)  # noqa: T201

    async def run() -> None:
        async with stopping(begun, at_once) as stop:
            await serve(config, lambda running: _ready(config, running), stop)

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(run())
    return 0


def _ready(config: Config, running: Running) -> None:
    """Told, and set up for a long life: what was made so far stays out of the collector's way, and its rounds are rarer
    (with Python's own settings they took a third of the engine's CPU).
    """
    gc.freeze()
    gc.set_threshold(100_000, 20, 50)
    _tell(config, running)


def _tell(config: Config, running: Running) -> None:
    talk = [
        f"data: {config.data}" + (" (removed at the end)" if config.ephemeral else ""),
        f"isolation of functions: {running.isolation}",
    ]
    if config.auth:
        talk.append(f"keys: export $(cumulet keys --data {config.data})")
    print("\n".join(talk), file=sys.stderr, flush=True)  # noqa: T201
    print(f"Ready. {running.endpoint}", flush=True)  # noqa: T201
