"""`cumulet run MACHINE.asl.json --input '{}'`: run a state machine to its end without a server, state by state.

The machine runs as on a server, but for its database, which is in memory and goes when the command ends. Tasks reach
the same services, empty at the start: `aws-sdk:` tasks work on them, functions are not there. Standard output gets the
execution's output (JSON), standard error tells each state as it is entered and left.
"""

import argparse
import asyncio
import os
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

from cumulet.base.clock import SystemClock
from cumulet.base.errors import AwsError, CumuletError
from cumulet.base.limits import PROFILES, WorkflowLimits
from cumulet.engine.engine import Engine
from cumulet.sandbox.choose import choose
from cumulet.server.caller import Gate
from cumulet.server.keys import Keys
from cumulet.server.parts import Parts
from cumulet.server.services import SERVICES
from cumulet.store.blobs import Blobs
from cumulet.store.sqlite import SQLite
from cumulet.wire.service import Reply

ACCOUNT, REGION = "000000000000", "us-east-1"
ROLE = "arn:aws:iam::000000000000:role/cumulet-run"
LOOK = 0.02
"""Seconds between two looks at the history."""


class CannotRun(CumuletError):
    """The machine cannot be run; the message says why, and what to do."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("machine", type=Path, metavar="MACHINE.asl.json", help="the definition; - reads standard input")
    parser.add_argument("--input", default="{}", metavar="JSON", help="the input (default: %(default)s)")
    parser.add_argument("--input-file", type=Path, default=None, metavar="FILE", help="a file that holds the input")
    parser.add_argument("--quiet", action="store_true", help="only the output")
    parser.add_argument("--limits", choices=sorted(PROFILES), default="aws", help="quotas (default: %(default)s)")


def main(arguments: argparse.Namespace) -> int:
    try:
        definition = sys.stdin.read() if str(arguments.machine) == "-" else arguments.machine.read_text()
        given = arguments.input if arguments.input_file is None else arguments.input_file.read_text()
    except OSError as error:
        raise CannotRun(f"{error.filename}: {error.strerror}\nhint: give the path of a definition in JSON") from None
    return asyncio.run(_run(definition, given, PROFILES[arguments.limits], quiet=arguments.quiet))


async def _run(definition: str, given: str, limits: WorkflowLimits, *, quiet: bool) -> int:
    async with house(limits) as gate:
        try:
            made = await _ask(gate, "CreateStateMachine", name="run", definition=definition, roleArn=ROLE)
            machine = made["stateMachineArn"]
            started = await _ask(gate, "StartExecution", stateMachineArn=machine, name="run", input=given)
        except AwsError as error:
            hint = "`cumulet run` takes what CreateStateMachine takes: see docs/reference/coverage.md"
            raise CannotRun(f"{error.error_code}: {error.message}\nhint: {hint}") from None
        await _follow(gate, started["executionArn"], quiet=quiet)
        found = await _ask(gate, "DescribeExecution", executionArn=started["executionArn"])
    if found["status"] == "SUCCEEDED":
        print(found["output"])  # noqa: T201
        return 0
    problem = ": ".join(found[key] for key in ("error", "cause") if found.get(key))
    print(f"{found['status']} {problem}".rstrip(), file=sys.stderr)  # noqa: T201
    return 1


async def _ask(gate: Gate, operation: str, **values: Any) -> Reply:
    return await gate.call("stepfunctions", operation, values, account=ACCOUNT, region=REGION)


async def _follow(gate: Gate, execution: str, *, quiet: bool) -> None:
    """Tell the events as they come, until the last one."""
    asked: dict[str, Any] = {"executionArn": execution, "maxResults": 1000}
    seen = 0
    while True:
        page = await _ask(gate, "GetExecutionHistory", **asked)
        for event in page["events"]:
            if event["id"] > seen:
                seen = event["id"]
                if not quiet:
                    _tell(event)
        if "nextToken" in page:
            asked["nextToken"] = page["nextToken"]
        elif page["events"] and page["events"][-1]["type"].removeprefix("Execution") in ENDS:
            return
        else:
            await asyncio.sleep(LOOK)


ENDS = ("Succeeded", "Failed", "Aborted", "TimedOut")


def _tell(event: dict[str, Any]) -> None:
    details: dict[str, Any] = next((part for part in event.values() if isinstance(part, dict)), {})
    name, kind = details.get("name", ""), event["type"]
    shown = details.get("output") or details.get("input") or ""
    if "error" in details or "cause" in details:
        shown = f"{details.get('error', '')} {details.get('cause', '')}".strip()
    if len(shown) > 100:
        shown = shown[:97] + "..."
    print(f"{event['timestamp']:%H:%M:%S.%f} {kind:<24} {name:<24} {shown}".rstrip(), file=sys.stderr)  # noqa: T201


@asynccontextmanager
async def house(limits: WorkflowLimits) -> AsyncIterator[Gate]:
    """All services around a database in memory, with their workers, and no HTTP."""
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="cumulet-run-")))
        clock, entropy = SystemClock(), os.urandom
        database = await SQLite.open(":memory:")
        stack.push_async_callback(database.close)
        keys = await Keys.open(database, clock, entropy)
        stack.callback(keys.close)
        engine = Engine(database, clock, entropy, server="run")
        gate = Gate(entropy)
        parts = Parts(
            database, engine, Blobs(folder / "blobs", entropy), clock, entropy, gate, await choose(entropy), keys,
            gate.endpoint, folder, limits,
        )  # fmt: skip
        for make in SERVICES:
            gate.add(make(parts))
        works = [engine.run(), *(service.run() for service in gate.services.values())]
        workers = [asyncio.create_task(work) for work in works]
        try:
            yield gate
        finally:
            for worker in workers:
                worker.cancel()
            await asyncio.wait(workers)
