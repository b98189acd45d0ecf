"""The table of functions: reading with a cache that other servers' changes empty, writing, and the code's bytes."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from cumulet.base import json
from cumulet.base.clock import SECOND, Clock
from cumulet.base.errors import AwsError
from cumulet.base.ids import Entropy, make_uuid
from cumulet.services.lambda_.code import CodeCache, digest, inspect
from cumulet.services.lambda_.errors import FunctionExists, FunctionNotFound, PreconditionFailedException
from cumulet.services.lambda_.function import KEPT, Config, Function
from cumulet.services.lambda_.names import Name
from cumulet.store import queries
from cumulet.store.api import Database, Row, Transaction
from cumulet.store.blobs import Blobs
from cumulet.store.errors import StorageFull

TOPIC = "lambda-functions"
YOUNG = 6 * 3600
"""Seconds that a package without a row is left alone: its commit may be under way, here or on another server."""
SMALL = 256 * 1024
"""Packages up to this size are unpacked at once; greater ones in a thread, so that nobody waits."""


@dataclass(frozen=True, slots=True)
class Package:
    """A code package that was stored: its bytes for the row, or its blob."""

    sha256: str
    size: int
    body: bytes | None
    blob: str | None

    def values(self) -> dict[str, object]:
        return {
            "code_sha256": self.sha256, "code_size": self.size, "code_body": self.body, "code_blob": self.blob,
        }  # fmt: skip


def key(name: Name) -> dict[str, str]:
    """The primary key, as parameters of a query."""
    return {"account": name.account, "region": name.region, "name": name.name}


class Functions:
    """See the module."""

    def __init__(self, database: Database, blobs: Blobs, clock: Clock, entropy: Entropy, cache: CodeCache) -> None:
        self.database = database
        self._blobs = blobs
        self._clock = clock
        self._entropy = entropy
        self._code = cache
        self._sql = queries.load(__package__)
        self._known: dict[Name, Function] = {}
        self._changes = 0
        self._stop = database.listen(TOPIC, self._changed)

    def close(self) -> None:
        self._stop()

    # reading

    async def get(self, name: Name) -> Function:
        """The function, from memory where nothing changed. Raises `FunctionNotFound`."""
        found = self._known.get(name)
        if found is None:
            before = self._changes
            found = await self.database.read(lambda tx: self.read(tx, name))
            if before == self._changes:  # else what we read may be old already
                self._known[name] = found
        return found

    def _changed(self) -> None:
        """Some function changed, here or on another server."""
        self._changes += 1
        self._known.clear()

    def row(self, tx: Transaction, name: Name) -> Row:
        row = tx.one(self._sql.get_function, **key(name))
        if row is None:
            raise FunctionNotFound(arn=name.arn)
        return row

    def read(self, tx: Transaction, name: Name) -> Function:
        return Function.of(self.row(tx, name))

    async def page(self, account: str, region: str, after: str, limit: int) -> list[Function]:
        rows = await self.database.read(
            lambda tx: tx.all(self._sql.list_functions, account=account, region=region, after=after, limit=limit)
        )
        return [Function.of(row) for row in rows]

    async def blobs(self) -> list[str]:
        """The blobs that functions hold."""
        rows = await self.database.read(lambda tx: tx.all(self._sql.blobs))
        return [row["code_blob"] for row in rows]

    async def sweep(self) -> None:
        """Remove the packages that a crash left without a row, and the drafts of those who unpacked."""
        before = self._clock.now() / SECOND - YOUNG
        if self.database.kind == "sqlite":  # nobody else puts anything: what is older than this server is nobody's
            before = max(before, self._blobs.opened)
        await self._blobs.sweep(await self.blobs(), before)
        await asyncio.to_thread(self._code.sweep, before)

    # writing

    async def create(self, name: Name, config: Config, package: Package, tags: Mapping[str, str]) -> Function:
        now, revision = self._clock.now(), make_uuid(self._entropy)

        def work(tx: Transaction) -> Function:
            if tx.one(self._sql.get_function, **key(name)) is not None:
                raise FunctionExists(name=name.name)
            tx.run(
                self._sql.add_function, **key(name), **package.values(), config=config.dump(), revision=revision,
                now=now, tags=json.dumps(dict(tags)),
            )  # fmt: skip
            tx.wake(TOPIC)
            return self.read(tx, name)

        return await self._write(work, package)

    async def update_config(self, name: Name, revision: str | None, change: Callable[[Config], Config]) -> Function:
        """Change the configuration, unless it is no longer at `revision`."""
        now, fresh = self._clock.now(), make_uuid(self._entropy)

        def work(tx: Transaction) -> Function:
            function = self._expect(tx, name, revision)
            config = change(function.config)
            tx.run(self._sql.update_config, **key(name), config=config.dump(), revision=fresh, now=now)
            tx.wake(TOPIC)
            return self.read(tx, name)

        return await self._write(work)

    async def update_code(
        self, name: Name, revision: str | None, package: Package, change: Callable[[Config], Config]
    ) -> Function:
        now, fresh = self._clock.now(), make_uuid(self._entropy)
        replaced: list[str | None] = []

        def work(tx: Transaction) -> Function:
            function = self._expect(tx, name, revision)
            replaced[:] = [_blob(tx.one(self._sql.get_code, **key(name)))]
            tx.run(
                self._sql.update_code, **key(name), **package.values(), config=change(function.config).dump(),
                revision=fresh, now=now,
            )  # fmt: skip
            tx.wake(TOPIC)
            return self.read(tx, name)

        function = await self._write(work, package)
        await self._forget(replaced)
        return function

    async def delete(self, name: Name) -> None:
        gone: list[str | None] = []

        def work(tx: Transaction) -> None:
            self.row(tx, name)
            gone[:] = [_blob(tx.one(self._sql.get_code, **key(name)))]
            tx.run(self._sql.delete_function, **key(name))
            tx.wake(TOPIC)

        await self._write(work)
        await self._forget(gone)

    async def set(self, name: Name, what: str, values: Callable[[Row], Mapping[str, object]]) -> Row:
        """Run the statement `what` with the values that `values` makes from the present row; the row after it."""
        sql = getattr(self._sql, what)

        def work(tx: Transaction) -> Row:
            tx.run(sql, **key(name), **values(self.row(tx, name)))
            tx.wake(TOPIC)
            return self.row(tx, name)

        return await self._write(work)

    def _expect(self, tx: Transaction, name: Name, revision: str | None) -> Function:
        function = self.read(tx, name)
        if revision is not None and revision != function.revision:
            raise PreconditionFailedException
        return function

    async def _write[T](self, work: Callable[[Transaction], T], package: Package | None = None) -> T:
        """Write; what was remembered is forgotten, and the blob of a package that surely found no place is removed."""
        try:
            return await self.database.write(work)
        except (AwsError, StorageFull):  # after any other end the commit may have come: the blob stays
            await self._forget([package.blob] if package is not None else [])
            raise
        finally:
            self._changed()

    async def _forget(self, blobs: list[str | None]) -> None:
        for blob in blobs:
            if blob is not None:
                await self._blobs.delete(blob)

    # code

    async def store(self, data: bytes) -> Package:
        """Check a code package, unpack it, and keep it durably; nothing refers to it yet."""
        inspect(data)
        await self._unpack(data)
        sha256 = digest(data)
        if len(data) <= KEPT:
            return Package(sha256, len(data), data, None)
        return Package(sha256, len(data), None, await self._blobs.put(_once(data)))

    async def package_of(self, name: Name) -> bytes:
        """The code package."""
        row = await self.database.read(lambda tx: tx.one(self._sql.get_code, **key(name)))
        if row is None:
            raise FunctionNotFound(arn=name.arn)
        if row["code_body"] is not None:
            return bytes(row["code_body"])
        return b"".join([piece async for piece in self._blobs.get(row["code_blob"])])

    async def unpacked(self, function: Function) -> Path:
        """The folder of the function's code."""
        if not self._code.has(function.code_sha256):
            await self._unpack(await self.package_of(function.name))
        return self._code.path(function.code_sha256)

    async def _unpack(self, data: bytes) -> None:
        if len(data) <= SMALL:
            self._code.unpack(data)
        else:
            await asyncio.to_thread(self._code.unpack, data)


def _blob(row: Row | None) -> str | None:
    return row["code_blob"] if row is not None else None


async def _once(data: bytes) -> AsyncIterator[bytes]:
    yield data
