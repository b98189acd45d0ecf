"""The access keys that this installation issued: the root pair, kept in the database, and temporary credentials.

Temporary credentials are not stored. Their session token says whose they are and until when, sealed with the
installation's master secret, and the secret key is derived from the same; so issuing costs no write, and every server
on the same database knows them. They cannot be taken back before they expire, as in AWS.
"""

import hmac
from base64 import b64decode, b64encode
from binascii import Error as NotBase64
from dataclasses import dataclass
from typing import Self

from cumulet.base import json
from cumulet.base.clock import SECOND, Clock
from cumulet.base.ids import Entropy, make_aws_id
from cumulet.store.api import Database, Row, Transaction
from cumulet.wire.service import Credentials, Principal

ACCOUNT = "000000000000"
"""Whose everything is unless the caller says otherwise."""

TOPIC = "access_keys"
"""Woken by whoever changes the table: what was remembered of it is forgotten."""

REMEMBERED = 4096
SEAL = 16

_ROOT = """SELECT k.id, k.secret, m.value AS master FROM server_secrets r
    JOIN access_keys k ON k.id = r.value JOIN server_secrets m ON m.name = 'master'
    WHERE r.name = 'root_key'"""
_KEEP_SECRET = "INSERT INTO server_secrets (name, value) VALUES (:name, :value) ON CONFLICT (name) DO NOTHING"  # noqa: S105
_KEEP_KEY = """INSERT INTO access_keys (id, secret, account, principal_arn, principal_id, created_at)
    VALUES (:id, :secret, :account, :arn, :principal_id, :created_at)"""
_FIND = "SELECT id, secret, account, principal_arn, principal_id FROM access_keys WHERE id = :id"


@dataclass(frozen=True, slots=True)
class KeyPair:
    """A long-lived access key."""

    access_key: str
    secret_key: str


@dataclass(frozen=True, slots=True)
class Known:
    """A key that we issued: its secret and whose it is. `expires_at` in microseconds, None for a long-lived one."""

    secret: str
    principal: Principal
    expires_at: int | None = None


class Keys:
    """Issues credentials and knows them again. A `CredentialIssuer`. Made by `open`."""

    def __init__(self, database: Database, clock: Clock, entropy: Entropy, root: KeyPair, master: bytes) -> None:
        self.root = root
        self._database = database
        self._clock = clock
        self._entropy = entropy
        self._master = master
        self._remembered: dict[str, Known | None] = {}
        self._deaf = database.listen(TOPIC, self._remembered.clear)

    @classmethod
    async def open(cls, database: Database, clock: Clock, entropy: Entropy) -> Self:
        """Read the installation's own secrets; make them at the first start."""
        row = await database.read(lambda tx: tx.one(_ROOT))
        if row is None:
            row = await database.write(lambda tx: _begin(tx, clock.now(), entropy))
        return cls(database, clock, entropy, KeyPair(row["id"], row["secret"]), bytes.fromhex(row["master"]))

    async def issue(self, account: str, principal_arn: str, ttl: float, *, principal_id: str = "") -> Credentials:
        """Credentials good for `ttl` seconds, for whoever `principal_arn` names in `account`."""
        key = make_aws_id("ASIA", self._entropy, 16)
        expires_at = self._clock.now() + int(ttl * SECOND)
        claims = json.dumps([key, account, principal_arn, principal_id, expires_at]).encode()
        token = b64encode(self._seal(claims) + claims).decode()
        return Credentials(key, self._secret_of(key), token, expires_at)

    async def find(self, access_key: str) -> Known | None:
        """A long-lived key that we issued."""
        if access_key not in self._remembered:
            row = await self._database.read(lambda tx: tx.one(_FIND, id=access_key))
            if len(self._remembered) >= REMEMBERED:
                self._remembered.clear()
            self._remembered[access_key] = None if row is None else _known(row)
        return self._remembered[access_key]

    def unseal(self, access_key: str, token: str) -> Known | None:
        """The temporary credentials that `token` belongs to; None where it is not ours, or of another key."""
        try:
            sealed = b64decode(token, validate=True)
        except (NotBase64, ValueError):
            return None
        claims = sealed[SEAL:]
        if not hmac.compare_digest(self._seal(claims), sealed[:SEAL]):
            return None
        key, account, arn, principal_id, expires_at = json.loads(claims)
        if key != access_key:
            return None
        return Known(self._secret_of(key), Principal(account, arn, principal_id or key, key), expires_at)

    def close(self) -> None:
        """Stop listening."""
        self._deaf()

    def _seal(self, claims: bytes) -> bytes:
        return hmac.digest(self._master, b"token" + claims, "sha256")[:SEAL]

    def _secret_of(self, key: str) -> str:
        return _printable(hmac.digest(self._master, b"secret" + key.encode(), "sha256"))


def root_of(account: str, access_key: str = "") -> Principal:
    """The root user of an account."""
    return Principal(account, f"arn:aws:iam::{account}:root", account, access_key)


def _begin(tx: Transaction, now: int, entropy: Entropy) -> Row:
    """Make the master secret and the root pair, unless another server has just done so."""
    key = make_aws_id("AKIA", entropy, 16)
    tx.run(_KEEP_SECRET, name="master", value=entropy(32).hex())
    if tx.run(_KEEP_SECRET, name="root_key", value=key):
        root = root_of(ACCOUNT)
        secret = _printable(entropy(30))
        values = {"account": ACCOUNT, "arn": root.arn, "principal_id": root.id, "created_at": now}
        tx.run(_KEEP_KEY, id=key, secret=secret, **values)
    row = tx.one(_ROOT)
    assert row is not None
    return row


def _known(row: Row) -> Known:
    principal = Principal(row["account"], row["principal_arn"], row["principal_id"], row["id"])
    return Known(row["secret"], principal)


def _printable(raw: bytes) -> str:
    """Forty letters, digits, pluses and slashes: what AWS's secret keys look like."""
    return b64encode(raw[:30]).decode()
