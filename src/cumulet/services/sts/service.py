"""AWS Security Token Service: who calls, and sessions of roles.

A role's trust policy is stored but not enforced yet; a role that does not exist cannot be assumed.
"""

from typing import TYPE_CHECKING, Unpack

from cumulet.base.arn import Arn
from cumulet.base.clock import moment
from cumulet.base.errors import AwsError, NotImplementedHere
from cumulet.services.sts.errors import AccessDenied, ValidationError
from cumulet.wire.service import Call, Caller, CredentialIssuer, Reply, Service

if TYPE_CHECKING:
    from types_boto3_sts import type_defs as types

UNSUPPORTED = ("Policy", "PolicyArns", "Tags", "TransitiveTagKeys", "SerialNumber", "TokenCode", "ProvidedContexts")


class Sts(Service):
    """STS."""

    model = "sts"

    def __init__(self, caller: Caller, issuer: CredentialIssuer) -> None:
        self._caller = caller
        self._issuer = issuer

    async def get_caller_identity(self, call: Call) -> Reply:
        return {"UserId": call.principal.id, "Account": call.principal.account, "Arn": call.principal.arn}

    async def assume_role(self, call: Call, **input: "Unpack[types.AssumeRoleRequestTypeDef]") -> Reply:
        for option in UNSUPPORTED:
            if input.get(option):
                raise NotImplementedHere(what=f"{option} of AssumeRole")
        arn = Arn.parse(input["RoleArn"])
        if arn is None or arn.service != "iam" or not arn.resource.startswith("role/"):
            raise ValidationError(problem=f"{input['RoleArn']} is invalid")
        name, session = arn.resource.rpartition("/")[2], input["RoleSessionName"]
        try:
            found = await self._caller.call(
                "iam", "GetRole", {"RoleName": name}, account=arn.account, region=call.region
            )
        except AwsError:
            raise AccessDenied(user=call.principal.arn, role=input["RoleArn"]) from None
        role, seconds = found["Role"], input.get("DurationSeconds", 3600)
        if role["Arn"] != input["RoleArn"]:
            raise AccessDenied(user=call.principal.arn, role=input["RoleArn"])
        if seconds > role["MaxSessionDuration"]:
            raise ValidationError(
                problem="The requested DurationSeconds exceeds the MaxSessionDuration set for this role."
            )
        identity, session_arn = f"{role['RoleId']}:{session}", _session_arn(arn.account, name, session)
        issued = await self._issuer.issue(arn.account, session_arn, seconds, principal_id=identity)
        return {
            "Credentials": {
                "AccessKeyId": issued.access_key,
                "SecretAccessKey": issued.secret_key,
                "SessionToken": issued.session_token,
                "Expiration": moment(issued.expires_at),
            },
            "AssumedRoleUser": {"AssumedRoleId": identity, "Arn": session_arn},
            "PackedPolicySize": 0,
        }


def _session_arn(account: str, role: str, session: str) -> str:
    return f"arn:aws:sts::{account}:assumed-role/{role}/{session}"
