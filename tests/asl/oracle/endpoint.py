"""Answers the calls of recorded cases from the bare machine: no engine, no database, no HTTP.

Only what a case of pure states needs: roles are names, an execution runs in a `Rig` whose clock jumps, tasks are not
available. Every other operation makes a case not eligible.
"""

import copy
from datetime import UTC, datetime
from typing import Any

from tests.asl.machine.rig import Rig
from tests.oracle import replay

# ruff: noqa: N802  methods bear the names of operations

ACCOUNT, REGION = "000000000000", "us-east-1"
SERVICES = {"iam", "sts", "states"}
OK = {"ResponseMetadata": {"HTTPHeaders": {}, "HTTPStatusCode": 200}}


def moment(micros: int) -> datetime:
    return datetime.fromtimestamp(micros // 1_000_000, UTC)


class Endpoint:
    """One case's world."""

    def __init__(self) -> None:
        self.machines: dict[str, dict[str, Any]] = {}
        self.runs: dict[str, Rig] = {}

    def call(self, service: str, operation: str, params: dict[str, Any]) -> dict[str, Any]:
        return OK | getattr(self, f"{service}_{operation}")(**params)

    def settle(self) -> None:
        """Let all executions come to their end."""
        for run in self.runs.values():
            run.run()

    def iam_CreateRole(self, RoleName: str, **_: Any) -> dict[str, Any]:
        return {"Role": {"RoleName": RoleName, "Arn": f"arn:aws:iam::{ACCOUNT}:role/{RoleName}"}}

    def iam_CreatePolicy(self, PolicyName: str, **_: Any) -> dict[str, Any]:
        return {"Policy": {"Arn": f"arn:aws:iam::{ACCOUNT}:policy/{PolicyName}"}}

    def iam_AttachRolePolicy(self, **_: Any) -> dict[str, Any]:
        return {}

    def sts_GetCallerIdentity(self) -> dict[str, Any]:
        return {"Account": ACCOUNT}

    def stepfunctions_CreateStateMachine(self, name: str, **given: Any) -> dict[str, Any]:
        arn = f"arn:aws:states:{REGION}:{ACCOUNT}:stateMachine:{name}"
        self.machines[arn] = {"name": name, **given}
        return {"stateMachineArn": arn, "creationDate": moment(0)}

    def stepfunctions_StartExecution(
        self, stateMachineArn: str, name: str = "run-0f1e2d3c", input: str = "{}"
    ) -> dict[str, Any]:
        machine = self.machines[stateMachineArn]
        arn = f"{stateMachineArn.replace(':stateMachine:', ':execution:')}:{name}"
        facts = {
            "arn": arn,
            "name": name,
            "subject": stateMachineArn,
            "region": REGION,
            "roleArn": machine["roleArn"],
        }
        self.runs[arn] = Rig(machine["definition"], text=input, facts=facts).begin()
        return {"executionArn": arn, "startDate": moment(0)}

    def stepfunctions_StopExecution(
        self, executionArn: str, error: str | None = None, cause: str | None = None
    ) -> dict[str, Any]:
        self.runs[executionArn].stop(error, cause)
        return {"stopDate": moment(0)}

    def stepfunctions_GetExecutionHistory(self, executionArn: str) -> dict[str, Any]:
        events = copy.deepcopy(self.runs[executionArn].events)
        for event in events:
            event["timestamp"] = moment(event["timestamp"])
        return {"events": events}

    def stepfunctions_DescribeExecution(self, executionArn: str) -> dict[str, Any]:
        run = self.runs[executionArn]
        described = {
            "executionArn": executionArn,
            "stateMachineArn": run.facts["subject"],
            "name": run.facts["name"],
            "status": run.end.status if run.end else "RUNNING",
            "startDate": moment(run.facts["started_at"]),
            "input": run.facts["input"],
            "inputDetails": {"included": True},
            "redriveCount": 0,
            "redriveStatus": "NOT_REDRIVABLE",
        }
        if run.end is None:
            return described | {"redriveStatusReason": "Execution is RUNNING and cannot be redriven"}
        described["stopDate"] = moment(run.now)
        if run.end.status == "SUCCEEDED":
            reason = "Execution is SUCCEEDED and cannot be redriven"
            return described | {
                "output": run.end.output,
                "outputDetails": {"included": True},
                "redriveStatusReason": reason,
            }
        failure = {key: value for key in ("error", "cause") if (value := getattr(run.end, key)) is not None}
        return described | {"redriveStatus": "REDRIVABLE"} | failure


def eligible(case: dict[str, Any]) -> bool:
    """Whether the case is about the JSONPath language alone."""
    text = str(case["steps"])
    return (
        set(case["services"]) <= SERVICES
        and not any(word in text for word in ("JSONata", "DISTRIBUTED", "{%", "arn:aws:states:::", "activity"))
        and all(hasattr(Endpoint, f"{step['service']}_{step['operation']}") for step in case["steps"])
        and not any(step.get("fails") for step in case["steps"])
        and not any("versionDescription" in step["params"] or step["params"].get("publish") for step in case["steps"])
        and not any(step["params"].get("type") == "EXPRESS" for step in case["steps"])
        and any(step["operation"] == "StartExecution" for step in case["steps"])
    )


def perform(case: dict[str, Any]) -> str | None:
    """Play one case; None when the answers are the recorded ones, else the first difference."""
    scope = replay.Scope(ACCOUNT, REGION)
    endpoint = Endpoint()
    for number, step in enumerate(case["steps"]):
        if step.get("until") == {"events": "terminal"}:
            endpoint.settle()
        scope.results[str(number)] = endpoint.call(step["service"], step["operation"], scope.resolve(step["params"]))
    observed = {expected["key"]: scope.resolve(expected["from"]) for expected in case["expect"]}
    got = replay.Normaliser(case, scope).apply(observed)
    return replay.first_mismatch(case, got)
