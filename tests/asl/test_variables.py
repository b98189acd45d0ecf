"""Variable references as DescribeStateMachine tells them: the recorded ones, and those of JSONata."""

import json
from pathlib import Path
from typing import Any

import pytest

from cumulet.asl.variables import references

FILE = Path(__file__).parents[1] / "oracle" / "cases" / "test_sfn_api_variable_references.json"
CASES = {case["id"].rpartition("::")[2]: case for case in json.loads(FILE.read_text())}


@pytest.mark.parametrize("name", CASES)
def test_as_recorded(name: str) -> None:
    case = CASES[name]
    [definition] = [step["params"]["definition"] for step in case["steps"] if "definition" in step["params"]]
    told = case["expect"][0]["value"].get("variableReferences", {})
    assert references(json.loads(definition)) == told


def of(state: dict[str, Any], language: str = "JSONata") -> dict[str, list[str]]:
    return references({"QueryLanguage": language, "StartAt": "A", "States": {"A": state}})


@pytest.mark.parametrize(
    ("expression", "names"),
    [
        ("$b + $a", ["a", "b"]),
        ("$states.input.x", []),
        ("($local := $a; $local + 1)", ["a"]),
        ("$map($list, function($v) { $v + $more })", ["list", "more"]),
        ("$uuid() & $hash($text, 'MD5')", ["text"]),
        ("'$quoted'", []),
    ],
)
def test_jsonata(expression: str, names: list[str]) -> None:
    found = of({"Type": "Pass", "Output": {"deep": ["{% " + expression + " %}"]}, "End": True})
    assert found == ({"A": names} if names else {})


@pytest.mark.parametrize(
    ("fields", "names"),
    [
        ({"Parameters": {"a.$": "$x.y", "bPath": "$no", "c": ["$no"]}}, ["x"]),
        ({"Parameters": {"a.$": "States.Format('$no {}', $yes)"}}, ["yes"]),
        ({"Parameters": {"a.$": "$$.Execution.Id", "b.$": "$.c['$no']"}}, []),
        ({"Result": {"InputPath": "$no"}}, []),
        ({"Comment": "$no"}, []),
        ({"Assign": {"x.$": "$y", "z": "$no"}}, ["y"]),
    ],
)
def test_jsonpath(fields: dict[str, Any], names: list[str]) -> None:
    found = of({"Type": "Pass", "End": True, **fields}, "JSONPath")
    assert found == ({"A": names} if names else {})


def test_each_state_of_every_scope_is_told() -> None:
    inner = {"StartAt": "B", "States": {"B": {"Type": "Wait", "SecondsPath": "$s", "End": True}}}
    state = {"Type": "Map", "ItemsPath": "$items", "ItemProcessor": inner, "End": True}
    assert of(state, "JSONPath") == {"A": ["items"], "B": ["s"]}


def test_a_rule_that_compares_with_a_variable() -> None:
    rule = {"And": [{"Variable": "$v", "NumericEqualsPath": "$w"}], "Next": "A"}
    assert of({"Type": "Choice", "Choices": [rule]}, "JSONPath") == {"A": ["v", "w"]}
