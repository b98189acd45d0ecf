"""Functions: create, describe, list, update, delete."""

import asyncio
from typing import TYPE_CHECKING, Any, Unpack

from cumulet.base.errors import AwsError, NotImplementedHere
from cumulet.base.paging import BadToken, make_token, read_token
from cumulet.services.lambda_.code import MAX_PACKED, digest
from cumulet.services.lambda_.errors import InvalidParameterValueException, RequestEntityTooLargeException
from cumulet.services.lambda_.function import CREATING, UPDATING, Config, describe
from cumulet.services.lambda_.functions import Functions, Package
from cumulet.services.lambda_.names import parse_name
from cumulet.services.lambda_.pool import Pool
from cumulet.services.lambda_.runtimes import Runtimes, discover
from cumulet.services.lambda_.settings import LambdaSettings
from cumulet.services.lambda_.validate import changed, new_config, refuse
from cumulet.wire.service import Call, Caller, Reply, Service

if TYPE_CHECKING:
    from types_boto3_lambda import type_defs as types

PAGE = 50


class Management(Service):
    """Operations on functions themselves."""

    functions: Functions
    pool: Pool
    caller: Caller
    settings: LambdaSettings
    _found: Runtimes | None = None
    _looking: asyncio.Lock

    async def _runtimes(self) -> Runtimes:
        """What the machine has, looked up once."""
        async with self._looking:
            if self._found is None:
                self._found = await discover(self.settings.runtimes)
        return self._found

    async def create_function(self, call: Call, **input: "Unpack[types.CreateFunctionRequestTypeDef]") -> Reply:
        refuse("CreateFunction", input)
        refuse("CreateFunction", input["Code"])
        name = parse_name(call, input["FunctionName"])
        config = new_config(input, await self._runtimes())
        package = await self._package(call, "CreateFunction", input["Code"])
        function = await self.functions.create(name, config, package, input.get("Tags", {}))
        return describe(function, **CREATING)

    async def get_function(self, call: Call, **input: "Unpack[types.GetFunctionRequestTypeDef]") -> Reply:
        function = await self.functions.get(parse_name(call, input["FunctionName"], input.get("Qualifier")))
        reply: Reply = {"Configuration": describe(function), "Code": {"RepositoryType": "S3"}}
        if function.tags:
            reply["Tags"] = dict(function.tags)
        if function.concurrency is not None:
            reply["Concurrency"] = {"ReservedConcurrentExecutions": function.concurrency}
        return reply

    async def get_function_configuration(
        self, call: Call, **input: "Unpack[types.GetFunctionConfigurationRequestTypeDef]"
    ) -> Reply:
        return describe(await self.functions.get(parse_name(call, input["FunctionName"], input.get("Qualifier"))))

    async def list_functions(self, call: Call, **input: "Unpack[types.ListFunctionsRequestTypeDef]") -> Reply:
        if input.get("MasterRegion"):
            raise NotImplementedHere(what="MasterRegion of ListFunctions")
        question, limit = ["functions", call.account, call.region], min(input.get("MaxItems", PAGE), PAGE)
        try:
            after = read_token(input["Marker"], question) if input.get("Marker") else ""
        except BadToken as error:
            raise InvalidParameterValueException(problem="Invalid Marker") from error
        found = await self.functions.page(call.account, call.region, after, limit + 1)
        reply: Reply = {"Functions": [describe_listed(describe(function)) for function in found[:limit]]}
        if len(found) > limit:
            reply["NextMarker"] = make_token(found[limit - 1].name.name, question)
        return reply

    async def update_function_code(
        self, call: Call, **input: "Unpack[types.UpdateFunctionCodeRequestTypeDef]"
    ) -> Reply:
        refuse("UpdateFunctionCode", input)
        name = parse_name(call, input["FunctionName"])
        function, runtimes = await self.functions.get(name), await self._runtimes()
        members = {"Architectures": input["Architectures"]} if "Architectures" in input else {}

        def change(config: Config) -> Config:
            return changed(config, members, runtimes)

        change(function.config)
        if input.get("DryRun"):
            data = await self._bytes(call, "UpdateFunctionCode", input)
            return describe(function) | {"CodeSha256": digest(data), "CodeSize": len(data)}
        package = await self._package(call, "UpdateFunctionCode", input)
        function = await self.functions.update_code(name, input.get("RevisionId"), package, change)
        self.pool.retire(name)
        return describe(function, **UPDATING)

    async def update_function_configuration(
        self, call: Call, **input: "Unpack[types.UpdateFunctionConfigurationRequestTypeDef]"
    ) -> Reply:
        refuse("UpdateFunctionConfiguration", input)
        name, runtimes = parse_name(call, input["FunctionName"]), await self._runtimes()
        function = await self.functions.update_config(
            name, input.get("RevisionId"), lambda config: changed(config, input, runtimes)
        )
        self.pool.retire(name)
        return describe(function, **UPDATING)

    async def delete_function(self, call: Call, **input: "Unpack[types.DeleteFunctionRequestTypeDef]") -> Reply:
        name = parse_name(call, input["FunctionName"], input.get("Qualifier"))
        if input.get("Qualifier"):
            raise InvalidParameterValueException(
                problem="$LATEST version cannot be deleted without deleting the function."
            )
        await self.functions.delete(name)
        self.pool.retire(name)
        return {"StatusCode": 204}

    async def _package(self, call: Call, operation: str, code: Any) -> Package:
        return await self.functions.store(await self._bytes(call, operation, code))

    async def _bytes(self, call: Call, operation: str, code: Any) -> bytes:
        """The zip, from the request or from S3."""
        from_s3 = "S3Bucket" in code or "S3Key" in code
        if "ZipFile" in code and from_s3:
            raise InvalidParameterValueException(
                problem="Please do not provide other FunctionCode parameters when providing a ZipFile."
            )
        if "ZipFile" in code:
            data = bytes(code["ZipFile"])
            if len(data) > MAX_PACKED:
                raise RequestEntityTooLargeException(operation=operation)
            return data
        if not ("S3Bucket" in code and "S3Key" in code):
            raise InvalidParameterValueException(problem="Please provide a source for function code.")
        return await self._from_s3(call, code)

    async def _from_s3(self, call: Call, code: Any) -> bytes:
        asked = {"Bucket": code["S3Bucket"], "Key": code["S3Key"]}
        if code.get("S3ObjectVersion"):
            asked["VersionId"] = code["S3ObjectVersion"]
        try:
            reply = await self.caller.call(
                "s3", "GetObject", asked, account=call.account, region=call.region, principal=call.principal
            )
        except NotImplementedHere:
            raise
        except AwsError as error:
            raise InvalidParameterValueException(
                problem=f"Error occurred while GetObject. S3 Error Code: {error.error_code}. "
                f"S3 Error Message: {error.message}"
            ) from error
        body = reply["Body"]
        return body if isinstance(body, bytes) else b"".join([piece async for piece in body])


def describe_listed(description: Reply) -> Reply:
    """ListFunctions leaves out what tells the state of a function."""
    return {name: value for name, value in description.items() if name not in ("State", "LastUpdateStatus")}
