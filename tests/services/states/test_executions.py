import json

import pytest
from botocore.exceptions import ClientError
from tests.services.states.conftest import PASS, ROLE, WAIT


def task(resource, **more):
    return {"StartAt": "T", "States": {"T": {"Type": "Task", "Resource": resource, "End": True, **more}}}


def test_an_execution_runs_to_its_end(bench):
    machine = bench.machine()
    execution = bench.start(machine, {"x": 1}, name="run")
    found = bench.describe(execution)
    assert execution == "arn:aws:states:us-east-1:000000000000:execution:m:run"
    assert (found["status"], json.loads(found["output"]), json.loads(found["input"])) == (
        "SUCCEEDED",
        {"a": 1},
        {"x": 1},
    )
    assert found["redriveStatus"] == "NOT_REDRIVABLE"
    assert found["stopDate"] >= found["startDate"]
    assert [event["type"] for event in bench.events(execution)] == [
        "ExecutionStarted",
        "PassStateEntered",
        "PassStateExited",
        "ExecutionSucceeded",
    ]


def test_the_same_name_again(bench):
    machine = bench.machine(WAIT)
    first = bench.start(machine, {"x": 1}, name="run")
    assert bench.start(machine, {"x": 1}, name="run") == first
    with pytest.raises(bench.states.exceptions.ExecutionAlreadyExists):
        bench.start(machine, {"x": 2}, name="run")
    bench.house.jump(61)
    bench.ended(first)
    with pytest.raises(bench.states.exceptions.ExecutionAlreadyExists):
        bench.start(machine, {"x": 1}, name="run")


def test_stop(bench):
    execution = bench.start(bench.machine(WAIT))
    stopped = bench.states.stop_execution(executionArn=execution, error="Enough", cause="said so")
    found = bench.describe(execution)
    assert (found["status"], found["error"], found["cause"]) == ("ABORTED", "Enough", "said so")
    assert found["stopDate"] == stopped["stopDate"]
    assert bench.events(execution)[-1]["executionAbortedEventDetails"] == {"error": "Enough", "cause": "said so"}
    bench.house.jump(120)
    assert bench.describe(execution)["status"] == "ABORTED"
    assert bench.states.stop_execution(executionArn=execution)["stopDate"] == stopped["stopDate"]


def test_executions_are_listed_newest_first_by_status_and_in_pages(bench):
    machine = bench.machine()
    names = [f"run{number}" for number in range(5)]
    for name in names:
        bench.start(machine, name=name)
        bench.house.jump(1)
    pages = bench.states.get_paginator("list_executions").paginate(
        stateMachineArn=machine, statusFilter="SUCCEEDED", PaginationConfig={"PageSize": 2}
    )
    assert [item["name"] for page in pages for item in page["executions"]] == names[::-1]
    assert bench.states.list_executions(stateMachineArn=machine, statusFilter="RUNNING")["executions"] == []
    token = bench.states.list_executions(stateMachineArn=machine, maxResults=2)["nextToken"]
    with pytest.raises(bench.states.exceptions.InvalidToken):
        bench.states.list_executions(stateMachineArn=machine, statusFilter="FAILED", nextToken=token)


def test_history_pages_run_both_ways_and_can_leave_out_data(bench):
    execution = bench.start(bench.machine(), {"x": 1})
    forward = bench.events(execution, PaginationConfig={"PageSize": 1})
    backward = bench.events(execution, reverseOrder=True, PaginationConfig={"PageSize": 3})
    assert [event["id"] for event in forward] == [1, 2, 3, 4]
    assert backward == forward[::-1]
    bare = bench.events(execution, includeExecutionData=False)
    assert "input" not in bare[0]["executionStartedEventDetails"]
    assert json.loads(forward[0]["executionStartedEventDetails"]["input"]) == {"x": 1}


def test_a_wait_ends_when_its_time_has_come(bench):
    execution = bench.start(bench.machine(WAIT))
    bench.house.jump(59)
    assert bench.describe(execution)["status"] == "RUNNING"
    bench.house.jump(2)
    assert bench.ended(execution)["status"] == "SUCCEEDED"


def test_an_sdk_task_calls_our_own_service(bench):
    definition = task(
        "arn:aws:states:::aws-sdk:iam:createRole",
        Parameters={"RoleName.$": "$.name", "AssumeRolePolicyDocument": {"Statement": {
            "Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "lambda.amazonaws.com"}}}},
        ResultSelector={"arn.$": "$.Role.Arn"},
    )  # fmt: skip
    found = bench.ended(bench.start(bench.machine(definition), {"name": "made"}))
    assert json.loads(found["output"]) == {"arn": "arn:aws:iam::000000000000:role/made"}
    assert bench.house.client("iam").get_role(RoleName="made")["Role"]["RoleName"] == "made"


def test_an_error_of_a_service_is_named_as_aws_names_it_and_can_be_caught(bench):
    failing = task("arn:aws:states:::aws-sdk:iam:getRole", Parameters={"RoleName": "nobody"})
    found = bench.ended(bench.start(bench.machine(failing)))
    assert (found["status"], found["error"]) == ("FAILED", "Iam.NoSuchEntityException")
    assert found["cause"].startswith(
        "The role with name nobody cannot be found. (Service: Iam, Status Code: 404, Request ID: "
    )
    failing["States"]["T"]["Catch"] = [{"ErrorEquals": ["Iam.NoSuchEntityException"], "ResultPath": "$.e", "Next": "C"}]
    failing["States"]["C"] = {"Type": "Pass", "OutputPath": "$.e.Error", "End": True}
    caught = bench.ended(bench.start(bench.machine(failing, name="catches")))
    assert json.loads(caught["output"]) == "Iam.NoSuchEntityException"


def test_parameters_that_an_operation_lacks_fail_the_task_in_words(bench):
    found = bench.ended(
        bench.start(bench.machine(task("arn:aws:states:::aws-sdk:iam:getRole", Parameters={"Name": "x"})))
    )
    assert found["status"] == "FAILED"
    assert found["error"] == "States.Runtime"
    assert "The required parameter 'RoleName' is missing" in found["cause"]


def test_a_token_is_taken_once(bench):
    definition = task(
        "arn:aws:states:::aws-sdk:cloudwatchlogs:createLogGroup.waitForTaskToken",
        Parameters={"LogGroupName.$": "$$.Task.Token"},
    )
    execution = bench.start(bench.machine(definition))
    logs = bench.house.client("logs")
    groups = []
    for _ in range(1000):
        groups = logs.describe_log_groups()["logGroups"]
        if groups:
            break
    token = groups[0]["logGroupName"]
    assert bench.describe(execution)["status"] == "RUNNING"
    with pytest.raises(bench.states.exceptions.InvalidOutput):
        bench.states.send_task_success(taskToken=token, output="{")
    bench.states.send_task_success(taskToken=token, output='{"done": true}')
    with pytest.raises(ClientError) as raised:
        bench.states.send_task_success(taskToken=token, output="{}")
    assert raised.value.response["Error"]["Code"] in ("InvalidToken", "TaskTimedOut", "TaskDoesNotExist")
    assert json.loads(bench.ended(execution)["output"]) == {"done": True}


def test_a_heartbeat_that_does_not_come_fails_the_task(bench):
    definition = task(
        "arn:aws:states:::aws-sdk:cloudwatchlogs:createLogGroup.waitForTaskToken",
        Parameters={"LogGroupName.$": "$$.Task.Token"}, HeartbeatSeconds=10, TimeoutSeconds=100,
    )  # fmt: skip
    execution = bench.start(bench.machine(definition))
    logs = bench.house.client("logs")
    while not (groups := logs.describe_log_groups()["logGroups"]):
        pass
    bench.house.jump(9)
    bench.states.send_task_heartbeat(taskToken=groups[0]["logGroupName"])
    bench.house.jump(9)
    assert bench.describe(execution)["status"] == "RUNNING"
    bench.house.jump(2)
    found = bench.ended(execution)
    assert (found["status"], found["error"]) == ("FAILED", "States.Timeout")


@pytest.mark.parametrize("text", ["{", "", "nul", '"' + "x" * 262_143 + '"'], ids=["open", "empty", "word", "long"])
def test_bad_input_starts_nothing(bench, text):
    machine = bench.machine()
    with pytest.raises(bench.states.exceptions.InvalidExecutionInput):
        bench.states.start_execution(stateMachineArn=machine, input=text)
    assert bench.states.list_executions(stateMachineArn=machine)["executions"] == []


def test_arns_that_mean_nothing(bench):
    missing = "arn:aws:states:us-east-1:000000000000:"
    for operation, values, code, words in [
        ("describe_execution", {"executionArn": "x"}, "InvalidArn", "Invalid Arn: 'Invalid ARN prefix: x'"),
        ("describe_execution", {"executionArn": f"{missing}execution:m:x"}, "ExecutionDoesNotExist", "Execution Does Not Exist: '"),
        ("get_execution_history", {"executionArn": f"{missing}execution:m:x"}, "ExecutionDoesNotExist", ""),
        ("stop_execution", {"executionArn": f"{missing}execution:m:x"}, "ExecutionDoesNotExist", ""),
        ("start_execution", {"stateMachineArn": f"{missing}stateMachine:n"}, "StateMachineDoesNotExist", "State Machine Does Not Exist: '"),
        ("list_executions", {"stateMachineArn": f"{missing}stateMachine:n"}, "StateMachineDoesNotExist", ""),
    ]:  # fmt: skip
        with pytest.raises(ClientError) as raised:
            getattr(bench.states, operation)(**values)
        assert raised.value.response["Error"]["Code"] == code
        assert raised.value.response["Error"]["Message"].startswith(words)


def test_operations_we_lack_answer_501_by_name(bench):
    with pytest.raises(ClientError) as raised:
        bench.states.redrive_execution(executionArn="arn:aws:states:us-east-1:000000000000:execution:m:x")
    assert raised.value.response["ResponseMetadata"]["HTTPStatusCode"] == 501
    assert "RedriveExecution" in raised.value.response["Error"]["Message"]


def test_accounts_and_regions_are_apart(bench):
    bench.machine()
    other = bench.house.client("stepfunctions", aws_access_key_id="000000000002", region_name="eu-west-1")
    arn = other.create_state_machine(name="m", definition=json.dumps(PASS), roleArn=ROLE)["stateMachineArn"]
    assert arn == "arn:aws:states:eu-west-1:000000000002:stateMachine:m"
    assert len(other.list_state_machines()["stateMachines"]) == 1
