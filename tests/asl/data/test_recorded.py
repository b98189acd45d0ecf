"""What AWS answered: each recorded intrinsic function and choice is evaluated again, without a machine around it."""

import json
from pathlib import Path
from typing import Any

import pytest
from tests.asl.data.given import scope

from cumulet.asl.data.choice import compile_rule
from cumulet.asl.data.template import compile_template

CASES = Path(__file__).parents[2] / "oracle" / "cases"


def recorded(group: str) -> list[dict[str, Any]]:
    cases: list[dict[str, Any]] = json.loads((CASES / f"{group}.json").read_text())
    return cases


def asked(case: dict[str, Any], operation: str, member: str) -> list[Any]:
    texts = [step["params"].get(member, "{}") for step in case["steps"] if step["operation"] == operation]
    return [json.loads(text) for text in texts if "${ref:" not in text]


CHOICES = {case["id"].rpartition("::")[2]: case for case in recorded("choice_operators")}


@pytest.mark.parametrize("name", CHOICES)
def test_choices(name: str) -> None:
    case = CHOICES[name]
    answers = case["expect"][0]["value"]
    machines, inputs = asked(case, "CreateStateMachine", "definition"), asked(case, "StartExecution", "input")
    told = []
    for machine, document in zip(machines, inputs, strict=True):
        [rule] = next(state["Choices"] for state in machine["States"].values() if "Choices" in state)
        told.append(f"Condition{compile_rule(rule).matches(scope(document))}")
    expected = [answer["output"]["TestResult.$"] for answer in answers]
    assert sorted(told) == sorted(expected)
    assert len(told) > 0


def intrinsic_cases() -> dict[str, tuple[dict[str, Any], list[tuple[Any, Any]]]]:
    found = {}
    for case in recorded("intrinsic_functions"):
        states = asked(case, "CreateStateMachine", "definition")[0]["States"]
        template = next(iter(states.values())).get("Parameters")
        text = json.dumps(template)
        if template is None or "$$" in text or "Random" in text:
            continue
        starts = [step["params"]["input"] for step in case["steps"] if step["operation"] == "StartExecution"]
        ends = [entry["value"]["events"][-1]["executionSucceededEventDetails"]["output"] for entry in case["expect"]]
        pairs = [(json.loads(one), two) for one, two in zip(starts, ends, strict=True) if "${ref:" not in one]
        found[case["id"].rpartition("::")[2]] = template, pairs
    return found


INTRINSICS = intrinsic_cases()


@pytest.mark.parametrize("name", INTRINSICS)
def test_intrinsic_functions(name: str) -> None:
    template, pairs = INTRINSICS[name]
    render = compile_template(template).render
    assert [render(scope(document)) for document, _ in pairs] == [output for _, output in pairs]
    assert pairs
