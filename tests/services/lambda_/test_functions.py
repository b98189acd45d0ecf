"""Functions through the gate: made, described, listed, changed, deleted; and what is refused."""

import base64
import hashlib
import re

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from tests.services.lambda_.shop import ROLE, Shop, pack

from cumulet.services.lambda_.errors import RequestEntityTooLargeException

ARN = "arn:aws:lambda:us-east-1:000000000000:function:hello"


def refusal(act, *args, **members):
    """The code, status and words of what `act` is answered."""
    with pytest.raises(ClientError) as caught:
        act(*args, **members)
    answer = caught.value.response
    return answer["Error"]["Code"], answer["ResponseMetadata"]["HTTPStatusCode"], answer["Error"]["Message"]


def test_create_tells_all_that_aws_tells(shop: Shop):
    code = pack("def handler(event, context): pass")
    made = shop.create(
        Code={"ZipFile": code}, Description="greets", Timeout=9, MemorySize=256, Environment={"Variables": {"ONE": "1"}}
    )
    assert made["ResponseMetadata"]["HTTPStatusCode"] == 201
    assert (made["FunctionName"], made["FunctionArn"], made["Version"]) == ("hello", ARN, "$LATEST")
    assert made["CodeSha256"] == base64.b64encode(hashlib.sha256(code).digest()).decode()
    assert made["CodeSize"] == len(code)
    assert (made["State"], made["StateReasonCode"]) == ("Pending", "Creating")
    assert (made["Timeout"], made["MemorySize"], made["Description"]) == (9, 256, "greets")
    assert made["Environment"] == {"Variables": {"ONE": "1"}}
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+0000", made["LastModified"])
    assert (made["Architectures"], made["PackageType"], made["EphemeralStorage"]) == (["x86_64"], "Zip", {"Size": 512})
    assert made["TracingConfig"] == {"Mode": "PassThrough"}
    assert made["SnapStart"] == {"ApplyOn": "None", "OptimizationStatus": "Off"}
    assert made["LoggingConfig"] == {"LogFormat": "Text", "LogGroup": "/aws/lambda/hello"}
    assert made["RuntimeVersionConfig"]["RuntimeVersionArn"].startswith("arn:aws:lambda:us-east-1::runtime:")


def test_waiters_pass(shop: Shop):
    shop.create()
    shop.api.get_waiter("function_active_v2").wait(FunctionName="hello")
    shop.api.update_function_configuration(FunctionName="hello", Timeout=4)
    shop.api.get_waiter("function_updated_v2").wait(FunctionName="hello")


def test_defaults(shop: Shop):
    made = shop.create()
    assert (made["Timeout"], made["MemorySize"], made["Description"]) == (3, 128, "")
    assert "Environment" not in made


def test_get_by_name_and_by_arns(shop: Shop):
    shop.create(Tags={"team": "a"})
    for name in ("hello", ARN, "000000000000:function:hello", "hello:$LATEST", f"{ARN}:$LATEST"):
        found = shop.api.get_function(FunctionName=name)
        assert found["Configuration"]["State"] == "Active"
        assert found["Configuration"]["LastUpdateStatus"] == "Successful"
        assert (found["Tags"], found["Code"]["RepositoryType"]) == ({"team": "a"}, "S3")
    assert "Concurrency" not in found
    assert shop.api.get_function_configuration(FunctionName="hello", Qualifier="$LATEST")["FunctionArn"] == ARN


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("missing", "Function not found: arn:aws:lambda:us-east-1:000000000000:function:missing"),
        ("hello:7", "Function not found: arn:aws:lambda:us-east-1:000000000000:function:hello:7"),
        (
            "arn:aws:lambda:eu-west-1:000000000000:function:hello",
            "Functions from 'eu-west-1' are not reachable in this region ('us-east-1')",
        ),
    ],
)
def test_what_is_not_there(shop: Shop, name, words):
    shop.create()
    assert refusal(shop.api.get_function, FunctionName=name) == ("ResourceNotFoundException", 404, words)


def test_qualifiers_that_differ(shop: Shop):
    code, _, words = refusal(shop.api.get_function, FunctionName="hello:a", Qualifier="b")
    assert (code, words) == (
        "InvalidParameterValueException",
        "The derived qualifier from the function name does not match the specified qualifier.",
    )


def test_a_name_is_taken_once(shop: Shop):
    shop.create()
    assert refusal(shop.create) == ("ResourceConflictException", 409, "Function already exist: hello")


@pytest.mark.parametrize(
    ("members", "words"),
    [
        (
            {"Code": {"ZipFile": b"no zip"}},
            "Could not unzip uploaded file. Please check your file, then try to upload again.",
        ),
        ({"Code": {"ZipFile": pack({})}}, "Uploaded file must be a non-empty zip"),
        ({"Code": {"ZipFile": pack({"../evil": ""})}}, "outside of its folder"),
        ({"Code": {"ZipFile": pack({"/evil": ""})}}, "outside of its folder"),
        ({"Code": {}}, "Please provide a source for function code."),
        ({"Code": {"ZipFile": b"x", "S3Bucket": "bucket"}}, "Please do not provide other FunctionCode parameters"),
        ({"Runtime": "python3.9"}, "The runtime python3.9 cannot be used: it is not on this machine"),
        ({"Runtime": "java21"}, "Present are: python3.12."),
        (
            {"Environment": {"Variables": {"AWS_REGION": "x", "ONE": "1"}}},
            "Reserved keys used in this request: AWS_REGION",
        ),
        ({"Environment": {"Variables": {"LONG": "x" * 4096}}}, "exceeded the 4KB limit"),
        (
            {"MemorySize": 10241},
            "Value '10241' at 'memorySize' failed to satisfy constraint: Member must have value less than or equal to 10240",
        ),
        (
            {"Timeout": 901},
            "Value '901' at 'timeout' failed to satisfy constraint: Member must have value less than or equal to 900",
        ),
    ],
)
def test_refused_with_awss_words_and_nothing_is_made(shop: Shop, members, words):
    code, status, told = refusal(shop.create, **members)
    assert (code, status) == ("InvalidParameterValueException", 400)
    assert words in told
    assert shop.api.list_functions()["Functions"] == []


def test_what_the_model_forbids(shop: Shop):
    shop.api = shop.house.client("lambda", config=Config(parameter_validation=False))
    for members in ({"MemorySize": 1}, {"Timeout": 0}, {"Role": "nobody"}, {"Handler": "with space"}):
        assert refusal(shop.create, **members)[:2] == ("ValidationException", 400), members


def test_a_handler_is_needed(shop: Shop):
    with pytest.raises(ClientError, match="mandatory"):
        shop.api.create_function(FunctionName="x", Runtime="python3.12", Role=ROLE, Code={"ZipFile": pack("")})
    with pytest.raises(ClientError, match="mandatory"):
        shop.api.create_function(FunctionName="x", Handler="a.b", Role=ROLE, Code={"ZipFile": pack("")})


@pytest.mark.parametrize(
    "members",
    [
        {"Layers": ["arn:aws:lambda:us-east-1:123456789012:layer:x:1"]},
        {"PackageType": "Image"},
        {"Publish": True},
        {"DeadLetterConfig": {"TargetArn": "arn:aws:sqs:us-east-1:000000000000:q"}},
        {"VpcConfig": {"SubnetIds": ["subnet-1"], "SecurityGroupIds": ["sg-1"]}},
        {"SnapStart": {"ApplyOn": "PublishedVersions"}},
        {"LoggingConfig": {"LogFormat": "JSON"}},
        {"KMSKeyArn": "arn:aws:kms:us-east-1:000000000000:key/1"},
    ],
)
def test_what_is_not_carried_out_is_refused_by_name(shop: Shop, members):
    code, status, words = refusal(shop.create, **members)
    assert (code, status) == ("NotImplemented", 501)
    assert next(iter(members)) in words or "LogFormat" in words
    assert shop.api.list_functions()["Functions"] == []


def test_what_asks_for_nothing_is_no_reason_to_refuse(shop: Shop):
    shop.create(
        Layers=[],
        Publish=False,
        VpcConfig={"SubnetIds": [], "SecurityGroupIds": []},
        SnapStart={"ApplyOn": "None"},
        PackageType="Zip",
    )


def test_operations_that_we_do_not_have(shop: Shop):
    shop.create()
    assert refusal(shop.api.publish_version, FunctionName="hello")[:2] == ("NotImplemented", 501)
    assert refusal(shop.api.list_aliases, FunctionName="hello")[:2] == ("NotImplemented", 501)


def test_lists_come_in_pages(shop: Shop):
    names = [f"f{number:02}" for number in range(5)]
    for name in reversed(names):
        shop.create(name=name)
    pages = list(shop.api.get_paginator("list_functions").paginate(PaginationConfig={"PageSize": 2}))
    assert [[one["FunctionName"] for one in page["Functions"]] for page in pages] == [names[:2], names[2:4], names[4:]]
    assert "State" not in pages[0]["Functions"][0]
    assert refusal(shop.api.list_functions, Marker="nonsense")[0] == "InvalidParameterValueException"
    assert shop.house.client("lambda", region_name="eu-west-1").list_functions()["Functions"] == []


def test_configuration_changes_what_is_named_only(shop: Shop):
    made = shop.create(Timeout=9, Environment={"Variables": {"ONE": "1"}})
    changed = shop.api.update_function_configuration(
        FunctionName="hello", MemorySize=512, EphemeralStorage={"Size": 600}
    )
    assert (changed["Timeout"], changed["MemorySize"], changed["EphemeralStorage"]) == (9, 512, {"Size": 600})
    assert changed["LastUpdateStatus"] == "InProgress"
    assert changed["RevisionId"] != made["RevisionId"]
    assert changed["Environment"] == {"Variables": {"ONE": "1"}}
    emptied = shop.api.update_function_configuration(
        FunctionName="hello",
        Environment={"Variables": {}},
        LoggingConfig={"LogGroup": "/own"},
        TracingConfig={"Mode": "Active"},
    )
    assert "Environment" not in emptied
    assert (emptied["LoggingConfig"]["LogGroup"], emptied["TracingConfig"]) == ("/own", {"Mode": "Active"})


def test_a_revision_that_is_not_the_latest(shop: Shop):
    first = shop.create()["RevisionId"]
    shop.api.update_function_configuration(FunctionName="hello", Timeout=4, RevisionId=first)
    code, status, words = refusal(
        shop.api.update_function_configuration, FunctionName="hello", Timeout=5, RevisionId=first
    )
    assert (code, status) == ("PreconditionFailedException", 412)
    assert words.startswith("The Revision Id provided does not match the latest Revision Id.")
    assert shop.api.get_function_configuration(FunctionName="hello")["Timeout"] == 4


def test_code_is_replaced(shop: Shop):
    made = shop.create()
    other = pack("def handler(event, context): return 2")
    seen = shop.api.update_function_code(FunctionName="hello", ZipFile=other, DryRun=True)
    assert seen["CodeSize"] == len(other)
    assert shop.api.get_function_configuration(FunctionName="hello")["CodeSha256"] == made["CodeSha256"]
    changed = shop.api.update_function_code(FunctionName="hello", ZipFile=other, Architectures=["arm64"])
    assert (changed["CodeSha256"], changed["Architectures"]) == (seen["CodeSha256"], ["arm64"])
    assert (
        refusal(shop.api.update_function_code, FunctionName="missing", ZipFile=other)[0] == "ResourceNotFoundException"
    )


def test_great_code_is_kept_in_a_blob_and_removed_with_the_function(shop: Shop):
    great = pack({"handler.py": "def handler(e, c): pass", "data": b"\0" * 100_000})
    shop.create(Code={"ZipFile": great})
    blobs = shop.house.run(shop.service.functions.blobs())
    assert len(blobs) == 1
    assert shop.house.run(shop.house.parts.blobs.size(blobs[0])) == len(great)
    shop.api.update_function_code(FunctionName="hello", ZipFile=pack("x = 1"))
    assert not shop.house.run(shop.house.parts.blobs.exists(blobs[0]))
    shop.api.update_function_code(FunctionName="hello", ZipFile=great)
    (kept,) = shop.house.run(shop.service.functions.blobs())
    assert refusal(shop.create, Code={"ZipFile": great})[0] == "ResourceConflictException"
    shop.api.delete_function(FunctionName="hello")
    assert not shop.house.run(shop.house.parts.blobs.exists(kept))


def test_delete(shop: Shop):
    shop.create()
    assert (
        refusal(shop.api.delete_function, FunctionName="hello", Qualifier="$LATEST")[0]
        == "InvalidParameterValueException"
    )
    assert shop.api.delete_function(FunctionName=ARN)["ResponseMetadata"]["HTTPStatusCode"] == 204
    assert refusal(shop.api.delete_function, FunctionName="hello")[:2] == ("ResourceNotFoundException", 404)


def test_a_name_that_is_too_long(shop: Shop):
    code, _, words = refusal(shop.create, name="x" * 65)
    assert code in ("InvalidParameterValueException", "ValidationException")
    assert "less than or equal to 64" in words


def test_too_great_a_zip(shop: Shop):
    great = {"ZipFile": bytes(50 * 1024 * 1024 + 1)}
    with pytest.raises(RequestEntityTooLargeException, match="smaller than 69905067 bytes for the CreateFunction"):
        shop.house.run(shop.service._bytes(None, "CreateFunction", great))
