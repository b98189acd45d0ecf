"""AWS Identity and Access Management: roles and policies, stored and returned. Enforcement comes later.

Not carried out yet, and refused by name: users, groups, instance profiles, policy versions, boundaries.
"""

from typing import TYPE_CHECKING, Any, Unpack

from cumulet.base import json
from cumulet.base.clock import moment
from cumulet.base.errors import NotImplementedHere
from cumulet.base.ids import make_aws_id
from cumulet.services.iam import managed
from cumulet.services.iam.documents import check_document, shown
from cumulet.services.iam.errors import (
    DeleteConflictException,
    EntityAlreadyExistsException,
    NoSuchEntityException,
)
from cumulet.services.iam.roles import Roles, merge_tags, page, show_tags
from cumulet.store.api import Row, Transaction
from cumulet.wire.service import Call, Reply

if TYPE_CHECKING:
    from types_boto3_iam import type_defs as types

MANAGED_SINCE = 1_423_000_000_000_000
"""When AWS introduced managed policies (February 2015): their create date here."""


class Iam(Roles):
    """IAM."""

    model = "iam"

    async def create_policy(self, call: Call, **input: "Unpack[types.CreatePolicyRequestTypeDef]") -> Reply:
        name, path = input["PolicyName"], input.get("Path", "/")
        arn = f"arn:aws:iam::{call.account}:policy{path}{name}"
        values = {
            "arn": arn, "account": call.account, "name": name, "folded": name.lower(),
            "id": make_aws_id("ANPA", self._entropy), "path": path, "description": input.get("Description"),
            "document": check_document(input["PolicyDocument"]),
            "tags": json.dumps(merge_tags({}, input.get("Tags", ()))), "created_at": self._clock.now(),
        }  # fmt: skip

        def work(tx: Transaction) -> Row:
            if tx.one(self._sql.policy_by_name, account=call.account, folded=name.lower()) is not None:
                raise EntityAlreadyExistsException(
                    problem=f"A policy called {name} already exists. Duplicate names are not allowed."
                )
            tx.run(self._sql.add_policy, **values)
            return self._policy(tx, arn)

        return {"Policy": _show_policy(await self._database.write(work), 0)}

    async def get_policy(self, call: Call, **input: "Unpack[types.GetPolicyRequestTypeDef]") -> Reply:
        arn = input["PolicyArn"]

        def work(tx: Transaction) -> tuple[Row, int]:
            row = self._policy(tx, arn)
            count = tx.one(self._sql.attachment_count, account=call.account, policy=arn)
            return row, count["count"] if count else 0

        row, count = await self._database.read(work)
        reply = _show_policy(row, count)
        if tags := json.loads(row["tags"]):
            reply["Tags"] = show_tags(tags)
        return {"Policy": reply}

    async def delete_policy(self, call: Call, **input: "Unpack[types.DeletePolicyRequestTypeDef]") -> Reply:
        arn = input["PolicyArn"]

        def work(tx: Transaction) -> None:
            self._policy(tx, arn)
            if tx.all(self._sql.attached_roles, account=call.account, policy=arn):
                raise DeleteConflictException(problem="a policy attached to entities.")
            if not tx.run(self._sql.remove_policy, arn=arn):
                raise NoSuchEntityException(problem=f"Policy {arn} was not found.")

        await self._database.write(work)
        return {}

    async def list_policies(self, call: Call, **input: "Unpack[types.ListPoliciesRequestTypeDef]") -> Reply:
        scope, prefix = input.get("Scope", "All"), input.get("PathPrefix", "/")
        if input.get("PolicyUsageFilter", "PermissionsPolicy") != "PermissionsPolicy":
            raise NotImplementedHere(what="permissions boundaries")

        def work(tx: Transaction) -> tuple[list[Row], dict[str, int]]:
            rows = tx.all(self._sql.policies, account=call.account) if scope != "AWS" else []
            counts = tx.all(self._sql.attachment_counts, account=call.account)
            return rows, {row["policy"]: row["count"] for row in counts}

        own, counts = await self._database.read(work)
        rows = own + ([_managed_row(arn) for arn in managed.MANAGED] if scope != "Local" else [])
        chosen = [
            row
            for row in rows
            if row["path"].startswith(prefix) and (counts.get(row["arn"]) or not input.get("OnlyAttached"))
        ]
        question = ["policies", call.account, scope, prefix, input.get("OnlyAttached", False)]
        return page(chosen, input, question, "Policies", lambda row: _show_policy(row, counts.get(row["arn"], 0)))

    async def get_policy_version(self, call: Call, **input: "Unpack[types.GetPolicyVersionRequestTypeDef]") -> Reply:
        row = await self._database.read(lambda tx: self._policy(tx, input["PolicyArn"]))
        if input["VersionId"] != "v1":
            raise NoSuchEntityException(
                problem=f"Policy {input['PolicyArn']} version {input['VersionId']} does not exist or is not attachable."
            )
        return {"PolicyVersion": {**_version(row), "Document": shown(row["document"])}}

    async def list_policy_versions(
        self, call: Call, **input: "Unpack[types.ListPolicyVersionsRequestTypeDef]"
    ) -> Reply:
        row = await self._database.read(lambda tx: self._policy(tx, input["PolicyArn"]))
        return page([row], input, ["versions", row["arn"]], "Versions", _version)

    async def attach_role_policy(self, call: Call, **input: "Unpack[types.AttachRolePolicyRequestTypeDef]") -> Reply:
        arn = input["PolicyArn"]

        def work(tx: Transaction) -> None:
            role = self._role(tx, call, input["RoleName"])["folded"]
            try:
                name = self._policy(tx, arn)["name"]
            except NoSuchEntityException:
                problem = f"Policy {arn} does not exist or is not attachable."
                raise NoSuchEntityException(problem=problem) from None
            tx.run(self._sql.attach, account=call.account, role=role, policy=arn, name=name)

        await self._database.write(work)
        return {}

    async def detach_role_policy(self, call: Call, **input: "Unpack[types.DetachRolePolicyRequestTypeDef]") -> Reply:
        def work(tx: Transaction) -> None:
            role = self._role(tx, call, input["RoleName"])["folded"]
            if not tx.run(self._sql.detach, account=call.account, role=role, policy=input["PolicyArn"]):
                raise NoSuchEntityException(problem=f"Policy {input['PolicyArn']} was not found.")

        await self._database.write(work)
        return {}

    async def list_attached_role_policies(
        self, call: Call, **input: "Unpack[types.ListAttachedRolePoliciesRequestTypeDef]"
    ) -> Reply:
        def work(tx: Transaction) -> list[Row]:
            role = self._role(tx, call, input["RoleName"])["folded"]
            rows = tx.all(self._sql.attachments, account=call.account, role=role)
            return [row for row in rows if _path(row["policy"]).startswith(input.get("PathPrefix", "/"))]

        rows = await self._database.read(work)
        question = ["attached", call.account, input["RoleName"], input.get("PathPrefix", "/")]
        return page(
            rows, input, question, "AttachedPolicies",
            lambda row: {"PolicyName": row["name"], "PolicyArn": row["policy"]},
        )  # fmt: skip

    async def list_entities_for_policy(
        self, call: Call, **input: "Unpack[types.ListEntitiesForPolicyRequestTypeDef]"
    ) -> Reply:
        def work(tx: Transaction) -> list[Row]:
            self._policy(tx, input["PolicyArn"])
            return tx.all(self._sql.attached_roles, account=call.account, policy=input["PolicyArn"])

        rows = await self._database.read(work) if input.get("EntityFilter", "Role") == "Role" else []
        roles = [{"RoleName": row["name"], "RoleId": row["id"]} for row in rows]
        return {"PolicyGroups": [], "PolicyUsers": [], "PolicyRoles": roles, "IsTruncated": False}

    async def list_instance_profiles_for_role(
        self, call: Call, **input: "Unpack[types.ListInstanceProfilesForRoleRequestTypeDef]"
    ) -> Reply:
        """Tell the truth: a role here has none, for there are none."""
        await self._database.read(lambda tx: self._role(tx, call, input["RoleName"]))
        return {"InstanceProfiles": [], "IsTruncated": False}

    def _policy(self, tx: Transaction, arn: str) -> Row:
        row = _managed_row(arn) if arn in managed.MANAGED else tx.one(self._sql.policy, arn=arn)
        if row is None:
            raise NoSuchEntityException(problem=f"Policy {arn} was not found.")
        return row


def _managed_row(arn: str) -> dict[str, Any]:
    """An AWS managed policy in the form of a row of ours."""
    path, name, _ = managed.MANAGED[arn]
    return {
        "arn": arn, "name": name, "id": f"ANPAMANAGED{name.upper().replace('_', '')[:20]}", "path": path,
        "description": None, "document": json.dumps(managed.document(arn)), "tags": "{}", "created_at": MANAGED_SINCE,
    }  # fmt: skip


def _path(arn: str) -> str:
    """The path in a policy's ARN."""
    return arn.split(":policy", 1)[1].rpartition("/")[0] + "/"


def _version(row: Row) -> Reply:
    return {"VersionId": "v1", "IsDefaultVersion": True, "CreateDate": moment(row["created_at"])}


def _show_policy(row: Row, attached: int) -> Reply:
    reply: Reply = {
        "PolicyName": row["name"],
        "PolicyId": row["id"],
        "Arn": row["arn"],
        "Path": row["path"],
        "DefaultVersionId": "v1",
        "AttachmentCount": attached,
        "PermissionsBoundaryUsageCount": 0,
        "IsAttachable": True,
        "CreateDate": moment(row["created_at"]),
        "UpdateDate": moment(row["created_at"]),
    }
    return reply | ({"Description": row["description"]} if row["description"] is not None else {})
