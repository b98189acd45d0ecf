"""A server's beginning and end."""

import asyncio
import json
import os
import signal
import stat

import boto3
import pytest
from tests.server.fakes import Machines
from tests.server.running import Server, Wire

from cumulet.base.errors import CumuletError
from cumulet.server.config import KEY_FILE, BadConfig, Config, default_data, is_loopback
from cumulet.server.serve import CannotListen, serve, stopping
from cumulet.store.errors import InUse

WAIT = b'{"stateMachineArn": "arn:aws:states:us-east-1:000000000000:stateMachine:wait"}'


def describe(body: bytes) -> bytes:
    return (
        b"POST / HTTP/1.1\r\nHost: h\r\nX-Amz-Target: AWSStepFunctions.DescribeStateMachine\r\nContent-Length: %d\r\n\r\n%s"
        % (
            len(body),
            body,
        )
    )


def test_it_tells_its_address_and_keeps_its_key(tmp_path):
    with Server(tmp_path / "new" / "data") as server:
        assert server.endpoint == f"http://127.0.0.1:{server.port}"
        path = tmp_path / "new" / "data" / KEY_FILE
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
        first = json.loads(path.read_text())
        assert first == {
            "AccessKeyId": server.running.root.access_key,
            "SecretAccessKey": server.running.root.secret_key,
        }
    path.unlink()
    with Server(tmp_path / "new" / "data"):
        assert json.loads(path.read_text()) == first


def test_a_second_server_on_the_folder_is_refused(tmp_path):
    with Server(tmp_path), pytest.raises(InUse, match="in use by another Cumulet"), Server(tmp_path):
        pass


def test_a_taken_port_is_refused_before_anything_is_opened(tmp_path):
    with Server(tmp_path / "one") as server:
        config = Config(data=tmp_path / "two", port=server.port)
        with pytest.raises(CannotListen, match="hint:"):
            asyncio.run(serve(config, print, asyncio.Event(), []))
    assert not (tmp_path / "two").exists()


@pytest.mark.parametrize("port", [-1, 70_000])
def test_no_port(tmp_path, port):
    with pytest.raises(CannotListen):
        asyncio.run(serve(Config(data=tmp_path, port=port), print, asyncio.Event(), []))


def test_a_folder_that_cannot_be(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(CumuletError, match="hint: give another --data"), Server(tmp_path / "file" / "below"):
        pass


def test_open_requests_are_finished_at_the_end_and_new_ones_still_answered(tmp_path):
    with Server(tmp_path) as server, Wire(server.port) as open_, Wire(server.port) as other:
        open_.send(describe(WAIT))
        server.on_loop(server.machines.entered.wait())
        server.stop()
        server.wait_for(server.stop_event.is_set)
        other.send(describe(WAIT.replace(b"wait", b"x")))
        assert other.answer()[0] == 400
        server.loop.call_soon_threadsafe(server.machines.gate.set)
        status, _, body = open_.answer()
        assert (status, b"StateMachineDoesNotExist" in body) == (400, True)


def test_idle_connections_do_not_hold_it_up(tmp_path):
    with Server(tmp_path) as server, Wire(server.port) as idle:
        idle.send(describe(b"{}"))
        assert idle.answer()[0] == 400
        server.stop()
        assert idle.closed()


def test_a_worker_that_fails_ends_the_server(tmp_path):
    class Broken(Machines):
        async def run(self):
            raise OSError("broken")

    async def main():
        await serve(Config(data=tmp_path, port=0), lambda _: None, asyncio.Event(), [lambda _: Broken()])

    with pytest.raises(ExceptionGroup) as caught:
        asyncio.run(main())
    assert caught.group_contains(OSError, match="broken")


async def test_signals():
    heard = []
    async with stopping(lambda: heard.append("begun"), lambda: heard.append("at once")) as stop:
        os.kill(os.getpid(), signal.SIGTERM)
        await stop.wait()
        assert heard == ["begun"]
        os.kill(os.getpid(), signal.SIGINT)
        while len(heard) < 2:
            await asyncio.sleep(0)
        assert heard == ["begun", "at once"]


# Configuration


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.2", "example.com", ""])
def test_beyond_loopback_it_wants_auth(tmp_path, host):
    with pytest.raises(BadConfig, match="hint: add --auth"):
        Config(data=tmp_path, host=host).check()
    Config(data=tmp_path, host=host, auth=True).check()


@pytest.mark.parametrize("host", ["127.0.0.1", "127.1.2.3", "localhost", "::1"])
def test_loopback(host):
    assert is_loopback(host)


def test_it_does_not_start_so(tmp_path):
    with pytest.raises(BadConfig):
        asyncio.run(serve(Config(data=tmp_path / "x", host="0.0.0.0", port=0), print, asyncio.Event(), []))
    assert not (tmp_path / "x").exists()


@pytest.mark.parametrize("dsn", ["mysql://x", "file.db"])
def test_no_address_of_postgresql(tmp_path, dsn):
    with pytest.raises(BadConfig, match="hint: postgresql://"):
        Config(data=tmp_path, database=dsn).check()


def test_where_data_lives(tmp_path):
    assert default_data({"XDG_DATA_HOME": str(tmp_path)}) == tmp_path / "cumulet"
    assert str(default_data({})).endswith("/.local/share/cumulet")
    assert str(default_data({"XDG_DATA_HOME": "relative"})).endswith("/.local/share/cumulet")


def test_strict_through_the_socket(tmp_path):
    with Server(tmp_path, auth=True) as server, Wire(server.port) as wire:
        wire.send(describe(b"{}"))
        status, _, body = wire.answer()
        assert (status, b"MissingAuthenticationTokenException" in body) == (400, True)


def test_two_servers_on_one_postgresql_share_their_keys(tmp_path, postgres_dsn):
    options = {"database": postgres_dsn, "auth": True}
    with Server(tmp_path / "one", **options) as one, Server(tmp_path / "two", **options) as two:
        assert one.running.root == two.running.root
        for server in (one, two):
            client = boto3.client(
                "sts",
                endpoint_url=server.endpoint,
                region_name="us-east-1",
                aws_access_key_id=one.running.root.access_key,
                aws_secret_access_key=one.running.root.secret_key,
            )
            assert client.get_caller_identity()["Arn"] == "arn:aws:iam::000000000000:root"
            client.close()
