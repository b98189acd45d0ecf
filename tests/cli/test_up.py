"""`cumulet up` as people run it: a process, its two outputs, its signals."""

import json
import signal
import socket
import stat
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

pytestmark = pytest.mark.real


class Up:
    """A running `cumulet up`."""

    def __init__(self, *line: str) -> None:
        command = [sys.executable, "-m", "cumulet", "up", "--port", "0", *line]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        ready = self.process.stdout.readline()
        assert ready.startswith("Ready. http://127.0.0.1:"), self.process.stderr.read()
        self.endpoint = ready.split()[1]

    def __enter__(self):
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate()

    def get(self, path: str):
        with urllib.request.urlopen(self.endpoint + path) as answer:
            return json.load(answer)

    def end(self, number: int) -> tuple[int, str, str]:
        self.process.send_signal(number)
        out, err = self.process.communicate(timeout=60)
        return self.process.returncode, out, err


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_serves_until_it_is_told_to_stop(tmp_path, number):
    with Up("--data", str(tmp_path)) as up:
        health = up.get("/_cumulet/health")
        assert set(health["services"]) == {"iam", "sts", "logs", "s3", "lambda", "stepfunctions"}
        code, out, err = up.end(number)
        assert (code, out) == (0, "")
        assert f"data: {tmp_path}" in err
        assert "isolation of functions:" in err
        assert "Traceback" not in err
    assert stat.S_IMODE((tmp_path / "root-key.json").stat().st_mode) == 0o600


def test_ephemeral_leaves_nothing():
    with Up("--ephemeral") as up:
        _, _, err = up.end(signal.SIGINT)
    folder = Path(err.partition("data: ")[2].partition(" (removed")[0])
    assert folder.name.startswith("cumulet-")
    assert not folder.exists()


def test_a_second_interrupt_ends_at_once(tmp_path):
    with Up("--data", str(tmp_path)) as up:
        port = int(up.endpoint.rpartition(":")[2])
        with socket.create_connection(("127.0.0.1", port)) as open_:
            head = b"PUT /bucket/key HTTP/1.1\r\nHost: h\r\nContent-Length: 1000000\r\n\r\nabc"
            open_.sendall(b"GET /_cumulet/health HTTP/1.1\r\nHost: h\r\n\r\n" + head)
            assert open_.recv(12) == b"HTTP/1.1 200"
            up.process.send_signal(signal.SIGINT)
            assert any(line.startswith("Stopping: finishing") for line in up.process.stderr)
            assert up.end(signal.SIGINT)[0] == 130


def test_a_second_server_on_the_folder_is_told_so(tmp_path):
    with Up("--data", str(tmp_path)):
        command = [sys.executable, "-m", "cumulet", "up", "--port", "0", "--data", str(tmp_path)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert "in use by another Cumulet" in done.stderr
    assert done.stderr.splitlines()[-1].startswith("hint: ")
