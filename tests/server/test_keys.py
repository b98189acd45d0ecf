"""Keys that this installation issued, and knows again."""

import random

import pytest

from cumulet.base.clock import SECOND, JumpClock
from cumulet.server.keys import TOPIC, Keys
from cumulet.store.sqlite import SQLite


async def opened(database, seed=0):
    return await Keys.open(database, JumpClock(), random.Random(seed).randbytes)


async def test_the_root_pair_is_made_once(database):
    first, second = await opened(database), await opened(database, seed=1)
    assert first.root == second.root
    assert first.root.access_key.startswith("AKIA")
    assert len(first.root.access_key) == 20
    assert len(first.root.secret_key) == 40
    known = await second.find(first.root.access_key)
    assert (known.secret, known.principal.arn) == (first.root.secret_key, "arn:aws:iam::000000000000:root")


async def test_two_installations_have_nothing_in_common(database):
    other = await SQLite.open(":memory:")
    one, two = await opened(database), await opened(other, seed=1)
    issued = await one.issue("111122223333", "arn:x", 60)
    assert two.unseal(issued.access_key, issued.session_token) is None
    assert await two.find(one.root.access_key) is None
    await other.close()


async def test_a_session_is_known_to_every_server_on_the_database(database):
    one, two = await opened(database), await opened(database, seed=1)
    issued = await one.issue("111122223333", "arn:aws:sts::111122223333:assumed-role/r/s", 60, principal_id="AROA:s")
    known = two.unseal(issued.access_key, issued.session_token)
    assert known.secret == issued.secret_key
    assert known.expires_at == issued.expires_at == JumpClock().now() + 60 * SECOND
    principal = known.principal
    assert (principal.account, principal.id, principal.access_key) == ("111122223333", "AROA:s", issued.access_key)
    assert issued.access_key.startswith("ASIA")


@pytest.mark.parametrize("token", ["", "abc", "!!!", "AAAA" * 40])
async def test_no_token_of_ours(database, token):
    keys = await opened(database)
    assert keys.unseal("ASIAX", token) is None


async def test_a_changed_token(database):
    keys = await opened(database)
    issued = await keys.issue("111122223333", "arn:x", 60)
    for at in (0, 20, 30, len(issued.session_token) - 8):
        letter = "A" if issued.session_token[at] != "A" else "B"
        changed = issued.session_token[:at] + letter + issued.session_token[at + 1 :]
        assert keys.unseal(issued.access_key, changed) is None
    assert keys.unseal("ASIAOTHER", issued.session_token) is None


async def test_what_is_remembered_is_forgotten_when_the_table_changes(database):
    keys = await opened(database)
    assert await keys.find("AKIANEW") is None

    def add(tx):
        values = {
            "id": "AKIANEW",
            "secret": "s",
            "account": "1",
            "arn": "arn:u",
            "principal_id": "AIDA",
            "created_at": 0,
        }
        tx.run(
            "INSERT INTO access_keys (id, secret, account, principal_arn, principal_id, created_at)"
            " VALUES (:id, :secret, :account, :arn, :principal_id, :created_at)",
            **values,
        )
        tx.wake(TOPIC)

    await database.write(add)
    known = await keys.find("AKIANEW")
    assert (known.secret, known.principal.arn, known.expires_at) == ("s", "arn:u", None)
    keys.close()


async def test_the_memory_is_bounded(database, monkeypatch):
    monkeypatch.setattr("cumulet.server.keys.REMEMBERED", 2)
    keys = await opened(database)
    for name in "abcde":
        assert await keys.find(name) is None
    assert (await keys.find(keys.root.access_key)).secret == keys.root.secret_key
