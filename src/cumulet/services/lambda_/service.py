"""AWS Lambda: functions, their settings and permissions, and their invocations, now and later.

Refused by name: versions, aliases, layers, images, function URLs, event source mappings, destinations, streaming.
"""

import asyncio
import shutil
import weakref
from contextlib import suppress
from pathlib import Path

from cumulet.base.clock import SECOND, Clock
from cumulet.base.ids import Entropy
from cumulet.sandbox.api import Sandbox
from cumulet.sandbox.folders import make_folder, sweep_folders
from cumulet.services.lambda_.code import CodeCache
from cumulet.services.lambda_.events import Events
from cumulet.services.lambda_.functions import Functions
from cumulet.services.lambda_.invoke import Invocation
from cumulet.services.lambda_.invoker import Invoker, Tools
from cumulet.services.lambda_.policy import Settings
from cumulet.services.lambda_.pool import Pool
from cumulet.services.lambda_.settings import LambdaSettings
from cumulet.services.lambda_.shipping import Shipper
from cumulet.store.api import Database
from cumulet.store.blobs import Blobs
from cumulet.store.errors import StoreError
from cumulet.wire.service import Caller, CredentialIssuer

DEFAULTS = LambdaSettings()
SWEEP_EVERY = 3600 * SECOND
REAP = 15
"""Seconds between two looks for idle environments."""


class Lambda(Invocation, Settings):
    """The service."""

    model = "lambda"

    def __init__(
        self,
        database: Database,
        blobs: Blobs,
        clock: Clock,
        entropy: Entropy,
        caller: Caller,
        sandbox: Sandbox,
        issuer: CredentialIssuer,
        endpoint: str,
        settings: LambdaSettings = DEFAULTS,
    ) -> None:
        """`endpoint` is the server's base URL as a function sees it."""
        self.caller = caller
        self.clock = clock
        self.entropy = entropy
        self.settings = settings
        folder = settings.folder or self._temporary()
        self.functions = Functions(database, blobs, clock, entropy, CodeCache(folder, entropy))
        self.pool = Pool(settings, clock)
        self.shipper = Shipper(caller, clock)
        tools = Tools(clock, entropy, sandbox, issuer, endpoint, self.functions.unpacked, settings, self.shipper)
        self.invoker = Invoker(tools, self.pool)
        self.events = Events(database, clock, entropy, self.functions.get, self._run_now, settings.event_workers)
        self._looking = asyncio.Lock()

    async def run(self) -> None:
        """Deliver logs and events, end idle environments; at the end, end all of them."""
        sweep_folders()
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self.shipper.run())
                tasks.create_task(self.events.run())
                tasks.create_task(self._reap())
                tasks.create_task(self._sweep())
        finally:
            await asyncio.shield(self._close())

    async def _close(self) -> None:
        """End every environment, deliver the last of the logs."""
        await self.pool.close()
        await self.shipper.flush()
        self.functions.close()

    def _temporary(self) -> Path:
        """A folder that goes with this service."""
        folder = make_folder("code")
        weakref.finalize(self, shutil.rmtree, folder, ignore_errors=True)
        return folder

    async def _sweep(self) -> None:
        """Remove what crashes left, now and then hourly."""
        while True:
            with suppress(StoreError, OSError):
                await self.functions.sweep()
            await self.clock.sleep_until(self.clock.now() + SWEEP_EVERY)

    async def _reap(self) -> None:
        while True:
            await self.clock.sleep_until(self.clock.now() + REAP * SECOND)
            self.pool.reap()
