"""Invoke: at once, as an event, or only to see whether one could."""

import base64
from typing import TYPE_CHECKING, Unpack

from cumulet.base import json
from cumulet.services.lambda_.errors import InvalidRequestContentException, RequestTooLargeException
from cumulet.services.lambda_.events import Events
from cumulet.services.lambda_.function import Function
from cumulet.services.lambda_.invoker import Done, Invoker
from cumulet.services.lambda_.manage import Management
from cumulet.services.lambda_.names import LATEST, parse_name
from cumulet.wire.service import Call, Reply

if TYPE_CHECKING:
    from types_boto3_lambda import type_defs as types

MAX_SYNC = 6_291_456
MAX_EVENT = 1_048_576


class Invocation(Management):
    """The operation Invoke."""

    invoker: Invoker
    events: Events

    async def invoke(self, call: Call, **input: "Unpack[types.InvocationRequestTypeDef]") -> Reply:
        function = await self.functions.get(parse_name(call, input["FunctionName"], input.get("Qualifier")))
        kind = input.get("InvocationType", "RequestResponse")
        payload = await read(input.get("Payload", b""))
        check_payload(payload, MAX_EVENT if kind == "Event" else MAX_SYNC)
        if kind == "DryRun":
            return {"StatusCode": 204}
        context = base64.b64decode(input.get("ClientContext", "")).decode()
        if kind == "Event":
            await self.events.add(function, call.request_id, payload or b"{}", context)
            return {"StatusCode": 202}
        done = await self._run_now(function, call.request_id, payload or b"{}", context)
        reply: Reply = {"StatusCode": 200, "ExecutedVersion": LATEST, "Payload": done.outcome.payload}
        if done.outcome.error:
            reply["FunctionError"] = done.outcome.error
        if input.get("LogType") == "Tail":
            reply["LogResult"] = base64.b64encode(done.tail).decode()
        return reply

    async def _run_now(self, function: Function, id: str, payload: bytes, context: str) -> Done:
        """One invocation within the limits of concurrency."""
        runtimes = await self._runtimes()
        self.pool.admit(function)
        try:
            return await self.invoker.invoke(function, runtimes, id, payload, context)
        finally:
            self.pool.leave(function)


async def read(payload: object) -> bytes:
    """The payload, whole."""
    if isinstance(payload, (bytes, bytearray)):
        return bytes(payload)
    if isinstance(payload, str):
        return payload.encode()
    return b"".join([piece async for piece in payload])  # type: ignore[attr-defined]


def check_payload(payload: bytes, limit: int) -> None:
    if len(payload) > limit:
        raise RequestTooLargeException(limit=limit)
    if not payload:
        return
    try:
        json.loads(payload)
    except json.JSONDecodeError as error:
        raise InvalidRequestContentException(problem=str(error)) from error
