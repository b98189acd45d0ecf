"""Executions: start, describe, list, stop, and the machine that one ran."""

from typing import TYPE_CHECKING, Any, Unpack

from cumulet.base import json
from cumulet.base.clock import moment
from cumulet.base.errors import NotImplementedHere, ValidationError
from cumulet.base.ids import make_ordered_uuid
from cumulet.base.paging import make_token
from cumulet.engine.machine import NewRun
from cumulet.services.states.errors import (
    ExecutionAlreadyExists,
    ExecutionDoesNotExist,
    InvalidExecutionInput,
    StateMachineDeleting,
)
from cumulet.services.states.naming import check_name, execution_arn, execution_arn_of, target_of
from cumulet.services.states.parts import Parts, page_size, position
from cumulet.services.states.workflow import KIND
from cumulet.store.api import Row, Transaction
from cumulet.wire.service import Call, Reply

if TYPE_CHECKING:
    from types_boto3_stepfunctions import type_defs as types

FOREVER = 1 << 62


class Executions(Parts):
    """The operations on executions."""

    async def start_execution(self, call: Call, **input: "Unpack[types.StartExecutionInputTypeDef]") -> Reply:
        machine, qualifier = target_of(input["stateMachineArn"])
        run_id = make_ordered_uuid(self._clock.now(), self._entropy)
        name = check_name(input["name"]) if "name" in input else run_id
        text = input.get("input", "{}")
        _check_input(text, self._limits.payload)
        details = {"traceHeader": input["traceHeader"]} if "traceHeader" in input else {}

        def work(tx: Transaction) -> Row:
            row = self._machine(tx, machine)
            if row["status"] == "DELETING":
                raise StateMachineDeleting(arn=machine)
            arn = execution_arn_of(machine, name)
            if "name" in input and (found := tx.one(self._sql.run_by_arn, arn=arn)) is not None:
                return _same_or_refuse(found, text)
            facts = {**details, "roleArn": row["role_arn"], "machineName": row["name"]}
            revision = row["revision"]
            if qualifier is not None:
                version, alias = self._version_for(tx, machine, qualifier)
                revision, facts["roleArn"] = version["revision"], version["role_arn"]
                facts["versionArn"] = f"{machine}:{version['number']}"
                if alias is not None:
                    facts["aliasArn"] = alias
                tx.run(self._sql.add_start, run=run_id, version=facts["versionArn"], alias=alias)
            new = NewRun(
                id=run_id, kind=KIND, arn=arn, name=name, account=row["account"], region=row["region"],
                subject=machine, spec=revision, input=text, details=facts,
            )  # fmt: skip
            return self._engine.begin(tx, new)

        started = await self._database.write(work)
        return {"executionArn": started["arn"], "startDate": moment(started["started_at"])}

    async def describe_execution(self, call: Call, **input: "Unpack[types.DescribeExecutionInputTypeDef]") -> Reply:
        row = await self._database.read(lambda tx: self._run(tx, execution_arn(input["executionArn"])))
        reply = _summary(row)
        if input.get("includedData", "ALL_DATA") == "ALL_DATA":
            reply |= {"input": row["input"], "inputDetails": {"included": True}}
            if row["output"] is not None:
                reply |= {"output": row["output"], "outputDetails": {"included": True}}
            reply |= {key: row[key] for key in ("error", "cause") if row[key] is not None}
        if (trace := json.loads(row["details"]).get("traceHeader")) is not None:
            reply["traceHeader"] = trace
        return reply | _redrive(row["status"])

    async def describe_state_machine_for_execution(
        self, call: Call, **input: "Unpack[types.DescribeStateMachineForExecutionInputTypeDef]"
    ) -> Reply:
        def work(tx: Transaction) -> tuple[Row, Row]:
            run = self._run(tx, execution_arn(input["executionArn"]))
            revision = tx.one(self._sql.revision, id=run["spec"])
            if revision is None:
                raise ExecutionDoesNotExist(arn=run["arn"])
            return run, revision

        run, revision = await self._database.read(work)
        reply: Reply = {
            "stateMachineArn": run["subject"],
            "name": json.loads(run["details"])["machineName"],
            "definition": revision["definition"] if input.get("includedData", "ALL_DATA") == "ALL_DATA" else "",
            "roleArn": revision["role_arn"],
            "updateDate": moment(revision["created_at"]),
            "loggingConfiguration": {"level": "OFF", "includeExecutionData": False},
            "tracingConfiguration": {"enabled": False},
        }
        return reply if revision["initial"] else {**reply, "revisionId": revision["id"]}

    async def stop_execution(self, call: Call, **input: "Unpack[types.StopExecutionInputTypeDef]") -> Reply:
        row = await self._database.read(lambda tx: self._run(tx, execution_arn(input["executionArn"])))
        stopped = await self._engine.stop(row["id"], input.get("error"), input.get("cause"))
        at = stopped["stopped_at"] if stopped is not None else row["stopped_at"]
        return {"stopDate": moment(at)}

    async def list_executions(self, call: Call, **input: "Unpack[types.ListExecutionsInputTypeDef]") -> Reply:
        if "mapRunArn" in input:
            raise NotImplementedHere(what="Map Runs (mapRunArn)")
        if "stateMachineArn" not in input:
            raise ValidationError(problem="Either stateMachineArn or mapRunArn must be specified")
        if "redriveFilter" in input:
            raise NotImplementedHere(what="redriveFilter")
        machine, qualifier = target_of(input["stateMachineArn"])
        status = input.get("statusFilter")
        question = ["executions", input["stateMachineArn"], status]
        before = position(input.get("nextToken"), question) or [FOREVER, ""]
        count = page_size(input.get("maxResults"))

        def work(tx: Transaction) -> list[Row]:
            self._machine(tx, machine)
            sql = self._sql.list_runs if status is None else self._sql.list_runs_by_status
            values: dict[str, Any] = {"before_time": before[0], "before_id": before[1]}
            if qualifier is not None:
                sql = self._sql.list_runs_of_version if qualifier.isdecimal() else self._sql.list_runs_of_alias
                return tx.all(sql, target=f"{machine}:{qualifier}", status=status or "", count=count + 1, **values)
            values["subject"] = machine
            if status is not None:
                values["status"] = status
            return tx.all(sql, **values, count=count + 1)

        rows = await self._database.read(work)
        reply: Reply = {"executions": [_summary(row) for row in rows[:count]]}
        if len(rows) > count:
            reply["nextToken"] = make_token([rows[count - 1]["started_at"], rows[count - 1]["id"]], question)
        return reply

    def _run(self, tx: Transaction, arn: str) -> Row:
        row = tx.one(self._sql.run_by_arn, arn=arn)
        if row is None:
            raise ExecutionDoesNotExist(arn=arn)
        return row


def _check_input(text: str, limit: int) -> None:
    if len(text.encode()) > limit:
        raise InvalidExecutionInput(problem=f"Input exceeds the maximum of {limit} bytes")
    try:
        json.loads(text)
    except ValueError as error:
        raise InvalidExecutionInput(problem=str(error)) from None


def _same_or_refuse(found: Row, text: str) -> Row:
    """StartExecution is idempotent while an execution of this name runs with the same input."""
    if found["status"] != "RUNNING" or found["input"] != text:
        raise ExecutionAlreadyExists(arn=found["arn"])
    return found


def _summary(row: Row) -> Reply:
    reply: Reply = {
        "executionArn": row["arn"],
        "stateMachineArn": row["subject"],
        "name": row["name"],
        "status": row["status"],
        "startDate": moment(row["started_at"]),
        "redriveCount": 0,
    }
    if '"versionArn"' in row["details"]:
        details = json.loads(row["details"])
        reply["stateMachineVersionArn"] = details["versionArn"]
        if "aliasArn" in details:
            reply["stateMachineAliasArn"] = details["aliasArn"]
    if row["stopped_at"] is not None:
        reply["stopDate"] = moment(row["stopped_at"])
    return reply


def _redrive(status: str) -> Reply:
    """What is true here: RedriveExecution is not carried out yet, so nothing can be redriven."""
    if status == "RUNNING":
        reason = "Execution is RUNNING and cannot be redriven"
    elif status == "SUCCEEDED":
        reason = "Execution is SUCCEEDED and cannot be redriven"
    else:
        reason = "Cumulet does not carry out RedriveExecution yet"
    return {"redriveStatus": "NOT_REDRIVABLE", "redriveStatusReason": reason}
