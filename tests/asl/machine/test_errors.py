"""Retry and Catch: which errors, how often, after how long, and what comes out."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.asl.machine.rig import START, Refused, Rig
from tests.asl.machine.test_task import task

from cumulet.asl.program import Failure, Retrier
from cumulet.asl.retry import delay, matches
from cumulet.base.step import Env, SetTimer, StartTask


def failing(error: str = "Boom", cause: str | None = "why") -> Any:
    def answer(_task: StartTask) -> Any:
        raise Refused(error, cause)

    return answer


def retry(*retriers: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return task(Retry=list(retriers), **fields)


def caught(*catchers: dict[str, Any], **fields: Any) -> dict[str, Any]:
    definition = task(Catch=[{"Next": "S", **catcher} for catcher in catchers], **fields)
    definition["States"]["S"] = {"Type": "Succeed"}
    return definition


def waits(rig: Rig) -> list[float]:
    """Seconds between the attempts."""
    due = [one.due for step in rig.steps for one in step.commands if isinstance(one, SetTimer)]
    starts = [START, *due]
    return [(later - earlier) / 1_000_000 for earlier, later in zip(starts, due, strict=False)]


def test_the_default_is_three_times_with_doubling() -> None:
    rig = Rig(retry({"ErrorEquals": ["States.ALL"]}), answer=failing()).run()
    assert waits(rig) == [1, 2, 4]
    assert rig.types.count("LambdaFunctionFailed") == 4
    assert rig.types.count("TaskStateEntered") == 1
    assert rig.details("ExecutionFailed") == {"error": "Boom", "cause": "why"}


def test_an_attempt_follows_the_failure() -> None:
    rig = Rig(retry({"ErrorEquals": ["Boom"], "MaxAttempts": 1}), answer=failing()).run()
    assert rig.trace().endswith(
        "4<-3 LambdaFunctionStarted 5<-4 LambdaFunctionFailed 6<-5 LambdaFunctionScheduled 7<-6 LambdaFunctionStarted "
        "8<-7 LambdaFunctionFailed 9<-8 ExecutionFailed"
    )


def test_no_wait_at_all() -> None:
    rig = Rig(retry({"ErrorEquals": ["Boom"], "IntervalSeconds": 0, "MaxAttempts": 2}), answer=failing()).run()
    assert waits(rig) == [0, 0]


def test_the_longest_wait() -> None:
    rule = {"ErrorEquals": ["Boom"], "IntervalSeconds": 3, "BackoffRate": 3, "MaxDelaySeconds": 10}
    assert waits(Rig(retry(rule), answer=failing()).run()) == [3, 9, 10]


def test_jitter_comes_from_the_env() -> None:
    rule = {
        "ErrorEquals": ["Boom"],
        "IntervalSeconds": 100,
        "JitterStrategy": "FULL",
        "MaxAttempts": 5,
        "BackoffRate": 1,
    }
    first, again = (waits(Rig(retry(rule), answer=failing()).run()) for _ in range(2))
    assert first == again
    assert len(set(first)) == 5
    assert all(0 <= one < 100 for one in first)


def test_each_retrier_counts_for_itself() -> None:
    errors = iter(["A", "B", "A", "B", "A"])

    def answer(_task: StartTask) -> Any:
        raise Refused(next(errors))

    rules = [
        {"ErrorEquals": ["A"], "MaxAttempts": 2, "IntervalSeconds": 1},
        {"ErrorEquals": ["B"], "MaxAttempts": 5, "IntervalSeconds": 1, "BackoffRate": 1},
    ]
    rig = Rig(retry(*rules), answer=answer).run()
    assert rig.types.count("LambdaFunctionFailed") == 5
    assert rig.end is not None
    assert rig.end.error == "A"


def test_the_first_retrier_that_matches_decides() -> None:
    rules = [{"ErrorEquals": ["Boom"], "MaxAttempts": 0}, {"ErrorEquals": ["States.ALL"]}]
    assert Rig(retry(*rules), answer=failing()).run().types.count("LambdaFunctionFailed") == 1


def test_counts_start_over_when_the_state_is_entered_again() -> None:
    answers = iter([None, 1, None, 1, 2])

    def answer(_task: StartTask) -> Any:
        if (value := next(answers)) is None:
            raise Refused("Boom")
        return {"n": value}

    definition = retry({"ErrorEquals": ["Boom"], "MaxAttempts": 1}, Next="C")
    rule = {"Variable": "$.n", "NumericEquals": 2, "Next": "S"}
    definition["States"] |= {"C": {"Type": "Choice", "Choices": [rule], "Default": "T"}, "S": {"Type": "Succeed"}}
    assert Rig(definition, answer=answer).run().output == {"n": 2}


def test_the_context_tells_the_retries() -> None:
    seen: list[Any] = []

    def answer(started: StartTask) -> Any:
        seen.append(started.payload)
        raise Refused("Boom")

    Rig(
        retry({"ErrorEquals": ["Boom"], "MaxAttempts": 2}, Parameters={"n.$": "$$.State.RetryCount"}), answer=answer
    ).run()
    assert seen == [{"n": 0}, {"n": 1}, {"n": 2}]


def test_retries_come_before_catchers() -> None:
    definition = caught({"ErrorEquals": ["Boom"]}, Retry=[{"ErrorEquals": ["Boom"], "MaxAttempts": 1}])
    rig = Rig(definition, answer=failing()).run()
    assert rig.types.count("LambdaFunctionFailed") == 2
    assert rig.output == {"Error": "Boom", "Cause": "why"}


def test_a_catcher_leaves_the_state() -> None:
    rig = Rig(caught({"ErrorEquals": ["Boom"], "ResultPath": "$.e"}), {"a": 1}, answer=failing()).run()
    assert rig.types[4:7] == ["LambdaFunctionFailed", "TaskStateExited", "SucceedStateEntered"]
    assert rig.output == {"a": 1, "e": {"Error": "Boom", "Cause": "why"}}


def test_a_catcher_may_throw_the_error_away() -> None:
    assert Rig(caught({"ErrorEquals": ["Boom"], "ResultPath": None}), {"a": 1}, answer=failing()).run().output == {
        "a": 1
    }


def test_a_catcher_may_assign() -> None:
    catcher = {"ErrorEquals": ["Boom"], "Assign": {"what.$": "$.Error"}, "ResultPath": None}
    rig = Rig(caught(catcher), answer=failing()).run()
    assert rig.details("TaskStateExited")["assignedVariables"] == {"what": '"Boom"'}


def test_a_catcher_whose_path_cannot_be_set() -> None:
    rig = Rig(caught({"ErrorEquals": ["Boom"], "ResultPath": "$.a.b"}), [1], answer=failing()).run()
    assert rig.details("ExecutionFailed")["error"] == "States.ResultPathMatchFailure"


def test_the_first_catcher_that_matches_is_taken() -> None:
    definition = caught(
        {"ErrorEquals": ["Other"], "ResultPath": "$.other"}, {"ErrorEquals": ["Boom"], "ResultPath": "$.b"}
    )
    assert set(Rig(definition, answer=failing()).run().output) == {"b"}


def test_runtime_errors_are_never_caught() -> None:
    definition = caught({"ErrorEquals": ["States.Runtime"]}, {"ErrorEquals": ["States.ALL"]}, InputPath="$.no")
    rig = Rig(definition, {"a": 1}, answer=failing()).run()
    assert rig.details("ExecutionFailed")["error"] == "States.Runtime"
    assert "LambdaFunctionScheduled" not in rig.types


@pytest.mark.parametrize(
    ("wanted", "error", "alias", "matched"),
    [
        ("States.ALL", "Boom", None, True),
        ("States.ALL", None, None, True),
        ("States.ALL", "States.Timeout", None, True),
        ("States.ALL", "States.DataLimitExceeded", None, False),
        ("States.ALL", "States.Runtime", None, False),
        ("States.Runtime", "States.Runtime", None, False),
        ("States.DataLimitExceeded", "States.DataLimitExceeded", None, True),
        ("States.TaskFailed", "Boom", None, True),
        ("States.TaskFailed", "States.Timeout", None, False),
        ("States.Timeout", "States.Timeout", "States.HeartbeatTimeout", True),
        ("States.HeartbeatTimeout", "States.Timeout", "States.HeartbeatTimeout", True),
        ("States.HeartbeatTimeout", "States.Timeout", None, False),
        ("Boom", "Bang", None, False),
    ],
)
def test_names(wanted: str, error: str | None, alias: str | None, matched: bool) -> None:
    assert matches([wanted], Failure(error, None, alias)) is matched


@given(
    st.floats(0, 1e8), st.floats(1, 1e6), st.integers(1, 10**8), st.none() | st.integers(1, 31_622_400), st.booleans()
)
def test_delays_stay_within_a_year(
    interval: float, backoff: float, attempt: int, longest: int | None, jitter: bool
) -> None:
    retrier = Retrier(("States.ALL",), interval, 10**8, backoff, longest, jitter)
    assert 0 <= delay(retrier, attempt, Env(0, b"")) <= (longest or 31_622_400) * 1_000_000
