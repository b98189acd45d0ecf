"""Aliases: names that lead to one version, or to two by weight."""

from typing import TYPE_CHECKING, Unpack

from cumulet.base import json
from cumulet.base.clock import moment
from cumulet.base.paging import make_token
from cumulet.services.states.errors import ConflictException, InvalidRouting, ResourceNotFound
from cumulet.services.states.naming import target_of
from cumulet.services.states.parts import Parts, page_size, position
from cumulet.services.states.routes import Routes, read_routes
from cumulet.store.api import Row, Transaction
from cumulet.wire.service import Call, Reply

if TYPE_CHECKING:
    from types_boto3_stepfunctions import type_defs as types


class Aliases(Parts):
    """The operations on aliases."""

    async def create_state_machine_alias(
        self, call: Call, **input: "Unpack[types.CreateStateMachineAliasInputTypeDef]"
    ) -> Reply:
        machine, routes = read_routes(input["routingConfiguration"])
        arn = f"{machine}:{input['name']}"
        description = input.get("description")
        now = self._clock.now()

        def work(tx: Transaction) -> int:
            self._machine(tx, machine)
            self._check_versions(tx, machine, routes)
            found = tx.one(self._sql.alias, arn=arn)
            if found is None:
                tx.run(
                    self._sql.add_alias, arn=arn, machine=machine, name=input["name"], description=description,
                    routes=json.dumps(routes), now=now,
                )  # fmt: skip
                return now
            if (found["description"], found["routes"]) != (description, json.dumps(routes)):
                raise ConflictException(
                    problem="Failed to create alias because an alias with the same name and a different routing "
                    "configuration already exists."
                )
            return int(found["created_at"])

        return {"stateMachineAliasArn": arn, "creationDate": moment(await self._database.write(work))}

    async def describe_state_machine_alias(
        self, call: Call, **input: "Unpack[types.DescribeStateMachineAliasInputTypeDef]"
    ) -> Reply:
        row = await self._database.read(lambda tx: self._alias(tx, input["stateMachineAliasArn"]))
        reply: Reply = {
            "stateMachineAliasArn": row["arn"],
            "name": row["name"],
            "routingConfiguration": [
                {"stateMachineVersionArn": f"{row['machine']}:{number}", "weight": weight}
                for number, weight in json.loads(row["routes"])
            ],
            "creationDate": moment(row["created_at"]),
            "updateDate": moment(row["updated_at"]),
        }
        return reply if row["description"] is None else {**reply, "description": row["description"]}

    async def update_state_machine_alias(
        self, call: Call, **input: "Unpack[types.UpdateStateMachineAliasInputTypeDef]"
    ) -> Reply:
        arn = input["stateMachineAliasArn"]
        machine, routes = None, None
        if "routingConfiguration" in input:
            machine, routes = read_routes(input["routingConfiguration"])
        now = self._clock.now()

        def work(tx: Transaction) -> None:
            row = self._alias(tx, arn)
            if routes is not None:
                if machine != row["machine"]:
                    raise InvalidRouting(problem="Routing configuration must name versions of its state machine.")
                self._check_versions(tx, row["machine"], routes)
            tx.run(
                self._sql.change_alias, arn=arn, now=now, description=input.get("description", row["description"]),
                routes=row["routes"] if routes is None else json.dumps(routes),
            )  # fmt: skip

        await self._database.write(work)
        return {"updateDate": moment(now)}

    async def delete_state_machine_alias(
        self, call: Call, **input: "Unpack[types.DeleteStateMachineAliasInputTypeDef]"
    ) -> Reply:
        def work(tx: Transaction) -> None:
            tx.run(self._sql.remove_alias, arn=self._alias(tx, input["stateMachineAliasArn"])["arn"])

        await self._database.write(work)
        return {}

    async def list_state_machine_aliases(
        self, call: Call, **input: "Unpack[types.ListStateMachineAliasesInputTypeDef]"
    ) -> Reply:
        machine, version = target_of(input["stateMachineArn"])
        question = ["aliases", machine, version]
        token = position(input.get("nextToken"), question) or [""]
        count = page_size(input.get("maxResults"))

        def work(tx: Transaction) -> list[Row]:
            self._machine(tx, machine)
            return tx.all(self._sql.aliases, machine=machine)

        rows = [row for row in await self._database.read(work) if row["name"] > str(token[0])]
        if version is not None:
            rows = [row for row in rows if any(str(route[0]) == version for route in json.loads(row["routes"]))]
        reply: Reply = {
            "stateMachineAliases": [
                {"stateMachineAliasArn": row["arn"], "creationDate": moment(row["created_at"])} for row in rows[:count]
            ]
        }
        if len(rows) > count:
            reply["nextToken"] = make_token([rows[count - 1]["name"]], question)
        return reply

    def _alias(self, tx: Transaction, arn: str) -> Row:
        target_of(arn)
        row = tx.one(self._sql.alias, arn=arn)
        if row is None:
            raise ResourceNotFound("Request references a resource that does not exist.", arn=arn, resourceName=arn)
        return row

    def _check_versions(self, tx: Transaction, machine: str, routes: Routes) -> None:
        for number, _ in routes:
            if tx.one(self._sql.version, machine=machine, number=number) is None:
                arn = f"{machine}:{number}"
                raise ResourceNotFound("Request references a resource that does not exist.", arn=arn, resourceName=arn)
