"""Asynchronous invocations: durable before the 202, handed over soon, tried again as AWS does, across restarts.

    accepted -> claimed -> done
                        -> failed: again after one minute, then after two, then given up
                        -> throttled: again after 1 s, 2 s, 4 s ... 5 min, for as long as the event is young enough

A claim is a lease: a server that dies lets it lapse, and another (or the same, started again) takes the event up, so an
event may be handed over more than once, as in AWS. This is a table of its own and no machine of the engine: an event
needs no history, and when it is due again depends on the function's settings and limits at that moment.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from cumulet.base.clock import SECOND, Clock
from cumulet.base.ids import Entropy, make_hex
from cumulet.engine.outage import persist
from cumulet.services.lambda_.errors import ResourceNotFoundException, TooManyRequestsException
from cumulet.services.lambda_.function import Function
from cumulet.services.lambda_.invoker import Done
from cumulet.services.lambda_.names import Name
from cumulet.store import queries
from cumulet.store.api import Database, Row, Transaction
from cumulet.store.errors import StoreError

TOPIC = "lambda-events"
LEASE = 60 * SECOND
RENEW = 20 * SECOND
RETRY_AFTER = (60 * SECOND, 120 * SECOND)
LONGEST_PAUSE = 300 * SECOND
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Event:
    """An event that this server has claimed."""

    id: str
    name: Name
    payload: bytes
    context: str
    accepted: int
    attempts: int
    throttles: int

    @classmethod
    def of(cls, row: Row) -> "Event":
        return cls(
            id=row["id"],
            name=Name(row["account"], row["region"], row["name"]),
            payload=bytes(row["payload"]),
            context=row["context"],
            accepted=row["accepted_at"],
            attempts=row["attempts"],
            throttles=row["throttles"],
        )


type Run = Callable[[Function, str, bytes, str], Awaitable[Done]]
"""Carries out one invocation; raises `TooManyRequestsException` when it is throttled."""


class Events:
    """The queue of one server, and its workers."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        entropy: Entropy,
        find: Callable[[Name], Awaitable[Function]],
        invoke: Run,
        workers: int,
    ) -> None:
        self._database = database
        self._clock = clock
        self._owner = make_hex(entropy, 8)
        self._find = find
        self._invoke = invoke
        self._free = workers
        self._open: set[str] = set()
        self._wake = asyncio.Event()
        self._sql = queries.load(__package__)

    async def add(self, function: Function, id: str, payload: bytes, context: str) -> None:
        """Keep an event; durable on return."""
        name, now = function.name, self._clock.now()

        def work(tx: Transaction) -> None:
            tx.run(
                self._sql.add_event, id=id, account=name.account, region=name.region, name=name.name,
                payload=payload, context=context, now=now,
            )  # fmt: skip
            tx.wake(TOPIC)

        await self._database.write(work)

    async def run(self) -> None:
        """Hand events over until cancelled; what is in hand then is left for the next server."""
        stop = self._database.listen(TOPIC, self._wake.set)
        if self._database.kind == "sqlite":  # nobody else can hold a claim
            await self._write(lambda tx: tx.run(self._sql.release_claims, now=self._clock.now()))
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._renew())
                while True:
                    self._wake.clear()
                    for event in await self._claim():
                        tasks.create_task(self._handle(event))
                    await self._pause()
        finally:
            stop()
            await asyncio.shield(self._release())

    async def _claim(self) -> list[Event]:
        """Take as many due events as there are free hands."""
        now, limit = self._clock.now(), self._free
        if not limit:
            return []

        def work(tx: Transaction) -> list[Event]:
            rows = tx.all(self._sql.due_events, now=now, limit=limit)
            values = {"owner": self._owner, "now": now, "until": now + LEASE}
            return [Event.of(row) for row in rows if tx.run(self._sql.claim_event, id=row["id"], **values)]

        claimed = await self._write(work) if await self._any_due(now) else []
        self._free -= len(claimed)
        self._open |= {event.id for event in claimed}
        return claimed

    async def _any_due(self, now: int) -> bool:
        return await self._read(lambda tx: bool(tx.all(self._sql.due_events, now=now, limit=1)))

    async def _pause(self) -> None:
        """Wait until something may be due, or a hand is free."""
        row = await self._read(lambda tx: tx.one(self._sql.next_due))
        due = row["due_at"] if row is not None else None
        if self._wake.is_set():
            return
        if due is None or not self._free:
            await self._wake.wait()
            return
        timer = asyncio.create_task(self._clock.sleep_until(due))
        woken = asyncio.create_task(self._wake.wait())
        try:
            await asyncio.wait((timer, woken), return_when=asyncio.FIRST_COMPLETED)
        finally:
            timer.cancel()
            woken.cancel()

    async def _handle(self, event: Event) -> None:
        """The rim of one event: whatever goes wrong, it is tried again later or given up, never lost in silence."""
        try:
            await self._hand_over(event)
        except Exception:
            log.exception("event %s for %s could not be handed over", event.id, event.name.arn)
            await self._again(event, throttled=True)
        finally:
            self._open.discard(event.id)
            self._free += 1
            self._wake.set()

    async def _hand_over(self, event: Event) -> None:
        try:
            function = await self._find(event.name)
        except ResourceNotFoundException:
            await self._finish(event)
            return
        if self._clock.now() - event.accepted > function.max_age * SECOND:
            log.warning("event %s for %s is older than its function allows", event.id, event.name.arn)
            await self._finish(event)
            return
        try:
            done = await self._invoke(function, event.id, event.payload, event.context)
        except TooManyRequestsException:
            await self._again(event, throttled=True)
            return
        if not done.outcome.error:
            await self._finish(event)
        elif event.attempts < function.retries:
            await self._again(event, throttled=False)
        else:
            log.warning("event %s for %s failed %d times", event.id, event.name.arn, event.attempts + 1)
            await self._finish(event)

    async def _again(self, event: Event, *, throttled: bool) -> None:
        if throttled:
            pause = min(SECOND << min(event.throttles, 20), LONGEST_PAUSE)
        else:
            pause = RETRY_AFTER[min(event.attempts, len(RETRY_AFTER) - 1)]
        values = {
            "id": event.id,
            "attempts": event.attempts + (not throttled),
            "throttles": event.throttles + throttled,
            "due_at": self._clock.now() + pause,
        }
        await self._write(lambda tx: tx.run(self._sql.release_event, **values))

    async def _finish(self, event: Event) -> None:
        await self._write(lambda tx: tx.run(self._sql.finish_event, id=event.id))

    async def _renew(self) -> None:
        """Keep the leases of what is in hand."""
        while True:
            await self._clock.sleep_until(self._clock.now() + RENEW)
            if self._open:
                await self._write(self._renew_all)

    def _renew_all(self, tx: Transaction) -> None:
        until = self._clock.now() + LEASE
        tx.many(self._sql.renew_claim, [{"id": one, "until": until, "owner": self._owner} for one in self._open])

    async def _release(self) -> None:
        """Let go of everything, so that the next server need not wait for the leases."""
        now = self._clock.now()
        try:
            await self._database.write(lambda tx: tx.run(self._sql.release_own, owner=self._owner, now=now))
        except StoreError as error:
            log.warning("claims of events could not be freed, they will run out: %s", error)

    # What is owed to nobody who waits is tried again for as long as the database is out.

    async def _write[T](self, work: Callable[[Transaction], T]) -> T:
        return await persist(self._clock, lambda: self._database.write(work))

    async def _read[T](self, work: Callable[[Transaction], T]) -> T:
        return await persist(self._clock, lambda: self._database.read(work))
