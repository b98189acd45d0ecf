import json

import pytest
from botocore.exceptions import ClientError
from tests.services.states.conftest import PASS, ROLE, WAIT


def code_of(raised):
    return raised.value.response["Error"]["Code"]


def message_of(raised):
    return raised.value.response["Error"]["Message"]


def test_a_machine_is_as_it_was_created(bench):
    arn = bench.machine()
    found = bench.states.describe_state_machine(stateMachineArn=arn)
    assert arn == "arn:aws:states:us-east-1:000000000000:stateMachine:m"
    assert (found["name"], found["status"], found["type"], found["roleArn"]) == ("m", "ACTIVE", "STANDARD", ROLE)
    assert json.loads(found["definition"]) == PASS
    assert found["loggingConfiguration"] == {"level": "OFF", "includeExecutionData": False}
    assert "revisionId" not in found


def test_creating_the_same_again_answers_the_same(bench):
    first = bench.states.create_state_machine(name="m", definition=json.dumps(PASS), roleArn=ROLE)
    bench.house.jump(5)
    again = bench.states.create_state_machine(name="m", definition=json.dumps(PASS), roleArn=ROLE)
    assert again["creationDate"] == first["creationDate"]
    with pytest.raises(bench.states.exceptions.StateMachineAlreadyExists, match="State Machine Already Exists: 'arn:"):
        bench.machine(WAIT)


def test_an_update_makes_a_revision_and_a_repeated_one_none(bench):
    arn = bench.machine()
    first = bench.states.update_state_machine(stateMachineArn=arn, definition=json.dumps(WAIT))
    same = bench.states.update_state_machine(stateMachineArn=arn, definition=json.dumps(WAIT))
    found = bench.states.describe_state_machine(stateMachineArn=arn)
    assert first["revisionId"] == same["revisionId"] == found["revisionId"]
    assert json.loads(found["definition"]) == WAIT
    with pytest.raises(bench.states.exceptions.MissingRequiredParameter):
        bench.states.update_state_machine(stateMachineArn=arn)


def test_an_execution_keeps_the_revision_it_started_with(bench):
    arn = bench.machine(WAIT)
    execution = bench.start(arn)
    bench.states.update_state_machine(stateMachineArn=arn, definition=json.dumps(PASS))
    found = bench.states.describe_state_machine_for_execution(executionArn=execution)
    assert json.loads(found["definition"]) == WAIT
    bench.house.jump(61)
    assert bench.ended(execution)["status"] == "SUCCEEDED"
    assert json.loads(bench.ended(bench.start(arn))["output"]) == {"a": 1}


def test_machines_are_listed_in_pages(bench):
    arns = []
    for number in range(5):
        arns.append(bench.machine(name=f"m{number}"))
        bench.house.jump(1)
    pages = bench.states.get_paginator("list_state_machines").paginate(PaginationConfig={"PageSize": 2})
    assert [item["stateMachineArn"] for page in pages for item in page["stateMachines"]] == arns
    with pytest.raises(ClientError) as raised:
        bench.states.list_state_machines(nextToken="nonsense")
    assert (code_of(raised), message_of(raised)) == ("InvalidToken", "Invalid Token: 'Invalid token'")


def test_deletion_ends_what_runs_and_is_idempotent(bench):
    arn = bench.machine(WAIT)
    execution = bench.start(arn)
    bench.states.delete_state_machine(stateMachineArn=arn)
    assert bench.describe(execution)["status"] == "ABORTED"
    with pytest.raises(bench.states.exceptions.StateMachineDoesNotExist):
        bench.states.describe_state_machine(stateMachineArn=arn)
    bench.states.delete_state_machine(stateMachineArn=arn)
    assert bench.machine() == arn


def test_tags(bench):
    arn = bench.machine(tags=[{"key": "a", "value": "1"}])
    bench.states.tag_resource(resourceArn=arn, tags=[{"key": "b", "value": "2"}, {"key": "a", "value": "3"}])
    assert bench.states.list_tags_for_resource(resourceArn=arn)["tags"] == [
        {"key": "a", "value": "3"},
        {"key": "b", "value": "2"},
    ]
    bench.states.untag_resource(resourceArn=arn, tagKeys=["a", "none"])
    assert bench.states.list_tags_for_resource(resourceArn=arn)["tags"] == [{"key": "b", "value": "2"}]
    with pytest.raises(bench.states.exceptions.TooManyTags):
        bench.states.tag_resource(resourceArn=arn, tags=[{"key": f"k{n}", "value": ""} for n in range(50)])
    assert len(bench.states.list_tags_for_resource(resourceArn=arn)["tags"]) == 1
    with pytest.raises(bench.states.exceptions.ResourceNotFound):
        bench.states.list_tags_for_resource(resourceArn=arn + "x")


@pytest.mark.parametrize(
    ("definition", "words"),
    [
        ("{", "Invalid State Machine Definition: 'INVALID_JSON_DESCRIPTION"),
        ("[]", "Invalid State Machine Definition: '"),
        pytest.param(
            json.dumps(PASS) + " " * 1_048_577, "Invalid State Machine Definition: 'The definition has", id="long"
        ),
        ('{"StartAt": "A", "States": {}}', "Invalid State Machine Definition: '"),
        (
            '{"StartAt": "A", "States": {"A": {"Type": "Pass", "Next": "B"}}}',
            "Invalid State Machine Definition: 'MISSING_TRANSITION_TARGET",
        ),
        (
            '{"StartAt": "A", "States": {"A": {"Type": "Task", "End": true}}}',
            "Invalid State Machine Definition: 'SCHEMA_VALIDATION_FAILED",
        ),
    ],
)
def test_a_definition_that_cannot_run_is_refused(bench, definition, words):
    with pytest.raises(bench.states.exceptions.InvalidDefinition) as raised:
        bench.machine(definition)
    assert message_of(raised).startswith(words)
    assert bench.states.list_state_machines()["stateMachines"] == []


TASK = {"Type": "Task", "Resource": "arn:aws:states:::sqs:sendMessage", "End": True}


@pytest.mark.parametrize(
    ("definition", "more", "named"),
    [
        (PASS, {"type": "EXPRESS"}, "EXPRESS"),
        (PASS, {"tracingConfiguration": {"enabled": True}}, "tracingConfiguration"),
        (PASS, {"loggingConfiguration": {"level": "ALL"}}, "loggingConfiguration"),
        (PASS, {"encryptionConfiguration": {"type": "CUSTOMER_MANAGED_KMS_KEY", "kmsKeyId": "k"}}, "encryption"),
        ({"StartAt": "T", "States": {"T": TASK}}, {}, "sqs:sendMessage"),
        ({"QueryLanguage": "JSONata", "StartAt": "S", "States": {"S": {"Type": "Succeed"}}}, {}, "JSONata"),
    ],
)
def test_what_is_not_carried_out_is_refused_by_name(bench, definition, more, named):
    with pytest.raises(ClientError) as raised:
        bench.machine(definition, **more)
    assert code_of(raised) == "NotImplemented"
    assert named in message_of(raised)
    assert raised.value.response["ResponseMetadata"]["HTTPStatusCode"] == 501
    assert bench.states.list_state_machines()["stateMachines"] == []


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({"name": "bad name"}, "InvalidName"),
        ({"roleArn": "no"}, "InvalidArn"),
        ({"versionDescription": "v"}, "ValidationException"),
        ({"name": "x" * 81}, "InvalidName"),
        ({"type": "FAST"}, "ValidationException"),
    ],
)
def test_bad_input(bench, values, code):
    good = {"name": "m", "definition": json.dumps(PASS), "roleArn": ROLE}
    with pytest.raises(ClientError) as raised:
        bench.states.create_state_machine(**{**good, **values})
    assert code_of(raised) == code
    assert bench.states.list_state_machines()["stateMachines"] == []
