"""The table of fields: of the machine, of each state type and of the objects within. Adding a field is adding a line.

Which field belongs to which type is what AWS's ValidateStateMachineDefinition accepts (measured in September 2026), the
ranges of numbers likewise.
"""

from collections.abc import Mapping
from typing import Any

from cumulet.asl.checks import rules
from cumulet.asl.checks.report import JSONATA, JSONPATH, Place
from cumulet.asl.checks.shapes import Field, Shape, both, for_jsonata, for_jsonpath
from cumulet.asl.checks.values import (
    array_of,
    boolean,
    by_language,
    constant_or_jsonata,
    integer,
    jsonata,
    no_path,
    number,
    one_of,
    or_null,
    path,
    payload,
    reference_path,
    result_path,
    static_result,
    template,
    text,
    text_call,
    timestamp,
)

SECONDS = 99_999_999
YEAR = 31_622_400

_LANGUAGE = one_of(JSONPATH, JSONATA)
_ANY = both(Type=text, Comment=text, QueryLanguage=_LANGUAGE)
_PATHS = for_jsonpath(InputPath=or_null(path), OutputPath=or_null(path))
_OUTPUT = for_jsonata(Output=jsonata)
_ASSIGN = both(Assign=rules.assign)
_FLOW = both(Next=text, End=boolean)
_RESULT = for_jsonpath(ResultPath=or_null(result_path))
_PARAMETERS = for_jsonpath(Parameters=template)
_ARGUMENTS = for_jsonata(Arguments=jsonata)
_SELECTOR = for_jsonpath(ResultSelector=template)

RETRIER = Shape(
    both(
        ErrorEquals=array_of(text),
        IntervalSeconds=integer(0, SECONDS),  # 0 is accepted: a published AWS sample uses it
        MaxAttempts=integer(0, SECONDS),
        BackoffRate=number(1),
        MaxDelaySeconds=integer(1, YEAR),
        JitterStrategy=one_of("NONE", "FULL"),
        Comment=text,
    ),
    required=("ErrorEquals",),
)
CATCHER = Shape(
    both(ErrorEquals=array_of(text), Next=text, Comment=text) | _RESULT | _OUTPUT | _ASSIGN,
    required=("ErrorEquals", "Next"),
)
_ERRORS = both(Retry=array_of(RETRIER, least=0), Catch=array_of(CATCHER, least=0))


def branch(value: Any, place: Place) -> None:
    """A machine within a Parallel state."""
    BRANCH(value, place)


def processor(value: Any, place: Place) -> None:
    """The machine within a Map state."""
    PROCESSOR(value, place)


def _next_or_end(state: Mapping[str, Any], place: Place) -> None:
    """Exactly one of Next and End; `"End": false` counts for nothing."""
    ends = state.get("End", False) is not False
    if "Next" in state and ends:
        place.wrong("There should only be one of the following fields: [Next, End]")
    elif "Next" not in state and not ends:
        place.wrong("This object should have only one of the following fields: [Next, End]")


def states(value: Any, place: Place) -> None:
    """The States object: names to states."""
    if not isinstance(value, dict):
        place.wrong("Expected value of type Object")
    elif not value:
        place.wrong("Value cannot be empty")
    else:
        for name, inner in value.items():
            here = place.at(name)
            if not 1 <= len(name) <= 80:
                here.wrong("The state name must have 1 to 80 characters", "INVALID_STATE_NAME")
            _state(inner, here)


def _state(value: Any, place: Place) -> None:
    if not isinstance(value, dict):
        place.wrong("Expected value of type Object")
    elif "Type" not in value:
        place.wrong("These fields are required: [Type]")
    elif not isinstance(value["Type"], str) or value["Type"] not in STATES:
        place.at("Type").wrong(f"The field 'Type' should have one of these values: [{', '.join(STATES)}]")
    else:
        language = value.get("QueryLanguage", place.default)
        if language == JSONPATH and place.default == JSONATA:
            place.wrong("'QueryLanguage' can not be 'JSONPath' if set to 'JSONata' for whole state machine")
        STATES[value["Type"]](value, place.speaking(JSONATA if language == JSONATA else JSONPATH))


def _distributed_only(config: Mapping[str, Any], place: Place) -> None:
    distributed = config.get("Mode") == "DISTRIBUTED"
    if distributed and "ExecutionType" not in config:
        place.wrong("These fields are required: [ExecutionType]")
    if not distributed and "ExecutionType" in config:
        place.wrong("Field 'ExecutionType' is not supported")
    if distributed and place.express:
        place.at("Mode").wrong(
            "The field 'Mode' with value 'DISTRIBUTED' is not supported inside 'EXPRESS' state machines"
        )


def _csv(reader: Mapping[str, Any], place: Place) -> None:
    if reader.get("InputType") == "CSV" and "CSVHeaderLocation" not in reader:
        place.wrong("The field 'CSVHeaderLocation' is required")
    if reader.get("InputType") != "CSV":
        for name in ("CSVHeaderLocation", "CSVHeaders", "CSVDelimiter"):
            if name in reader and not (name != "CSVDelimiter" and reader.get("InputType") == "MANIFEST"):
                place.wrong(f"Field '{name}' is not supported")
    if reader.get("CSVHeaderLocation") == "GIVEN" and "CSVHeaders" not in reader:
        place.wrong("These fields are required: [CSVHeaders]")


def _actions(*names: str) -> Any:
    def kind(value: Any, place: Place) -> None:
        if not isinstance(value, str) or value.rpartition(":::")[2] not in names or not value.startswith("arn:"):
            place.wrong("The field 'Resource' does not match any of the allowed values")

    return kind


_COUNT = constant_or_jsonata(integer(0))
PROCESSOR_CONFIG = Shape(
    both(Mode=one_of("INLINE", "DISTRIBUTED"), ExecutionType=one_of("STANDARD", "EXPRESS")), rules=(_distributed_only,)
)
READER_CONFIG = Shape(
    both(
        InputType=one_of("CSV", "JSON", "JSONL", "PARQUET", "MANIFEST"),
        CSVHeaderLocation=one_of("FIRST_ROW", "GIVEN"),
        CSVHeaders=array_of(text),
        CSVDelimiter=one_of("COMMA", "PIPE", "SEMICOLON", "SPACE", "TAB"),
        MaxItems=_COUNT,
        ItemsPointer=text,
        ManifestType=one_of("ATHENA_DATA", "S3_INVENTORY"),
        Transformation=one_of("NONE", "LOAD_AND_FLATTEN"),
    )
    | for_jsonpath(MaxItemsPath=reference_path),
    alternatives=(("MaxItems", "MaxItemsPath"),),
    rules=(_csv,),
)
ITEM_READER = Shape(
    both(Resource=_actions("s3:getObject", "s3:listObjectsV2"), ReaderConfig=READER_CONFIG) | _PARAMETERS | _ARGUMENTS,
    required=("Resource",),
)
ITEM_BATCHER = Shape(
    both(
        BatchInput=payload,
        MaxItemsPerBatch=constant_or_jsonata(integer(1)),
        MaxInputBytesPerBatch=constant_or_jsonata(integer(1, 262_144)),
    )
    | for_jsonpath(MaxItemsPerBatchPath=reference_path, MaxInputBytesPerBatchPath=reference_path),
    alternatives=(
        ("MaxItemsPerBatch", "MaxItemsPerBatchPath"),
        ("MaxInputBytesPerBatch", "MaxInputBytesPerBatchPath"),
    ),
)
WRITER_CONFIG = Shape(both(OutputType=one_of("JSON", "JSONL"), Transformation=one_of("NONE", "COMPACT", "FLATTEN")))
RESULT_WRITER = Shape(
    both(Resource=_actions("s3:putObject"), WriterConfig=WRITER_CONFIG) | _PARAMETERS | _ARGUMENTS,
)
BRANCH = Shape(both(StartAt=text, States=states, Comment=text), required=("StartAt", "States"))
PROCESSOR = Shape(
    both(StartAt=text, States=states, Comment=text, ProcessorConfig=PROCESSOR_CONFIG), required=("StartAt", "States")
)
MACHINE = Shape(
    both(
        StartAt=text,
        States=states,
        Comment=text,
        Version=one_of("1.0"),
        TimeoutSeconds=integer(0, SECONDS),
        QueryLanguage=_LANGUAGE,
    ),
    required=("StartAt", "States"),
)

STATES: dict[str, Shape] = {
    "Task": Shape(
        _ANY
        | _FLOW
        | _PATHS
        | _RESULT
        | _PARAMETERS
        | _ARGUMENTS
        | _SELECTOR
        | _OUTPUT
        | _ASSIGN
        | _ERRORS
        | both(
            Resource=rules.resource,
            Credentials=rules.credentials,
            TimeoutSeconds=constant_or_jsonata(integer(1, SECONDS)),
            HeartbeatSeconds=constant_or_jsonata(integer(1, SECONDS)),
        )
        | for_jsonpath(TimeoutSecondsPath=reference_path, HeartbeatSecondsPath=reference_path),
        required=("Resource",),
        alternatives=(("TimeoutSeconds", "TimeoutSecondsPath"), ("HeartbeatSeconds", "HeartbeatSecondsPath")),
        rules=(_next_or_end, rules.catch_all_last, rules.credentials_for, rules.heartbeat),
    ),
    "Wait": Shape(
        _ANY
        | _FLOW
        | _PATHS
        | _OUTPUT
        | _ASSIGN
        | both(Seconds=constant_or_jsonata(integer(0, SECONDS)), Timestamp=constant_or_jsonata(timestamp))
        | for_jsonpath(SecondsPath=reference_path, TimestampPath=reference_path),
        choices=(("SecondsPath", "Seconds", "TimestampPath", "Timestamp"),),
        rules=(_next_or_end,),
    ),
    "Pass": Shape(
        _ANY | _FLOW | _PATHS | _RESULT | _PARAMETERS | _OUTPUT | _ASSIGN | for_jsonpath(Result=static_result),
        rules=(_next_or_end,),
    ),
    "Succeed": Shape(_ANY | _PATHS | _OUTPUT),
    "Fail": Shape(
        _ANY
        | both(Error=no_path(by_language(text, jsonata)), Cause=no_path(by_language(text, jsonata)))
        | for_jsonpath(ErrorPath=text_call, CausePath=text_call),
        alternatives=(("Error", "ErrorPath"), ("Cause", "CausePath")),
    ),
    "Choice": Shape(
        _ANY | _PATHS | _OUTPUT | _ASSIGN | both(Choices=array_of(rules.choice_rule), Default=text),
        required=("Choices",),
    ),
    "Parallel": Shape(
        _ANY
        | _FLOW
        | _PATHS
        | _RESULT
        | _PARAMETERS
        | _ARGUMENTS
        | _SELECTOR
        | _OUTPUT
        | _ASSIGN
        | _ERRORS
        | both(Branches=array_of(branch)),
        required=("Branches",),
        rules=(_next_or_end, rules.catch_all_last),
    ),
    "Map": Shape(
        _ANY
        | _FLOW
        | _PATHS
        | _RESULT
        | _PARAMETERS
        | _SELECTOR
        | _OUTPUT
        | _ASSIGN
        | _ERRORS
        | both(
            ItemProcessor=processor,
            Iterator=processor,
            ItemSelector=payload,
            ItemReader=ITEM_READER,
            ItemBatcher=ITEM_BATCHER,
            ResultWriter=RESULT_WRITER,
            MaxConcurrency=_COUNT,
            ToleratedFailurePercentage=constant_or_jsonata(number(0, 100)),
            ToleratedFailureCount=_COUNT,
            Label=text,
        )
        | for_jsonpath(
            ItemsPath=reference_path,
            MaxConcurrencyPath=reference_path,
            ToleratedFailurePercentagePath=reference_path,
            ToleratedFailureCountPath=reference_path,
        )
        | {"Items": Field(jsonata, JSONATA)},
        choices=(("ItemProcessor", "Iterator"),),
        alternatives=(
            ("ItemSelector", "Parameters"),
            ("MaxConcurrency", "MaxConcurrencyPath"),
            ("ToleratedFailurePercentage", "ToleratedFailurePercentagePath"),
            ("ToleratedFailureCount", "ToleratedFailureCountPath"),
        ),
        rules=(_next_or_end, rules.catch_all_last),
    ),
}
