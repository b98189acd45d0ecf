"""A real Cumulet in a process of its own, for tests that go through the socket."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config

ENVIRONMENT = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}


class RealServer:
    """`cumulet up` on a port of its own that it keeps across restarts. `more` are further arguments."""

    def __init__(self, folder: Path, *more: str, environment: dict[str, str] | None = None) -> None:
        self.folder, self.more = folder, more
        self.environment = ENVIRONMENT | (environment or {})
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._process: subprocess.Popen[str] | None = None

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        """Start and wait for `Ready.`."""
        command = [sys.executable, "-m", "cumulet", "up", "--data", str(self.folder / "data"), "--port", str(self.port)]
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [*command, *self.more], stdout=subprocess.PIPE, stderr=log, text=True, env=self.environment
            )
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line == f"Ready. {self.url}\n", f"{line!r}: {(self.folder / 'log').read_text()[-3000:]}"

    def end(self, how: signal.Signals = signal.SIGTERM) -> int:
        """Send a signal and wait for the end; the exit status."""
        assert self._process is not None
        process, self._process = self._process, None
        process.send_signal(how)
        status = process.wait(60)
        assert process.stdout is not None
        process.stdout.close()
        return status

    def kill(self) -> None:
        self.end(signal.SIGKILL)

    def client(self, service: str, **options: Any) -> Any:
        """A boto3 client over the socket."""
        settings = {"region_name": "us-east-1", "aws_access_key_id": "test", "aws_secret_access_key": "test"}
        config = Config(max_pool_connections=32, retries={"total_max_attempts": 8, "mode": "standard"})
        return boto3.Session().client(service, endpoint_url=self.url, **{"config": config, **settings, **options})

    def session(self) -> "SessionOf":
        return SessionOf(self)


class SessionOf:
    """What the examples want of a boto3 session."""

    def __init__(self, server: RealServer) -> None:
        self._server = server

    def client(self, service: str, **options: Any) -> Any:
        return self._server.client(service, **options)


@contextlib.contextmanager
def running(folder: Path, *more: str, environment: dict[str, str] | None = None) -> Iterator[RealServer]:
    """A server that is ended afterwards, however the test went."""
    server = RealServer(folder, *more, environment=environment)
    server.start()
    try:
        yield server
    finally:
        if server._process is not None:
            server.end()


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])
