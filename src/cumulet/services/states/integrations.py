"""What a Task's `Resource` means, and which of them Cumulet carries out.

| resource | means |
|---|---|
| `arn:aws:states:REGION:ACCOUNT:activity:NAME` | wait until a worker asks for it and reports |
| `arn:aws:lambda:...:function:NAME` | call the function with the state's input |
| `arn:aws:states:::lambda:invoke[.waitForTaskToken]` | Lambda's Invoke, optimised: payload and result are JSON |
| `arn:aws:states:::aws-sdk:SERVICE:ACTION[.waitForTaskToken]` | any operation of any service that Cumulet serves |

Everything else is refused by name when the machine is created or updated, before anything changes.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from cumulet.base.errors import NotImplementedHere
from cumulet.wire.service import Caller

TOKEN_SUFFIX = ".waitForTaskToken"  # noqa: S105  a suffix of AWS's

SDK_SERVICES = {
    # name in the resource: (botocore's name, name in error names and causes)
    "cloudwatchlogs": ("logs", "CloudWatchLogs"),
    "iam": ("iam", "Iam"),
    "lambda": ("lambda", "Lambda"),
    "s3": ("s3", "S3"),
    "sfn": ("stepfunctions", "Sfn"),
    "sts": ("sts", "Sts"),
}


@dataclass(frozen=True, slots=True)
class Integration:
    """What to call. `kind` is "function" (a plain function ARN), "activity", "invoke" (lambda:invoke) or "sdk"."""

    kind: str
    service: str
    operation: str
    label: str
    """The service's name in errors: `S3` in `S3.NoSuchKeyException`."""


def read_resource(resource: str) -> Integration | None:
    """The integration that `resource` names, or None where Cumulet has no such thing."""
    if resource.startswith("arn:aws:lambda:") and ":function:" in resource:
        return Integration("function", "lambda", "Invoke", "Lambda")
    parts = resource.removesuffix(TOKEN_SUFFIX).split(":")
    if parts[2:3] == ["states"] and parts[5:6] == ["activity"]:
        return Integration("activity", "stepfunctions", "GetActivityTask", "StepFunctions")
    if parts[:3] != ["arn", "aws", "states"] or parts[3:5] != ["", ""]:
        return None
    match parts[5:]:
        case ["lambda", "invoke"]:
            return Integration("invoke", "lambda", "Invoke", "Lambda")
        case ["aws-sdk", service, action] if service in SDK_SERVICES and action:
            model, label = SDK_SERVICES[service]
            return Integration("sdk", model, action[0].upper() + action[1:], label)
    return None


def refuse_unknown(document: Any, caller: Caller) -> None:
    """Raise `NotImplementedHere` for the first Task of a definition whose integration Cumulet does not carry out."""
    for name, state in walk_states(document):
        resource = state.get("Resource")
        if state.get("Type") != "Task" or not isinstance(resource, str):
            continue
        found = read_resource(resource)
        if found is None or not caller.carries_out(found.service, found.operation):
            raise NotImplementedHere(what=f"the integration '{resource}' of state '{name}'")
        if state.get("Credentials") is not None:
            raise NotImplementedHere(what=f"Credentials of state '{name}'")


def walk_states(document: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every state of a definition, those of its branches and item processors included."""
    for name, state in document.get("States", {}).items():
        yield name, state
        inner = [*state.get("Branches", ()), state.get("ItemProcessor"), state.get("Iterator")]
        for part in inner:
            if isinstance(part, dict):
                yield from walk_states(part)
