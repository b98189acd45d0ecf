"""Roles, their trust policies, inline policies and tags."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Unpack

from cumulet.base import json
from cumulet.base.clock import Clock, moment
from cumulet.base.errors import NotImplementedHere
from cumulet.base.ids import Entropy, make_aws_id
from cumulet.base.paging import BadToken, make_token, read_token
from cumulet.services.iam.documents import check_document, shown
from cumulet.services.iam.errors import (
    DeleteConflictException,
    EntityAlreadyExistsException,
    InvalidInputException,
    NoSuchEntityException,
    ValidationError,
)
from cumulet.store import queries
from cumulet.store.api import Database, Row, Transaction
from cumulet.wire.service import Call, Reply, Service

if TYPE_CHECKING:
    from types_boto3_iam import type_defs as types

PAGE = 100
MAX_TAGS = 50


class Roles(Service):
    """Operations on roles."""

    def __init__(self, database: Database, clock: Clock, entropy: Entropy) -> None:
        self._database = database
        self._clock = clock
        self._entropy = entropy
        self._sql = queries.load(__package__)

    async def create_role(self, call: Call, **input: "Unpack[types.CreateRoleRequestTypeDef]") -> Reply:
        if "PermissionsBoundary" in input:
            raise NotImplementedHere(what="permissions boundaries")
        name = input["RoleName"]
        values = {
            "account": call.account, "folded": name.lower(), "name": name, "id": make_aws_id("AROA", self._entropy),
            "path": input.get("Path", "/"), "trust": check_document(input["AssumeRolePolicyDocument"], trust=True),
            "description": input.get("Description"), "max_session": input.get("MaxSessionDuration", 3600),
            "tags": json.dumps(merge_tags({}, input.get("Tags", ()))), "created_at": self._clock.now(),
        }  # fmt: skip

        def work(tx: Transaction) -> Row:
            if tx.one(self._sql.role, account=call.account, folded=name.lower()) is not None:
                raise EntityAlreadyExistsException(problem=f"Role with name {name} already exists.")
            tx.run(self._sql.add_role, **values)
            return self._role(tx, call, name)

        return {"Role": show_role(await self._database.write(work))}

    async def get_role(self, call: Call, **input: "Unpack[types.GetRoleRequestTypeDef]") -> Reply:
        row = await self._database.read(lambda tx: self._role(tx, call, input["RoleName"]))
        return {"Role": show_role(row) | {"RoleLastUsed": {}}}

    async def list_roles(self, call: Call, **input: "Unpack[types.ListRolesRequestTypeDef]") -> Reply:
        prefix = input.get("PathPrefix", "/")
        rows = await self._database.read(lambda tx: tx.all(self._sql.roles, account=call.account, after=""))
        chosen = [row for row in rows if row["path"].startswith(prefix)]
        return page(chosen, input, ["roles", call.account, prefix], "Roles", lambda row: show_role(row, tags=False))

    async def update_assume_role_policy(
        self, call: Call, **input: "Unpack[types.UpdateAssumeRolePolicyRequestTypeDef]"
    ) -> Reply:
        trust = check_document(input["PolicyDocument"], trust=True)

        def work(tx: Transaction) -> None:
            row = self._role(tx, call, input["RoleName"])
            tx.run(self._sql.set_trust, account=call.account, folded=row["folded"], trust=trust)

        await self._database.write(work)
        return {}

    async def update_role(self, call: Call, **input: "Unpack[types.UpdateRoleRequestTypeDef]") -> Reply:
        def work(tx: Transaction) -> None:
            row = self._role(tx, call, input["RoleName"])
            tx.run(
                self._sql.set_role, account=call.account, folded=row["folded"],
                description=input.get("Description", row["description"]),
                max_session=input.get("MaxSessionDuration", row["max_session"]),
            )  # fmt: skip

        await self._database.write(work)
        return {}

    async def delete_role(self, call: Call, **input: "Unpack[types.DeleteRoleRequestTypeDef]") -> Reply:
        def work(tx: Transaction) -> None:
            folded = self._role(tx, call, input["RoleName"])["folded"]
            if tx.all(self._sql.attachments, account=call.account, role=folded):
                raise DeleteConflictException(problem="entity, must detach all policies first.")
            if tx.all(self._sql.role_policies, account=call.account, role=folded):
                raise DeleteConflictException(problem="entity, must delete policies first.")
            tx.run(self._sql.remove_role, account=call.account, folded=folded)

        await self._database.write(work)
        return {}

    async def put_role_policy(self, call: Call, **input: "Unpack[types.PutRolePolicyRequestTypeDef]") -> Reply:
        document = check_document(input["PolicyDocument"])

        def work(tx: Transaction) -> None:
            role = self._role(tx, call, input["RoleName"])["folded"]
            tx.run(
                self._sql.put_role_policy, account=call.account, role=role, name=input["PolicyName"], document=document
            )

        await self._database.write(work)
        return {}

    async def get_role_policy(self, call: Call, **input: "Unpack[types.GetRolePolicyRequestTypeDef]") -> Reply:
        def work(tx: Transaction) -> tuple[Row, Row]:
            role = self._role(tx, call, input["RoleName"])
            return role, self._role_policy(tx, role, input["PolicyName"])

        role, row = await self._database.read(work)
        return {
            "RoleName": role["name"],
            "PolicyName": input["PolicyName"],
            "PolicyDocument": shown(row["document"]),
        }

    async def delete_role_policy(self, call: Call, **input: "Unpack[types.DeleteRolePolicyRequestTypeDef]") -> Reply:
        def work(tx: Transaction) -> None:
            role = self._role(tx, call, input["RoleName"])
            self._role_policy(tx, role, input["PolicyName"])
            tx.run(self._sql.remove_role_policy, account=call.account, role=role["folded"], name=input["PolicyName"])

        await self._database.write(work)
        return {}

    async def list_role_policies(self, call: Call, **input: "Unpack[types.ListRolePoliciesRequestTypeDef]") -> Reply:
        def work(tx: Transaction) -> list[Row]:
            role = self._role(tx, call, input["RoleName"])["folded"]
            return tx.all(self._sql.role_policies, account=call.account, role=role)

        rows = await self._database.read(work)
        question = ["role-policies", call.account, input["RoleName"]]
        return page(rows, input, question, "PolicyNames", lambda row: row["name"])

    async def tag_role(self, call: Call, **input: "Unpack[types.TagRoleRequestTypeDef]") -> Reply:
        def work(tx: Transaction) -> None:
            row = self._role(tx, call, input["RoleName"])
            tags = merge_tags(json.loads(row["tags"]), input["Tags"])
            tx.run(self._sql.set_role_tags, account=call.account, folded=row["folded"], tags=json.dumps(tags))

        await self._database.write(work)
        return {}

    async def untag_role(self, call: Call, **input: "Unpack[types.UntagRoleRequestTypeDef]") -> Reply:
        def work(tx: Transaction) -> None:
            row = self._role(tx, call, input["RoleName"])
            kept = {key: value for key, value in json.loads(row["tags"]).items() if key not in input["TagKeys"]}
            tx.run(self._sql.set_role_tags, account=call.account, folded=row["folded"], tags=json.dumps(kept))

        await self._database.write(work)
        return {}

    async def list_role_tags(self, call: Call, **input: "Unpack[types.ListRoleTagsRequestTypeDef]") -> Reply:
        row = await self._database.read(lambda tx: self._role(tx, call, input["RoleName"]))
        tags = show_tags(json.loads(row["tags"]))
        return page(tags, input, ["role-tags", call.account, row["folded"]], "Tags", lambda tag: tag)

    def _role(self, tx: Transaction, call: Call, name: str) -> Row:
        row = tx.one(self._sql.role, account=call.account, folded=name.lower())
        if row is None:
            raise NoSuchEntityException(problem=f"The role with name {name} cannot be found.")
        return row

    def _role_policy(self, tx: Transaction, role: Row, name: str) -> Row:
        row = tx.one(self._sql.role_policy, account=role["account"], role=role["folded"], name=name)
        if row is None:
            raise NoSuchEntityException(problem=f"The role policy with name {name} cannot be found.")
        return row


def role_arn(row: Row) -> str:
    """The ARN of a role's row."""
    return f"arn:aws:iam::{row['account']}:role{row['path']}{row['name']}"


def show_role(row: Row, *, tags: bool = True) -> Reply:
    """A role as the API shows it."""
    reply: Reply = {
        "Path": row["path"],
        "RoleName": row["name"],
        "RoleId": row["id"],
        "Arn": role_arn(row),
        "CreateDate": moment(row["created_at"]),
        "AssumeRolePolicyDocument": shown(row["trust"]),
        "MaxSessionDuration": row["max_session"],
    }
    if row["description"] is not None:
        reply["Description"] = row["description"]
    if tags and (found := json.loads(row["tags"])):
        reply["Tags"] = show_tags(found)
    return reply


def merge_tags(tags: dict[str, str], more: Sequence[Any]) -> dict[str, str]:
    """`tags` with `more` of the API's form; keys are one without regard to case."""
    added = [tag["Key"].lower() for tag in more]
    if len(added) != len(set(added)):
        raise InvalidInputException(problem="Duplicate tag keys found. Please note that Tag keys are case insensitive.")
    merged = {key: value for key, value in tags.items() if key.lower() not in added}
    merged |= {tag["Key"]: tag["Value"] for tag in more}
    if len(merged) > MAX_TAGS:
        raise InvalidInputException(problem="The number of tags has reached the maximum limit.")
    return merged


def show_tags(tags: dict[str, str]) -> list[Reply]:
    """Tags as the API shows them."""
    return [{"Key": key, "Value": value} for key, value in tags.items()]


def page(rows: Sequence[Any], input: Any, question: object, member: str, show: Any) -> Reply:
    """One page of `rows`: IAM's Marker and IsTruncated."""
    start = 0
    if "Marker" in input:
        try:
            start = int(read_token(input["Marker"], question))
        except BadToken:
            raise ValidationError(problem="Invalid Marker.") from None
    stop = start + input.get("MaxItems", PAGE)
    reply: Reply = {member: [show(row) for row in rows[start:stop]], "IsTruncated": len(rows) > stop}
    if len(rows) > stop:
        reply["Marker"] = make_token(stop, question)
    return reply
