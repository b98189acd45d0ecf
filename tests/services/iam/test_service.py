import json
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.inprocess import House

from cumulet.services.iam.service import Iam

TRUST = {"Version": "2012-10-17", "Statement": [
    {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}]}  # fmt: skip
DOCUMENT = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}
READ_ONLY = "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess"


@pytest.fixture
def iam() -> Iterator[Any]:
    with House() as house:
        house.add(lambda parts: Iam(parts.database, parts.clock, parts.entropy))
        yield house.client("iam")


def role(iam, name="r", **more):
    return iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(TRUST), **more)["Role"]


def policy(iam, name="p", **more):
    return iam.create_policy(PolicyName=name, PolicyDocument=json.dumps(DOCUMENT), **more)["Policy"]


def test_a_role_is_as_it_was_created_and_its_name_has_no_case(iam):
    made = role(iam, "MyRole", Path="/service-role/", Description="d", Tags=[{"Key": "a", "Value": "1"}])
    found = iam.get_role(RoleName="myrole")["Role"]
    assert made["Arn"] == found["Arn"] == "arn:aws:iam::000000000000:role/service-role/MyRole"
    assert made["RoleId"].startswith("AROA")
    assert found["AssumeRolePolicyDocument"] == TRUST
    assert (found["MaxSessionDuration"], found["Description"]) == (3600, "d")
    assert found["Tags"] == [{"Key": "a", "Value": "1"}]
    with pytest.raises(iam.exceptions.EntityAlreadyExistsException, match="Role with name MYROLE already exists."):
        role(iam, "MYROLE")


def test_a_role_changes(iam):
    role(iam)
    other = {"Statement": {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}}
    iam.update_assume_role_policy(RoleName="r", PolicyDocument=json.dumps(other))
    iam.update_role(RoleName="r", Description="new", MaxSessionDuration=7200)
    iam.tag_role(RoleName="r", Tags=[{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}])
    iam.untag_role(RoleName="r", TagKeys=["a"])
    found = iam.get_role(RoleName="r")["Role"]
    assert found["AssumeRolePolicyDocument"] == other
    assert (found["Description"], found["MaxSessionDuration"]) == ("new", 7200)
    assert iam.list_role_tags(RoleName="r")["Tags"] == [{"Key": "b", "Value": "2"}]


def test_inline_policies(iam):
    role(iam)
    iam.put_role_policy(RoleName="r", PolicyName="inline", PolicyDocument=json.dumps(DOCUMENT))
    assert iam.get_role_policy(RoleName="r", PolicyName="inline")["PolicyDocument"] == DOCUMENT
    assert iam.list_role_policies(RoleName="r")["PolicyNames"] == ["inline"]
    with pytest.raises(iam.exceptions.DeleteConflictException, match="must delete policies first"):
        iam.delete_role(RoleName="r")
    iam.delete_role_policy(RoleName="r", PolicyName="inline")
    with pytest.raises(iam.exceptions.NoSuchEntityException):
        iam.get_role_policy(RoleName="r", PolicyName="inline")
    iam.delete_role(RoleName="r")
    with pytest.raises(iam.exceptions.NoSuchEntityException, match="The role with name r cannot be found."):
        iam.get_role(RoleName="r")


def test_policies_are_attached_and_detached(iam):
    role(iam)
    arn = policy(iam, Path="/team/")["Arn"]
    assert arn == "arn:aws:iam::000000000000:policy/team/p"
    iam.attach_role_policy(RoleName="r", PolicyArn=arn)
    iam.attach_role_policy(RoleName="r", PolicyArn=arn)
    iam.attach_role_policy(RoleName="r", PolicyArn=READ_ONLY)
    found = iam.list_attached_role_policies(RoleName="r")["AttachedPolicies"]
    assert found == [
        {"PolicyName": "AmazonS3ReadOnlyAccess", "PolicyArn": READ_ONLY},
        {"PolicyName": "p", "PolicyArn": arn},
    ]
    within = iam.list_attached_role_policies(RoleName="r", PathPrefix="/team/")["AttachedPolicies"]
    assert [one["PolicyName"] for one in within] == ["p"]
    assert iam.get_policy(PolicyArn=arn)["Policy"]["AttachmentCount"] == 1
    assert iam.list_entities_for_policy(PolicyArn=arn)["PolicyRoles"][0]["RoleName"] == "r"
    for operation, values in (("delete_policy", {"PolicyArn": arn}), ("delete_role", {"RoleName": "r"})):
        with pytest.raises(iam.exceptions.DeleteConflictException):
            getattr(iam, operation)(**values)
    iam.detach_role_policy(RoleName="r", PolicyArn=arn)
    with pytest.raises(iam.exceptions.NoSuchEntityException):
        iam.detach_role_policy(RoleName="r", PolicyArn=arn)
    iam.delete_policy(PolicyArn=arn)
    with pytest.raises(iam.exceptions.NoSuchEntityException, match="was not found"):
        iam.get_policy(PolicyArn=arn)


def test_awss_policies_are_known_by_name_and_others_are_not(iam):
    role(iam)
    found = iam.get_policy(PolicyArn=READ_ONLY)["Policy"]
    document = iam.get_policy_version(PolicyArn=READ_ONLY, VersionId=found["DefaultVersionId"])["PolicyVersion"][
        "Document"
    ]
    assert "s3:Get*" in document["Statement"][0]["Action"]
    unknown = "arn:aws:iam::aws:policy/NoSuchPolicy"
    with pytest.raises(
        iam.exceptions.NoSuchEntityException, match=f"Policy {unknown} does not exist or is not attachable."
    ):
        iam.attach_role_policy(RoleName="r", PolicyArn=unknown)
    with pytest.raises(iam.exceptions.NoSuchEntityException):
        iam.delete_policy(PolicyArn=READ_ONLY)


def test_listing_pages_and_scopes(iam):
    for number in range(5):
        role(iam, f"r{number}")
        policy(iam, f"p{number}")
    roles = iam.get_paginator("list_roles").paginate(PaginationConfig={"PageSize": 2})
    assert [one["RoleName"] for page in roles for one in page["Roles"]] == [f"r{number}" for number in range(5)]
    policies = iam.get_paginator("list_policies")
    names = [
        one["PolicyName"]
        for page in policies.paginate(Scope="All", PaginationConfig={"PageSize": 3})
        for one in page["Policies"]
    ]
    assert {"p0", "AWSLambdaRole", "AdministratorAccess"} <= set(names)
    own = [one["PolicyName"] for page in policies.paginate(Scope="Local") for one in page["Policies"]]
    assert own == [f"p{number}" for number in range(5)]
    iam.attach_role_policy(RoleName="r0", PolicyArn=READ_ONLY)
    assert [one["Arn"] for one in iam.list_policies(OnlyAttached=True)["Policies"]] == [READ_ONLY]
    with pytest.raises(ClientError):
        iam.list_roles(Marker="nonsense")


def test_one_version_of_a_policy(iam):
    arn = policy(iam)["Arn"]
    assert [one["VersionId"] for one in iam.list_policy_versions(PolicyArn=arn)["Versions"]] == ["v1"]
    with pytest.raises(iam.exceptions.NoSuchEntityException):
        iam.get_policy_version(PolicyArn=arn, VersionId="v2")
    with pytest.raises(iam.exceptions.EntityAlreadyExistsException):
        policy(iam, "P")


def test_bad_documents_change_nothing(iam):
    with pytest.raises(iam.exceptions.MalformedPolicyDocumentException, match="This policy contains invalid Json"):
        iam.create_role(RoleName="r", AssumeRolePolicyDocument="{")
    with pytest.raises(iam.exceptions.InvalidInputException):
        role(iam, Tags=[{"Key": "a", "Value": "1"}, {"Key": "A", "Value": "2"}])
    assert iam.list_roles()["Roles"] == []


def test_boundaries_and_users_are_refused_by_name(iam):
    for call in (
        lambda: role(iam, PermissionsBoundary=READ_ONLY),
        lambda: iam.create_user(UserName="u"),
        lambda: iam.list_policies(PolicyUsageFilter="PermissionsBoundary"),
    ):
        with pytest.raises(ClientError) as raised:
            call()
        assert raised.value.response["ResponseMetadata"]["HTTPStatusCode"] == 501


def test_a_role_has_no_instance_profiles(iam):
    role(iam)
    assert iam.list_instance_profiles_for_role(RoleName="r")["InstanceProfiles"] == []
