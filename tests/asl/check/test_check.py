"""The rules on a machine as a whole, on its text, and what is told to the caller."""

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.asl.check.given import END, MAP, RULE, TASK, ata, choice, machine, told

from cumulet.asl.check import check, errors, summary, unsupported


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
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.sampled_from(["", "$", "A", "{% x %}"]),
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


@settings(deadline=None)
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
