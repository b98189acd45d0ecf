"""States to put into machines, and what the checks say of them."""

import json
from typing import Any

from cumulet.asl.check import check

END = {"Type": "Pass", "End": True}
TASK = {"Type": "Task", "Resource": "arn:aws:states:::lambda:invoke", "End": True}
MAP = {"Type": "Map", "ItemProcessor": {"StartAt": "I", "States": {"I": END}}, "End": True}
RULE = {"Variable": "$.a", "NumericEquals": 1, "Next": "Z"}


def machine(state: dict[str, Any], **top: Any) -> dict[str, Any]:
    """A machine whose first state is A; Z ends it when A leads there."""
    states = {"A": state}
    if '"Z"' in json.dumps(state):
        states["Z"] = {"Type": "Succeed"}
    return {"StartAt": "A", "States": states, **top}


def told(definition: Any, kind: str = "STANDARD") -> list[str]:
    """Findings without the commonest code."""
    found = check(definition, kind=kind)
    return [f"{one.code}: {one.message} at {one.location}".replace("SCHEMA_VALIDATION_FAILED: ", "") for one in found]


def choice(*rules: Any, **more: Any) -> dict[str, Any]:
    return {"Type": "Choice", "Choices": list(rules), **more}


def ata(state: dict[str, Any]) -> dict[str, Any]:
    return {**state, "QueryLanguage": "JSONata"}
