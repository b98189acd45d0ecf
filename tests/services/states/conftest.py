import json
from collections.abc import Iterator
from typing import Any

import pytest
from tests.inprocess import House

from cumulet.services.iam.service import Iam
from cumulet.services.logs.service import Logs
from cumulet.services.states.service import States

ROLE = "arn:aws:iam::000000000000:role/machine"
PASS = {"StartAt": "P", "States": {"P": {"Type": "Pass", "Result": {"a": 1}, "End": True}}}
WAIT = {"StartAt": "W", "States": {"W": {"Type": "Wait", "Seconds": 60, "End": True}}}


class Bench:
    """A house with Step Functions, and short words for what tests do with it."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.states: Any = house.client("stepfunctions")

    def machine(self, definition: Any = PASS, name: str = "m", **more: Any) -> str:
        text = definition if isinstance(definition, str) else json.dumps(definition)
        made = self.states.create_state_machine(name=name, definition=text, roleArn=ROLE, **more)
        return made["stateMachineArn"]

    def start(self, machine: str, input: Any = None, **more: Any) -> str:
        given = {} if input is None else {"input": json.dumps(input)}
        return self.states.start_execution(stateMachineArn=machine, **given, **more)["executionArn"]

    def describe(self, execution: str) -> dict[str, Any]:
        return self.states.describe_execution(executionArn=execution)

    def ended(self, execution: str) -> dict[str, Any]:
        """DescribeExecution once it has ended; the tasks of a test are performed on the house's loop at once."""
        for _ in range(1000):
            found = self.describe(execution)
            if found["status"] != "RUNNING":
                return found
        raise AssertionError(f"{execution} is still running")

    def events(self, execution: str, **more: Any) -> list[dict[str, Any]]:
        pages = self.states.get_paginator("get_execution_history").paginate(executionArn=execution, **more)
        return [event for page in pages for event in page["events"]]


@pytest.fixture
def bench() -> Iterator[Bench]:
    with House() as house:
        house.add(lambda parts: Iam(parts.database, parts.clock, parts.entropy))
        house.add(lambda parts: Logs(parts.database, parts.clock, parts.entropy))
        house.add(
            lambda parts: States(parts.database, parts.engine, parts.clock, parts.entropy, parts.caller, parts.limits)
        )
        house.work()
        yield Bench(house)
