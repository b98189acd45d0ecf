"""What is set on a function beside its configuration: permissions, tags, concurrency, how events are tried again."""

from typing import TYPE_CHECKING, Any, Unpack

from cumulet.base import json
from cumulet.base.clock import SECOND, Clock, moment
from cumulet.base.errors import NotImplementedHere
from cumulet.base.ids import Entropy, make_uuid
from cumulet.services.lambda_.errors import (
    InvalidParameterValueException,
    PreconditionFailedException,
    ResourceConflictException,
    ResourceNotFoundException,
)
from cumulet.services.lambda_.manage import Management
from cumulet.services.lambda_.names import Name, parse_arn, parse_name
from cumulet.store.api import Row
from cumulet.wire.service import Call, Reply

if TYPE_CHECKING:
    from types_boto3_lambda import type_defs as types

MAX_TAGS = 50
UNRESERVED = 100
"""What AWS leaves of an account's concurrency for functions that reserve none."""
CONDITIONS = {
    "SourceArn": ("ArnLike", "AWS:SourceArn"),
    "SourceAccount": ("StringEquals", "AWS:SourceAccount"),
    "PrincipalOrgID": ("StringEquals", "aws:PrincipalOrgID"),
    "EventSourceToken": ("StringEquals", "lambda:EventSourceToken"),
}
NO_POLICY = "The resource you requested does not exist."


class Settings(Management):
    """Operations on settings."""

    clock: Clock
    entropy: Entropy

    # permissions

    async def add_permission(self, call: Call, **input: "Unpack[types.AddPermissionRequestTypeDef]") -> Reply:
        for member in ("FunctionUrlAuthType", "InvokedViaFunctionUrl"):
            if member in input:
                raise NotImplementedHere(what=f"{member} of AddPermission")
        name = parse_name(call, input["FunctionName"], input.get("Qualifier"))
        statement = make_statement(name, input)

        def values(row: Row) -> dict[str, object]:
            _expect(row, input.get("RevisionId"))
            statements = _statements(row)
            if any(one["Sid"] == statement["Sid"] for one in statements):
                raise ResourceConflictException(
                    problem=f"The statement id ({statement['Sid']}) provided already exists. Please provide a new "
                    "statement id, or remove the existing statement."
                )
            return self._policy([*statements, statement])

        await self.functions.set(name, "set_policy", values)
        return {"Statement": json.dumps(statement)}

    async def remove_permission(self, call: Call, **input: "Unpack[types.RemovePermissionRequestTypeDef]") -> Reply:
        name, sid = parse_name(call, input["FunctionName"], input.get("Qualifier")), input["StatementId"]

        def values(row: Row) -> dict[str, object]:
            _expect(row, input.get("RevisionId"))
            statements = _statements(row)
            left = [one for one in statements if one["Sid"] != sid]
            if len(left) == len(statements):
                missing = f"Statement {sid} is not found in resource policy." if statements else NO_POLICY
                raise ResourceNotFoundException(problem=missing)
            return self._policy(left)

        await self.functions.set(name, "set_policy", values)
        return {}

    async def get_policy(self, call: Call, **input: "Unpack[types.GetPolicyRequestTypeDef]") -> Reply:
        name = parse_name(call, input["FunctionName"], input.get("Qualifier"))
        row = await self.functions.database.read(lambda tx: self.functions.row(tx, name))
        if not _statements(row):
            raise ResourceNotFoundException(problem=NO_POLICY)
        return {"Policy": row["policy"], "RevisionId": row["revision"]}

    def _policy(self, statements: list[Any]) -> dict[str, object]:
        policy = {"Version": "2012-10-17", "Id": "default", "Statement": statements}
        return {"policy": json.dumps(policy) if statements else None, "revision": make_uuid(self.entropy)}

    # tags

    async def list_tags(self, call: Call, **input: "Unpack[types.ListTagsRequestTypeDef]") -> Reply:
        return {"Tags": dict((await self.functions.get(_tagged(call, input["Resource"]))).tags)}

    async def tag_resource(self, call: Call, **input: "Unpack[types.TagResourceRequestTypeDef]") -> Reply:
        def values(row: Row) -> dict[str, object]:
            tags = json.loads(row["tags"]) | dict(input["Tags"])
            if len(tags) > MAX_TAGS:
                raise InvalidParameterValueException(problem=f"Number of tags exceeds function limit of {MAX_TAGS}.")
            return {"tags": json.dumps(tags)}

        await self.functions.set(_tagged(call, input["Resource"]), "set_tags", values)
        return {}

    async def untag_resource(self, call: Call, **input: "Unpack[types.UntagResourceRequestTypeDef]") -> Reply:
        def values(row: Row) -> dict[str, object]:
            kept = {key: value for key, value in json.loads(row["tags"]).items() if key not in input["TagKeys"]}
            return {"tags": json.dumps(kept)}

        await self.functions.set(_tagged(call, input["Resource"]), "set_tags", values)
        return {}

    # concurrency

    async def put_function_concurrency(
        self, call: Call, **input: "Unpack[types.PutFunctionConcurrencyRequestTypeDef]"
    ) -> Reply:
        name, count = parse_name(call, input["FunctionName"]), input["ReservedConcurrentExecutions"]
        if count > self.settings.account_limit - UNRESERVED:
            raise InvalidParameterValueException(
                problem="Specified ReservedConcurrentExecutions for function decreases account's "
                f"UnreservedConcurrentExecution below its minimum value of [{UNRESERVED}]."
            )
        await self.functions.set(name, "set_concurrency", lambda _: {"concurrency": count})
        return {"ReservedConcurrentExecutions": count}

    async def get_function_concurrency(
        self, call: Call, **input: "Unpack[types.GetFunctionConcurrencyRequestTypeDef]"
    ) -> Reply:
        function = await self.functions.get(parse_name(call, input["FunctionName"]))
        return {} if function.concurrency is None else {"ReservedConcurrentExecutions": function.concurrency}

    async def delete_function_concurrency(
        self, call: Call, **input: "Unpack[types.DeleteFunctionConcurrencyRequestTypeDef]"
    ) -> Reply:
        name = parse_name(call, input["FunctionName"])
        await self.functions.set(name, "set_concurrency", lambda _: {"concurrency": None})
        return {}

    # events

    async def put_function_event_invoke_config(
        self, call: Call, **input: "Unpack[types.PutFunctionEventInvokeConfigRequestTypeDef]"
    ) -> Reply:
        return await self._set_events(call, input, lambda _: {})

    async def update_function_event_invoke_config(
        self, call: Call, **input: "Unpack[types.UpdateFunctionEventInvokeConfigRequestTypeDef]"
    ) -> Reply:
        def present(row: Row) -> dict[str, Any]:
            return _event_config(row, parse_name(call, input["FunctionName"], input.get("Qualifier")))

        return await self._set_events(call, input, present)

    async def get_function_event_invoke_config(
        self, call: Call, **input: "Unpack[types.GetFunctionEventInvokeConfigRequestTypeDef]"
    ) -> Reply:
        name = parse_name(call, input["FunctionName"], input.get("Qualifier"))
        row = await self.functions.database.read(lambda tx: self.functions.row(tx, name))
        return _shown_events(name, _event_config(row, name))

    async def list_function_event_invoke_configs(
        self, call: Call, **input: "Unpack[types.ListFunctionEventInvokeConfigsRequestTypeDef]"
    ) -> Reply:
        name = parse_name(call, input["FunctionName"])
        row = await self.functions.database.read(lambda tx: self.functions.row(tx, name))
        kept = [_shown_events(name, _event_config(row, name))] if row["event_config"] else []
        return {"FunctionEventInvokeConfigs": kept}

    async def delete_function_event_invoke_config(
        self, call: Call, **input: "Unpack[types.DeleteFunctionEventInvokeConfigRequestTypeDef]"
    ) -> Reply:
        name = parse_name(call, input["FunctionName"], input.get("Qualifier"))

        def values(row: Row) -> dict[str, object]:
            _event_config(row, name)
            return {"event_config": None}

        await self.functions.set(name, "set_event_config", values)
        return {}

    async def _set_events(self, call: Call, input: Any, present: Any) -> Reply:
        name = parse_name(call, input["FunctionName"], input.get("Qualifier"))
        for way, destination in input.get("DestinationConfig", {}).items():
            if destination:
                raise NotImplementedHere(what=f"DestinationConfig.{way} of a function's event settings")
        members = ("MaximumRetryAttempts", "MaximumEventAgeInSeconds")
        given: dict[str, Any] = {member: input[member] for member in members if member in input}
        if not given and "DestinationConfig" not in input:
            raise InvalidParameterValueException(
                problem="You must specify at least one of error handling or destination setting."
            )
        now = self.clock.now()

        def values(row: Row) -> dict[str, object]:
            return {"event_config": json.dumps({**present(row), **given, "modified": now})}

        return _shown_events(name, _event_config(await self.functions.set(name, "set_event_config", values), name))


def make_statement(name: Name, input: Any) -> dict[str, Any]:
    """A permission as a statement of the function's policy."""
    conditions: dict[str, dict[str, str]] = {}
    for member, (operator, key) in CONDITIONS.items():
        if member in input:
            conditions.setdefault(operator, {})[key] = input[member]
    statement: dict[str, Any] = {
        "Sid": input["StatementId"],
        "Effect": "Allow",
        "Principal": _principal(input["Principal"]),
        "Action": input["Action"],
        "Resource": name.arn,
    }
    return statement | ({"Condition": conditions} if conditions else {})


def _principal(principal: str) -> Any:
    if principal == "*":
        return "*"
    if "." in principal and not principal.startswith("arn:"):
        return {"Service": principal}
    return {"AWS": f"arn:aws:iam::{principal}:root" if principal.isdigit() else principal}


def _statements(row: Row) -> list[Any]:
    return list(json.loads(row["policy"])["Statement"]) if row["policy"] else []


def _expect(row: Row, revision: str | None) -> None:
    if revision is not None and revision != row["revision"]:
        raise PreconditionFailedException


def _tagged(call: Call, arn: str) -> Name:
    name = parse_arn(arn)
    if name.account != call.account:
        raise ResourceNotFoundException(problem=f"Function not found: {arn}")
    return name


def _event_config(row: Row, name: Name) -> dict[str, Any]:
    if not row["event_config"]:
        raise ResourceNotFoundException(problem=f"The function {name.arn}:$LATEST doesn't have an EventInvokeConfig")
    found: dict[str, Any] = json.loads(row["event_config"])
    return found


def _shown_events(name: Name, kept: dict[str, Any]) -> Reply:
    reply: Reply = {
        "LastModified": moment(kept["modified"] // SECOND * SECOND),
        "FunctionArn": f"{name.arn}:$LATEST",
        "DestinationConfig": {"OnSuccess": {}, "OnFailure": {}},
    }
    return reply | {member: value for member, value in kept.items() if member != "modified"}
