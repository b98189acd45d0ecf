"""The two servers that are compared: ours and moto_server, each on a free loopback port in a process of its own."""

import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path
from types import TracebackType
from typing import Self

import psutil


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


class Server:
    """A server under measurement. `started` is the seconds from spawn to the first answer of the API."""

    name = ""

    def __init__(self) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.started = 0.0
        self._folder = tempfile.TemporaryDirectory(prefix="cumulet-bench-")
        self.folder = Path(self._folder.name)

    def command(self) -> list[str]:
        raise NotImplementedError

    def __enter__(self) -> Self:
        began = time.perf_counter()
        self.process = subprocess.Popen(
            self.command(), stdout=subprocess.DEVNULL, stderr=(self.folder / "log").open("wb"), cwd=self.folder
        )
        while not self._answers():
            if self.process.poll() is not None:
                raise RuntimeError(f"{self.name} ended: {(self.folder / 'log').read_text()[-2000:]}")
            time.sleep(0.002)
        self.started = time.perf_counter() - began
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.process.terminate()
        self.process.wait(30)
        self._folder.cleanup()

    def memory(self) -> float:
        """Resident memory of the server and its children, MB."""
        main = psutil.Process(self.process.pid)
        return float(main.memory_info().rss) / 1e6

    def _answers(self) -> bool:
        request = urllib.request.Request(
            self.url, b"{}", {
                "X-Amz-Target": "AWSStepFunctions.ListStateMachines", "Content-Type": "application/x-amz-json-1.0",
                "Authorization": AUTHORIZATION.format(service="states"),
            },
        )  # fmt: skip
        try:
            with urllib.request.urlopen(request, timeout=10) as reply:
                return bool(reply.status == 200)
        except (urllib.error.URLError, ConnectionError):
            return False


AUTHORIZATION = (
    "AWS4-HMAC-SHA256 Credential=test/20261123/us-east-1/{service}/aws4_request, "
    "SignedHeaders=host;x-amz-date, Signature=" + "0" * 64
)


class Cumulet(Server):
    name = "cumulet"

    def command(self) -> list[str]:
        return [sys.executable, "-m", "cumulet", "up", "--data", str(self.folder / "data"), "--port", str(self.port)]


class Moto(Server):
    name = "moto"

    def command(self) -> list[str]:
        return [str(Path(sys.executable).with_name("moto_server")), "-p", str(self.port)]

    def __enter__(self) -> Self:
        super().__enter__()
        body = b'{"stepfunctions": {"execute_state_machine": true}}'
        urllib.request.urlopen(urllib.request.Request(f"{self.url}/moto-api/config", body)).close()
        return self
