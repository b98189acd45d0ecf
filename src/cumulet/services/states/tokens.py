"""Task tokens: success, failure and heartbeats that workers report.

A token is used once. One that has the form of ours and belongs to no open task was used, or its task was ended, which
AWS calls timed out; one that has not is invalid.
"""

import re
from collections.abc import Awaitable
from typing import TYPE_CHECKING, Unpack

from cumulet.base import json
from cumulet.engine import errors as engine_errors
from cumulet.services.states.errors import InvalidOutput, InvalidToken, TaskTimedOut
from cumulet.services.states.parts import Parts
from cumulet.wire.service import Call, Reply

if TYPE_CHECKING:
    from types_boto3_stepfunctions import type_defs as types

_OURS = re.compile(r"[0-9a-f]{64}")


class Tokens(Parts):
    """The operations of those who hold a task token."""

    async def send_task_success(self, call: Call, **input: "Unpack[types.SendTaskSuccessInputTypeDef]") -> Reply:
        try:
            output = json.loads(input["output"])
        except ValueError as error:
            raise InvalidOutput(problem=str(error)) from None
        if len(input["output"].encode()) > self._limits.payload:
            raise InvalidOutput(problem=f"Output exceeds the maximum of {self._limits.payload} bytes")
        return await _reported(input["taskToken"], self._engine.succeed(input["taskToken"], output))

    async def send_task_failure(self, call: Call, **input: "Unpack[types.SendTaskFailureInputTypeDef]") -> Reply:
        report = self._engine.fail(input["taskToken"], input.get("error", ""), input.get("cause"))
        return await _reported(input["taskToken"], report)

    async def send_task_heartbeat(self, call: Call, **input: "Unpack[types.SendTaskHeartbeatInputTypeDef]") -> Reply:
        return await _reported(input["taskToken"], self._engine.beat(input["taskToken"]))


async def _reported(token: str, report: Awaitable[None]) -> Reply:
    """The answer to a report, in AWS's words where no open task has the token."""
    try:
        await report
    except engine_errors.TaskTimedOut:
        raise TaskTimedOut from None
    except engine_errors.TaskGone:
        raise (TaskTimedOut if _OURS.fullmatch(token) else InvalidToken) from None
    return {}
