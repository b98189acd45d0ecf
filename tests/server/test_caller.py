"""Calls among services."""

import pytest
from tests.server.fakes import Machines, StateMachineDoesNotExist

from cumulet.base.errors import AwsError, NotImplementedHere
from cumulet.server.caller import Gate
from cumulet.wire.service import Principal


@pytest.fixture
def gate():
    gate = Gate(bytes, "http://here:1")
    gate.machines = Machines()
    gate.add(gate.machines)
    return gate


async def test_a_call_within(gate):
    found = await gate.call("stepfunctions", "ListStateMachines", {}, account="1" * 12, region="eu-west-1")
    assert found == {"stateMachines": []}
    [call] = gate.machines.calls
    assert (call.account, call.region, call.endpoint) == ("1" * 12, "eu-west-1", "http://here:1")
    assert call.principal.arn == "arn:aws:iam::111111111111:root"


async def test_on_behalf_of_somebody(gate):
    role = Principal("1" * 12, "arn:role", "AROA:s")
    await gate.call("stepfunctions", "ListStateMachines", {}, account="1" * 12, region="r", principal=role)
    assert gate.machines.calls[0].principal is role


async def test_input_is_checked_within_too(gate):
    with pytest.raises(AwsError) as caught:
        await gate.call("stepfunctions", "DescribeStateMachine", {}, account="1" * 12, region="r")
    assert caught.value.error_code == "ValidationException"


async def test_refusals_arrive_as_they_were_raised(gate):
    arn = "arn:aws:states:us-east-1:111111111111:stateMachine:gone"
    with pytest.raises(StateMachineDoesNotExist):
        await gate.call("stepfunctions", "DescribeStateMachine", {"stateMachineArn": arn}, account="1" * 12, region="r")


@pytest.mark.parametrize(
    "service, operation, there",
    [
        ("stepfunctions", "ListStateMachines", True),
        ("stepfunctions", "CreateActivity", False),
        ("stepfunctions", "Run", False),
        ("stepfunctions", "listStateMachines", False),
        ("dynamodb", "ListTables", False),
        ("", "", False),
    ],
)
async def test_what_we_carry_out(gate, service, operation, there):
    assert gate.carries_out(service, operation) is there
    if not there:
        with pytest.raises(NotImplementedHere):
            await gate.call(service, operation, {}, account="1" * 12, region="r")


async def test_a_service_that_comes_later_is_found(gate):
    from tests.server.fakes import Whoami

    assert not gate.carries_out("sts", "GetCallerIdentity")
    gate.add(Whoami())
    assert gate.carries_out("sts", "GetCallerIdentity")
