"""What is measured of workflows: latency, throughput, transitions, Map items."""

import asyncio
import json
import statistics
import time
import uuid
from typing import Any

from bench.driver import Client

ROLE = "arn:aws:iam::123456789012:role/service-role/bench"
PASS = {"StartAt": "P", "States": {"P": {"Type": "Pass", "End": True}}}
TURNS = 1000
LOOP = {
    "StartAt": "Count",
    "States": {
        "Count": {"Type": "Pass", "Parameters": {"n.$": "States.MathAdd($.n, 1)"}, "Next": "Done"},
        "Done": {
            "Type": "Choice",
            "Choices": [{"Variable": "$.n", "NumericGreaterThanEquals": TURNS, "Next": "End"}],
            "Default": "Count",
        },
        "End": {"Type": "Succeed"},
    },
}
MAP = {
    "StartAt": "M",
    "States": {
        "M": {
            "Type": "Map",
            "ItemsPath": "$.items",
            "ItemProcessor": {"StartAt": "P", "States": {"P": {"Type": "Pass", "End": True}}},
            "End": True,
        }
    },
}


async def create(client: Client, definition: dict[str, Any]) -> str:
    name = f"bench-{uuid.uuid4().hex[:12]}"
    made = await client.states("CreateStateMachine", name=name, definition=json.dumps(definition), roleArn=ROLE)
    return str(made["stateMachineArn"])


async def run_once(client: Client, machine: str, input: Any, *, pause: float = 0.0) -> float:
    """Seconds from StartExecution until DescribeExecution tells SUCCEEDED."""
    began = time.perf_counter()
    name = uuid.uuid4().hex  # moto_server makes none of its own
    started = await client.states("StartExecution", stateMachineArn=machine, name=name, input=json.dumps(input))
    found = await client.finished(started["executionArn"], pause=pause)
    if found["status"] != "SUCCEEDED":
        raise RuntimeError(f"{found['status']}: {found.get('error')} {found.get('cause')}")
    return time.perf_counter() - began


async def latency(port: int, rounds: int = 200) -> float:
    """p50 of one Pass, start to SUCCEEDED, seconds."""
    client = await Client.open(port)
    machine = await create(client, PASS)
    for _ in range(5):
        await run_once(client, machine, {})
    times = [await run_once(client, machine, {}) for _ in range(rounds)]
    client.close()
    return statistics.median(times)


async def throughput(port: int, clients: int = 8, seconds: float = 5.0) -> float:
    """Complete executions a second: each client starts one, sees it end, starts the next."""
    first = await Client.open(port)
    machine = await create(first, PASS)
    stop = time.perf_counter() + seconds

    async def work() -> int:
        client, count = await Client.open(port), 0
        while time.perf_counter() < stop:
            await run_once(client, machine, {}, pause=0.001)
            count += 1
        client.close()
        return count

    began = time.perf_counter()
    counts = await asyncio.gather(*(work() for _ in range(clients)))
    first.close()
    return sum(counts) / (time.perf_counter() - began)


async def transitions(port: int, rounds: int = 3) -> float:
    """States entered a second in one execution that turns 1,000 times through a Pass and a Choice."""
    client = await Client.open(port)
    machine = await create(client, LOOP)
    best = min([await run_once(client, machine, {"n": 0}, pause=0.005) for _ in range(rounds)])
    client.close()
    return 2 * TURNS / best


async def map_items(port: int, rounds: int = 3) -> float:
    """Items a second of an inline Map of 1,000 Pass."""
    client = await Client.open(port)
    machine = await create(client, MAP)
    items = {"items": list(range(1000))}
    best = min([await run_once(client, machine, items, pause=0.005) for _ in range(rounds)])
    client.close()
    return 1000 / best
