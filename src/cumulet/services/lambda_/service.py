"""AWS Lambda: functions, their settings and permissions, and their invocations, now and later.

Refused by name: versions, aliases, layers, images, function URLs, event source mappings, destinations, streaming.
"""

import asyncio
from collections.abc import Callable

from cumulet.base.clock import SECOND, Clock
from cumulet.base.ids import Entropy
from cumulet.sandbox.api import Sandbox
from cumulet.services.lambda_.code import CodeCache
from cumulet.services.lambda_.functions import Functions
from cumulet.services.lambda_.invoke import Invocation
from cumulet.services.lambda_.invoker import Invoker, Tools
from cumulet.services.lambda_.pool import Pool
from cumulet.services.lambda_.settings import LambdaSettings
from cumulet.services.lambda_.shipping import Shipper
from cumulet.store.api import Database
from cumulet.store.blobs import Blobs
from cumulet.wire.service import Caller, CredentialIssuer

REAP = 15
"""Seconds between two looks for idle environments."""


class Lambda(Invocation):
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
        endpoint: Callable[[], str],
        settings: LambdaSettings,
    ) -> None:
        self.caller = caller
        self.settings = settings
        self.functions = Functions(database, blobs, clock, entropy, CodeCache(settings.folder, entropy))
        self.pool = Pool(settings, clock)
        self.shipper = Shipper(caller, clock)
        tools = Tools(clock, entropy, sandbox, issuer, endpoint, self.functions.unpacked, settings, self.shipper)
        self.invoker = Invoker(tools, self.pool)
        self._clock = clock
        self._looking = asyncio.Lock()

    async def run(self) -> None:
        """Deliver logs and events, end idle environments; at the end, end all of them."""
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self.shipper.run())
                tasks.create_task(self._reap())
        finally:
            await asyncio.shield(self.close())

    async def close(self) -> None:
        """End every environment, deliver the last of the logs."""
        await self.pool.close()
        await self.shipper.flush()
        self.functions.close()

    async def _reap(self) -> None:
        while True:
            await self._clock.sleep_until(self._clock.now() + REAP * SECOND)
            self.pool.reap()
