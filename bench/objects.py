"""Objects through the real `aws` CLI: one of 1 GiB in and out, and 1,000 small ones; memory watched meanwhile."""

import os
import statistics
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path

from bench.servers import Server

GIB = 1 << 30


@dataclass(frozen=True, slots=True)
class Figures:
    big_in: float
    big_out: float
    small_in: float
    peak: float
    """MB of resident memory at the most while all this went on."""


def measure(server: Server, work: Path) -> Figures:
    """Seconds for each step."""
    big, small, back = work / "big", work / "small", work / "back"
    if not big.exists():
        _make(big, small)
    peak = Peak(server)
    with peak:
        _aws(server, "s3", "mb", "s3://bench")
        big_in = _timed(server, "s3", "cp", str(big), "s3://bench/big")
        big_out = _timed(server, "s3", "cp", "s3://bench/big", str(back))
        small_in = statistics.median(
            _timed(server, "s3", "cp", "--recursive", str(small), f"s3://bench/small{turn}/") for turn in range(5)
        )
    if subprocess.run(["cmp", "-s", str(big), str(back)], check=False).returncode:
        raise RuntimeError("what came back differs")
    back.unlink()
    return Figures(big_in, big_out, small_in, peak.most)


class Peak:
    """The most resident memory seen, looked at every 20 ms."""

    def __init__(self, server: Server) -> None:
        self._server, self.most, self._stop = server, 0.0, threading.Event()
        self._thread = threading.Thread(target=self._watch)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._stop.wait(0.02):
            self.most = max(self.most, self._server.memory())


def _make(big: Path, small: Path) -> None:
    piece = os.urandom(1 << 20)
    with big.open("wb") as file:
        for number in range(1024):
            file.write(number.to_bytes(8) + piece[8:])
    small.mkdir()
    for number in range(1000):
        (small / f"{number:04}").write_bytes(piece[number : number + 4096])


def _timed(server: Server, *arguments: str) -> float:
    began = time.perf_counter()
    _aws(server, *arguments)
    return time.perf_counter() - began


def _aws(server: Server, *arguments: str) -> None:
    environment = os.environ | {
        "AWS_ENDPOINT_URL": server.url, "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "us-east-1",
    }  # fmt: skip
    command = [sys.executable, "-m", "awscli", *arguments, "--only-show-errors"]
    command = command[:-1] if arguments[1] == "mb" else command
    subprocess.run(command, env=environment, check=True, stdout=subprocess.DEVNULL)
