"""What functions print, on its way to CloudWatch Logs: collected, sent in batches, never waited for by an invocation.

Groups and streams are made when they are first missing. What logs refuse is dropped: an invocation never fails for want
of its log. While they cannot take anything (the disk is full, the database is away), the latest lines of each stream
wait for them.
"""

import asyncio
from collections import defaultdict
from dataclasses import dataclass

from cumulet.base.clock import SECOND, Clock
from cumulet.base.errors import AwsError
from cumulet.services.lambda_.function import Function
from cumulet.wire.service import Caller

EVERY = 0.2
"""Seconds between two deliveries."""
AFTER_OUTAGE = 1.0
"""Seconds more, while logs cannot take anything."""
MAX_EVENTS = 10_000
MAX_BYTES = 1_000_000
OVERHEAD = 26
"""Bytes that AWS counts for each event beside its text."""


@dataclass(frozen=True, slots=True)
class Stream:
    """A log stream of a function's environment."""

    account: str
    region: str
    group: str
    name: str

    @classmethod
    def of(cls, function: Function, name: str) -> "Stream":
        return cls(function.name.account, function.name.region, function.log_group, name)


type Event = tuple[int, str]
"""Milliseconds and text."""


class Shipper:
    """Collects lines, and delivers them while `run` runs and on `flush`."""

    def __init__(self, caller: Caller, clock: Clock) -> None:
        self._caller = caller
        self._clock = clock
        self._waiting: dict[Stream, list[Event]] = defaultdict(list)
        self._some = asyncio.Event()
        self._sending = asyncio.Lock()

    def put(self, stream: Stream, instant: int, text: str) -> None:
        self._waiting[stream].append((instant // 1000, text or " "))
        self._some.set()

    async def run(self) -> None:
        """Deliver until cancelled."""
        while True:
            await self._some.wait()
            await self._clock.sleep_until(self._clock.now() + int(EVERY * SECOND))
            if not await self.flush():
                await self._clock.sleep_until(self._clock.now() + int(AFTER_OUTAGE * SECOND))

    async def flush(self) -> bool:
        """Deliver what is there now; False where some of it must wait."""
        async with self._sending:
            self._some.clear()
            waiting, self._waiting = self._waiting, defaultdict(list)
            whole = True
            for stream, events in waiting.items():
                left = batches(events)
                while left and await self._send(stream, left[0]):
                    del left[0]
                if left:
                    whole = False
                    self._keep(stream, left)
            return whole

    def _keep(self, stream: Stream, left: list[list[Event]]) -> None:
        events = [event for batch in left for event in batch] + self._waiting[stream]
        self._waiting[stream] = events[-MAX_EVENTS:]
        self._some.set()

    async def _send(self, stream: Stream, batch: list[Event]) -> bool:
        """Deliver one batch; False where logs cannot take it now."""
        if not self._caller.carries_out("logs", "PutLogEvents"):
            return True
        events = [{"timestamp": at, "message": text} for at, text in batch]
        try:
            try:
                await self._call("PutLogEvents", stream, logStreamName=stream.name, logEvents=events)
            except AwsError as error:
                if error.error_code != "ResourceNotFoundException":
                    raise
                await self._make("CreateLogGroup", stream)
                await self._make("CreateLogStream", stream, logStreamName=stream.name)
                await self._call("PutLogEvents", stream, logStreamName=stream.name, logEvents=events)
        except AwsError as error:
            return error.error_code != "ServiceUnavailable"
        return True

    async def _make(self, operation: str, stream: Stream, **input: object) -> None:
        try:
            await self._call(operation, stream, **input)
        except AwsError as error:
            if error.error_code != "ResourceAlreadyExistsException":
                raise

    async def _call(self, operation: str, stream: Stream, **input: object) -> None:
        whole = {"logGroupName": stream.group, **input}
        await self._caller.call("logs", operation, whole, account=stream.account, region=stream.region)


def batches(events: list[Event]) -> list[list[Event]]:
    """`events` in order of time, in lists that PutLogEvents takes."""
    found: list[list[Event]] = []
    size = MAX_BYTES + 1
    for event in sorted(events, key=lambda event: event[0]):
        weight = len(event[1].encode("utf-8", "replace")) + OVERHEAD
        if size + weight > MAX_BYTES or len(found[-1]) >= MAX_EVENTS:
            found.append([])
            size = 0
        found[-1].append(event)
        size += weight
    return found
