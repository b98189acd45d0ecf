"""Versions: numbered revisions of a state machine that stay as they are.

Numbers grow and are never given twice. Publishing a revision that is published already answers with its version.
"""

from typing import TYPE_CHECKING, Unpack

from cumulet.base import json
from cumulet.base.clock import moment
from cumulet.base.errors import ValidationError
from cumulet.base.paging import make_token
from cumulet.services.states.errors import ConflictException, StateMachineDeleting
from cumulet.services.states.naming import machine_arn, target_of
from cumulet.services.states.parts import Parts, page_size, position
from cumulet.store.api import Row, Transaction
from cumulet.wire.service import Call, Reply

if TYPE_CHECKING:
    from types_boto3_stepfunctions import type_defs as types

NEWEST = 1 << 62


class Versions(Parts):
    """The operations on versions."""

    async def publish_state_machine_version(
        self, call: Call, **input: "Unpack[types.PublishStateMachineVersionInputTypeDef]"
    ) -> Reply:
        arn = machine_arn(input["stateMachineArn"])
        now = self._clock.now()

        def work(tx: Transaction) -> Row:
            row = self._machine(tx, arn)
            if row["status"] == "DELETING":
                raise StateMachineDeleting(arn=arn)
            wanted = input.get("revisionId")
            if wanted is not None and wanted != row["revision"]:
                raise ConflictException(
                    problem=f"Failed to publish the State Machine version for revision {wanted}. "
                    f"The current State Machine revision is {row['revision']}."
                )
            return self._publish(tx, row, input.get("description"), now)

        version = await self._database.write(work)
        return {
            "creationDate": moment(version["created_at"]),
            "stateMachineVersionArn": f"{arn}:{version['number']}",
        }

    async def list_state_machine_versions(
        self, call: Call, **input: "Unpack[types.ListStateMachineVersionsInputTypeDef]"
    ) -> Reply:
        arn = machine_arn(input["stateMachineArn"])
        question = ["versions", arn]
        before = position(input.get("nextToken"), question) or [NEWEST]
        count = page_size(input.get("maxResults"))

        def work(tx: Transaction) -> list[Row]:
            self._machine(tx, arn)
            return tx.all(self._sql.list_versions, machine=arn, before=before[0], count=count + 1)

        rows = await self._database.read(work)
        reply: Reply = {
            "stateMachineVersions": [
                {"stateMachineVersionArn": f"{arn}:{row['number']}", "creationDate": moment(row["created_at"])}
                for row in rows[:count]
            ]
        }
        if len(rows) > count:
            reply["nextToken"] = make_token([rows[count - 1]["number"]], question)
        return reply

    async def delete_state_machine_version(
        self, call: Call, **input: "Unpack[types.DeleteStateMachineVersionInputTypeDef]"
    ) -> Reply:
        machine, qualifier = target_of(input["stateMachineVersionArn"])
        if qualifier is None or not qualifier.isdecimal():
            raise ValidationError(problem=f"Not a state machine version ARN: {input['stateMachineVersionArn']}")
        number = int(qualifier)

        def work(tx: Transaction) -> None:
            users = [
                row["name"]
                for row in tx.all(self._sql.aliases, machine=machine)
                if any(route[0] == number for route in json.loads(row["routes"]))
            ]
            if users:
                raise ConflictException(
                    problem="Version to be deleted must not be referenced by an alias. "
                    f"Current list of aliases referencing this version: [{', '.join(users)}]"
                )
            tx.run(self._sql.remove_version, machine=machine, number=number)

        await self._database.write(work)
        return {}

    def _publish(self, tx: Transaction, machine: Row, description: str | None, now: int) -> Row:
        """The version of the machine's current revision, made now if there is none."""
        found = tx.one(self._sql.version_of_revision, machine=machine["arn"], revision=machine["revision"])
        if found is not None:
            return found
        number = machine["next_version"]
        tx.run(
            self._sql.add_version,
            machine=machine["arn"],
            number=number,
            revision=machine["revision"],
            description=description,
            created_at=now,
        )
        tx.run(self._sql.count_version, arn=machine["arn"], next=number + 1)
        return {"number": number, "created_at": now}
