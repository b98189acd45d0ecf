"""What AWS answered: recorded validations word by word, recorded refusals, and all it accepted is accepted."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cumulet.asl.check import Diagnostic, check, errors, summary

CASES = Path(__file__).parents[2] / "oracle" / "cases"
ARN = "arn:aws:states:us-east-1:123456789012:activity:x"


def steps(operation: str) -> Iterator[tuple[str, dict[str, Any], Any]]:
    """Id, step and the recorded values of its case."""
    for path in sorted(CASES.glob("*.json")):
        for case in json.loads(path.read_text()):
            name = case["id"].rpartition("::")[2]
            for index, step in enumerate(case["steps"]):
                if step["operation"] == operation and isinstance(step["params"].get("definition"), str):
                    told = [entry["value"] for entry in case["expect"] if entry["from"] == {"$ref": str(index)}]
                    yield f"{path.stem}/{name}/{index}", step, told or [entry["value"] for entry in case["expect"]]


def definition(step: dict[str, Any]) -> str:
    return re.sub(r"\$\{[a-z]+:[^}]*\}", ARN, step["params"]["definition"])


VALIDATIONS = {name: (step, told) for name, step, told in steps("ValidateStateMachineDefinition")}


def told_as(one: Diagnostic) -> dict[str, str]:
    members = {"code": one.code, "location": one.location, "message": one.message, "severity": one.severity}
    return {name: value for name, value in members.items() if value}


@pytest.mark.parametrize("name", VALIDATIONS)
def test_validations(name: str) -> None:
    step, [answer] = VALIDATIONS[name]
    found = check(definition(step), kind=step["params"]["type"])
    assert [told_as(one) for one in found] == answer["diagnostics"]
    assert ("FAIL" if errors(found) else "OK") == answer["result"]


REFUSALS = {
    name: (step, told)
    for name, step, told in steps("CreateStateMachine")
    if step.get("fails") and "SCHEMA_VALIDATION_FAILED" in json.dumps(told)
}


@pytest.mark.parametrize("name", REFUSALS)
def test_refusals(name: str) -> None:
    step, told = REFUSALS[name]
    found = check(definition(step), kind=step["params"].get("type", "STANDARD"))
    assert summary(found) in " ".join(strings(told))


def strings(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            yield from strings(item)
    elif isinstance(value, str):
        yield value


def test_all_that_aws_accepted_is_accepted() -> None:
    accepted = [(name, step) for name, step, _ in steps("CreateStateMachine") if not step.get("fails")]
    refused = {
        name: found
        for name, step in accepted
        if (found := errors(check(definition(step), kind=step["params"].get("type", "STANDARD"))))
    }
    assert refused == {}
    assert len(accepted) > 600
    assert len(REFUSALS) > 5
    assert len(VALIDATIONS) > 5
