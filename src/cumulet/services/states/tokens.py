"""Task tokens: success, failure and heartbeats that workers report."""

from typing import TYPE_CHECKING, Unpack

from cumulet.base import json
from cumulet.engine import errors as engine_errors
from cumulet.services.states.errors import InvalidOutput, InvalidToken, TaskTimedOut
from cumulet.services.states.parts import Parts
from cumulet.wire.service import Call, Reply

if TYPE_CHECKING:
    from types_boto3_stepfunctions import type_defs as types


class Tokens(Parts):
    """The operations of those who hold a task token."""

    async def send_task_success(self, call: Call, **input: "Unpack[types.SendTaskSuccessInputTypeDef]") -> Reply:
        try:
            output = json.loads(input["output"])
        except ValueError as error:
            raise InvalidOutput(problem=str(error)) from None
        if len(input["output"].encode()) > self._limits.payload:
            raise InvalidOutput(problem=f"Output exceeds the maximum of {self._limits.payload} bytes")
        try:
            await self._engine.succeed(input["taskToken"], output)
        except engine_errors.TaskTimedOut:
            raise TaskTimedOut from None
        except engine_errors.TaskGone:
            raise InvalidToken from None
        return {}

    async def send_task_failure(self, call: Call, **input: "Unpack[types.SendTaskFailureInputTypeDef]") -> Reply:
        try:
            await self._engine.fail(input["taskToken"], input.get("error", ""), input.get("cause"))
        except engine_errors.TaskTimedOut:
            raise TaskTimedOut from None
        except engine_errors.TaskGone:
            raise InvalidToken from None
        return {}

    async def send_task_heartbeat(self, call: Call, **input: "Unpack[types.SendTaskHeartbeatInputTypeDef]") -> Reply:
        try:
            await self._engine.beat(input["taskToken"])
        except engine_errors.TaskTimedOut:
            raise TaskTimedOut from None
        except engine_errors.TaskGone:
            raise InvalidToken from None
        return {}
