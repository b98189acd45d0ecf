from datetime import UTC, datetime

from cumulet.services.states.sdk import to_input, to_output
from cumulet.wire import models


def shape(service, operation, direction="input"):
    return getattr(models.load(service).operation_model(operation), f"{direction}_shape")


def test_members_begin_with_a_capital_whatever_the_model_says():
    problems = []
    value = {"StateMachineArn": "arn", "Input": {"a": 1}, "Name": "n"}
    assert to_input(shape("stepfunctions", "StartExecution"), value, problems) == {
        "stateMachineArn": "arn",
        "input": '{"a":1}',
        "name": "n",
    }
    assert problems == []


def test_unknown_and_missing_members_are_named():
    problems = []
    to_input(shape("stepfunctions", "StartExecution"), {"stateMachineArn": "arn"}, problems)
    assert problems == [
        "The field 'stateMachineArn' is not supported by Step Functions",
        "The required parameter 'StateMachineArn' is missing",
    ]


def test_json_becomes_a_body_and_text_stays_text():
    problems = []
    put = shape("s3", "PutObject")
    assert to_input(put, {"Bucket": "b", "Key": "k", "Body": {"a": 1}}, problems)["Body"] == b'{"a":1}'
    assert to_input(put, {"Bucket": "b", "Key": "k", "Body": "text"}, problems)["Body"] == b"text"
    metadata = to_input(put, {"Bucket": "b", "Key": "k", "Metadata": {"n": 1}}, problems)["Metadata"]
    assert metadata == {"n": "1"}
    assert problems == []


def test_times_are_read_with_and_without_a_zone():
    problems = []
    get = shape("s3", "GetObject")
    value = {"Bucket": "b", "Key": "k", "IfModifiedSince": "2026-01-02T03:04:05"}
    assert to_input(get, value, problems)["IfModifiedSince"] == datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    to_input(get, value | {"IfModifiedSince": "soon"}, problems)
    assert problems == ["The value 'soon' is no timestamp"]


async def test_output_is_json():
    async def body():
        yield b"bin"
        yield b"ary"

    reply = {
        "Body": body(),
        "ContentLength": 6,
        "LastModified": datetime(2026, 1, 2, tzinfo=UTC),
        "Metadata": {"k": "v"},
    }
    assert await to_output(shape("s3", "GetObject", "output"), reply) == {
        "Body": "binary",
        "ContentLength": 6,
        "LastModified": "2026-01-02T00:00:00Z",
        "Metadata": {"k": "v"},
    }


async def test_lists_and_lower_members_are_shown_with_capitals():
    reply = {"stateMachines": [{"name": "m"}]}
    found = await to_output(shape("stepfunctions", "ListStateMachines", "output"), reply)
    assert found == {"StateMachines": [{"Name": "m"}]}
