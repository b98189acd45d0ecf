"""Asynchronous invocations: kept, handed over, tried again, given up; across restarts."""

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from tests.inprocess import House
from tests.services.lambda_.loop_sandbox import LoopSandbox
from tests.services.lambda_.shop import Shop
from tests.services.lambda_.test_functions import refusal

from cumulet.services.lambda_.events import LEASE
from cumulet.services.lambda_.service import Lambda


def fail(event: Any) -> None:
    raise ValueError("no")


@pytest.fixture
def working(house: House) -> Iterator[Shop]:
    """A shop whose service works."""
    made = Shop(house)
    house.work()
    made.create(Timeout=900)
    yield made
    made.close()


def send(shop: Shop, event: Any = 1) -> str:
    reply = shop.invoke(event, InvocationType="Event")
    assert reply["StatusCode"] == 202
    assert reply["Payload"].read() == b""
    return reply["ResponseMetadata"]["RequestId"]


def waiting(shop: Shop) -> list[Any]:
    return shop.house.run(shop.house.database.read(lambda tx: tx.all("SELECT * FROM lambda_events")))


def settle(shop: Shop, condition) -> None:
    async def wait() -> None:
        async with asyncio.timeout(20):
            while not condition():
                await asyncio.sleep(0.001)

    shop.house.run(wait())


def kept(shop: Shop, condition: Callable[[list[Any]], bool]) -> None:
    """Wait until the events that are kept are as told."""

    async def wait() -> None:
        async with asyncio.timeout(20):
            while not condition(await shop.house.database.read(lambda tx: tx.all("SELECT * FROM lambda_events"))):
                await asyncio.sleep(0.001)

    shop.house.run(wait())


def attempts(shop: Shop, count: int, *, left: int) -> None:
    """Wait until there were `count` attempts and `left` events are kept, none of them in hand."""
    settle(shop, lambda: len(shop.sandbox.events) == count and not shop.service.events._open)
    assert len(waiting(shop)) == left


def test_an_event_is_handed_over_and_forgotten(working: Shop):
    send(working, {"a": 1})
    attempts(working, 1, left=0)
    assert working.sandbox.events == [{"a": 1}]


def test_it_is_kept_before_it_is_acknowledged(shop: Shop):
    shop.create()
    request = send(shop, {"a": 1})
    (row,) = waiting(shop)
    assert (row["id"], bytes(row["payload"]), row["claimed_by"]) == (request, b'{"a": 1}', None)
    assert shop.sandbox.events == []


def test_what_fails_is_tried_twice_more_after_one_and_two_minutes(working: Shop):
    working.sandbox.handler = fail
    send(working)
    attempts(working, 1, left=1)
    working.house.jump(59)
    attempts(working, 1, left=1)
    working.house.jump(1)
    attempts(working, 2, left=1)
    working.house.jump(119)
    attempts(working, 2, left=1)
    working.house.jump(1)
    attempts(working, 3, left=0)


def test_a_retry_that_goes_well_is_the_last(working: Shop):
    working.sandbox.handler = fail
    send(working)
    attempts(working, 1, left=1)
    working.sandbox.handler = lambda event: "fine"
    working.house.jump(60)
    attempts(working, 2, left=0)


def test_retries_are_the_functions_choice(working: Shop):
    working.sandbox.handler = fail
    working.api.put_function_event_invoke_config(FunctionName="hello", MaximumRetryAttempts=0)
    send(working)
    attempts(working, 1, left=0)


def test_an_event_may_become_too_old(working: Shop):
    working.sandbox.handler = fail
    working.api.put_function_event_invoke_config(FunctionName="hello", MaximumEventAgeInSeconds=100)
    send(working)
    attempts(working, 1, left=1)
    working.house.jump(60)
    attempts(working, 2, left=1)
    working.house.jump(120)
    kept(working, lambda rows: not rows)
    assert len(working.sandbox.events) == 2


def test_throttled_events_wait_and_lose_no_attempt(working: Shop):
    working.api.put_function_concurrency(FunctionName="hello", ReservedConcurrentExecutions=0)
    send(working)
    for count, pause in enumerate((1, 2, 4), 1):
        kept(working, lambda rows, count=count: rows[0]["throttles"] == count and rows[0]["claimed_by"] is None)
        working.house.jump(pause)
    kept(working, lambda rows: rows[0]["throttles"] == 4 and rows[0]["attempts"] == 0)
    working.api.delete_function_concurrency(FunctionName="hello")
    working.house.jump(300)
    attempts(working, 1, left=0)


def test_events_of_a_function_that_is_gone_are_dropped(shop: Shop):
    shop.create()
    send(shop)
    shop.api.delete_function(FunctionName="hello")
    shop.house.work()
    settle(shop, lambda: not shop.service.events._open)
    shop.house.run(_drained(shop))
    assert shop.sandbox.events == []


async def _drained(shop: Shop) -> None:
    async with asyncio.timeout(20):
        while await shop.house.database.read(lambda tx: tx.all("SELECT id FROM lambda_events")):
            await asyncio.sleep(0.001)


def test_what_was_accepted_survives_a_restart(shop: Shop):
    shop.create()
    send(shop, "first")
    sandbox = LoopSandbox()

    async def restart() -> Lambda:
        parts = shop.house.parts
        return Lambda(
            parts.database, parts.blobs, parts.clock, parts.entropy, parts.caller, sandbox, parts.issuer, parts.endpoint,
            shop.settings,
        )  # fmt: skip

    again = shop.house.run(restart())
    again._found = shop.service._found

    async def work() -> None:
        running = asyncio.create_task(again.run())
        await _drained(shop)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    shop.house.run(work())
    assert sandbox.events == ["first"]
    assert sandbox.cells == []


def test_what_was_in_hand_when_the_server_died_is_handed_over_again(shop: Shop):
    shop.create()
    send(shop, "again")
    now = shop.house.clock.now()
    claim = "UPDATE lambda_events SET claimed_by = 'dead', due_at = :due"
    shop.house.run(shop.house.database.write(lambda tx: tx.run(claim, due=now + 60_000_000)))
    shop.house.work()
    attempts(shop, 1, left=0)


def test_destinations_are_refused_by_name(working: Shop):
    destination = {"OnFailure": {"Destination": "arn:aws:sqs:us-east-1:000000000000:q"}}
    code, status, words = refusal(
        working.api.put_function_event_invoke_config, FunctionName="hello", DestinationConfig=destination
    )
    assert (code, status) == ("NotImplemented", 501)
    assert "DestinationConfig.OnFailure" in words


def test_many_events_at_once(working: Shop):
    for number in range(20):
        send(working, number)
    attempts(working, 20, left=0)
    assert sorted(working.sandbox.events) == list(range(20))


def test_what_goes_wrong_with_us_costs_no_attempt(working: Shop, caplog: pytest.LogCaptureFixture):
    async def broken(*_: Any) -> Any:
        raise OSError("disk is gone")

    whole, working.service.events._invoke = working.service.events._invoke, broken
    send(working)
    settle(working, lambda: "could not be handed over" in caplog.text)
    working.service.events._invoke = whole
    settle(working, lambda: not working.service.events._open)
    assert waiting(working)[0]["attempts"] == 0
    working.house.jump(2)
    attempts(working, 1, left=0)


def test_a_long_event_keeps_its_lease(working: Shop):
    go = asyncio.Event()

    async def handler(event: Any) -> Any:
        await go.wait()

    working.sandbox.handler = handler
    send(working)
    settle(working, lambda: len(working.sandbox.events) == 1)
    for _ in range(8):
        working.house.jump(20)
        now = working.house.clock.now()
        kept(working, lambda rows, now=now: rows[0]["due_at"] == now + LEASE)
    working.house.background.loop.call_soon_threadsafe(go.set)
    attempts(working, 1, left=0)
