"""Each rule of the static checks, with AWS's words and the place."""

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cumulet.asl.check import check, errors, summary, unsupported

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


GOOD: list[dict[str, Any]] = [
    END,
    {"Type": "Succeed"},
    {"Type": "Fail"},
    {"Type": "Pass", "Next": "Z", "End": False},
    {"Type": "Pass", "InputPath": None, "OutputPath": "$$.Execution", "ResultPath": "$.a[0]['b c']", "Next": "Z"},
    {"Type": "Pass", "InputPath": "$v.x", "Parameters": {"a.$": "$v", "b": [{"c.$": "States.UUID()"}]}, "Next": "Z"},
    {"Type": "Pass", "Assign": {"a": 1, "b.$": "$.x", "ключ_1": 2}, "End": True},
    {"Type": "Wait", "Seconds": 0, "End": True},
    {"Type": "Wait", "SecondsPath": "$.s", "End": True},
    {"Type": "Wait", "Timestamp": "2020-01-01T00:00:00+01:00", "End": True},
    {"Type": "Fail", "Error": "E", "CausePath": "States.Format('{}', $.a)"},
    {"Type": "Fail", "ErrorPath": "$$.State.Name", "Cause": "C"},
    choice(RULE, Default="Z"),
    choice(
        {"And": [{"Variable": "$.a", "IsPresent": True}, {"Not": {"Variable": "$.a", "IsNull": True}}], "Next": "Z"}
    ),
    choice({"Variable": "$$.State.Name", "StringEqualsPath": "$v", "Next": "Z", "Assign": {"a": 1}, "Comment": "c"}),
    choice({"Variable": "$.a", "TimestampLessThan": "2020-01-01T00:00:00Z", "Next": "Z"}),
    {**TASK, "TimeoutSeconds": 9, "HeartbeatSeconds": 8},
    {**TASK, "TimeoutSecondsPath": "$.t", "HeartbeatSecondsPath": "$.h", "Credentials": {"RoleArn.$": "$.r"}},
    {**TASK, "Retry": [{"ErrorEquals": ["E"], "IntervalSeconds": 0, "MaxAttempts": 0, "BackoffRate": 1.5}]},
    {
        **TASK,
        "Retry": [{"ErrorEquals": ["States.ALL"], "MaxDelaySeconds": 5, "JitterStrategy": "FULL", "Comment": "c"}],
    },
    {**TASK, "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "Z", "ResultPath": None, "Assign": {"e.$": "$.Error"}}]},
    {**TASK, "Retry": [], "Catch": []},
    {**TASK, "Resource": "arn:aws:lambda:eu-west-1:123456789012:function:f:$LATEST"},
    {**TASK, "Resource": "arn:aws:states:eu-west-1:123456789012:activity:a"},
    MAP,
    {**MAP, "ItemsPath": "$.l", "ItemSelector": {"v.$": "$$.Map.Item.Value"}, "MaxConcurrency": 0},
    {**MAP, "ToleratedFailurePercentage": 12.5, "MaxConcurrencyPath": "$.m", "Label": "Läbel"},
    {"Type": "Parallel", "Branches": [{"StartAt": "B", "States": {"B": END}, "Comment": "c"}], "End": True},
    ata({"Type": "Pass", "Output": {"a": "{% $states.input.a %}", "b": ["{%1%}", 2, "plain"]}, "End": True}),
    ata({**TASK, "Arguments": "{% $states.input %}", "TimeoutSeconds": "{% 3 %}"}),
    ata({"Type": "Wait", "Timestamp": "{% $now() %}", "End": True}),
    ata({"Type": "Fail", "Error": "{% $states.input.e %}"}),
    ata(choice({"Condition": "{% $a = 1 %}", "Next": "Z", "Output": {"a": 1}}, Default="Z")),
    ata({**MAP, "Items": "{% $states.input %}", "ToleratedFailureCount": "{% 1 %}"}),
]


@pytest.mark.parametrize("state", GOOD, ids=[f"{index}-{state['Type']}" for index, state in enumerate(GOOD)])
def test_good(state: dict[str, Any]) -> None:
    assert told(machine(state)) == []


NOT_SUPPORTED = "Field '{}' is not supported at {}"
ONLY_ONE = "There should only be one of the following fields: [{}] at /States/A"
NEITHER = "This object should have only one of the following fields: [{}] at /States/A"
NO_ARN = "Value is not a valid resource ARN at /States/A/Resource"
NO_REFERENCE = "Value is not a Reference Path"
ALL_LAST = "States.ALL must appear alone and at end of list"

BAD: list[tuple[Any, str]] = [
    # states
    (1, "Expected value of type Object at /States/A"),
    ({}, "These fields are required: [Type] at /States/A"),
    (
        {"Type": "Nap"},
        ("The field 'Type' should have one of these values: [Task, Wait, Pass, Succeed, Fail, Choice, Parallel, Map]"
        " at /States/A/Type"),
    ),
    ({"Type": "Pass"}, NEITHER.format("Next, End")),
    ({"Type": "Pass", "End": False}, NEITHER.format("Next, End")),
    ({**END, "Next": "Z"}, ONLY_ONE.format("Next, End")),
    ({**END, "End": 1}, "Expected value of type Boolean at /States/A/End"),
    ({**END, "Comment": 1}, "Expected value of type String at /States/A/Comment"),
    ({**END, "Retry": []}, NOT_SUPPORTED.format("Retry", "/States/A")),
    ({**END, "TimeoutSeconds": 1}, NOT_SUPPORTED.format("TimeoutSeconds", "/States/A")),
    ({"Type": "Succeed", "End": True}, NOT_SUPPORTED.format("End", "/States/A")),
    ({"Type": "Succeed", "ResultPath": "$"}, NOT_SUPPORTED.format("ResultPath", "/States/A")),
    ({**END, "QueryLanguage": "SQL"}, "Value should be one of the following: [JSONPath, JSONata] at /States/A/QueryLanguage"),
    # paths
    ({**END, "InputPath": "a"}, "Value must be a valid JSONPath. at /States/A/InputPath"),
    ({**END, "InputPath": 1}, "Value must be a valid JSONPath. at /States/A/InputPath"),
    ({**END, "OutputPath": "States.UUID()"}, "Value must be a valid JSONPath. at /States/A/OutputPath"),
    ({**END, "ResultPath": "$.a[*]"}, f"{NO_REFERENCE} at /States/A/ResultPath"),
    ({**END, "ResultPath": "$$.a"}, f"{NO_REFERENCE} at /States/A/ResultPath"),
    ({**END, "ResultPath": "$["}, f"{NO_REFERENCE} at /States/A/ResultPath"),
    ({**END, "ResultPath": 1}, "Expected value of type String at /States/A/ResultPath"),
    ({**END, "ResultPath": "x"}, f"{NO_REFERENCE}: Reference path didn't start with '$' at /States/A/ResultPath"),
    ({"Type": "Fail", "ErrorPath": "x"}, "Value must be a valid JSONPath or a valid intrinsic function call at /States/A/ErrorPath"),
    (
        {"Type": "Fail", "CausePath": "States.MathAdd(1, 2)"},
        "Value must be a valid JSONPath or an intrinsic function that returns a string at /States/A/CausePath",
    ),
    # templates
    (
        {**END, "Parameters": {"o": [{"x.$": "a"}]}},
        "The value for the field 'x.$' must be a valid JSONPath or a valid intrinsic function call at /States/A/Parameters/o[0]",
    ),
    (
        {**END, "Parameters": {"x.$": 1}},
        "The value for the field 'x.$' must be a valid JSONPath or a valid intrinsic function call at /States/A/Parameters",
    ),
    (
        {**END, "Parameters": {"x.$": "$", "x": 1}},
        "The field 'x' is defined twice: with and without '.$' at /States/A/Parameters",
    ),
    ({**END, "Assign": 1}, "Expected value of type Object at /States/A/Assign"),
    ({**END, "Assign": {"states": 1}}, "RESERVED_VARIABLE_NAME: Cannot assign to reserved variable '$states'. at /States/A/Assign"),
    (
        {**END, "Assign": {"a-b.$": "$"}},
        "INVALID_VARIABLE_NAME: Invalid variable name 'a-b': the variable name contains invalid characters. at /States/A/Assign",
    ),
    (
        {**END, "Assign": {"v" * 81: 1}},
        f"INVALID_VARIABLE_NAME: Invalid variable name '{'v' * 81}': the variable name is too long. at /States/A/Assign",
    ),
    # Wait
    ({"Type": "Wait", "End": True}, NEITHER.format("SecondsPath, Seconds, TimestampPath, Timestamp")),
    (
        {"Type": "Wait", "Seconds": 1, "TimestampPath": "$.a", "End": True},
        ONLY_ONE.format("SecondsPath, Seconds, TimestampPath, Timestamp"),
    ),
    ({"Type": "Wait", "Seconds": -1, "End": True}, "Minimum value is 0 at /States/A/Seconds"),
    ({"Type": "Wait", "Seconds": 100_000_000, "End": True}, "Maximum value is 99999999 at /States/A/Seconds"),
    ({"Type": "Wait", "Seconds": "1", "End": True}, "Expected value of type Integer at /States/A/Seconds"),
    ({"Type": "Wait", "Seconds": 1.5, "End": True}, "Expected value of type Integer at /States/A/Seconds"),
    ({"Type": "Wait", "Seconds": True, "End": True}, "Expected value of type Integer at /States/A/Seconds"),
    ({"Type": "Wait", "Timestamp": "2020", "End": True}, "String does not match RFC3339 timestamp at /States/A/Timestamp"),
    # Task
    ({"Type": "Task", "End": True}, "These fields are required: [Resource] at /States/A"),
    ({**TASK, "Resource": "action:http"}, NO_ARN),
    ({**TASK, "Resource": "arn:aws:lambda:eu-west-1:1:function:f:"}, NO_ARN),
    ({**TASK, "Resource": "arn:aws:lambda:eu-west-1:1:layer:f"}, NO_ARN),
    ({**TASK, "Resource": None}, "Expected value of type String at /States/A/Resource"),
    ({**TASK, "TimeoutSeconds": 0}, "Minimum value is 1 at /States/A/TimeoutSeconds"),
    (
        {**TASK, "TimeoutSeconds": 5, "HeartbeatSeconds": 5},
        "The value of 'HeartbeatSeconds' must be smaller than the value of 'TimeoutSeconds' at /States/A",
    ),
    ({**TASK, "TimeoutSeconds": 5, "TimeoutSecondsPath": "$.a"}, ONLY_ONE.format("TimeoutSeconds, TimeoutSecondsPath")),
    ({**TASK, "Credentials": {}}, "The field 'RoleArn' is required but was missing at /States/A/Credentials"),
    ({**TASK, "Credentials": 1}, "Expected value of type Object at /States/A/Credentials"),
    (
        {**TASK, "Resource": "arn:aws:states:e:1:activity:a", "Credentials": {"RoleArn": "r"}},
        "The field 'Credentials' is not supported for activities at /States/A",
    ),
    # Retry and Catch
    ({**TASK, "Retry": {}}, "Expected value of type Array at /States/A/Retry"),
    ({**TASK, "Retry": [1]}, "Expected value of type Object at /States/A/Retry[0]"),
    ({**TASK, "Retry": [{}]}, "These fields are required: [ErrorEquals] at /States/A/Retry[0]"),
    ({**TASK, "Retry": [{"ErrorEquals": []}]}, "Value cannot be empty at /States/A/Retry[0]/ErrorEquals"),
    ({**TASK, "Retry": [{"ErrorEquals": ["E"], "BackoffRate": 0.5}]}, "Minimum value is 1 at /States/A/Retry[0]/BackoffRate"),
    ({**TASK, "Retry": [{"ErrorEquals": ["E"], "BackoffRate": "2"}]}, "Expected value of type Float at /States/A/Retry[0]/BackoffRate"),
    ({**TASK, "Retry": [{"ErrorEquals": ["E"], "MaxDelaySeconds": 31_622_401}]}, "Maximum value is 31622400 at /States/A/Retry[0]/MaxDelaySeconds"),
    (
        {**TASK, "Retry": [{"ErrorEquals": ["E"], "JitterStrategy": "SOME"}]},
        "Value should be one of the following: [NONE, FULL] at /States/A/Retry[0]/JitterStrategy",
    ),
    ({**TASK, "Retry": [{"ErrorEquals": ["E"], "_c": 1}]}, NOT_SUPPORTED.format("_c", "/States/A/Retry[0]")),
    ({**TASK, "Retry": [{"ErrorEquals": ["States.ALL", "E"]}]}, f"{ALL_LAST} at /States/A/Retry[0]/ErrorEquals"),
    ({**TASK, "Retry": [{"ErrorEquals": ["States.ALL"]}, {"ErrorEquals": ["E"]}]}, f"{ALL_LAST} at /States/A/Retry[0]/ErrorEquals"),
    ({**TASK, "Catch": [{"ErrorEquals": ["E"]}]}, "These fields are required: [Next] at /States/A/Catch[0]"),
    # Choice
    ({"Type": "Choice"}, "These fields are required: [Choices] at /States/A"),
    (choice(), "Value cannot be empty at /States/A/Choices"),
    (choice(1), "Expected value of type Object at /States/A/Choices[0]"),
    (choice({"Variable": "$.a", "IsNull": True}), "These fields are required: [Next] at /States/A/Choices[0]"),
    (choice({**RULE, "End": True}), NOT_SUPPORTED.format("End", "/States/A/Choices[0]")),
    (choice({"And": [RULE], "Next": "Z"}), NOT_SUPPORTED.format("Next", "/States/A/Choices[0]/And[0]")),
    (choice({"Not": {**RULE}, "Next": "Z"}), NOT_SUPPORTED.format("Next", "/States/A/Choices[0]/Not")),
    (choice({"And": [], "Next": "Z"}), "Value cannot be empty at /States/A/Choices[0]/And"),
    (
        choice({"Next": "Z"}),
        "The object must have only one of the following fields, [And, Or, Not, Variable, Condition] at /States/A/Choices[0]",
    ),
    (choice({**RULE, "Variable": "a"}), f"{NO_REFERENCE}: Reference path didn't start with '$' at /States/A/Choices[0]/Variable"),
    (choice({**RULE, "Variable": "$..a"}), f"{NO_REFERENCE} at /States/A/Choices[0]/Variable"),
    (choice({**RULE, "NumericEquals": "1"}), "Expected value of type Float at /States/A/Choices[0]/NumericEquals"),
    (choice({"Variable": "$", "IsNull": 1, "Next": "Z"}), "Expected value of type Boolean at /States/A/Choices[0]/IsNull"),
    (choice({"Variable": "$", "StringMatches": 1, "Next": "Z"}), "Expected value of type String at /States/A/Choices[0]/StringMatches"),
    (choice({"Variable": "$", "BooleanEqualsPath": "a", "Next": "Z"}), f"{NO_REFERENCE}: Reference path didn't start with '$' at /States/A/Choices[0]/BooleanEqualsPath"),
    (
        choice({"Variable": "$", "TimestampEquals": "x", "Next": "Z"}),
        "String does not match RFC3339 timestamp at /States/A/Choices[0]/TimestampEquals",
    ),
    (
        choice({"Condition": "{% true %}", "Next": "Z"}),
        ("The QueryLanguage is set to 'JSONPath', but field 'Condition' is only supported for the 'JSONata' QueryLanguage"
        " at /States/A/Choices[0]"),
    ),
    (
        ata(choice(RULE)),
        ("The QueryLanguage is set to 'JSONata', but field 'Variable' is only supported for the 'JSONPath' QueryLanguage"
        " at /States/A/Choices[0]"),
    ),
    # Parallel and Map
    ({"Type": "Parallel", "End": True}, "These fields are required: [Branches] at /States/A"),
    ({"Type": "Parallel", "Branches": [], "End": True}, "Value cannot be empty at /States/A/Branches"),
    ({"Type": "Parallel", "Branches": [{}], "End": True}, "These fields are required: [StartAt, States] at /States/A/Branches[0]"),
    ({"Type": "Map", "End": True}, NEITHER.format("ItemProcessor, Iterator")),
    ({**MAP, "Iterator": MAP["ItemProcessor"]}, ONLY_ONE.format("ItemProcessor, Iterator")),
    ({**MAP, "MaxConcurrency": -1}, "Minimum value is 0 at /States/A/MaxConcurrency"),
    ({**MAP, "ItemsPath": "$.a[*]"}, f"{NO_REFERENCE} at /States/A/ItemsPath"),
    ({**MAP, "ToleratedFailurePercentage": 101}, "Maximum value is 100 at /States/A/ToleratedFailurePercentage"),
    ({**MAP, "Label": "a b"}, "INVALID_LABEL_NAME: Invalid label name: a b at /States/A/Label"),
    ({**MAP, "Label": "a" * 41}, f"INVALID_LABEL_NAME: Invalid label name: {'a' * 41} at /States/A/Label"),
    (
        {**MAP, "ItemProcessor": {**MAP["ItemProcessor"], "ProcessorConfig": {"Mode": "DISTRIBUTED"}}},
        "These fields are required: [ExecutionType] at /States/A/ItemProcessor/ProcessorConfig",
    ),
    (
        {**MAP, "ItemProcessor": {**MAP["ItemProcessor"], "ProcessorConfig": {"ExecutionType": "EXPRESS"}}},
        NOT_SUPPORTED.format("ExecutionType", "/States/A/ItemProcessor/ProcessorConfig"),
    ),
    (
        {**MAP, "ItemReader": {"Resource": "arn:aws:states:::s3:putObject"}},
        "The field 'Resource' does not match any of the allowed values at /States/A/ItemReader/Resource",
    ),
    (
        {**MAP, "ItemReader": {"Resource": "arn:aws:states:::s3:getObject", "ReaderConfig": {"InputType": "CSV"}}},
        "The field 'CSVHeaderLocation' is required at /States/A/ItemReader/ReaderConfig",
    ),
    (
        {
            **MAP,
            "ItemReader": {
                "Resource": "arn:aws:states:::s3:getObject",
                "ReaderConfig": {"InputType": "JSON", "CSVHeaderLocation": "FIRST_ROW"},
            },
        },
        NOT_SUPPORTED.format("CSVHeaderLocation", "/States/A/ItemReader/ReaderConfig"),
    ),
    (
        {
            **MAP,
            "ItemReader": {
                "Resource": "arn:aws:states:::s3:getObject",
                "ReaderConfig": {"InputType": "CSV", "CSVHeaderLocation": "GIVEN"},
            },
        },
        "These fields are required: [CSVHeaders] at /States/A/ItemReader/ReaderConfig",
    ),
    # query languages
    (
        {**END, "Output": {}},
        "The QueryLanguage is set to 'JSONPath', but field 'Output' is only supported for the 'JSONata' QueryLanguage at /States/A",
    ),
    (
        ata({**END, "InputPath": "$"}),
        "The QueryLanguage is set to 'JSONata', but field 'InputPath' is only supported for the 'JSONPath' QueryLanguage at /States/A",
    ),
    (
        ata({**END, "Output": {"a": ["{% x"]}}),
        "JSONata string must start with {% and end with %} at /States/A/Output/a[0]",
    ),
    (ata({**TASK, "TimeoutSeconds": "x"}), "Expected value of type Integer at /States/A/TimeoutSeconds"),
]  # fmt: skip


@pytest.mark.parametrize(("state", "words"), BAD, ids=[f"{index}" for index in range(len(BAD))])
def test_bad(state: Any, words: str) -> None:
    assert told(machine(state)) == [words]


def test_two_comparisons() -> None:
    [words] = told(machine(choice({**RULE, "IsNull": True})))
    assert words.startswith("There should only be one of the following fields: [StringEquals, ")
    assert words.endswith("] at /States/A/Choices[0]")


@pytest.mark.parametrize(
    ("definition", "words"),
    [
        ([], "Definition must be a valid JSON object at "),
        ({}, "These fields are required: [StartAt, States] at /"),
        ({"StartAt": "A", "States": {}}, "Value cannot be empty at /States"),
        ({"StartAt": "A", "States": []}, "Expected value of type Object at /States"),
        (machine(END, Version="2.0"), "Value should be one of the following: [1.0] at /Version"),
        (machine(END, TimeoutSeconds=-1), "Minimum value is 0 at /TimeoutSeconds"),
        (machine(END, Extra=1), "Field 'Extra' is not supported at /"),
        (
            machine({**END, "QueryLanguage": "JSONPath"}, QueryLanguage="JSONata"),
            "'QueryLanguage' can not be 'JSONPath' if set to 'JSONata' for whole state machine at /States/A",
        ),
        (
            {"StartAt": "n" * 81, "States": {"n" * 81: END}},
            f"INVALID_STATE_NAME: The state name must have 1 to 80 characters at /States/{'n' * 81}",
        ),
    ],
)
def test_the_machine(definition: Any, words: str) -> None:
    assert told(definition) == [words]


def test_a_machine_may_have_all_its_fields() -> None:
    assert told(machine(END, Version="1.0", TimeoutSeconds=0, Comment="c", QueryLanguage="JSONPath")) == []


def scoped(inner: dict[str, Any]) -> dict[str, Any]:
    return machine({"Type": "Parallel", "Branches": [inner], "Next": "Z"})


@pytest.mark.parametrize(
    ("definition", "words"),
    [
        (
            {"StartAt": "pass1", "States": {"pass1": {"Type": "Pass", "Next": "pass3"}, "pass2": END}},
            [
                "MISSING_TRANSITION_TARGET: Missing 'Next' target: pass3 at /States/pass1/Next",
                'MISSING_TRANSITION_TARGET: State "pass2" is not reachable. at /States/pass2',
            ],
        ),
        ({"StartAt": "B", "States": {"A": END}}, [
            "MISSING_TRANSITION_TARGET: Missing 'Next' target: B at /StartAt",
            'MISSING_TRANSITION_TARGET: State "A" is not reachable. at /States/A',
        ]),
        ({"StartAt": "A", "States": {"A": {"Type": "Pass", "Next": "A"}}}, ["MISSING_END_STATE: Workflow has no terminal state at "]),
        ({"StartAt": "A", "States": {"A": {"Type": "Pass", "Next": "X"}}}, [
            "MISSING_TRANSITION_TARGET: Missing 'Next' target: X at /States/A/Next",
            "MISSING_END_STATE: Workflow has no terminal state at ",
        ]),
        (machine(choice({**RULE, "Next": "Z"}, {**RULE, "Next": "X"}, Default="Y")), [
            "MISSING_TRANSITION_TARGET: Missing 'Next' target: Y at /States/A/Default",
            "MISSING_TRANSITION_TARGET: Missing 'Next' target: X at /States/A/Choices[1]/Next",
        ]),
        (machine({**TASK, "Catch": [{"ErrorEquals": ["E"], "Next": "X"}]}), [
            "MISSING_TRANSITION_TARGET: Missing 'Next' target: X at /States/A/Catch[0]/Next",
        ]),
        (scoped({"StartAt": "B", "States": {"B": {"Type": "Pass", "Next": "Z"}}}), [
            "MISSING_TRANSITION_TARGET: Missing 'Next' target: Z at /States/A/Branches[0]/States/B/Next",
        ]),
        (scoped({"StartAt": "Z", "States": {"Z": END}}), [
            "DUPLICATE_STATE_NAME: Duplicate State name: Z at /States/A/Branches[0]/States/Z",
        ]),
        (machine({"Type": "Parallel", "End": True, "Branches": [
            {"StartAt": "L", "States": {"L": {**MAP, "Label": "l"}}},
            {"StartAt": "M", "States": {"M": {**MAP, "Label": "l", "ItemProcessor": {"StartAt": "J", "States": {"J": END}}}}},
        ]}), ["DUPLICATE_LABEL_NAME: Duplicate label name: l at /States/A/Branches[1]/States/M/Label"]),
    ],
)  # fmt: skip
def test_the_graph(definition: Any, words: list[str]) -> None:
    assert told(definition) == words


@pytest.mark.parametrize(
    ("resource", "words"),
    [
        ("arn:aws:states:::lambda:invoke", []),
        (
            "arn:aws:states:::states:startExecution.sync:2",
            ["Express state machine does not support '.sync' service integration at /States/A/Resource"],
        ),
        (
            "arn:aws:states:::sqs:sendMessage.waitForTaskToken",
            ["Express state machine does not support '.waitForTaskToken' service integration  at /States/A/Resource"],
        ),
        (
            "arn:aws:states:e:1:activity:a",
            ["Express state machine does not support Activity ARN at /States/A/Resource"],
        ),
    ],
)
def test_express(resource: str, words: list[str]) -> None:
    assert told(machine({**TASK, "Resource": resource}), "EXPRESS") == words
    assert told(machine({**TASK, "Resource": resource})) == []


DISTRIBUTED = {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}


def test_express_has_no_distributed_map() -> None:
    state = {**MAP, "ItemProcessor": {**MAP["ItemProcessor"], "ProcessorConfig": DISTRIBUTED}}
    assert told(machine(state), "EXPRESS") == [
        (
            "The field 'Mode' with value 'DISTRIBUTED' is not supported inside 'EXPRESS' state machines"
            " at /States/A/ItemProcessor/ProcessorConfig/Mode"
        )
    ]


@pytest.mark.parametrize(
    ("state", "warning"),
    [
        ({**END, "Parameters": {"a": {"b": "$.x"}}}, "NO_DOLLAR at /States/A/Parameters/a/b"),
        ({**END, "Parameters": {"b": "States.UUID()"}}, "NO_DOLLAR at /States/A/Parameters/b"),
        ({**END, "Result": {"o": {"a.$": "$.x"}}}, "PASS_RESULT_IS_STATIC at /States/A/Result"),
        ({"Type": "Fail", "Error": "$.e"}, "NO_PATH at /States/A/Error"),
    ],
)
def test_warnings_do_not_refuse(state: dict[str, Any], warning: str) -> None:
    found = check(machine(state))
    assert [f"{one.code} at {one.location}" for one in found] == [warning]
    assert errors(found) == []


def test_summary() -> None:
    both = {"StartAt": "A", "States": {"A": {"Type": "Pass", "Next": "X"}}}
    assert summary(check(both)) == (
        "Invalid State Machine Definition: 'MISSING_TRANSITION_TARGET: Missing 'Next' target: X at /States/A/Next, "
        "MISSING_END_STATE: Workflow has no terminal state'"
    )
    warned = check(machine({**END, "Parameters": {"b": "$.x"}, "End": 1}))
    assert summary(warned) == (
        "Invalid State Machine Definition: 'SCHEMA_VALIDATION_FAILED: Expected value of type Boolean at /States/A/End'"
    )


@pytest.mark.parametrize(
    ("text", "code", "words"),
    [
        ("", "SCHEMA_VALIDATION_FAILED", "Definition must be a valid JSON object"),
        ("[]", "SCHEMA_VALIDATION_FAILED", "Definition must be a valid JSON object"),
        (
            '{"a":\n  nope}',
            "INVALID_JSON_DESCRIPTION",
            (
                "Unrecognized token 'nope': was expecting (JSON String, Number, Array, Object or token 'null', 'true' or "
                '\'false\')\n at [Source: (String)"{"a":\n  nope}"; line: 2, column: 7]'
            ),
        ),
        (
            '{"a":',
            "INVALID_JSON_DESCRIPTION",
            'Unexpected end-of-input\n at [Source: (String)"{"a":"; line: 1, column: 6]',
        ),
        ('{"a":1,}', "INVALID_JSON_DESCRIPTION", "Unexpected character (',' (code 44)): the text is no valid JSON"),
        ('{"a":NaN}', "INVALID_JSON_DESCRIPTION", "Unrecognized token 'NaN'"),
        ("x" * 600, "INVALID_JSON_DESCRIPTION", "[truncated 100 chars]"),
        ("[" * 200 + "]" * 200, "TOO_DEEPLY_NESTED", "nested more than 100 levels deep"),
        ("[" * 5000, "INVALID_JSON_DESCRIPTION", " at [Source: (String)"),
    ],
)
def test_texts(text: str, code: str, words: str) -> None:
    [found] = check(text)
    assert found.code == code
    assert words in found.message


def test_a_deep_document_is_refused() -> None:
    deep: Any = 1
    for _ in range(5000):
        deep = {"a": deep}
    assert [one.code for one in check(deep)] == ["TOO_DEEPLY_NESTED"]


def test_a_state_that_stands_twice() -> None:
    text = '{"StartAt":"A","States":{"A":{"Type":"Pass","End":true},"A":{"Type":"Succeed"}}}'
    assert told(text) == ["DUPLICATE_STATE_NAME: Duplicate State name: A at /States/A"]
    assert told('{"Comment":"a","Comment":"b","StartAt":"A","States":{"A":{"Type":"Succeed"}}}') == []


def test_unsupported() -> None:
    assert unsupported(machine(END)) == []
    assert unsupported(machine(MAP)) == []
    assert unsupported(machine(END, QueryLanguage="JSONata")) == ["the query language JSONata (at /States/A)"]
    inner = {**MAP, "ItemProcessor": {"StartAt": "I", "States": {"I": ata(END)}, "ProcessorConfig": DISTRIBUTED}}
    assert unsupported(machine({**inner, "ItemReader": {}, "ResultWriter": {}})) == [
        "the distributed Map state (at /States/A)",
        "ItemReader of a Map state (at /States/A)",
        "ResultWriter of a Map state (at /States/A)",
        "the query language JSONata (at /States/A/ItemProcessor/States/I)",
    ]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.sampled_from(["", "$", "A", "{% x %}"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=5,
)
SAMPLES = [
    json.loads(path.read_text())
    for path in sorted((Path(__file__).parents[2] / "oracle" / "definitions").glob("valid-*.json"))
]


def places(node: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    items = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    return [path, *(place for key, item in items for place in places(item, (*path, key)))]


@given(st.data(), st.sampled_from(SAMPLES), JSON)
def test_anything_anywhere_is_judged_and_never_crashes(data: st.DataObject, sample: Any, value: Any) -> None:
    changed = copy.deepcopy(sample)
    *way, last = data.draw(st.sampled_from(places(changed)[1:]))
    node = changed
    for key in way:
        node = node[key]
    node[last] = value
    found = check(json.dumps(changed))
    assert found == check(changed)
    if not errors(found):
        unsupported(changed)
