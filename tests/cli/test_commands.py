"""The command line, in this process."""

import json
import os
import subprocess
import sys

import pytest

from cumulet.base.errors import CumuletError
from cumulet.cli import doctor
from cumulet.cli.main import COMMANDS, main
from cumulet.server.config import KEY_FILE


def test_every_command_is_listed_with_its_help(capsys):
    with pytest.raises(SystemExit) as caught:
        main(["--help"])
    out = capsys.readouterr().out
    assert caught.value.code == 0
    for name, (_, text) in COMMANDS.items():
        assert name in out
        assert text in out
    assert "exit codes:" in out


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help(name, capsys):
    with pytest.raises(SystemExit) as caught:
        main([name, "--help"])
    assert caught.value.code == 0
    assert "exit codes:" in capsys.readouterr().out


@pytest.mark.parametrize(
    "line", [[], ["dance"], ["up", "--dance"], ["up", "--data", "x", "--ephemeral"], ["up", "--limits", "none"]]
)
def test_a_wrong_command_line(line, capsys):
    with pytest.raises(SystemExit) as caught:
        main(line)
    captured = capsys.readouterr()
    assert caught.value.code == 2
    assert captured.out == ""
    assert "usage:" in captured.err


def test_version(capsys):
    assert main(["version"]) == 0
    plain = capsys.readouterr().out
    assert main(["version", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert plain == f"cumulet {found['cumulet']}\n"


def test_keys(tmp_path, capsys):
    (tmp_path / KEY_FILE).write_text('{"AccessKeyId": "AKIA", "SecretAccessKey": "s/1"}')
    assert main(["keys", "--data", str(tmp_path)]) == 0
    assert capsys.readouterr().out == "AWS_ACCESS_KEY_ID=AKIA\nAWS_SECRET_ACCESS_KEY=s/1\n"
    assert main(["keys", "--data", str(tmp_path), "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"AccessKeyId": "AKIA", "SecretAccessKey": "s/1"}


@pytest.mark.parametrize("content", [None, "{"])
def test_no_keys(tmp_path, capsys, content):
    if content is not None:
        (tmp_path / KEY_FILE).write_text(content)
    assert main(["keys", "--data", str(tmp_path)]) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("cumulet: ")
    assert captured.err.splitlines()[-1].startswith("hint: ")


def test_doctor_names_what_is_there(tmp_path, capsys):
    assert main(["doctor", "--data", str(tmp_path), "--json"]) == 0
    found = {finding["name"]: finding for finding in json.loads(capsys.readouterr().out)}
    assert {"bubblewrap", "pythons", "node", "git", "postgresql", "disk", "data folder"} <= found.keys()
    assert found["data folder"]["present"]
    for finding in found.values():
        assert finding["seen"]
        assert finding["cost"] or finding["name"] == "python"


def test_doctor_in_words_tells_what_a_lack_costs(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    main(["doctor", "--data", str(tmp_path)])
    out = capsys.readouterr().out
    assert "--  git" in out
    assert "without it: functions in Node.js cannot run" in out
    assert "none: functions run as plain processes" in out


def test_doctor_fails_where_nothing_can_run(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(doctor.os, "access", lambda *_: False)
    assert main(["doctor", "--data", str(tmp_path / "a" / "b")]) == 1
    assert "cannot be written" in capsys.readouterr().out


@pytest.mark.parametrize(
    "line, words",
    [
        (["--host", "0.0.0.0"], "hint: add --auth"),
        (["--database", "mysql://x"], "hint: postgresql://"),
        (["--port", "70000"], "hint: is another Cumulet running?"),
    ],
)
def test_up_refuses(tmp_path, capsys, line, words):
    assert main(["up", "--data", str(tmp_path / "data"), *line]) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert words in captured.err
    assert not (tmp_path / "data").exists()


def test_errors_and_interrupts_have_codes_of_their_own(monkeypatch, capsys):
    def fail(_):
        raise CumuletError("no\nhint: yes")

    def interrupt(_):
        raise KeyboardInterrupt

    monkeypatch.setattr("cumulet.cli.version.main", fail)
    assert main(["version"]) == 1
    assert capsys.readouterr().err == "cumulet: no\nhint: yes\n"
    monkeypatch.setattr("cumulet.cli.version.main", interrupt)
    assert main(["version"]) == 130


def test_only_the_chosen_command_is_imported():
    code = "import sys; from cumulet.cli.main import main; main(['version']); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env={**os.environ})
    loaded = set(done.stdout.split())
    assert "cumulet.cli.version" in loaded
    assert not {"cumulet.cli.up", "cumulet.server.serve", "uvicorn", "botocore", "asyncio"} & loaded
