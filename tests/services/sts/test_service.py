import json
from collections.abc import Iterator

import pytest
from botocore.exceptions import ClientError
from tests.inprocess import House

from cumulet.services.iam.service import Iam
from cumulet.services.sts.service import Sts

TRUST = json.dumps({"Statement": {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}})


@pytest.fixture
def house() -> Iterator[House]:
    with House() as house:
        house.add(lambda parts: Iam(parts.database, parts.clock, parts.entropy))
        house.add(lambda parts: Sts(parts.caller, parts.issuer))
        yield house


def test_who_calls(house):
    found = house.client("sts").get_caller_identity()
    assert found["Account"] == "000000000000"
    assert found["Arn"].startswith("arn:aws:iam::000000000000:")
    other = house.client("sts", aws_access_key_id="000000000002").get_caller_identity()
    assert other["Account"] == "000000000002"


def test_an_assumed_role_is_who_calls_then(house):
    role = house.client("iam").create_role(RoleName="r", AssumeRolePolicyDocument=TRUST)["Role"]
    sts = house.client("sts")
    found = sts.assume_role(RoleArn=role["Arn"], RoleSessionName="me")
    session = house.client(
        "sts",
        aws_access_key_id=found["Credentials"]["AccessKeyId"],
        aws_secret_access_key=found["Credentials"]["SecretAccessKey"],
        aws_session_token=found["Credentials"]["SessionToken"],
    )
    identity = session.get_caller_identity()
    assert identity["Arn"] == found["AssumedRoleUser"]["Arn"] == "arn:aws:sts::000000000000:assumed-role/r/me"
    assert identity["UserId"] == found["AssumedRoleUser"]["AssumedRoleId"] == f"{role['RoleId']}:me"


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({"RoleArn": "arn:aws:iam::000000000000:role/nobody"}, "AccessDenied"),
        ({"RoleArn": "arn:aws:iam::000000000000:user/somebody"}, "ValidationError"),
        ({"RoleArn": "arn:aws:iam::000000000000:role/other/r"}, "AccessDenied"),
        ({"DurationSeconds": 7200}, "ValidationError"),
        ({"Policy": "{}"}, "NotImplemented"),
    ],
)
def test_what_cannot_be_assumed(house, values, code):
    role = house.client("iam").create_role(RoleName="r", AssumeRolePolicyDocument=TRUST)["Role"]
    with pytest.raises(ClientError) as raised:
        house.client("sts").assume_role(**{"RoleArn": role["Arn"], "RoleSessionName": "me", **values})
    assert raised.value.response["Error"]["Code"] == code
