"""Constraints are told in AWS's words; those of Step Functions as recorded in the oracle."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cumulet.base.errors import AwsError
from cumulet.wire import models
from cumulet.wire.check import CODES, check
from cumulet.wire.models import ServiceModel
from cumulet.wire.patterns import convert

HOME = ("stepfunctions", "lambda", "logs", "iam", "sts", "s3")
ALIAS = r"^(?=.*[a-zA-Z_\-\.])[a-zA-Z0-9_\-\.]+$"


def refused(service: str, operation: str, **input: Any) -> tuple[str, str]:
    with pytest.raises(AwsError) as caught:
        check(models.operation(service, operation), input)
    return caught.value.error_code, caught.value.message


def test_what_fits_passes() -> None:
    check(models.operation("stepfunctions", "StartExecution"), {"stateMachineArn": "x", "input": "{}"})
    check(models.operation("sts", "GetCallerIdentity"), {})
    check(models.operation("s3", "PutObject"), {"Bucket": "b", "Key": "k", "StorageClass": "whatever"})


def test_range_as_recorded() -> None:
    assert refused("stepfunctions", "ListStateMachines", maxResults=1001) == (
        "ValidationException",
        (
            "1 validation error detected: Value '1001' at 'maxResults' failed to satisfy constraint: "
            "Member must have value less than or equal to 1000"
        ),
    )


def test_length_as_recorded() -> None:
    token = "x" * 3097
    assert refused("stepfunctions", "ListExecutions", stateMachineArn="a", nextToken=token)[1] == (
        f"1 validation error detected: Value '{token}' at 'nextToken' failed to satisfy constraint: "
        "Member must have length less than or equal to 3096"
    )


def test_enum_as_recorded() -> None:
    assert refused("stepfunctions", "ListExecutions", stateMachineArn="a", statusFilter="succeeded")[1] == (
        "1 validation error detected: Value 'succeeded' at 'statusFilter' failed to satisfy constraint: Member must "
        "satisfy enum value set: [SUCCEEDED, TIMED_OUT, PENDING_REDRIVE, ABORTED, FAILED, RUNNING]"
    )


def test_the_set_of_machine_types() -> None:
    words = refused("stepfunctions", "CreateStateMachine", name="n", definition="{}", roleArn="r", type="FAST")[1]
    assert words.endswith("Member must satisfy enum value set: [STANDARD, EXPRESS]")


@pytest.mark.parametrize("name", ["123", "INVALID ALIAS", "ALIAS@", "!INVALID"])
def test_pattern_as_recorded(name: str) -> None:
    route = [{"stateMachineVersionArn": "a", "weight": 100}]
    assert refused("stepfunctions", "CreateStateMachineAlias", name=name, routingConfiguration=route)[1] == (
        f"1 validation error detected: Value '{name}' at 'name' failed to satisfy constraint: "
        f"Member must satisfy regular expression pattern: {ALIAS}"
    )


def test_required_members_are_all_told() -> None:
    assert refused("stepfunctions", "CreateStateMachine", name="x")[1] == (
        "2 validation errors detected: Value null at 'definition' failed to satisfy constraint: Member must not be "
        "null; Value null at 'roleArn' failed to satisfy constraint: Member must not be null"
    )


def test_what_the_service_checks_itself_passes() -> None:
    long = "x" * 2000
    check(models.operation("stepfunctions", "CreateActivity"), {"name": long})
    check(models.operation("stepfunctions", "DescribeExecution"), {"executionArn": long})
    check(models.operation("stepfunctions", "StartExecution"), {"stateMachineArn": "", "input": "x" * 300_000})


def test_names_begin_with_a_small_letter_and_sensitive_values_are_not_told() -> None:
    code, words = refused(
        "lambda",
        "CreateFunction",
        FunctionName="f",
        Role="arn:aws:iam::000000000000:role/r",
        Code={},
        Timeout=0,
        Environment={"Variables": {"1a": "b"}},
    )
    assert code == "ValidationException"
    assert "Value '0' at 'timeout' failed" in words
    assert (
        "Value at 'environment.variables' failed to satisfy constraint: Map keys must satisfy constraint: "
        "[Member must satisfy regular expression pattern: [a-zA-Z]([a-zA-Z0-9_])+, Member must not be null]"
    ) in words


def test_a_list_of_texts_is_told_with_all_its_constraints() -> None:
    code, words = refused("iam", "UntagRole", RoleName="r", TagKeys=["ok", "#"])
    assert code == "ValidationError"
    assert words == (
        "1 validation error detected: Value '[ok, #]' at 'tagKeys' failed to satisfy constraint: Member must satisfy "
        "constraint: [Member must have length less than or equal to 128, Member must have length greater than or equal "
        r"to 1, Member must satisfy regular expression pattern: [\p{L}\p{Z}\p{N}_.:/=+\-@]+, Member must not be null]"
    )


def test_a_list_of_structures_is_told_by_number() -> None:
    words = refused("iam", "TagRole", RoleName="r", Tags=[{"Key": "a", "Value": "b"}, {"Key": "#"}, None])[1]
    assert words.startswith("3 validation errors detected: Value null at 'tags.2.member.value' failed")
    assert "Value '#' at 'tags.2.member.key' failed to satisfy constraint: Member must satisfy regular" in words
    assert words.endswith("Value null at 'tags.3.member' failed to satisfy constraint: Member must not be null")


def test_each_service_has_its_code() -> None:
    assert refused("logs", "CreateLogGroup", logGroupName="a b")[0] == CODES["logs"] == "InvalidParameterException"
    assert refused("sts", "AssumeRole", RoleArn="x" * 20, RoleSessionName="a b")[0] == "ValidationError"
    assert refused("ec2", "RunInstances") == ("MissingParameter", "The request must contain the parameter MaxCount")


def test_s3_has_words_of_its_own() -> None:
    assert refused("s3", "DeleteObjects", Bucket="b") == ("MissingRequestBodyError", "Request Body is empty")
    assert refused("s3", "DeleteObjects", Bucket="b", Delete={"Objects": [{}]})[0] == "MalformedXML"


def a_model(member: dict[str, Any], **shapes: Any) -> models.Operation:
    raw = {
        "metadata": {"protocol": "json", "endpointPrefix": "x"},
        "operations": {"Do": {"input": {"shape": "In"}}},
        "shapes": {"In": {"type": "structure", "members": {"Member": {"shape": "Member"}}}, "Member": member, **shapes},
    }
    return ServiceModel(raw, "x").operation_model("Do")


def told(operation: models.Operation, value: Any) -> str:
    with pytest.raises(AwsError) as caught:
        check(operation, {"Member": value})
    return caught.value.message


def test_maps_are_told_by_key() -> None:
    leaf = {"type": "structure", "required": ["A"], "members": {"A": {"shape": "Text"}}}
    text = {"type": "string", "max": 2}
    of_structures = {"type": "map", "key": {"shape": "Text"}, "value": {"shape": "Leaf"}}
    operation = a_model(of_structures, Leaf=leaf, Text=text)
    check(operation, {"Member": {"k": {"A": "a"}, "l": None}})
    assert "Value null at 'member.k.member.a' failed" in told(operation, {"k": {}})
    of_texts = a_model({"type": "map", "key": {"shape": "Text"}, "value": {"shape": "Text"}, "max": 1}, Text=text)
    assert (
        "Value '{k=abc}' at 'member' failed to satisfy constraint: Map value must satisfy constraint: [Member"
        in told(of_texts, {"k": "abc"})
    )
    assert "Value '{a=b, c=d}' at 'member' failed to satisfy constraint: Member must have length less" in told(
        of_texts, {"a": "b", "c": "d"}
    )


def test_nulls_in_lists() -> None:
    texts = a_model({"type": "list", "member": {"shape": "Text"}}, Text={"type": "string"})
    assert told(texts, ["a", None]).endswith(
        "Value '[a, null]' at 'member' failed to satisfy constraint: Member must not be null"
    )
    sparse = a_model({"type": "list", "sparse": True, "member": {"shape": "Text"}}, Text={"type": "string"})
    check(sparse, {"Member": [None, "a"]})


def test_what_has_no_constraints_costs_nothing() -> None:
    plain = {"type": "structure", "members": {}}
    for free in (
        {"type": "list", "sparse": True, "member": {"shape": "Plain"}},
        {"type": "map", "key": {"shape": "Text"}, "value": {"shape": "Plain"}},
        {"type": "structure", "document": True, "members": {}},
    ):
        check(a_model(free, Plain=plain, Text={"type": "string"}), {"Member": [None]})


def test_a_large_set_needs_a_larger_table() -> None:
    names = [f"NAME_{number}" for number in range(30)]
    words = told(a_model({"type": "string", "enum": names}), "x")
    assert sorted(words.rpartition("[")[2].removesuffix("]").split(", ")) == sorted(names)


def test_numbers_booleans_and_small_ranges() -> None:
    operation = a_model({"type": "double", "min": 0.5, "max": 2})
    assert (
        "Value '0.1' at 'member' failed to satisfy constraint: Member must have value greater than or equal to 0.5"
        in told(operation, 0.1)
    )
    flags = a_model({"type": "list", "max": 1, "member": {"shape": "Flag"}}, Flag={"type": "boolean"})
    assert "Value '[true, false]'" in told(flags, [True, False])


def test_a_shape_may_hold_itself() -> None:
    tree = {"type": "structure", "members": {"Name": {"shape": "Text"}, "Next": {"shape": "Member"}}}
    operation = a_model(tree, Text={"type": "string", "max": 1})
    check(operation, {"Member": {"Name": "a", "Next": {"Name": "b"}}})
    assert "at 'member.next.next.name'" in told(operation, {"Next": {"Next": {"Name": "ab"}}})


def test_an_absent_idempotency_token_is_no_error() -> None:
    check(
        models.operation("logs", "CreateLogAnomalyDetector"),
        {"logGroupArnList": ["arn:aws:logs:us-east-1:000000000000:log-group:a"]},
    )


@pytest.mark.parametrize("service", HOME)
def test_every_pattern_of_our_services_is_enforced(service: str) -> None:
    model = models.load(service)
    shapes = [model.shape_for(name) for name in model._shapes]
    unsaid = {shape.name for shape in shapes if "pattern" in shape.traits and convert(shape.traits["pattern"]) is None}
    assert unsaid == set()


@pytest.mark.parametrize(
    ("pattern", "fits", "does_not"),
    [
        (r"[\p{L}\p{Z}\p{N}_.:/=+\-@]*", ["Größe 1", "名前", "a/b:c_d", ""], ["#", "a\tb"]),
        (r"\p{ASCII}*", ["abc~"], ["ä"]),
        (r"[\w-_]*", ["a-b_c"], ["a b"]),
        (r"[\w+=,.@-]+", ["a.b@c-d"], ["é", ""]),
        (r"\u002F[\u0021-\u007F]*", ["/abc"], ["abc", "/ü"]),
    ],
)
def test_patterns_mean_what_they_mean_in_java(pattern: str, fits: list[str], does_not: list[str]) -> None:
    compiled = convert(pattern)
    assert compiled is not None
    assert [text for text in fits if not compiled.fullmatch(text)] == []
    assert [text for text in does_not if compiled.fullmatch(text)] == []


@pytest.mark.parametrize("pattern", [r"[\p{Alnum}]", "[[a-z]&&[^b]]", "[a||b]", "(", r"\p{L}"])
def test_what_python_cannot_say_is_not_enforced(pattern: str) -> None:
    assert convert(pattern) is None


@given(st.data())
def test_lengths_agree_with_the_model(data: st.DataObject) -> None:
    name = data.draw(st.text("ab", min_size=0, max_size=70))
    role = models.operation("iam", "GetRole")
    if 1 <= len(name) <= 64:
        check(role, {"RoleName": name})
    else:
        with pytest.raises(AwsError):
            check(role, {"RoleName": name})
