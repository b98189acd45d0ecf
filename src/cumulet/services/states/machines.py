"""State machines: create, describe, update, delete, list."""

from typing import TYPE_CHECKING, Any, Unpack

from cumulet.asl.check import check, summary, unsupported
from cumulet.base import json
from cumulet.base.clock import moment
from cumulet.base.errors import NotImplementedHere, ValidationError
from cumulet.base.ids import make_uuid
from cumulet.base.paging import make_token
from cumulet.services.states.errors import (
    InvalidDefinition,
    MissingRequiredParameter,
    StateMachineAlreadyExists,
    StateMachineDeleting,
)
from cumulet.services.states.integrations import refuse_unknown
from cumulet.services.states.naming import check_name, machine_arn, role_arn, target_of
from cumulet.services.states.parts import page_size, position
from cumulet.services.states.versions import Versions
from cumulet.store.api import Row, Transaction
from cumulet.wire.service import Call, Reply

if TYPE_CHECKING:
    from types_boto3_stepfunctions import type_defs as types

STOP_BATCH = 100


class Machines(Versions):
    """The operations on state machines."""

    async def create_state_machine(self, call: Call, **input: "Unpack[types.CreateStateMachineInputTypeDef]") -> Reply:
        name = check_name(input["name"])
        role = role_arn(input["roleArn"])
        _refuse_options(input)
        if input.get("versionDescription") is not None and not input.get("publish"):
            raise ValidationError(problem="Version description can only be set when publish is true")
        self._check_definition(input["definition"])
        arn = f"arn:aws:states:{call.region}:{call.account}:stateMachine:{name}"
        now, revision = self._clock.now(), make_uuid(self._entropy)

        def work(tx: Transaction) -> tuple[int, Row | None]:
            found = tx.one(self._sql.machine, arn=arn)
            if found is not None:
                made = _same_or_refuse(found, input["definition"])
                return made, self._published(tx, arn, input, now)
            tx.run(
                self._sql.add_machine, arn=arn, account=call.account, region=call.region, name=name,
                revision=revision, created_at=now,
            )  # fmt: skip
            self._add_revision(tx, revision, arn, input["definition"], role, now, initial=1)
            for tag in input.get("tags", ()):
                tx.run(self._sql.set_tag, arn=arn, key=tag.get("key", ""), value=tag.get("value", ""))
            return now, self._published(tx, arn, input, now)

        made, version = await self._database.write(work)
        return _with_version({"stateMachineArn": arn, "creationDate": moment(made)}, arn, version)

    async def describe_state_machine(
        self, call: Call, **input: "Unpack[types.DescribeStateMachineInputTypeDef]"
    ) -> Reply:
        machine, qualifier = target_of(input["stateMachineArn"])

        def work(tx: Transaction) -> Row:
            row = self._machine(tx, machine)
            if qualifier is None:
                return row
            version = self._version_for(tx, machine, qualifier)[0]
            return {**row, **version, "arn": f"{machine}:{version['number']}"}

        row = await self._database.read(work)
        reply = {"name": row["name"], "status": row["status"], **_described(row, row["created_at"], input)}
        return reply if row.get("description") is None else {**reply, "description": row["description"]}

    async def update_state_machine(self, call: Call, **input: "Unpack[types.UpdateStateMachineInputTypeDef]") -> Reply:
        arn = machine_arn(input["stateMachineArn"])
        changes = {"definition", "roleArn", "loggingConfiguration", "tracingConfiguration", "encryptionConfiguration"}
        if not changes & input.keys():
            raise MissingRequiredParameter
        _refuse_options(input)
        if input.get("versionDescription") is not None and not input.get("publish"):
            raise ValidationError(problem="Version description can only be set when publish is true")
        if "definition" in input:
            self._check_definition(input["definition"])
        wanted_role = role_arn(input["roleArn"]) if "roleArn" in input else None
        now, revision = self._clock.now(), make_uuid(self._entropy)

        def work(tx: Transaction) -> tuple[str, Row | None]:
            row = self._machine(tx, arn)
            if row["status"] == "DELETING":
                raise StateMachineDeleting(arn=arn)
            definition = input.get("definition", row["definition"])
            role = wanted_role or row["role_arn"]
            if (definition, role) == (row["definition"], row["role_arn"]) and not row["initial"]:
                return str(row["revision"]), self._published(tx, arn, input, now)
            self._add_revision(tx, revision, arn, definition, role, now)
            tx.run(self._sql.point_machine, arn=arn, revision=revision)
            return revision, self._published(tx, arn, input, now)

        current, version = await self._database.write(work)
        return _with_version({"updateDate": moment(now), "revisionId": current}, arn, version)

    async def delete_state_machine(self, call: Call, **input: "Unpack[types.DeleteStateMachineInputTypeDef]") -> Reply:
        arn = machine_arn(input["stateMachineArn"])
        await self._database.write(lambda tx: tx.run(self._sql.mark_deleting, arn=arn))
        await self._finish_deletion(arn)
        return {}

    async def list_state_machines(self, call: Call, **input: "Unpack[types.ListStateMachinesInputTypeDef]") -> Reply:
        question = ["machines", call.account, call.region]
        after = position(input.get("nextToken"), question) or [-1, ""]
        count = page_size(input.get("maxResults"))
        rows = await self._database.read(
            lambda tx: tx.all(
                self._sql.list_machines, account=call.account, region=call.region,
                after_time=after[0], after_arn=after[1], count=count + 1,
            )
        )  # fmt: skip
        reply: Reply = {
            "stateMachines": [
                {
                    "stateMachineArn": row["arn"],
                    "name": row["name"],
                    "type": "STANDARD",
                    "creationDate": moment(row["created_at"]),
                }
                for row in rows[:count]
            ]
        }
        if len(rows) > count:
            reply["nextToken"] = make_token([rows[count - 1]["created_at"], rows[count - 1]["arn"]], question)
        return reply

    async def run(self) -> None:
        """Finish the deletions that a crash interrupted."""
        for row in await self._database.read(lambda tx: tx.all(self._sql.deleting_machines)):
            await self._finish_deletion(row["arn"])

    async def _finish_deletion(self, arn: str) -> None:
        """Stop what still runs, batch by batch, then remove the machine."""
        while rows := await self._database.read(lambda tx: tx.all(self._sql.open_runs, subject=arn, count=STOP_BATCH)):
            for row in rows:
                await self._engine.stop(row["id"])
        await self._database.write(lambda tx: self._remove(tx, arn))

    def _remove(self, tx: Transaction, arn: str) -> None:
        tx.run(self._sql.remove_machine, arn=arn)
        tx.run(self._sql.remove_tags, arn=arn)
        tx.run(self._sql.remove_versions, arn=arn)
        tx.run(self._sql.remove_aliases, arn=arn)
        tx.run(self._sql.remove_unused_revisions, arn=arn)

    def _add_revision(
        self, tx: Transaction, id: str, machine: str, definition: str, role: str, now: int, *, initial: int = 0
    ) -> None:
        tx.run(
            self._sql.add_revision, id=id, machine=machine, definition=definition, role_arn=role, created_at=now,
            initial=initial,
        )  # fmt: skip

    def _published(self, tx: Transaction, arn: str, input: Any, now: int) -> Row | None:
        """The version that `publish` asks for."""
        if not input.get("publish"):
            return None
        return self._publish(tx, self._machine(tx, arn), input.get("versionDescription"), now)

    def _check_definition(self, definition: str) -> None:
        """Refuse what cannot run (AWS's words), then what we do not carry out (by name)."""
        if not 1 <= len(definition) <= self._limits.definition:
            raise InvalidDefinition(
                problem=f"Invalid State Machine Definition: 'The definition has {len(definition)} characters; "
                f"it must have 1 to {self._limits.definition}'"
            )
        errors = [found for found in check(definition) if found.severity == "ERROR"]
        if errors:
            raise InvalidDefinition(problem=summary(errors))
        document = json.loads(definition)
        for what in unsupported(document):
            raise NotImplementedHere(what=what)
        refuse_unknown(document, self._caller)


def _with_version(reply: Reply, machine: str, version: Row | None) -> Reply:
    return reply if version is None else {**reply, "stateMachineVersionArn": f"{machine}:{version['number']}"}


def _same_or_refuse(found: Row, definition: str) -> int:
    """CreateStateMachine is idempotent: the same name and definition answer with what stands."""
    if found["status"] == "DELETING":
        raise StateMachineDeleting(arn=found["arn"])
    if found["definition"] != definition:
        raise StateMachineAlreadyExists(arn=found["arn"])
    return int(found["created_at"])


def _refuse_options(input: Any) -> None:
    """Options that would promise something we do not do."""
    if input.get("type", "STANDARD") == "EXPRESS":
        raise NotImplementedHere(what="state machines of type EXPRESS")
    logging = input.get("loggingConfiguration", {})
    if logging.get("level", "OFF") != "OFF" or logging.get("destinations"):
        raise NotImplementedHere(what="loggingConfiguration other than level OFF")
    if input.get("tracingConfiguration", {}).get("enabled"):
        raise NotImplementedHere(what="tracingConfiguration (X-Ray)")
    if input.get("encryptionConfiguration", {}).get("type", "AWS_OWNED_KEY") != "AWS_OWNED_KEY":
        raise NotImplementedHere(what="encryptionConfiguration with a customer managed key")


def _described(row: Row, date: int, input: Any) -> Reply:
    reply: Reply = {
        "stateMachineArn": row["arn"],
        "definition": row["definition"] if input.get("includedData", "ALL_DATA") == "ALL_DATA" else "",
        "roleArn": row["role_arn"],
        "type": "STANDARD",
        "creationDate": moment(date),
        "loggingConfiguration": {"level": "OFF", "includeExecutionData": False},
        "tracingConfiguration": {"enabled": False},
    }
    if not row["initial"]:
        reply["revisionId"] = row["revision"]
    return reply
