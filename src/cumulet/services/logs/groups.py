"""Log groups and log streams."""

from typing import TYPE_CHECKING, Any, Unpack

from cumulet.base.arn import Arn
from cumulet.base.clock import Clock
from cumulet.base.errors import NotImplementedHere
from cumulet.base.ids import Entropy, make_hex
from cumulet.base.paging import BadToken, make_token, read_token
from cumulet.services.logs.errors import (
    InvalidParameterException,
    ResourceAlreadyExistsException,
    ResourceNotFoundException,
)
from cumulet.store import queries
from cumulet.store.api import Database, Row, Transaction
from cumulet.wire.service import Call, Reply, Service

if TYPE_CHECKING:
    from types_boto3_logs import type_defs as types

DEFAULT_PAGE = 50
STREAM_TIMES = {
    "firstEventTimestamp": "first_event",
    "lastEventTimestamp": "last_event",
    "lastIngestionTime": "last_ingestion",
}


class Groups(Service):
    """Operations on groups and streams."""

    def __init__(self, database: Database, clock: Clock, entropy: Entropy) -> None:
        self._database = database
        self._clock = clock
        self._entropy = entropy
        self._sql = queries.load(__package__)

    async def create_log_group(self, call: Call, **input: "Unpack[types.CreateLogGroupRequestTypeDef]") -> Reply:
        for option in ("kmsKeyId", "tags"):
            if input.get(option):
                raise NotImplementedHere(what=f"{option} of a log group")
        if input.get("logGroupClass", "STANDARD") != "STANDARD":
            raise NotImplementedHere(what=f"logGroupClass {input.get('logGroupClass')}")
        identity, now = make_hex(self._entropy, 8), self._clock.now() // 1000

        def work(tx: Transaction) -> None:
            if self._find_group(tx, call, input["logGroupName"]) is not None:
                raise ResourceAlreadyExistsException(what="log group")
            tx.run(
                self._sql.add_group, id=identity, account=call.account, region=call.region,
                name=input["logGroupName"], created_at=now,
            )  # fmt: skip

        await self._database.write(work)
        return {}

    async def delete_log_group(self, call: Call, **input: "Unpack[types.DeleteLogGroupRequestTypeDef]") -> Reply:
        def work(tx: Transaction) -> None:
            group = self._group(tx, call, input["logGroupName"])
            for sql in (self._sql.remove_group_events, self._sql.remove_streams, self._sql.remove_group):
                tx.run(sql, id=group["id"])

        await self._database.write(work)
        return {}

    async def describe_log_groups(self, call: Call, **input: "Unpack[types.DescribeLogGroupsRequestTypeDef]") -> Reply:
        for option in ("accountIdentifiers", "includeLinkedAccounts", "logGroupIdentifiers"):
            if input.get(option):
                raise NotImplementedHere(what=f"{option} of DescribeLogGroups")
        prefix, pattern = input.get("logGroupNamePrefix", ""), input.get("logGroupNamePattern", "").lower()
        question = ["groups", call.account, call.region, prefix, pattern]
        after = position(input.get("nextToken"), question) or [""]

        def work(tx: Transaction) -> list[tuple[Row, int]]:
            rows = tx.all(self._sql.list_groups, account=call.account, region=call.region, after=after[0])
            chosen = [row for row in rows if row["name"].startswith(prefix) and pattern in row["name"].lower()]
            return [(row, self._bytes(tx, row)) for row in chosen[: input.get("limit", DEFAULT_PAGE) + 1]]

        found = await self._database.read(work)
        count = input.get("limit", DEFAULT_PAGE)
        reply: Reply = {"logGroups": [_shown_group(call, row, size) for row, size in found[:count]]}
        if len(found) > count:
            reply["nextToken"] = make_token([found[count - 1][0]["name"]], question)
        return reply

    async def create_log_stream(self, call: Call, **input: "Unpack[types.CreateLogStreamRequestTypeDef]") -> Reply:
        identity, now = make_hex(self._entropy, 8), self._clock.now() // 1000

        def work(tx: Transaction) -> None:
            group = self._group(tx, call, input["logGroupName"])
            if tx.one(self._sql.stream, log_group=group["id"], name=input["logStreamName"]) is not None:
                raise ResourceAlreadyExistsException(what="log stream")
            tx.run(
                self._sql.add_stream, id=identity, log_group=group["id"], name=input["logStreamName"], created_at=now
            )

        await self._database.write(work)
        return {}

    async def delete_log_stream(self, call: Call, **input: "Unpack[types.DeleteLogStreamRequestTypeDef]") -> Reply:
        def work(tx: Transaction) -> None:
            stream = self._stream(tx, self._group(tx, call, input["logGroupName"]), input["logStreamName"])
            tx.run(self._sql.remove_stream_events, id=stream["id"])
            tx.run(self._sql.remove_stream, id=stream["id"])

        await self._database.write(work)
        return {}

    async def describe_log_streams(
        self, call: Call, **input: "Unpack[types.DescribeLogStreamsRequestTypeDef]"
    ) -> Reply:
        name, prefix = group_name(input), input.get("logStreamNamePrefix", "")
        by_time = input.get("orderBy", "LogStreamName") == "LastEventTime"
        if by_time and prefix:
            raise InvalidParameterException(problem="Cannot order by LastEventTime with a logStreamNamePrefix.")
        question = ["streams", call.account, call.region, name, prefix, by_time, input.get("descending", False)]
        start = int((position(input.get("nextToken"), question) or [0])[0])

        def work(tx: Transaction) -> list[Row]:
            rows = tx.all(self._sql.list_streams, log_group=self._group(tx, call, name)["id"])
            return [row for row in rows if row["name"].startswith(prefix)]

        rows = await self._database.read(work)
        if by_time:
            rows.sort(key=lambda row: (row["last_event"] or 0, row["name"]))
        if input.get("descending"):
            rows.reverse()
        stop = start + input.get("limit", DEFAULT_PAGE)
        reply: Reply = {"logStreams": [_shown_stream(call, name, row) for row in rows[start:stop]]}
        if len(rows) > stop:
            reply["nextToken"] = make_token([stop], question)
        return reply

    def _find_group(self, tx: Transaction, call: Call, name: str) -> Row | None:
        return tx.one(self._sql.group, account=call.account, region=call.region, name=name)

    def _group(self, tx: Transaction, call: Call, name: str) -> Row:
        row = self._find_group(tx, call, name)
        if row is None:
            raise ResourceNotFoundException(what="log group")
        return row

    def _stream(self, tx: Transaction, group: Row, name: str) -> Row:
        row = tx.one(self._sql.stream, log_group=group["id"], name=name)
        if row is None:
            raise ResourceNotFoundException(what="log stream")
        return row

    def _bytes(self, tx: Transaction, group: Row) -> int:
        row = tx.one(self._sql.stored_bytes, id=group["id"])
        return int(row["bytes"]) if row is not None else 0


def group_name(input: Any) -> str:
    """The group that `logGroupName` or `logGroupIdentifier` (a name or an ARN) means; one of the two is given."""
    name, identifier = input.get("logGroupName"), input.get("logGroupIdentifier")
    if (name is None) == (identifier is None):
        raise InvalidParameterException(problem="Exactly one of logGroupName and logGroupIdentifier must be given.")
    if name is not None:
        return str(name)
    arn = Arn.parse(identifier)
    return arn.resource.removeprefix("log-group:").removesuffix(":*") if arn else str(identifier)


def position(token: str | None, question: object) -> list[Any] | None:
    if token is None:
        return None
    try:
        return list(read_token(token, question))
    except BadToken:
        raise InvalidParameterException(problem="The specified nextToken is invalid.") from None


def _shown_group(call: Call, row: Row, size: int) -> Reply:
    arn = f"arn:aws:logs:{call.region}:{call.account}:log-group:{row['name']}"
    return {
        "logGroupName": row["name"],
        "creationTime": row["created_at"],
        "metricFilterCount": 0,
        "arn": f"{arn}:*",
        "logGroupArn": arn,
        "storedBytes": size,
        "logGroupClass": "STANDARD",
    }


def _shown_stream(call: Call, group: str, row: Row) -> Reply:
    reply: Reply = {
        "logStreamName": row["name"],
        "creationTime": row["created_at"],
        "arn": f"arn:aws:logs:{call.region}:{call.account}:log-group:{group}:log-stream:{row['name']}",
        "storedBytes": 0,
    }
    return reply | {member: row[column] for member, column in STREAM_TIMES.items() if row[column] is not None}
