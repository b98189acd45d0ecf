"""Permissions, tags, concurrency and event settings: kept and told as AWS tells them."""

import json

from tests.services.lambda_.shop import Shop
from tests.services.lambda_.test_functions import ARN, refusal


def test_permissions(shop: Shop):
    shop.create()
    assert refusal(shop.api.get_policy, FunctionName="hello")[:2] == ("ResourceNotFoundException", 404)
    given = shop.api.add_permission(
        FunctionName="hello", StatementId="s3", Action="lambda:InvokeFunction", Principal="s3.amazonaws.com",
        SourceArn="arn:aws:s3:::bucket", SourceAccount="000000000000",
    )  # fmt: skip
    statement = {
        "Sid": "s3",
        "Effect": "Allow",
        "Principal": {"Service": "s3.amazonaws.com"},
        "Action": "lambda:InvokeFunction",
        "Resource": ARN,
        "Condition": {
            "ArnLike": {"AWS:SourceArn": "arn:aws:s3:::bucket"},
            "StringEquals": {"AWS:SourceAccount": "000000000000"},
        },
    }
    assert json.loads(given["Statement"]) == statement
    policy = shop.api.get_policy(FunctionName="hello")
    assert json.loads(policy["Policy"]) == {"Version": "2012-10-17", "Id": "default", "Statement": [statement]}
    assert refusal(shop.api.add_permission, FunctionName="hello", StatementId="s3", Action="*", Principal="*")[:2] == (
        "ResourceConflictException",
        409,
    )
    wrong = {"FunctionName": "hello", "StatementId": "s3", "RevisionId": "old"}
    assert refusal(shop.api.remove_permission, **wrong)[0] == "PreconditionFailedException"
    shop.api.remove_permission(FunctionName="hello", StatementId="s3", RevisionId=policy["RevisionId"])
    assert refusal(shop.api.remove_permission, FunctionName="hello", StatementId="s3")[0] == "ResourceNotFoundException"


def test_principals(shop: Shop):
    shop.create()
    told = {
        "*": "*",
        "123456789012": {"AWS": "arn:aws:iam::123456789012:root"},
        "arn:aws:iam::123456789012:role/x": {"AWS": "arn:aws:iam::123456789012:role/x"},
    }
    for number, (given, shown) in enumerate(told.items()):
        statement = shop.api.add_permission(
            FunctionName="hello", StatementId=f"s{number}", Action="lambda:InvokeFunction", Principal=given
        )
        assert json.loads(statement["Statement"])["Principal"] == shown
    assert len(json.loads(shop.api.get_policy(FunctionName="hello")["Policy"])["Statement"]) == 3
    assert (
        refusal(shop.api.remove_permission, FunctionName="hello", StatementId="other")[2]
        == "Statement other is not found in resource policy."
    )


def test_tags(shop: Shop):
    shop.create(Tags={"a": "1"})
    shop.api.tag_resource(Resource=ARN, Tags={"b": "2", "c": "3"})
    shop.api.untag_resource(Resource=ARN, TagKeys=["a", "c"])
    assert shop.api.list_tags(Resource=ARN)["Tags"] == {"b": "2"}
    assert shop.api.get_function(FunctionName="hello")["Tags"] == {"b": "2"}
    many = {str(number): "x" for number in range(51)}
    assert refusal(shop.api.tag_resource, Resource=ARN, Tags=many)[0] == "InvalidParameterValueException"
    assert refusal(shop.api.list_tags, Resource=ARN.replace("hello", "none"))[:2] == ("ResourceNotFoundException", 404)
    assert refusal(shop.api.list_tags, Resource=f"{ARN}:prod")[0] == "InvalidParameterValueException"


def test_concurrency(shop: Shop):
    shop.create()
    assert "ReservedConcurrentExecutions" not in shop.api.get_function_concurrency(FunctionName="hello")
    assert (
        shop.api.put_function_concurrency(FunctionName="hello", ReservedConcurrentExecutions=5)[
            "ReservedConcurrentExecutions"
        ]
        == 5
    )
    assert shop.api.get_function_concurrency(FunctionName="hello")["ReservedConcurrentExecutions"] == 5
    assert shop.api.get_function(FunctionName="hello")["Concurrency"] == {"ReservedConcurrentExecutions": 5}
    words = refusal(shop.api.put_function_concurrency, FunctionName="hello", ReservedConcurrentExecutions=901)[2]
    assert "below its minimum value of [100]" in words
    shop.api.delete_function_concurrency(FunctionName="hello")
    assert "Concurrency" not in shop.api.get_function(FunctionName="hello")


def test_event_settings(shop: Shop):
    shop.create()
    missing = refusal(shop.api.get_function_event_invoke_config, FunctionName="hello")
    assert missing == (
        "ResourceNotFoundException",
        404,
        f"The function {ARN}:$LATEST doesn't have an EventInvokeConfig",
    )
    assert (
        refusal(shop.api.put_function_event_invoke_config, FunctionName="hello")[0] == "InvalidParameterValueException"
    )
    shop.api.put_function_event_invoke_config(FunctionName="hello", MaximumRetryAttempts=1)
    shop.api.update_function_event_invoke_config(FunctionName="hello", MaximumEventAgeInSeconds=99)
    found = shop.api.get_function_event_invoke_config(FunctionName="hello")
    assert (found["MaximumRetryAttempts"], found["MaximumEventAgeInSeconds"]) == (1, 99)
    assert (found["FunctionArn"], found["DestinationConfig"]) == (f"{ARN}:$LATEST", {"OnSuccess": {}, "OnFailure": {}})
    shop.api.put_function_event_invoke_config(FunctionName="hello", MaximumRetryAttempts=2)
    assert "MaximumEventAgeInSeconds" not in shop.api.get_function_event_invoke_config(FunctionName="hello")
    assert len(shop.api.list_function_event_invoke_configs(FunctionName="hello")["FunctionEventInvokeConfigs"]) == 1
    shop.api.delete_function_event_invoke_config(FunctionName="hello")
    assert shop.api.list_function_event_invoke_configs(FunctionName="hello")["FunctionEventInvokeConfigs"] == []
    assert refusal(shop.api.delete_function_event_invoke_config, FunctionName="hello")[0] == "ResourceNotFoundException"
    assert (
        refusal(shop.api.update_function_event_invoke_config, FunctionName="hello", MaximumRetryAttempts=1)[0]
        == "ResourceNotFoundException"
    )
