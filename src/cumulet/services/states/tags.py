"""Tags of state machines and activities."""

from typing import TYPE_CHECKING, Unpack

from cumulet.services.states.errors import ResourceNotFound, TooManyTags
from cumulet.services.states.parts import Parts
from cumulet.store.api import Transaction
from cumulet.wire.service import Call, Reply

if TYPE_CHECKING:
    from types_boto3_stepfunctions import type_defs as types

MAX_TAGS = 50


class Tags(Parts):
    """TagResource, UntagResource, ListTagsForResource."""

    async def tag_resource(self, call: Call, **input: "Unpack[types.TagResourceInputTypeDef]") -> Reply:
        arn = input["resourceArn"]

        def work(tx: Transaction) -> None:
            self._tagged(tx, arn)
            for tag in input["tags"]:
                tx.run(self._sql.set_tag, arn=arn, key=tag.get("key", ""), value=tag.get("value", ""))
            if len(tx.all(self._sql.tags, arn=arn)) > MAX_TAGS:
                raise TooManyTags(arn=arn, resourceName=arn)

        await self._database.write(work)
        return {}

    async def untag_resource(self, call: Call, **input: "Unpack[types.UntagResourceInputTypeDef]") -> Reply:
        arn = input["resourceArn"]

        def work(tx: Transaction) -> None:
            self._tagged(tx, arn)
            for key in input["tagKeys"]:
                tx.run(self._sql.remove_tag, arn=arn, key=key)

        await self._database.write(work)
        return {}

    async def list_tags_for_resource(
        self, call: Call, **input: "Unpack[types.ListTagsForResourceInputTypeDef]"
    ) -> Reply:
        arn = input["resourceArn"]

        def work(tx: Transaction) -> list[dict[str, str]]:
            self._tagged(tx, arn)
            return [{"key": row["key"], "value": row["value"]} for row in tx.all(self._sql.tags, arn=arn)]

        return {"tags": await self._database.read(work)}

    def _tagged(self, tx: Transaction, arn: str) -> None:
        if tx.one(self._sql.machine, arn=arn) is None and tx.one(self._sql.activity, arn=arn) is None:
            raise ResourceNotFound(arn=arn, resourceName=arn)
