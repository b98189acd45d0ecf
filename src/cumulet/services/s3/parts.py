"""What the parts of the S3 service share: their tools, and the few steps that most operations take.

The steps within a transaction take `tx`. What a transaction leaves without a row is deleted after its commit.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from cumulet.base.clock import Clock
from cumulet.base.errors import AwsError
from cumulet.base.ids import Entropy, make_hex
from cumulet.services.s3.bodies import Bodies, Body, Permit
from cumulet.services.s3.conditions import check_overwrite
from cumulet.services.s3.digests import Meter, Promise
from cumulet.services.s3.errors import AccessDenied, NoSuchBucket, NoSuchKey
from cumulet.services.s3.records import Bucket, Piece, Stored
from cumulet.store import queries
from cumulet.store.api import Database, Transaction
from cumulet.store.blobs import Blobs
from cumulet.store.errors import StorageFull
from cumulet.wire.service import Call, Service

type Input = Mapping[str, Any]


class Parts(Service):
    """Base of the parts: each part is one subject's operations."""

    def __init__(self, database: Database, blobs: Blobs, clock: Clock, entropy: Entropy) -> None:
        self._database = database
        self._blobs = blobs.within("s3")
        self._bodies = Bodies(self._blobs)
        self._clock = clock
        self._entropy = entropy
        self._sql = queries.load(__package__)

    # Steps within a transaction.

    def _bucket(self, tx: Transaction, call: Call, input: Input) -> Bucket:
        """The bucket that the call means, if the caller may use it."""
        return self._bucket_named(tx, call, input["Bucket"], input.get("ExpectedBucketOwner"))

    def _bucket_named(self, tx: Transaction, call: Call, name: str, owner: str | None = None) -> Bucket:
        row = tx.one(self._sql.bucket, name=name)
        if row is None:
            raise NoSuchBucket(BucketName=name)
        bucket = Bucket.of(row)
        if bucket.account != call.account or owner not in (None, bucket.account):
            raise AccessDenied
        return bucket

    def _object(self, tx: Transaction, bucket: str, key: bytes, *, lock: bool = False) -> Stored:
        row = tx.one(self._sql.lock_object if lock else self._sql.object, bucket=bucket, key=key)
        if row is None:
            raise NoSuchKey(Key=key.decode())
        return Stored.of(row)

    def _pieces(self, tx: Transaction, content: str) -> list[Piece]:
        return [Piece.of(row) for row in tx.all(self._sql.pieces, content=content)]

    def _add_pieces(self, tx: Transaction, content: str, pieces: Iterable[Piece], part: int = 0) -> None:
        for number, piece in enumerate(pieces):
            tx.run(
                self._sql.add_piece,
                content=content,
                part=part,
                number=number,
                size=piece.size,
                blob=piece.blob,
                start=piece.start,
                body=piece.body,
            )

    def _place(
        self, tx: Transaction, bucket: str, new: Stored, if_match: str | None = None, if_none_match: str | None = None
    ) -> None:
        """Put the row of `new`; the object that it replaces, if its writer allows it, is forgotten."""
        key = new.key.decode()
        while True:
            if if_match is None and tx.run(self._sql.add_object, bucket=bucket, **new.columns):
                return
            row = tx.one(self._sql.lock_object, bucket=bucket, key=new.key)
            check_overwrite(if_match, if_none_match, key, None if row is None else row["etag"])
            if row is not None:
                tx.run(self._sql.replace_object, bucket=bucket, **new.columns)
                self._forget(tx, row["content"], row["parts"])
                return

    def _forget(self, tx: Transaction, content: str, parts: int) -> None:
        """Remove a content that no object has any more."""
        lost = tx.all(self._sql.drop_pieces, content=content)
        if parts:
            tx.run(self._sql.drop_parts, content=content)
            tx.run(self._sql.drop_upload, id=content)
        self._doom(tx, [row["blob"] for row in lost if row["blob"] is not None])

    def _doom(self, tx: Transaction, blobs: Sequence[str]) -> None:
        """After the commit, delete those of `blobs` that no row names."""
        lost = [blob for blob in blobs if tx.one(self._sql.any_piece_of, blob=blob) is None]
        if lost:
            tx.after_commit(lambda: self._bodies.doom(lost))

    # Steps around transactions.

    async def _take(
        self, body: Body, promise: Promise, also: str | None = None, permit: Permit | None = None
    ) -> tuple[Meter, Piece]:
        """Receive a body and hold it to its promise. What does not keep it leaves nothing."""
        meter = Meter(*dict.fromkeys((promise.algorithm, also or promise.algorithm)))
        piece = await self._bodies.take(body, meter, permit)
        try:
            promise.keep(meter)
        except BaseException:
            await self._bodies.withdraw(piece)
            raise
        return meter, piece

    async def _commit[T](self, work: Callable[[Transaction], T], *taken: Piece) -> T:
        """Write. Blobs of `taken` go where `work` was certainly not committed; in doubt they are left to the sweep."""
        try:
            answer = await self._database.write(work)
        except (AwsError, StorageFull):
            for piece in taken:
                await self._bodies.withdraw(piece)
            raise
        await self._bodies.clear()
        return answer

    def _new_content(self) -> str:
        """A name for some bytes; later ones sort later, which keeps the index dense."""
        return f"{self._clock.now():014x}{make_hex(self._entropy, 8)}"
