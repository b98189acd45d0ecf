"""Amazon S3: buckets, objects, multipart uploads.

Operations are methods of the parts, one subject each. Bodies are streamed and never whole in memory; an answer comes
after the durable commit. Not carried out yet, and refused by name: versioning, policies, ACLs that grant something,
customer and KMS keys, object lock, lifecycle, notifications, replication, website hosting, archives.
"""

from contextlib import suppress

from cumulet.base.clock import SECOND
from cumulet.services.s3.buckets import Buckets
from cumulet.services.s3.completing import Completing
from cumulet.services.s3.configuration import Configuration
from cumulet.services.s3.lists import Lists
from cumulet.services.s3.reading import Reading
from cumulet.services.s3.tagging import Tagging
from cumulet.services.s3.upload_parts import UploadParts
from cumulet.services.s3.writing import Writing
from cumulet.store.errors import StoreError

SWEEP_EVERY = 3600 * SECOND
YOUNG = 6 * 3600
"""Seconds that a blob without a row is left alone: its commit may be under way, here or on another server."""


class S3(Buckets, Configuration, Reading, Writing, Lists, Tagging, UploadParts, Completing):
    """S3."""

    model = "s3"

    async def run(self) -> None:
        """Remove what crashes left: blobs that no row names, at the start and then hourly."""
        while True:
            with suppress(StoreError, OSError):
                await self._sweep()
            await self._clock.sleep_until(self._clock.now() + SWEEP_EVERY)

    async def _sweep(self) -> None:
        before = self._clock.now() / SECOND - YOUNG
        if self._database.kind == "sqlite":  # nobody else puts anything: what is older than this server is nobody's
            before = max(before, self._blobs.opened)
        known = await self._database.read(lambda tx: {row["blob"] for row in tx.all(self._sql.blobs)})
        await self._blobs.sweep(known, before)
