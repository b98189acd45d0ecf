"""Each rule on the fields of a state, with AWS's words and the place."""

from typing import Any

import pytest
from tests.asl.check.given import END, MAP, RULE, TASK, ata, choice, machine, told

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
