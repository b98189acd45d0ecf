import pytest

from cumulet.base.errors import NotImplementedHere
from cumulet.services.states.integrations import read_resource, refuse_unknown, walk_states


class Knows:
    """A caller that carries out GetObject of S3 and Invoke of Lambda."""

    async def call(self, *_, **__):
        raise AssertionError("nothing is called when a definition is checked")

    def carries_out(self, service, operation):
        return (service, operation) in {("s3", "GetObject"), ("lambda", "Invoke")}


def machine(resource, **more):
    task = {"Type": "Task", "Resource": resource, "End": True, **more}
    inner = {"StartAt": "T", "States": {"T": task}}
    return {"StartAt": "P", "States": {"P": {"Type": "Parallel", "Branches": [inner], "End": True}}}


@pytest.mark.parametrize(
    ("resource", "kind", "service", "operation"),
    [
        ("arn:aws:lambda:us-east-1:000000000000:function:f", "function", "lambda", "Invoke"),
        ("arn:aws:states:::lambda:invoke", "invoke", "lambda", "Invoke"),
        ("arn:aws:states:::lambda:invoke.waitForTaskToken", "invoke", "lambda", "Invoke"),
        ("arn:aws:states:::aws-sdk:s3:listObjectsV2", "sdk", "s3", "ListObjectsV2"),
        ("arn:aws:states:::aws-sdk:sfn:startExecution", "sdk", "stepfunctions", "StartExecution"),
    ],
)
def test_what_a_resource_means(resource, kind, service, operation):
    found = read_resource(resource)
    assert found is not None
    assert (found.kind, found.service, found.operation) == (kind, service, operation)


@pytest.mark.parametrize(
    "resource",
    [
        "arn:aws:states:::sqs:sendMessage",
        "arn:aws:states:::aws-sdk:ec2:runInstances",
        "arn:aws:states:::lambda:invoke.sync",
        "arn:aws:states:::aws-sdk:s3:deleteObject",
        "hello",
    ],
)
def test_what_is_not_carried_out_is_refused_with_its_name_wherever_it_stands(resource):
    with pytest.raises(NotImplementedHere) as raised:
        refuse_unknown(machine(resource), Knows())
    assert resource in raised.value.message


def test_credentials_are_refused_by_name():
    with pytest.raises(NotImplementedHere, match="Credentials"):
        refuse_unknown(machine("arn:aws:states:::lambda:invoke", Credentials={"RoleArn": "r"}), Knows())


def test_what_is_carried_out_passes():
    refuse_unknown(machine("arn:aws:states:::aws-sdk:s3:getObject"), Knows())


def test_every_nested_state_is_seen():
    inner = {"StartAt": "x", "States": {"x": {"Type": "Pass", "End": True}}}
    states = {
        "a": {"Type": "Map", "Iterator": inner},
        "b": {"Type": "Map", "ItemProcessor": inner},
        "c": {"Type": "Parallel", "Branches": [inner, inner]},
    }
    assert [name for name, _ in walk_states({"States": states})] == ["a", "x", "b", "x", "c", "x", "x"]
