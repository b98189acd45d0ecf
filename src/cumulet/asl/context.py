"""The context object, `$$`: what a state may know about its execution, its machine, itself, its task and its item."""

from collections.abc import Mapping
from typing import Any

from cumulet.asl.frames import ABSENT, Point
from cumulet.asl.program import State
from cumulet.base.clock import iso


def execution(facts: Mapping[str, Any], given: Any) -> dict[str, Any]:
    """The part that is the same for every state of an execution; `given` is its parsed input.

    Facts: `arn`, `name`, `subject` (the state machine's ARN), `started_at` (microseconds) and, from the starter,
    `roleArn`, and `machineName` where it is not the last part of the subject.
    """
    subject: str = facts["subject"]
    about = {
        "Id": facts["arn"],
        "Input": given,
        "Name": facts["name"],
        "StartTime": iso(facts["started_at"]),
        "RedriveCount": 0,
    }
    if "roleArn" in facts:
        about["RoleArn"] = facts["roleArn"]
    return {
        "Execution": about,
        "StateMachine": {"Id": subject, "Name": facts.get("machineName") or subject.rpartition(":")[2]},
    }


def here(common: dict[str, Any], point: Point, state: State, item: tuple[int, Any] | None) -> dict[str, Any]:
    """The context object at a point in a state, within a Map's iteration or not."""
    about: dict[str, Any] = {"EnteredTime": iso(point.at), "Name": state.name}
    if state.counts_retries:
        about["RetryCount"] = sum(point.retries.values())
    context = {**common, "State": about}
    if point.token is not None:
        context["Task"] = {"Token": point.token}
    if item is not None:
        context["Map"] = {"Item": {"Index": item[0], "Value": item[1]}}
    return context


def own_item(point: Point) -> tuple[int, Any] | None:
    """Index and value of the iteration that the point is, where the program asks for it."""
    return None if point.item is ABSENT else (point.index, point.item)
