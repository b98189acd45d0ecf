"""The rim where a task meets the world: functions and SDK operations, called through the one gate; activities."""

from collections.abc import Mapping
from typing import Any

from cumulet.base import json
from cumulet.base.arn import Arn
from cumulet.base.errors import AwsError
from cumulet.engine.machine import Performer, Task, TaskError
from cumulet.services.states.integrations import Integration, read_resource
from cumulet.services.states.sdk import read_all, to_input, to_output
from cumulet.wire import models
from cumulet.wire.service import Caller, Principal, Reply


class TaskPerformer:
    """Carries out the tasks of executions."""

    def __init__(self, caller: Caller, offer: Performer) -> None:
        self._caller = caller
        self._offer = offer

    async def __call__(self, task: Task) -> Any:
        found = read_resource(task.resource)
        if found is None:
            raise TaskError("States.Runtime", f"The resource '{task.resource}' is not carried out by Cumulet")
        match found.kind:
            case "function":
                return await self._function(task)
            case "activity":
                return await self._offer(task)
            case "invoke":
                return await self._invoke(task, found)
            case _:
                return await self._operation(task, found)

    async def _function(self, task: Task) -> Any:
        arn = Arn.parse(task.resource)
        body = json.dumps(task.payload).encode()
        reply = await self._call(
            task, Integration("function", "lambda", "Invoke", "Lambda"),
            {"FunctionName": task.resource, "InvocationType": "RequestResponse", "Payload": body},
            account=arn.account if arn else task.account, region=arn.region if arn else task.region,
        )  # fmt: skip
        return await _payload(reply)

    async def _invoke(self, task: Task, found: Integration) -> Any:
        """Lambda's Invoke, optimised: the payload is JSON both ways, the answer's metadata is shown."""
        arguments = dict(task.payload)
        payload = arguments.pop("Payload", None)
        values = _input(found, arguments)
        if payload is not None or "Payload" in task.payload:
            values["Payload"] = json.dumps(payload).encode()
        reply = await self._call(task, found, values, account=task.account, region=task.region)
        result = {"ExecutedVersion": reply.get("ExecutedVersion", "$LATEST")}
        if values.get("InvocationType", "RequestResponse") == "RequestResponse":
            result["Payload"] = await _payload(reply)
        return {**result, **_metadata(reply, task.token), "StatusCode": reply.get("StatusCode", 200)}

    async def _operation(self, task: Task, found: Integration) -> Any:
        reply = await self._call(task, found, _input(found, task.payload), account=task.account, region=task.region)
        shape = models.load(found.service).operation_model(found.operation).output_shape
        return await to_output(shape, reply)

    async def _call(
        self, task: Task, found: Integration, values: Mapping[str, Any], *, account: str, region: str
    ) -> Reply:
        role = str(task.detail.get("roleArn", ""))
        principal = Principal(account=task.account, arn=_session(role, task), id=task.run)
        try:
            return await self._caller.call(
                found.service, found.operation, values, account=account, region=region, principal=principal
            )
        except AwsError as error:
            raise TaskError(_error_name(found, error), _error_cause(found, error, task)) from error


def _input(found: Integration, payload: Any) -> dict[str, Any]:
    shape = models.load(found.service).operation_model(found.operation).input_shape
    problems: list[str] = []
    values = to_input(shape, payload, problems) if shape is not None else {}
    if problems or not isinstance(values, dict):
        raise TaskError(
            "States.Runtime",
            f"The Parameters '{json.dumps(payload)}' could not be used to start the Task: [{', '.join(problems)}]",
        )
    return values


async def _payload(reply: Reply) -> Any:
    """What the function returned, or its failure as the machine sees it."""
    text = (await read_all(reply.get("Payload", b""))).decode("utf-8", "replace")
    if "FunctionError" not in reply:
        return json.loads(text) if text else None
    try:
        kind = json.loads(text).get("errorType")
    except (ValueError, AttributeError):
        kind = None
    if kind:
        raise TaskError(str(kind), text)
    raise TaskError(
        "Lambda.Unknown",
        f"The cause could not be determined because Lambda did not return an error type. Returned payload: {text}",
    )


def _metadata(reply: Reply, request_id: str) -> dict[str, Any]:
    """What AWS shows of the HTTP exchange behind an optimised integration."""
    headers = {
        "Connection": "keep-alive",
        "Content-Type": "application/json",
        "X-Amz-Executed-Version": str(reply.get("ExecutedVersion", "$LATEST")),
        "x-amzn-RequestId": request_id,
    }
    return {
        "SdkHttpMetadata": {
            "AllHttpHeaders": {name: [value] for name, value in headers.items()},
            "HttpHeaders": headers,
            "HttpStatusCode": reply.get("StatusCode", 200),
        },
        "SdkResponseMetadata": {"RequestId": request_id},
    }


def _error_name(found: Integration, error: AwsError) -> str:
    """`S3.NoSuchKeyException` for an error of the model, else `S3.S3Exception`."""
    code = error.error_code
    if code not in models.load(found.service).errors:
        return f"{found.label}.{found.label}Exception"
    return f"{found.label}.{code}" if code.endswith("Exception") else f"{found.label}.{code}Exception"


def _error_cause(found: Integration, error: AwsError, task: Task) -> str:
    told = f"Service: {found.label}, Status Code: {error.status}, Request ID: {task.token[:36]}"
    if found.service == "s3":
        return f"{error.message} ({told}, Extended Request ID: {task.token[:36]})"
    return f"{error.message} ({told}) (SDK Attempt Count: 1)"


def _session(role: str, task: Task) -> str:
    """The ARN of the session in which the machine's role calls."""
    arn = Arn.parse(role)
    if arn is None:
        return f"arn:aws:iam::{task.account}:root"
    name = arn.resource.rpartition("/")[2]
    return f"arn:aws:sts::{arn.account}:assumed-role/{name}/{task.run}"
