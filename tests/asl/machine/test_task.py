"""Tasks: what is asked for, what is heard, what history says of it."""

from typing import Any

import pytest
from tests.asl.machine.rig import OPEN, START, Refused, Rig

from cumulet.base.limits import WorkflowLimits
from cumulet.base.step import (
    CancelTask,
    ClearTimer,
    Continued,
    SetTimer,
    StartTask,
    Step,
    TaskFailed,
    TaskStarted,
    TaskSubmitted,
    TaskSucceeded,
    TimerFired,
)

FUNCTION = "arn:aws:lambda:us-east-1:000000000000:function:f"
ACTIVITY = "arn:aws:states:us-east-1:000000000000:activity:a"


def task(resource: str = FUNCTION, **fields: Any) -> dict[str, Any]:
    end = {} if "Next" in fields else {"End": True}
    return {"StartAt": "T", "States": {"T": {"Type": "Task", "Resource": resource, **end, **fields}}}


def waiting(definition: dict[str, Any], given: Any = None) -> tuple[Rig, StartTask]:
    rig = Rig(definition, given, answer=lambda _task: OPEN).begin()
    return rig, rig.tasks[0]


def test_a_function_adds_five_events() -> None:
    rig = Rig(task(), {"a": 1}, answer=lambda task: {"got": task.payload}).run()
    assert rig.trace() == (
        "1<-0 ExecutionStarted 2<-0 TaskStateEntered 3<-2 LambdaFunctionScheduled 4<-3 LambdaFunctionStarted "
        "5<-4 LambdaFunctionSucceeded 6<-5 TaskStateExited 7<-6 ExecutionSucceeded"
    )
    assert rig.details("LambdaFunctionScheduled") == {
        "resource": FUNCTION,
        "input": '{"a": 1}',
        "inputDetails": {"truncated": False},
    }
    assert "lambdaFunctionStartedEventDetails" not in rig.events[3]
    assert rig.output == {"got": {"a": 1}}


def test_a_choice_adds_two_events() -> None:
    choice = {"Type": "Choice", "Choices": [{"Variable": "$.a", "IsPresent": False, "Next": "S"}], "Default": "S"}
    rig = Rig({"StartAt": "C", "States": {"C": choice, "S": {"Type": "Succeed"}}}).run()
    assert rig.types[1:3] == ["ChoiceStateEntered", "ChoiceStateExited"]


def test_an_integration_tells_type_and_resource() -> None:
    definition = task("arn:aws:states:::aws-sdk:s3:listObjects", Parameters={"Bucket.$": "$.b"}, TimeoutSeconds=9)
    rig, started = waiting(definition, {"b": "x"})
    assert (started.resource, started.payload, started.wait) == (
        "arn:aws:states:::aws-sdk:s3:listObjects",
        {"Bucket": "x"},
        False,
    )
    assert rig.details("TaskScheduled") == {
        "resourceType": "aws-sdk:s3",
        "resource": "listObjects",
        "region": "us-east-1",
        "parameters": '{"Bucket":"x"}',
        "timeoutInSeconds": 9,
    }
    assert rig.details("TaskStarted") == {"resourceType": "aws-sdk:s3", "resource": "listObjects"}


@pytest.mark.parametrize(
    ("resource", "kind", "action", "wait"),
    [
        ("arn:aws:states:::lambda:invoke", "lambda", "invoke", False),
        ("arn:aws:states:::lambda:invoke.waitForTaskToken", "lambda", "invoke.waitForTaskToken", True),
        ("arn:aws:states:::states:startExecution.sync", "states", "startExecution.sync", False),
        ("arn:aws:states:::states:startExecution.sync:2", "states", "startExecution.sync:2", False),
        (
            "arn:aws:states:::aws-sdk:sqs:sendMessage.waitForTaskToken",
            "aws-sdk:sqs",
            "sendMessage.waitForTaskToken",
            True,
        ),
    ],
)
def test_patterns_of_integration(resource: str, kind: str, action: str, wait: bool) -> None:
    rig, started = waiting(task(resource))
    assert rig.details("TaskScheduled")["resourceType"] == kind
    assert rig.details("TaskScheduled")["resource"] == action
    assert started.wait is wait


def test_an_activity_starts_when_a_worker_takes_it() -> None:
    rig, started = waiting(task(ACTIVITY, HeartbeatSeconds=30), [1])
    assert rig.types[2:] == ["ActivityScheduled"]
    assert rig.details("ActivityScheduled")["heartbeatInSeconds"] == 30
    assert started.wait
    rig.take(TaskSubmitted(0, started.token, None))
    rig.take(TaskStarted(0, started.token, "worker"))
    assert rig.details("ActivityStarted") == {"workerName": "worker"}
    rig.take(TaskSucceeded(0, started.token, {"x": 1}))
    assert rig.types[3:] == ["ActivityStarted", "ActivitySucceeded", "TaskStateExited", "ExecutionSucceeded"]


def test_a_worker_need_not_tell_its_name() -> None:
    rig, started = waiting(task(ACTIVITY))
    rig.take(TaskStarted(0, started.token))
    assert rig.details("ActivityStarted") == {}


def test_a_task_that_was_handed_over_stays_open() -> None:
    definition = task(
        "arn:aws:states:::sqs:sendMessage.waitForTaskToken",
        Parameters={"MessageBody": {"token.$": "$$.Task.Token"}},
    )
    rig, started = waiting(definition)
    assert started.payload["MessageBody"]["token"] == started.token
    rig.take(TaskSubmitted(0, started.token, {"MessageId": "m"}))
    assert rig.details("TaskSubmitted") == {
        "resourceType": "sqs",
        "resource": "sendMessage.waitForTaskToken",
        "output": '{"MessageId":"m"}',
        "outputDetails": {"truncated": False},
    }
    rig.take(TaskSucceeded(0, started.token, "done"))
    assert rig.output == "done"


def test_a_start_told_twice_is_told_once() -> None:
    rig, started = waiting(task("arn:aws:states:::lambda:invoke"))
    assert rig.take(TaskStarted(0, started.token)).events == []


@pytest.mark.parametrize(
    "stimulus",
    [
        TaskSucceeded(0, "another", 1),
        TaskSucceeded(7, "another", 1),
        TaskFailed(0, "another", "E"),
        TimerFired(0, "wait"),
        TimerFired(7, "wait"),
        Continued(),
    ],
)
def test_what_does_not_fit_changes_nothing(stimulus: Any) -> None:
    rig, _ = waiting(task())
    assert rig.take(stimulus) == Step(next_frame=rig.next_frame)


def test_failure_without_words() -> None:
    rig, started = waiting(task("arn:aws:states:::lambda:invoke"))
    rig.take(TaskFailed(0, started.token, ""))
    assert rig.details("TaskFailed") == {"resourceType": "lambda", "resource": "invoke"}
    assert rig.details("ExecutionFailed") == {}
    assert rig.end is not None
    assert (rig.end.status, rig.end.error, rig.end.cause) == ("FAILED", None, None)


def test_failures_are_cut_to_the_quotas() -> None:
    rig, started = waiting(task())
    rig.take(TaskFailed(0, started.token, "E" * 300, "c" * 40_000))
    assert len(rig.details("LambdaFunctionFailed")["error"]) == 256
    assert len(rig.details("ExecutionFailed")["cause"]) == 32_768


def test_timeout_cancels_the_task() -> None:
    rig, _ = waiting(task(TimeoutSeconds=5, HeartbeatSeconds=2))
    assert rig.steps[0].commands[1:] == [
        SetTimer(0, "timeout", START + 5_000_000),
        SetTimer(0, "heartbeat", START + 2_000_000),
    ]
    step = rig.take(TimerFired(0, "timeout"))
    assert rig.types[-2:] == ["LambdaFunctionTimedOut", "ExecutionFailed"]
    assert rig.details("LambdaFunctionTimedOut") == {"error": "States.Timeout"}
    assert len(step.commands) == 1, "the end of the run takes all tasks and timers with it"


def test_timeouts_may_stand_in_the_input() -> None:
    definition = task(TimeoutSecondsPath="$.t", HeartbeatSecondsPath="$.h")
    rig, started = waiting(definition, {"t": 50, "h": 5})
    assert started.heartbeat == 5
    assert started.detail["timeout"] == 50
    assert rig.timers == {(0, "timeout"): START + 50_000_000, (0, "heartbeat"): START + 5_000_000}


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("x", "The TimeoutSecondsPath parameter cannot be parsed as a long value: $.t == x"),
        (-1, "The TimeoutSecondsPath parameter must be between 0 and 99999999: $.t == -1"),
        (10**30, f"The TimeoutSecondsPath parameter must be between 0 and 99999999: $.t == {10**30}"),
    ],
)
def test_bad_timeouts(value: Any, words: str) -> None:
    rig = Rig(task(TimeoutSecondsPath="$.t"), {"t": value}).run()
    place = "An error occurred while executing the state 'T' (entered at the event id #2)."
    if value == 10**30:
        assert rig.end is not None
        assert rig.end.error == "States.Runtime"
    else:
        assert rig.details("ExecutionFailed") == {"error": "States.Runtime", "cause": f"{place} {words}"}


def test_a_late_heartbeat_is_a_timeout_that_can_be_caught_by_its_name() -> None:
    catch = [{"ErrorEquals": ["States.HeartbeatTimeout"], "Next": "S"}]
    definition = task(
        "arn:aws:states:::lambda:invoke.waitForTaskToken", TimeoutSeconds=60, HeartbeatSeconds=5, Catch=catch
    )
    definition["States"]["S"] = {"Type": "Wait", "Seconds": 1, "End": True}
    rig, started = waiting(definition)
    assert started.heartbeat == 5
    step = rig.take(TimerFired(0, "heartbeat"))
    assert step.commands[:2] == [CancelTask(0), ClearTimer(0, "timeout")]
    assert rig.details("TaskTimedOut")["error"] == "States.Timeout"
    assert rig.run().output == {"Error": "States.Timeout", "Cause": None}


def test_success_clears_the_timers() -> None:
    definition = task(TimeoutSeconds=60, HeartbeatSeconds=5, Next="W")
    definition["States"]["W"] = {"Type": "Wait", "Seconds": 1, "End": True}
    rig, started = waiting(definition)
    step = rig.take(TaskSucceeded(0, started.token, {}))
    assert ClearTimer(0, "timeout") in step.commands
    assert ClearTimer(0, "heartbeat") in step.commands
    assert list(rig.timers) == [(0, "wait")]


def test_credentials_go_to_the_performer_and_to_history() -> None:
    rig, started = waiting(task("arn:aws:states:::lambda:invoke", Credentials={"RoleArn.$": "$.role"}), {"role": "r"})
    assert started.detail == {"state": "T", "credentials": {"RoleArn": "r"}, "roleArn": "r"}
    assert rig.details("TaskScheduled")["taskCredentials"] == {"roleArn": "r"}


def test_a_task_acts_as_the_role_of_the_execution() -> None:
    _, started = waiting(task())
    assert started.detail == {"state": "T", "roleArn": "arn:aws:iam::000000000000:role/role"}


def test_an_execution_may_have_no_role() -> None:
    rig = Rig(task(Parameters={"about.$": "$$.Execution"}), answer=lambda _task: OPEN)
    del rig.facts["roleArn"]
    rig.begin()
    assert rig.tasks[0].detail == {"state": "T"}
    assert "RoleArn" not in rig.tasks[0].payload["about"]
    assert "roleArn" not in rig.details("ExecutionStarted")


def test_tokens_differ() -> None:
    definition = task(Retry=[{"ErrorEquals": ["States.ALL"], "IntervalSeconds": 0}])
    tokens: list[str] = []

    def answer(started: StartTask) -> Any:
        tokens.append(started.token)
        if len(tokens) < 3:
            raise Refused("E")
        return 1

    Rig(definition, answer=answer).run()
    assert len(set(tokens)) == 3


def test_results_are_shaped() -> None:
    definition = task(
        "arn:aws:states:::lambda:invoke",
        InputPath="$.in",
        Parameters={"Payload.$": "$.x"},
        ResultSelector={"kept.$": "$.Payload"},
        ResultPath="$.out",
        OutputPath="$.out.kept",
    )
    rig = Rig(definition, {"in": {"x": 5}}, answer=lambda task: {"Payload": task.payload["Payload"] + 1}).run()
    assert rig.output == 6


def test_a_result_may_be_thrown_away() -> None:
    assert Rig(task(ResultPath=None), {"a": 1}, answer=lambda _task: [1, 2]).run().output == {"a": 1}


@pytest.mark.parametrize(("resource", "name"), [(FUNCTION, FUNCTION), ("arn:aws:states:::lambda:invoke", "lambda")])
def test_too_large_a_result(resource: str, name: str) -> None:
    rig = Rig(task(resource), answer=lambda _task: "x" * 262_143).run()
    assert rig.details("ExecutionFailed") == {
        "error": "States.DataLimitExceeded",
        "cause": f"The state/task '{name}' returned a result with a size exceeding the maximum number of bytes service "
        "limit.",
    }


def test_the_limit_counts_bytes() -> None:
    limits = WorkflowLimits(payload=11)
    assert Rig(task(), answer=lambda _task: "ünïtés", limits=limits).run().output == "ünïtés"
    assert Rig(task(), answer=lambda _task: "ünïtéss", limits=limits).run().types[-1] == "ExecutionFailed"


def test_too_large_an_input() -> None:
    limits = WorkflowLimits(payload=20)
    rig = Rig(task(Parameters={"x": "y" * 30}), limits=limits).run()
    assert rig.details("ExecutionFailed")["error"] == "States.DataLimitExceeded"
    assert "LambdaFunctionScheduled" not in rig.types
