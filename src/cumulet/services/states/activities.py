"""Activities: tasks that workers anywhere ask for, do, and report by their token.

A task waits in a queue until GetActivityTask hands it out; nobody is told twice, save after a crash between the two.
A long poll ends after 60 seconds by the clock, or at once when a task arrives.
"""

import asyncio
from typing import TYPE_CHECKING, Unpack

from cumulet.base.clock import SECOND, moment
from cumulet.base.errors import NotImplementedHere
from cumulet.base.paging import make_token
from cumulet.engine import errors as engine_errors
from cumulet.engine.machine import Task, TaskError
from cumulet.services.states.errors import ActivityDoesNotExist
from cumulet.services.states.naming import activity_arn, check_name
from cumulet.services.states.parts import Parts, page_size, position
from cumulet.store.api import Row, Transaction
from cumulet.wire.service import Call, Reply

if TYPE_CHECKING:
    from types_boto3_stepfunctions import type_defs as types

LONG_POLL = 60 * SECOND
OURS = {"type": "AWS_OWNED_KEY"}


class Activities(Parts):
    """The operations on activities, and the queue between executions and workers."""

    async def create_activity(self, call: Call, **input: "Unpack[types.CreateActivityInputTypeDef]") -> Reply:
        name = check_name(input["name"])
        if input.get("encryptionConfiguration", OURS)["type"] != "AWS_OWNED_KEY":
            raise NotImplementedHere(what="encryptionConfiguration with a customer managed key")
        arn = f"arn:aws:states:{call.region}:{call.account}:activity:{name}"
        now = self._clock.now()

        def work(tx: Transaction) -> int:
            if (found := tx.one(self._sql.activity, arn=arn)) is not None:
                return int(found["created_at"])
            tx.run(self._sql.add_activity, arn=arn, account=call.account, region=call.region, name=name, created_at=now)
            for tag in input.get("tags", ()):
                tx.run(self._sql.set_tag, arn=arn, key=tag.get("key", ""), value=tag.get("value", ""))
            return now

        return {"activityArn": arn, "creationDate": moment(await self._database.write(work))}

    async def delete_activity(self, call: Call, **input: "Unpack[types.DeleteActivityInputTypeDef]") -> Reply:
        arn = activity_arn(input["activityArn"])

        def work(tx: Transaction) -> None:
            tx.run(self._sql.remove_activity, arn=arn)
            tx.run(self._sql.remove_activity_tasks, activity=arn)
            tx.run(self._sql.remove_tags, arn=arn)

        await self._database.write(work)
        return {}

    async def describe_activity(self, call: Call, **input: "Unpack[types.DescribeActivityInputTypeDef]") -> Reply:
        arn = activity_arn(input["activityArn"])
        row = await self._database.read(lambda tx: self._activity(tx, arn))
        return {**_item(row), "encryptionConfiguration": OURS}

    async def list_activities(self, call: Call, **input: "Unpack[types.ListActivitiesInputTypeDef]") -> Reply:
        question = ["activities", call.account, call.region]
        after = position(input.get("nextToken"), question) or [-1, ""]
        count = page_size(input.get("maxResults"))
        rows = await self._database.read(
            lambda tx: tx.all(
                self._sql.list_activities, account=call.account, region=call.region,
                after_time=after[0], after_arn=after[1], count=count + 1,
            )
        )  # fmt: skip
        reply: Reply = {"activities": [_item(row) for row in rows[:count]]}
        if len(rows) > count:
            reply["nextToken"] = make_token([rows[count - 1]["created_at"], rows[count - 1]["arn"]], question)
        return reply

    async def get_activity_task(self, call: Call, **input: "Unpack[types.GetActivityTaskInputTypeDef]") -> Reply:
        arn = activity_arn(input["activityArn"])
        deadline = self._clock.now() + LONG_POLL
        arrived = asyncio.Event()
        stop_listening = self._database.listen(_topic(arn), arrived.set)
        try:
            while True:
                arrived.clear()
                while (found := await self._database.write(lambda tx: self._pick(tx, arn))) is not None:
                    try:
                        await self._engine.take(found["token"], input.get("workerName"))
                    except engine_errors.TaskGone:
                        continue
                    return {"taskToken": found["token"], "input": found["payload"]}
                if not await self._arrives(arrived, deadline):
                    return {}
        finally:
            stop_listening()

    async def _arrives(self, event: asyncio.Event, deadline: int) -> bool:
        """Whether the event is set before the deadline."""
        waits = [asyncio.ensure_future(event.wait()), asyncio.ensure_future(self._clock.sleep_until(deadline))]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()
        return event.is_set()

    async def _offer(self, task: Task) -> None:
        """Put a task of an execution where workers find it. The performer of activities."""

        def work(tx: Transaction) -> None:
            if tx.one(self._sql.activity, arn=task.resource) is None:
                raise TaskError("ActivityDoesNotExist", f"Activity Does Not Exist: '{task.resource}'")
            now = self._clock.now()
            tx.run(self._sql.add_activity_task, token=task.token, activity=task.resource, born=now)
            tx.wake(_topic(task.resource))

        await self._database.write(work)

    def _pick(self, tx: Transaction, arn: str) -> Row | None:
        """Take the oldest task that is still open; those that ended meanwhile are dropped on the way."""
        self._activity(tx, arn)
        while (row := tx.one(self._sql.next_activity_task, activity=arn)) is not None:
            tx.run(self._sql.remove_activity_task, token=row["token"])
            if row["payload"] is not None:
                return row
        return None

    def _activity(self, tx: Transaction, arn: str) -> Row:
        row = tx.one(self._sql.activity, arn=arn)
        if row is None:
            raise ActivityDoesNotExist(arn=arn)
        return row


def _topic(arn: str) -> str:
    return f"states.activity.{arn}"


def _item(row: Row) -> Reply:
    return {"activityArn": row["arn"], "name": row["name"], "creationDate": moment(row["created_at"])}
