"""What holds for any program under any stimuli: determinism, a well-formed history, only modelled failures."""

import json
from collections import Counter
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.asl.machine.rig import OPEN, Rig

from cumulet.base.limits import WorkflowLimits
from cumulet.base.step import (
    Continued,
    Env,
    Finish,
    Step,
    StopRequested,
    TaskFailed,
    TaskStarted,
    TaskSubmitted,
    TaskSucceeded,
    TimerFired,
)

NAMES = ["A", "B", "C", "D"]
PATHS = st.sampled_from(["$", "$.a", "$.a.b", "$.list", "$$.Execution.Name", "$$.State.Name", "$$", "$var", "$.no[0]"])
REFERENCES = st.sampled_from(["$", "$.a", "$.a.b", "$.list[0]", None])
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.sampled_from(["", "x", "Ünï"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["a", "b", "list"]), inner, max_size=3),
    max_leaves=6,
)
TEMPLATES = st.one_of(
    VALUES,
    st.dictionaries(st.sampled_from(["p.$", "q.$"]), PATHS, max_size=2),
    st.just({"n.$": "States.MathAdd($.a, 1)"}),
    st.just({"i.$": "$$.Map.Item.Index"}),
)
ERRORS = st.sampled_from(["States.ALL", "States.TaskFailed", "States.Timeout", "Boom", "States.HeartbeatTimeout"])
RETRY = st.fixed_dictionaries(
    {"ErrorEquals": st.lists(ERRORS, min_size=1, max_size=2)},
    optional={
        "IntervalSeconds": st.integers(0, 3),
        "MaxAttempts": st.integers(0, 2),
        "BackoffRate": st.sampled_from([1.0, 2.0, 1.5]),
        "MaxDelaySeconds": st.integers(1, 3),
        "JitterStrategy": st.sampled_from(["FULL", "NONE"]),
    },
)
RESOURCES = st.sampled_from(
    [
        "arn:aws:lambda:us-east-1:000000000000:function:f",
        "arn:aws:states:us-east-1:000000000000:activity:a",
        "arn:aws:states:::lambda:invoke",
        "arn:aws:states:::lambda:invoke.waitForTaskToken",
        "arn:aws:states:::aws-sdk:s3:listObjects",
    ]
)


@st.composite
def mapped(draw: st.DrawFn, *, result: bool) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    if draw(st.integers(0, 11)) == 0:
        fields["InputPath"] = draw(PATHS | st.none())
    if draw(st.integers(0, 11)) == 0:
        fields["OutputPath"] = draw(PATHS | st.none())
    if draw(st.integers(0, 7)) == 0:
        fields["Assign"] = draw(st.dictionaries(st.sampled_from(["var", "v.$"]), st.just("$"), max_size=2))
    if result and draw(st.integers(0, 4)):
        fields["ResultPath"] = draw(st.sampled_from(["$.r", None, "$.r"]) | REFERENCES)
    return fields


@st.composite
def states(draw: st.DrawFn, names: list[str], depth: int) -> dict[str, Any]:
    kinds = ["Pass", "Task", "Task", "Choice", "Wait", "Succeed", "Fail"] + ["Parallel", "Map"] * 3 * (depth > 0)
    kind = draw(st.sampled_from(kinds))
    state: dict[str, Any] = {"Type": kind}
    target = draw(st.sampled_from([*names, None]))
    if kind in ("Pass", "Task", "Wait", "Parallel", "Map"):
        state |= {"End": True} if target is None else {"Next": target}
    if kind == "Choice":
        rule = {
            "Variable": draw(PATHS),
            draw(st.sampled_from(["IsPresent", "IsPresent", "IsNull"])): draw(st.booleans()),
        }
        state["Choices"] = [rule | {"Next": draw(st.sampled_from(names))}]
        if target is not None:
            state["Default"] = target
    if kind == "Fail":
        return state | draw(st.sampled_from([{"Error": "Boom"}, {"Cause": "c"}, {"ErrorPath": "$.a"}]))
    state |= draw(mapped(result=kind in ("Pass", "Task", "Parallel", "Map")))
    if kind == "Pass" and draw(st.booleans()):
        state |= draw(
            st.one_of(st.builds(lambda v: {"Result": v}, VALUES), st.builds(lambda v: {"Parameters": v}, TEMPLATES))
        )
    if kind == "Wait":
        state |= draw(st.sampled_from([{"Seconds": 0}, {"Seconds": 5}, {"Seconds": 9}, {"SecondsPath": "$.a"}]))
    if kind == "Task":
        state["Resource"] = draw(RESOURCES)
        state |= draw(st.sampled_from([{}, {"TimeoutSeconds": 5}, {"TimeoutSeconds": 9, "HeartbeatSeconds": 3}]))
    if kind == "Parallel":
        state["Branches"] = [draw(flows(depth - 1)) for _ in range(draw(st.integers(1, 3)))]
    if kind == "Map":
        state["ItemProcessor"] = draw(flows(depth - 1))
        state |= draw(ITEMS)
        if draw(st.booleans()):
            state["ItemSelector"] = draw(TEMPLATES)
    if kind in ("Task", "Parallel", "Map"):
        state["Retry"] = draw(st.lists(RETRY, max_size=2))
        if draw(st.booleans()):
            catch = {
                "ErrorEquals": ["States.ALL"],
                "Next": draw(st.sampled_from(names)),
                "ResultPath": draw(REFERENCES),
            }
            state["Catch"] = [catch]
    return state


@st.composite
def flows(draw: st.DrawFn, depth: int) -> dict[str, Any]:
    names = NAMES[: draw(st.integers(1, 4 if depth == 2 else 2))]
    return {"StartAt": names[0], "States": {name: draw(states(names, depth)) for name in names}}


ITEMS = st.sampled_from([{}, {"ItemsPath": "$.list"}, {"ItemsPath": "$.list", "MaxConcurrency": 1}])
RICH: dict[str, Any] = {"a": 1, "list": [{"a": 2, "list": [3]}, "x", {"a": 3, "list": []}]}
GIVEN = st.one_of(st.just(RICH), st.just(RICH), st.just([RICH, RICH]), VALUES)
LIMITS = WorkflowLimits(payload=4000, history_events=120, burst=7)


class Driver:
    """Plays random stimuli, most of them fitting, some stale or absurd."""

    def __init__(self, rig: Rig, data: st.DataObject) -> None:
        self.rig, self.data = rig, data

    def choose(self) -> Any:
        rig = self.rig
        options: list[Any] = [StopRequested("why", None)] if self.data.draw(st.integers(0, 15)) == 0 else []
        for task in list(rig.tasks.values()):
            token = task.token
            options += [
                TaskSucceeded(task.frame, token, self.data.draw(VALUES)),
                TaskFailed(task.frame, token, self.data.draw(st.sampled_from(["Boom", "", "States.Runtime"])), None),
                TaskSubmitted(task.frame, token, {"ok": True}),
                TaskStarted(task.frame, token, "worker"),
            ]
        options += [TimerFired(*key) for key in rig.timers]
        options += [
            TimerFired(self.data.draw(st.integers(0, 9)), "wait"),
            TaskSucceeded(self.data.draw(st.integers(0, 9)), "stale", 1),
            Continued(),
        ]
        return self.data.draw(st.sampled_from(options))

    def play(self) -> None:
        rig = self.rig.begin()
        for _ in range(self.data.draw(st.integers(0, 25))):
            if rig.end is not None:
                return
            if rig.inbox:
                rig.work()
                continue
            stimulus = self.choose()
            if isinstance(stimulus, TaskSucceeded | TaskFailed):
                rig.tasks.pop(stimulus.frame, None) if stimulus.token != "stale" else None
            if isinstance(stimulus, TimerFired):
                rig.timers.pop((stimulus.frame, stimulus.name), None)
            rig.take(stimulus)


@settings(max_examples=120, deadline=None, suppress_health_check=list(HealthCheck))
@given(flows(2), GIVEN, st.data())
def test_any_program_under_any_stimuli(definition: dict[str, Any], value: Any, data: st.DataObject) -> None:
    rig = Rig(definition, value, answer=lambda _task: OPEN, limits=LIMITS)
    Driver(rig, data).play()
    check_history(rig)
    check_frames(rig)


@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
@given(flows(2), GIVEN)
def test_the_same_is_the_same(definition: dict[str, Any], value: Any) -> None:
    def play() -> list[Step]:
        return Rig(definition, value, answer=lambda task: task.payload, limits=LIMITS).run(40).steps

    assert play() == play()


@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
@given(flows(2), GIVEN, st.integers(1, 50))
def test_bursts_do_not_matter(definition: dict[str, Any], value: Any, burst: int) -> None:
    """Where an execution gives way to others changes neither its end nor what its history says, but for the order."""

    def play(limits: WorkflowLimits) -> Rig:
        return Rig(definition, value, answer=lambda task: task.payload, limits=limits).run(400)

    whole = play(WorkflowLimits(history_events=400))
    parts = play(WorkflowLimits(history_events=400, burst=burst))
    if whole.end is None or parts.end is None or max(whole.next_event, parts.next_event) > 390:
        return
    assert (
        whole.end.status == parts.end.status or "Parallel" in json.dumps(definition) or "Map" in json.dumps(definition)
    )
    if "Parallel" not in json.dumps(definition) and "Map" not in json.dumps(definition):
        assert [kind(event) for event in whole.events] == [kind(event) for event in parts.events]


def kind(event: dict[str, Any]) -> tuple[int, int, str]:
    return event["id"], event["previousEventId"], event["type"]


def check_history(rig: Rig) -> None:
    """Ids without gaps, causes before effects, no exit without entry, one last event and that at the end."""
    ids = [event["id"] for event in rig.events]
    assert ids == list(range(1, len(ids) + 1))
    assert len(ids) <= rig.limits.history_events
    assert all(event["previousEventId"] < event["id"] for event in rig.events)
    entered: Counter[str] = Counter()
    for event in rig.events:
        if "stateEnteredEventDetails" in event:
            entered[event["stateEnteredEventDetails"]["name"]] += 1
        if "stateExitedEventDetails" in event:
            name = event["stateExitedEventDetails"]["name"]
            entered[name] -= 1
            assert entered[name] >= 0, f"{name} was left more often than entered"
    ends = [event["type"] for event in rig.events if event["type"] in ENDS]
    assert len(ends) == (rig.end is not None)
    if rig.end is not None:
        assert rig.events[-1]["type"] == ENDS_BY_STATUS[rig.end.status]
        assert isinstance(rig.end, Finish)
    json.dumps(rig.events)


ENDS_BY_STATUS = {
    "SUCCEEDED": "ExecutionSucceeded",
    "FAILED": "ExecutionFailed",
    "ABORTED": "ExecutionAborted",
    "TIMED_OUT": "ExecutionTimedOut",
}
ENDS = set(ENDS_BY_STATUS.values())


def check_frames(rig: Rig) -> None:
    """Every frame belongs to the tree; whoever waits can be woken."""
    reached: set[int] = set()

    def visit(number: int) -> None:
        reached.add(number)
        frame = rig.frames[number]
        fork = frame.get("fork")
        if fork is None:
            return
        assert len(fork["live"]) == fork["next"] - fork["done"] <= fork["width"]
        for child in fork["live"]:
            assert rig.frames[child]["parent"] == number
            visit(child)
        if fork.get("bulk") is not None:
            reached.add(fork["bulk"])
        page = fork.get("page")
        while page is not None:
            reached.add(page)
            page = rig.frames[page].get("page")

    if rig.end is None:
        visit(0)
        assert reached == set(rig.frames)
        for number, frame in rig.frames.items():
            match frame.get("phase"):
                case "task":
                    assert frame["token"]
                case "wait" | "retry":
                    assert frame["timers"]
                case "ready":
                    assert number in rig.frames[0]["ready"]
                    assert rig.inbox
        assert {frame for frame, _ in rig.timers} <= set(rig.frames)
    else:
        assert not rig.frames


def test_env_is_the_only_chance() -> None:
    """Two envs with the same seed give the same tokens."""
    assert Env(1, b"x").entropy(8) == Env(1, b"x").entropy(8)
