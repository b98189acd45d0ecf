"""One state after another: data through states, waiting, ending, limits, turns, variables, refusals."""

import json
from typing import Any

import pytest
from tests.asl.machine.rig import OPEN, START, Rig
from tests.asl.machine.test_fork import PASS, TASK, WAIT, mapped, parallel
from tests.asl.machine.test_task import task

from cumulet.asl.parse import BadProgramError, parse
from cumulet.base.errors import NotImplementedHere
from cumulet.base.limits import AWS_2017, WorkflowLimits
from cumulet.base.step import Continue, Continued, Finish, SetTimer, TaskFailed, TaskSucceeded, TimerFired


def chain(**states: dict[str, Any]) -> dict[str, Any]:
    return {"StartAt": next(iter(states)), "States": states}


def only(kind: str, **fields: Any) -> dict[str, Any]:
    return chain(X={"Type": kind, **({} if kind in ("Succeed", "Fail") else {"End": True}), **fields})


# Data


def test_untouched_text_goes_through_as_it_came() -> None:
    text = '{ "a" :  1.50, "b": [ ] }'
    rig = Rig(chain(P={"Type": "Pass", "Next": "S"}, S={"Type": "Succeed"}), text=text).run()
    assert [details(event) for event in rig.events] == [text] * 6


def details(event: dict[str, Any]) -> str:
    found = next(value for key, value in event.items() if key.endswith("EventDetails"))
    text: str = found.get("input", found.get("output"))
    return text


@pytest.mark.parametrize(
    ("fields", "given", "output"),
    [
        ({}, {"a": 1}, {"a": 1}),
        ({"Result": None}, {"a": 1}, None),
        ({"Result": [1]}, {"a": 1}, [1]),
        ({"Result": 5, "ResultPath": "$.r"}, {"a": 1}, {"a": 1, "r": 5}),
        ({"Result": 5, "ResultPath": None}, {"a": 1}, {"a": 1}),
        ({"Result": 5, "ResultPath": None, "OutputPath": "$.a"}, {"a": 1}, 1),
        ({"InputPath": None}, {"a": 1}, {}),
        ({"InputPath": "$.a"}, {"a": 1}, 1),
        ({"InputPath": "$.a", "ResultPath": "$.b"}, {"a": 1}, {"a": 1, "b": 1}),
        ({"ResultPath": "$.copy"}, {"a": 1}, {"a": 1, "copy": {"a": 1}}),
        ({"OutputPath": None}, {"a": 1}, {}),
        ({"OutputPath": "$.a"}, {"a": 1}, 1),
        ({"Parameters": {"x.$": "$.a", "y": "$.a"}}, {"a": 1}, {"x": 1, "y": "$.a"}),
        ({"InputPath": "$.a", "Parameters": {"x.$": "$"}}, {"a": 1}, {"x": 1}),
    ],
)
def test_pass(fields: dict[str, Any], given: Any, output: Any) -> None:
    assert Rig(only("Pass", **fields), given).run().output == output


def test_input_is_never_changed() -> None:
    """A result put into the input makes a new value; what shares it stays as it was."""
    definition = parallel(
        chain(A={"Type": "Pass", "Result": 1, "ResultPath": "$.o.x", "End": True}), PASS, InputPath="$.in"
    )
    assert Rig(definition, {"in": {"o": {}}}).run().output == [{"o": {"x": 1}}, {"o": {}}]


@pytest.mark.parametrize("kind", ["Succeed", "Wait", "Choice"])
def test_states_without_a_result_filter(kind: str) -> None:
    fields: dict[str, Any] = {"InputPath": "$.a", "OutputPath": "$.b"}
    if kind == "Wait":
        fields["Seconds"] = 0
    state = {"Type": kind, **fields}
    states = {"X": state}
    if kind == "Choice":
        state |= {"Choices": [{"Variable": "$.b", "NumericEquals": 1, "Next": "E"}]}
        states["E"] = {"Type": "Succeed"}
    if kind == "Wait":
        state["End"] = True
    assert Rig({"StartAt": "X", "States": states}, {"a": {"b": 1}}).run().output == 1


def test_a_choice_without_a_way() -> None:
    definition = chain(
        C={"Type": "Choice", "Choices": [{"Variable": "$.a", "IsPresent": True, "Next": "S"}]}, S={"Type": "Succeed"}
    )
    rig = Rig(definition).run()
    assert rig.details("ExecutionFailed") == {
        "error": "States.Runtime",
        "cause": "An error occurred while executing the state 'C' (entered at the event id #2). "
        "Failed to transition out of the state. The state does not point to a next state.",
    }


def test_fail_takes_only_text() -> None:
    rig = Rig(only("Fail", ErrorPath="$.e"), {"e": 5}).run()
    assert rig.end is not None
    assert rig.end.error == "States.Runtime"


def test_fail_computes_its_words() -> None:
    rig = Rig(only("Fail", Error="E", CausePath="States.Format('no {}', $.x)"), {"x": "luck"}).run()
    assert rig.end == Finish("FAILED", None, "E", "no luck")


# Waiting


@pytest.mark.parametrize(
    ("fields", "given", "due"),
    [
        ({"Seconds": 3}, {}, START + 3_000_000),
        ({"SecondsPath": "$.s"}, {"s": 2}, START + 2_000_000),
        ({"Timestamp": "2026-01-02T03:04:05Z"}, {}, 1_767_323_045_000_000),
        ({"Timestamp": "2026-01-02T03:04:05.25+01:00"}, {}, 1_767_319_445_250_000),
        ({"TimestampPath": "$.t"}, {"t": "2026-01-02T03:04:05Z"}, 1_767_323_045_000_000),
    ],
)
def test_wait(fields: dict[str, Any], given: Any, due: int) -> None:
    rig = Rig(only("Wait", **fields), given).begin()
    assert rig.steps[0].commands == [SetTimer(0, "wait", due)]
    rig.run()
    assert rig.now == due
    assert rig.types[-2:] == ["WaitStateExited", "ExecutionSucceeded"]
    assert rig.output == given


@pytest.mark.parametrize("fields", [{"Seconds": 0}, {"Timestamp": "2001-01-01T00:00:00Z"}])
def test_no_wait_at_all(fields: dict[str, Any]) -> None:
    assert len(Rig(only("Wait", **fields)).run().steps) == 1


@pytest.mark.parametrize("path", ["SecondsPath", "TimestampPath"])
def test_nothing_to_wait_for(path: str) -> None:
    rig = Rig(only("Wait", **{path: "$.x"})).run()
    assert rig.details("ExecutionFailed")["cause"].endswith(
        f"The {path} parameter does not reference an input value: $.x"
    )


def test_a_moment_that_is_no_text() -> None:
    rig = Rig(only("Wait", TimestampPath="$.x"), {"x": 5}).run()
    assert rig.details("ExecutionFailed")["cause"].endswith("format string: $.x == 5")


# Ending


def test_the_whole_execution_times_out() -> None:
    definition = only("Wait", Seconds=60) | {"TimeoutSeconds": 5}
    rig = Rig(definition).begin()
    assert rig.timers[0, "execution"] == START + 5_000_000
    rig.run()
    assert rig.end == Finish("TIMED_OUT")
    assert rig.events[-1] | {"timestamp": 0} == {
        "timestamp": 0,
        "type": "ExecutionTimedOut",
        "id": 3,
        "previousEventId": 0,
        "executionTimedOutEventDetails": {},
    }


def test_stop_tells_what_was_left() -> None:
    rig = Rig(mapped(TASK), [1, 2], answer=lambda _task: OPEN).begin().stop("E", "why")
    assert rig.types[-6:] == [
        "TaskStateAborted",
        "MapIterationAborted",
        "TaskStateAborted",
        "MapIterationAborted",
        "MapStateAborted",
        "ExecutionAborted",
    ]
    assert rig.end == Finish("ABORTED", None, "E", "why")
    assert rig.details("ExecutionAborted") == {"error": "E", "cause": "why"}


def test_stop_before_the_first_turn_is_over() -> None:
    rig = Rig(mapped(PASS), [1, 2, 3], limits=WorkflowLimits(burst=2)).begin().stop()
    assert rig.end == Finish("ABORTED")


# Limits and turns


LOOP = chain(
    P={"Type": "Pass", "Next": "C"},
    C={"Type": "Choice", "Choices": [{"Variable": "$.no", "IsPresent": True, "Next": "S"}], "Default": "P"},
    S={"Type": "Succeed"},
)


def test_history_ends_at_25000() -> None:
    rig = Rig(LOOP).run()
    assert len(rig.events) == 25_000
    last = rig.events[-1]
    assert (last["type"], last["id"], last["previousEventId"]) == ("ExecutionFailed", 25_000, 24_999)
    assert rig.end == Finish(
        "FAILED", None, "States.Runtime", "The execution reached the maximum number of history events (25000)."
    )


def test_history_full_while_a_task_reports() -> None:
    rig = Rig(task(), answer=lambda _task: 1, limits=WorkflowLimits(history_events=5)).run()
    assert rig.types[-1] == "ExecutionFailed"
    assert len(rig.events) == 5


def test_success_may_be_the_last_event() -> None:
    assert Rig(only("Succeed"), limits=WorkflowLimits(history_events=4)).run().types[-1] == "ExecutionSucceeded"


def test_stop_finds_room_in_a_full_history() -> None:
    rig = Rig(mapped(TASK), [1, 2], answer=lambda _task: OPEN, limits=WorkflowLimits(history_events=14)).begin().stop()
    assert rig.types[-1] == "ExecutionAborted"
    assert len(rig.events) == 14


def test_loops_give_way_to_others() -> None:
    rig = Rig(LOOP, limits=WorkflowLimits(burst=100)).begin()
    assert rig.steps[0].commands == [Continue()]
    assert len(rig.steps[0].events) == 1 + 2 * 100
    rig.take(Continued())
    assert len(rig.events) == 1 + 2 * 200


def test_others_are_heard_between_turns() -> None:
    """What happens while points wait for their turn neither loses nor doubles a turn."""
    definition = parallel(TASK, chain(A={"Type": "Pass", "Next": "B"}, B={"Type": "Pass", "End": True}), PASS)
    rig = Rig(definition, {"a": 1}, answer=lambda _task: OPEN, limits=WorkflowLimits(burst=3)).begin()
    (waiting,) = rig.tasks.values()
    before = list(rig.inbox)
    rig.take(TaskSucceeded(waiting.frame, waiting.token, "t"))
    assert list(rig.inbox) == before == [Continued()]
    rig.run()
    assert rig.output == ["t", {"a": 1}, {"a": 1}]


def test_more_turns_may_be_needed_than_are_due() -> None:
    body = chain(
        T=TASK["States"]["T"] | {"Next": "P"}, P={"Type": "Pass", "Next": "Q"}, Q={"Type": "Pass", "End": True}
    )
    del body["States"]["T"]["End"]
    definition = parallel(
        body,
        chain(*[], A={"Type": "Pass", "Next": "B"}, B={"Type": "Pass", "Next": "D"}, D={"Type": "Pass", "End": True}),
    )
    rig = Rig(definition, answer=lambda _task: OPEN, limits=WorkflowLimits(burst=2)).begin()
    rig.work()
    (waiting,) = rig.tasks.values()
    rig.take(TaskSucceeded(waiting.frame, waiting.token, 5))
    rig.run()
    assert rig.output == [5, {}]


def test_whoever_is_aborted_loses_its_turn() -> None:
    catch = [{"ErrorEquals": ["Boom"], "Next": "S"}]
    long = chain(A={"Type": "Pass", "Next": "B"}, B={"Type": "Pass", "Next": "A"})
    definition = parallel(TASK, long, Catch=catch)
    rig = Rig(definition, answer=lambda _task: OPEN, limits=WorkflowLimits(burst=6)).begin()
    (waiting,) = rig.tasks.values()
    step = rig.take(TaskFailed(waiting.frame, waiting.token, "Boom"))
    assert step.commands == [rig.end]
    definition["States"]["S"] = {"Type": "Wait", "Seconds": 1, "End": True}
    rig = Rig(definition, answer=lambda _task: OPEN, limits=WorkflowLimits(burst=6)).begin()
    (waiting,) = rig.tasks.values()
    rig.take(TaskFailed(waiting.frame, waiting.token, "Boom"))
    assert set(rig.frames) == {0}
    assert rig.take(rig.inbox.popleft()).events == []
    assert rig.run().output == {"Error": "Boom", "Cause": None}


def test_the_limit_of_2017() -> None:
    definition = only("Pass", Parameters={"a.$": "States.Format('{}{}', $.x, $.x)"})
    assert Rig(definition, {"x": "y" * 10_000}, limits=AWS_2017).run().types[-1] == "ExecutionSucceeded"
    rig = Rig(definition, {"x": "y" * 20_000}, limits=AWS_2017).run()
    assert rig.end is not None
    assert rig.end.error == "States.DataLimitExceeded"


def test_data_nested_too_deeply_fails_the_execution() -> None:
    deeper = chain(
        D={"Type": "Pass", "Parameters": {"d.$": "$"}, "Next": "C"},
        C={"Type": "Choice", "Choices": [{"Variable": "$.no", "IsPresent": True, "Next": "S"}], "Default": "D"},
        S={"Type": "Succeed"},
    )
    rig = Rig(deeper, limits=WorkflowLimits(burst=100)).run()
    assert rig.end is not None
    assert (rig.end.status, rig.end.error) == ("FAILED", "States.Runtime")
    assert len(rig.events) < 25_000


# Variables


def test_variables_reach_inwards_only() -> None:
    inner = chain(
        I={"Type": "Wait", "Seconds": 1, "Assign": {"own.$": "$"}, "Next": "J"},
        J={"Type": "Pass", "Parameters": {"o.$": "$outer", "v.$": "$own"}, "End": True},
    )
    definition = chain(
        A={"Type": "Pass", "Assign": {"outer": 1}, "Next": "M"},
        M={"Type": "Map", "ItemProcessor": inner, "Assign": {"got.$": "$[0].v"}, "Next": "B"},
        B={"Type": "Pass", "Parameters": {"got.$": "$got", "own.$": "$own"}, "End": True},
    )
    rig = Rig(definition, ["x", "y"]).run()
    assert rig.details("MapStateExited")["output"] == '[{"o":1,"v":"x"},{"o":1,"v":"y"}]'
    assert rig.details("MapStateExited")["assignedVariables"] == {"got": '"x"'}
    assert "$own" in rig.details("ExecutionFailed")["cause"]


def test_variables_change_between_loops() -> None:
    inner = chain(I={"Type": "Pass", "InputPath": "$n", "End": True})
    definition = chain(
        A={"Type": "Pass", "Assign": {"n": 0}, "Next": "M"},
        M={"Type": "Parallel", "Branches": [inner], "Assign": {"n.$": "States.MathAdd($n, 1)"}, "Next": "C"},
        C={"Type": "Choice", "Choices": [{"Variable": "$n", "NumericEquals": 3, "Next": "S"}], "Default": "M"},
        S={"Type": "Succeed"},
    )
    assert Rig(definition).run().output == [2]


def test_a_choice_assigns_where_it_goes() -> None:
    rule = {"Variable": "$.a", "IsPresent": True, "Next": "E", "Assign": {"way": "rule"}}
    definition = chain(
        C={"Type": "Choice", "Choices": [rule], "Default": "E", "Assign": {"way": "default"}},
        E={"Type": "Pass", "InputPath": "$way", "End": True},
    )
    assert Rig(definition, {"a": 1}).run().output == "rule"
    assert Rig(definition, {}).run().output == "default"


def test_a_variable_has_a_limit() -> None:
    definition = only("Pass", Assign={"v.$": "States.Format('{}{}', $, $)"}, Next=None)
    rig = Rig(definition, "x" * 60, limits=WorkflowLimits(payload=100)).run()
    assert rig.end is not None
    assert rig.end.error == "States.DataLimitExceeded"


# Refusals


@pytest.mark.parametrize(
    ("definition", "words"),
    [
        ("{", "not JSON"),
        ("[]", "Expected an object"),
        ({"StartAt": "A"}, "Missing field at /States"),
        ({"StartAt": "A", "States": {}}, "Missing 'Next' target: A at /StartAt"),
        (chain(A={"Type": "Pass"}), "Missing field at /States/A/Next"),
        (chain(A={"Type": "Pass", "Next": "B"}), "Missing 'Next' target: B at /States/A"),
        (chain(A={"Type": "Magic", "End": True}), "Unknown state type Magic"),
        (chain(A={"Type": "Pass", "InputPath": "nope", "End": True}), "/States/A/InputPath"),
        (chain(A={"Type": "Pass", "ResultPath": "nope", "End": True}), "/States/A/ResultPath"),
        (chain(A={"Type": "Pass", "Parameters": {"x.$": "nope"}, "End": True}), "/States/A/Parameters"),
        (only("Wait"), "Missing field at /States/X/Seconds"),
        (only("Wait", Timestamp="soon"), "RFC3339"),
        (only("Wait", Seconds="1"), "Expected int"),
        (only("Choice", Choices=[{"Variable": "$.a", "Next": "X"}]), "/States/X/Choices"),
        (only("Parallel", Branches=[]), "/States/X/Branches"),
        (task(Retry=[{"ErrorEquals": ["E"], "MaxAttempts": "1"}]), "Expected number"),
        (task(Catch=[{"ErrorEquals": ["E"], "Next": "Y"}]), "Missing 'Next' target: Y"),
        (mapped(PASS, ToleratedFailureCount=1), "DISTRIBUTED"),
    ],
)
def test_what_cannot_run_is_refused(definition: Any, words: str) -> None:
    with pytest.raises(BadProgramError, match=words.replace("(", r"\(")):
        parse(definition if isinstance(definition, str) else json.dumps(definition))


@pytest.mark.parametrize(
    "definition",
    [
        only("Pass") | {"QueryLanguage": "JSONata"},
        only("Pass", QueryLanguage="JSONata"),
        mapped(PASS | {"ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}}),
    ],
)
def test_what_is_not_carried_out_is_named(definition: Any) -> None:
    with pytest.raises(NotImplementedHere):
        parse(json.dumps(definition))


def test_a_timer_of_a_point_that_moved_on() -> None:
    rig = Rig(WAIT).begin()
    assert rig.take(TimerFired(0, "retry")).events == []
