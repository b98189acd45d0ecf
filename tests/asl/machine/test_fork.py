"""Parallel and Map: children, their order, their end, and how little is written for each."""

import json
from typing import Any

import pytest
from tests.asl.machine.rig import OPEN, Refused, Rig
from tests.asl.machine.test_task import FUNCTION

from cumulet.base.limits import WorkflowLimits
from cumulet.base.step import CancelTask, ClearTimer, StartTask, TaskFailed, TaskSucceeded

PASS = {"StartAt": "P", "States": {"P": {"Type": "Pass", "End": True}}}
TASK = {"StartAt": "T", "States": {"T": {"Type": "Task", "Resource": FUNCTION, "End": True}}}
WAIT = {"StartAt": "W", "States": {"W": {"Type": "Wait", "Seconds": 60, "End": True}}}
FAIL = {"StartAt": "F", "States": {"F": {"Type": "Fail", "Error": "Boom", "Cause": "why"}}}


def one(kind: str, **fields: Any) -> dict[str, Any]:
    end = {} if "Next" in fields else {"End": True}
    return {"StartAt": "X", "States": {"X": {"Type": kind, **end, **fields}, "S": {"Type": "Succeed"}}}


def parallel(*branches: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return one("Parallel", Branches=list(branches), **fields)


def mapped(body: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return one("Map", ItemProcessor=body, **fields)


# Parallel


def test_branches_share_the_input_and_give_a_list() -> None:
    inject = {"StartAt": "I", "States": {"I": {"Type": "Pass", "Result": 7, "End": True}}}
    rig = Rig(parallel(PASS, inject, PASS), {"a": 1}).run()
    assert rig.output == [{"a": 1}, 7, {"a": 1}]
    assert len(rig.steps) == 1
    assert rig.trace().startswith(
        "1<-0 ExecutionStarted 2<-0 ParallelStateEntered 3<-2 ParallelStateStarted 4<-3 PassStateEntered "
        "5<-4 PassStateExited 6<-3 PassStateEntered 7<-6 PassStateExited 8<-3 PassStateEntered"
    )


def test_a_null_input_path_gives_branches_an_empty_object() -> None:
    assert Rig(parallel(PASS, PASS, InputPath=None), {"a": 1}).run().output == [{}, {}]


def test_parameters_go_to_every_branch() -> None:
    assert Rig(parallel(PASS, PASS, Parameters={"b.$": "$.a"}), {"a": 1}).run().output == [{"b": 1}, {"b": 1}]


def test_outputs_are_in_the_order_of_branches_not_of_time() -> None:
    quick = {
        "StartAt": "Q",
        "States": {"Q": {"Type": "Wait", "Seconds": 1, "Next": "R"}, "R": {"Type": "Pass", "Result": "q", "End": True}},
    }
    rig = Rig(parallel(WAIT, quick), {"a": 1}).run()
    assert rig.output == [{"a": 1}, "q"]


def test_a_failing_branch_aborts_the_others() -> None:
    rig = Rig(parallel(TASK, WAIT, FAIL), answer=lambda _task: OPEN).run()
    assert rig.types[-5:] == [
        "FailStateEntered",
        "TaskStateAborted",
        "WaitStateAborted",
        "ParallelStateFailed",
        "ExecutionFailed",
    ]
    failed, fail = rig.events[-2], rig.events[-5]
    assert failed["previousEventId"] == fail["id"]
    assert rig.steps[-1].commands == [rig.end], "nothing that was begun in the same burst is ever started"


def test_a_caught_failure_cancels_what_the_others_wait_for() -> None:
    slow = {"StartAt": "W2", "States": {"W2": {"Type": "Wait", "Seconds": 5, "Next": "F"}, **FAIL["States"]}}
    rig = Rig(
        parallel(TASK, WAIT, slow, Catch=[{"ErrorEquals": ["Boom"], "Next": "S"}]), answer=lambda _task: OPEN
    ).run()
    assert rig.output == {"Error": "Boom", "Cause": "why"}


def test_a_retried_parallel_starts_over() -> None:
    attempts: list[StartTask] = []

    def answer(started: StartTask) -> Any:
        attempts.append(started)
        if len(attempts) == 1:
            raise Refused("Boom")
        return len(attempts)

    rig = Rig(parallel(TASK, WAIT, Retry=[{"ErrorEquals": ["Boom"]}]), answer=answer).run()
    assert rig.output == [2, {}]
    assert rig.types.count("ParallelStateStarted") == 2
    assert rig.types.count("ParallelStateEntered") == 1
    assert "ParallelStateFailed" not in rig.types
    commands = [command for step in rig.steps for command in step.commands]
    assert any(isinstance(command, ClearTimer) and command.name == "wait" for command in commands)


def test_cancel_of_a_task_of_an_earlier_burst() -> None:
    definition = parallel(TASK, TASK, Catch=[{"ErrorEquals": ["States.ALL"], "Next": "W"}])
    definition["States"]["W"] = {"Type": "Wait", "Seconds": 1, "End": True}
    rig = Rig(definition, answer=lambda _task: OPEN).begin()
    first, second = rig.tasks.values()
    step = rig.take(TaskFailed(first.frame, first.token, "Boom"))
    assert CancelTask(second.frame) in step.commands
    assert not rig.tasks
    assert set(rig.frames) == {0}


def test_any_failing_branch_has_a_name() -> None:
    rig = Rig(parallel(FAIL, Catch=[{"ErrorEquals": ["States.BranchFailed"], "Next": "S"}])).run()
    assert rig.output == {"Error": "Boom", "Cause": "why"}


def test_a_runtime_error_in_a_branch_ends_all_at_once() -> None:
    broken = {"StartAt": "B", "States": {"B": {"Type": "Pass", "InputPath": "$.no", "End": True}}}
    rig = Rig(parallel(broken, WAIT, Catch=[{"ErrorEquals": ["States.ALL"], "Next": "S"}])).run()
    assert rig.types[-2:] == ["PassStateEntered", "ExecutionFailed"]
    assert "ParallelStateFailed" not in rig.types


# Map


def test_iterations_get_their_items() -> None:
    rig = Rig(mapped(PASS), [1, "two", None, {"x": []}]).run()
    assert rig.output == [1, "two", None, {"x": []}]
    assert rig.details("MapStateStarted") == {"length": 4}
    assert rig.details("MapIterationStarted", 2) == {"name": "X", "index": 2}


def test_no_items_no_iterations() -> None:
    rig = Rig(mapped(PASS), []).run()
    assert rig.output == []
    assert rig.trace().endswith(
        "3<-2 MapStateStarted 4<-3 MapStateSucceeded 5<-3 MapStateExited 6<-5 ExecutionSucceeded"
    )


def test_selector_and_context() -> None:
    selector = {"i.$": "$$.Map.Item.Index", "v.$": "$$.Map.Item.Value", "all.$": "$.n"}
    rig = Rig(mapped(PASS, ItemsPath="$.l", ItemSelector=selector), {"l": ["a", "b"], "n": 2}).run()
    assert rig.output == [{"i": 0, "v": "a", "all": 2}, {"i": 1, "v": "b", "all": 2}]


def test_states_within_see_the_innermost_item() -> None:
    see = {"Type": "Pass", "Parameters": {"v.$": "$$.Map.Item.Value", "i.$": "$$.Map.Item.Index"}, "End": True}
    wait = {"Type": "Wait", "Seconds": 1, "Next": "See"}
    body = {"StartAt": "W", "States": {"W": wait, "See": see}}
    inner = {"StartAt": "In", "States": {"In": {"Type": "Parallel", "Branches": [body], "End": True}}}
    outer = {"StartAt": "Out", "States": {"Out": {"Type": "Map", "ItemProcessor": inner, "End": True}}}
    rig = Rig(mapped(outer), [["a"], ["b", "c"]]).run()
    assert rig.output == [[[{"v": "a", "i": 0}]], [[{"v": "b", "i": 0}], [{"v": "c", "i": 1}]]]


def test_one_after_the_other() -> None:
    rig = Rig(mapped(TASK, MaxConcurrency=1), [1, 2], answer=lambda task: task.payload * 10).run()
    assert rig.output == [10, 20]
    first_end = rig.types.index("MapIterationSucceeded")
    assert rig.types.index("MapIterationStarted", first_end) == first_end + 1
    assert rig.events[first_end + 1]["previousEventId"] == rig.events[first_end - 1]["id"]


@pytest.mark.parametrize(
    ("fields", "width"),
    [({}, 40), ({"MaxConcurrency": 0}, 40), ({"MaxConcurrency": 3}, 3), ({"MaxConcurrency": 99}, 40)],
)
def test_how_many_at_a_time(fields: dict[str, Any], width: int) -> None:
    rig = Rig(mapped(TASK, **fields), list(range(100)), answer=lambda _task: OPEN).begin()
    assert len(rig.tasks) == width


def test_concurrency_from_the_input() -> None:
    definition = mapped(TASK, ItemsPath="$.l", MaxConcurrencyPath="$.w")
    assert len(Rig(definition, {"l": [1, 2, 3], "w": 2}, answer=lambda _task: OPEN).begin().tasks) == 2


def test_items_must_be_a_list() -> None:
    rig = Rig(mapped(PASS, ItemsPath="$.x"), {"x": {}}).run()
    assert rig.details("ExecutionFailed")["cause"].endswith('Reference path "$.x" must point to array.')


def test_a_failing_iteration_fails_the_map() -> None:
    def answer(task: StartTask) -> Any:
        if task.payload == 2:
            raise Refused("Boom", "why")
        return OPEN

    rig = Rig(mapped(TASK, Catch=[{"ErrorEquals": ["Boom"], "Next": "S"}]), [1, 2, 3], answer=answer).run()
    at = rig.types.index("LambdaFunctionFailed")
    assert rig.types[at + 1 : at + 7] == [
        "MapIterationFailed",
        "TaskStateAborted",
        "MapIterationAborted",
        "TaskStateAborted",
        "MapIterationAborted",
        "MapStateFailed",
    ]
    assert rig.output == {"Error": "Boom", "Cause": "why"}


def test_a_selector_that_fails_midway_leaves_no_children() -> None:
    selector = {"x.$": "States.ArrayGetItem($.l, $$.Map.Item.Value)"}
    definition = mapped(TASK, ItemsPath="$.i", ItemSelector=selector)
    rig = Rig(definition, {"i": [0, 9], "l": ["only"]}, answer=lambda _task: OPEN).run()
    assert rig.types[-1] == "ExecutionFailed"
    assert "TaskStateEntered" not in rig.types


def test_the_joined_output_has_a_limit() -> None:
    limits = WorkflowLimits(payload=100)
    definition = mapped(PASS, Catch=[{"ErrorEquals": ["States.DataLimitExceeded"], "Next": "S"}], ItemsPath="$.i")
    definition["States"]["X"]["ItemProcessor"] = {
        "StartAt": "I",
        "States": {"I": {"Type": "Pass", "Result": "x" * 60, "End": True}},
    }
    rig = Rig(definition, {"i": [1, 2]}, limits=limits).run()
    assert rig.output["Error"] == "States.DataLimitExceeded"
    assert "'X'" in rig.output["Cause"]


# What is written


def written(step: Any) -> int:
    return sum(len(json.dumps(frame)) for frame in step.frames.values() if frame is not None)


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"ItemsPath": "$[*]"},
        {"ItemSelector": {"v.$": "$$.Map.Item.Value", "l.$": "$[0]"}},
        {"InputPath": "$[*]", "ItemSelector": {"v.$": "$$.Map.Item.Value", "l.$": "$[1]"}},
    ],
)
def test_one_end_writes_little_however_many_items(fields: dict[str, Any]) -> None:
    items = list(range(500))
    rig = Rig(
        mapped(TASK, MaxConcurrency=10, **fields),
        items,
        answer=lambda task: task.payload,
        limits=WorkflowLimits(history_events=10**6),
    ).begin()
    while rig.end is None:
        rig.work()
    assert max(len(step.frames) for step in rig.steps[:-1]) <= 12
    assert max(written(step) for step in rig.steps[1:-1]) < 1200
    assert [one if isinstance(one, int) else one["v"] for one in rig.output] == items


def test_ten_thousand_items_in_one_burst_after_another() -> None:
    limits = WorkflowLimits(history_events=10**6, burst=500)
    rig = Rig(mapped(PASS, Next="S"), list(range(10_000)), limits=limits).run()
    assert rig.output == list(range(10_000))
    assert max(len(step.frames) for step in rig.steps) < 90
    assert len(rig.steps) == 21


def test_results_kept_over_bursts_come_in_order() -> None:
    rig = Rig(mapped(TASK, MaxConcurrency=3), list(range(20)), answer=lambda _task: OPEN).begin()
    while rig.end is None:
        task = max(rig.tasks.values(), key=lambda task: task.frame)
        del rig.tasks[task.frame]
        rig.take(TaskSucceeded(task.frame, task.token, task.payload))
    assert rig.output == list(range(20))


def test_input_with_spaces_is_joined_without() -> None:
    rig = Rig(parallel(PASS, PASS), text='{ "a" : "b c" }').run()
    assert rig.end is not None
    assert rig.end.output == '[{"a":"b c"},{"a":"b c"}]'


def test_a_nested_fork_is_aborted_with_all_its_frames() -> None:
    inner = {"StartAt": "M", "States": {"M": {"Type": "Map", "ItemProcessor": TASK, "ItemsPath": "$.l", "End": True}}}
    definition = parallel(inner, TASK, Catch=[{"ErrorEquals": ["Boom"], "Next": "W"}])
    definition["States"]["W"] = {"Type": "Wait", "Seconds": 1, "Next": "S"}
    rig = Rig(definition, {"l": list(range(50)), "pad": "x" * 600}, answer=lambda _task: OPEN).begin()
    tasks = list(rig.tasks.values())
    lone = next(task for task in tasks if isinstance(task.payload, dict))
    for task in [task for task in tasks if task is not lone][:5]:
        del rig.tasks[task.frame]
        rig.take(TaskSucceeded(task.frame, task.token, 1))
    rig.take(TaskFailed(lone.frame, lone.token, "Boom"))
    assert set(rig.frames) == {0}
    assert not rig.tasks
    assert rig.types.count("MapIterationAborted") == 40
    assert rig.types.count("MapStateAborted") == 1
